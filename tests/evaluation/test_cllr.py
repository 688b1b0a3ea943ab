"""Properties of Cllr, PAV, ECE and Tippett that hold for any set of likelihood ratios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation.cllr import cllr, cllr_cal, cllr_min, dev_pav, ece, pav, tippett


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(2, 40))
    values = draw(st.lists(st.integers(-300, 300), min_size=size, max_size=size))
    labels = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    labels[0], labels[1] = True, False
    return np.array(values) / 100.0, labels


@given(labelled())
def test_recalibrating_never_costs(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = sample
    assert 0 <= cllr_min(values, labels) <= min(1.0, cllr(values, labels)) + 1e-12
    assert cllr_cal(values, labels) >= -1e-12
    assert dev_pav(values, labels) >= 0


@given(labelled())
def test_pav_is_monotone_and_gives_ties_one_value(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = sample
    transformed = pav(values, labels)
    order = np.argsort(values, kind="stable")
    with np.errstate(invalid="ignore"):
        steps = np.diff(transformed[order])
    assert np.all((steps >= -1e-12) | np.isnan(steps))
    for value in np.unique(values):
        assert np.unique(transformed[values == value]).size == 1


@given(labelled())
def test_swapping_the_classes_changes_the_sign(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = sample
    assert cllr(-values, ~labels) == pytest.approx(cllr(values, labels))
    assert pav(-values, ~labels) == pytest.approx(-pav(values, labels), abs=1e-9)


@given(st.integers(1, 30), st.integers(1, 30))
def test_saying_nothing_costs_exactly_one_bit(manipulated: int, as_issued: int) -> None:
    labels = np.arange(manipulated + as_issued) < manipulated
    assert cllr(np.zeros(labels.size), labels) == pytest.approx(1.0, abs=1e-15)


def test_infinite_values_cost_nothing_on_the_right_side_and_everything_on_the_wrong() -> None:
    labels = np.array([True, False])
    assert cllr(np.array([np.inf, -np.inf]), labels) == 0
    assert cllr(np.array([-np.inf, -1.0]), labels) == np.inf


def test_a_weight_of_two_is_the_item_twice() -> None:
    values = np.array([1.0, 0.2, -0.5, 0.3])
    labels = np.array([True, True, False, False])
    weights = np.array([2.0, 1.0, 1.0, 1.0])
    doubled = np.append(values, 1.0), np.append(labels, True)
    assert cllr(values, labels, weights) == pytest.approx(cllr(*doubled))
    assert cllr_min(values, labels, weights) == pytest.approx(cllr_min(*doubled))
    assert dev_pav(values, labels, weights) == pytest.approx(dev_pav(*doubled))


def test_an_item_without_weight_counts_for_nothing() -> None:
    values = np.array([1.0, 0.2, -0.5, 0.3, -np.inf])
    labels = np.array([True, True, False, False, True])
    weights = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    assert cllr(values, labels, weights) == pytest.approx(cllr(values[:4], labels[:4]))
    assert cllr_min(values, labels, weights) == pytest.approx(cllr_min(values[:4], labels[:4]))


def test_cross_entropy_at_even_odds_is_cllr_and_silence_costs_the_prior() -> None:
    values = np.array([0.7, -0.1, -0.9])
    labels = np.array([True, True, False])
    odds = np.array([0.25, 1.0])
    assert ece(values, labels, odds)[1] == pytest.approx(cllr(values, labels))
    prior = 0.2
    entropy = -(prior * np.log2(prior) + (1 - prior) * np.log2(1 - prior))
    assert ece(np.zeros(3), labels, odds)[0] == pytest.approx(entropy)


def test_tippett_shares_by_hand() -> None:
    points = tippett(np.array([1.0, 2.0, 0.0, 1.0]), np.array([True, True, False, False]))
    assert points.x.tolist() == [0.0, 1.0, 2.0]
    assert points.manipulated.tolist() == [1.0, 1.0, 0.5]
    assert points.as_issued.tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("values", "labels", "problem"),
    [
        ([0.0, 1.0], [True], "shape"),
        ([np.nan, 1.0], [True, False], "not numbers"),
        ([0.0, 1.0], [True, True], "both classes"),
    ],
)
def test_senseless_input_is_refused(values: list[float], labels: list[bool], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        cllr(np.array(values), np.array(labels))
