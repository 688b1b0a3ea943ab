"""The bounds: around zero, no wider than the sources allow, wider with more of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation.elub import elub, invariance_bounds


def _perfect(count: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(2 * count) < count
    return np.where(labels, 6.0, -6.0), labels


@given(
    st.lists(st.floats(-8, 8), min_size=1, max_size=60),
    st.lists(st.floats(-8, 8), min_size=1, max_size=60),
)
def test_the_bound_holds_zero_and_never_outgrows_the_data(
    manipulated: list[float], as_issued: list[float]
) -> None:
    values = np.array(manipulated + as_issued)
    labels = np.arange(values.size) < len(manipulated)
    bounds = elub(values, labels)
    assert -np.log10(len(manipulated) + 1) <= bounds.lower <= 0
    assert 0 <= bounds.upper <= np.log10(len(as_issued) + 1)


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=60), st.integers(1, 59))
def test_swapping_the_classes_mirrors_the_bound(values: list[float], cut: int) -> None:
    numbers = np.round(np.array(values), 1) + 0.005
    labels = np.arange(numbers.size) < min(cut, numbers.size - 1)
    bounds, mirrored = elub(numbers, labels), elub(-numbers, ~labels)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-bounds.upper, -bounds.lower))


@pytest.mark.parametrize(("count", "expected"), [(10, 1.0), (30, 1.47), (100, 2.0), (1000, 3.0)])
def test_a_perfect_cue_is_bounded_by_its_sources(count: int, expected: float) -> None:
    bounds = elub(*_perfect(count))
    assert bounds.upper == pytest.approx(expected, abs=0.011)
    assert bounds.lower == pytest.approx(-expected, abs=0.011)


def test_more_perfect_sources_widen_the_bound() -> None:
    uppers = [elub(*_perfect(count)).upper for count in (5, 10, 20, 50, 200)]
    assert uppers == sorted(uppers)
    assert uppers[0] < uppers[-1]


def test_a_hundred_files_of_ten_sources_are_ten() -> None:
    values, labels = _perfect(100)
    sources = np.arange(200) // 10
    assert elub(values, labels, sources).upper == elub(*_perfect(10)).upper
    assert elub(values, labels, sources).lower == elub(*_perfect(10)).lower


def test_one_misleading_genuine_source_costs_the_bound() -> None:
    values, labels = _perfect(100)
    values[-1] = 3.0
    assert elub(values, labels).upper < elub(*_perfect(100)).upper


def test_worse_than_silence_is_bounded_at_zero() -> None:
    values, labels = _perfect(50)
    bounds = elub(-values, labels)
    assert (bounds.lower, bounds.upper) == (0.0, 0.0)
    check = invariance_bounds(-values, labels)
    assert (check.lower, check.upper) == (0.0, 0.0)


def test_the_cross_check_is_near_the_bound_on_calibrated_gaussians() -> None:
    rng = np.random.default_rng(5)
    labels = np.arange(4000) < 2000
    spread = 2.0
    natural = rng.normal(np.where(labels, 1, -1) * spread**2 / 2, spread)
    bounds = elub(natural / np.log(10), labels)
    check = invariance_bounds(natural / np.log(10), labels)
    assert bounds.upper == pytest.approx(check.upper, abs=0.6)
    assert bounds.upper > 1.0


def test_one_class_has_no_bound() -> None:
    with pytest.raises(ValueError, match="both classes"):
        elub(np.zeros(3), np.ones(3, dtype=bool))
