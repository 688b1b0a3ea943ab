"""Intervals: known values, and coverage where coverage is claimed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation.intervals import (
    clopper_pearson,
    percentile_interval,
    rule_of_three,
    source_bootstrap,
    wilson,
)


def test_clopper_pearson_of_none_in_twenty() -> None:
    found = clopper_pearson(0, 20)
    assert (found.value, found.lower) == (0.0, 0.0)
    assert found.upper == pytest.approx(1 - 0.025 ** (1 / 20))


def test_wilson_of_one_in_ten() -> None:
    found = wilson(1, 10)
    assert (found.lower, found.upper) == pytest.approx((0.0178762, 0.4041500), abs=1e-6)


@given(st.integers(1, 200), st.floats(0, 1))
def test_both_intervals_hold_the_rate(trials: int, share: float) -> None:
    events = round(share * trials)
    for interval in (clopper_pearson(events, trials), wilson(events, trials)):
        assert 0 <= interval.lower <= events / trials <= interval.upper <= 1


def test_three_thousand_without_an_error_bound_the_rate_at_one_in_a_thousand() -> None:
    assert rule_of_three(3000) == pytest.approx(0.001)
    assert clopper_pearson(0, 3000, level=0.90).upper == pytest.approx(0.001, rel=0.01)


@pytest.mark.parametrize(("events", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_senseless_counts_are_refused(events: int, trials: int) -> None:
    with pytest.raises(ValueError, match="needed"):
        wilson(events, trials)


def test_drawing_sources_is_wider_than_drawing_items_that_depend() -> None:
    rng = np.random.default_rng(2)
    sources = np.repeat(np.arange(12), 20)
    labels = sources % 2 == 0
    values = rng.normal(size=12)[sources]

    def mean(weights: np.ndarray) -> float:
        return float(np.average(values, weights=weights))

    by_source = source_bootstrap(mean, labels, sources, np.random.default_rng(3), draws=300)
    by_item = source_bootstrap(mean, labels, np.arange(240), np.random.default_rng(3), draws=300)
    assert by_source.upper - by_source.lower > 3 * (by_item.upper - by_item.lower)


def test_source_bootstrap_covers_the_mean() -> None:
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sources = np.repeat(np.arange(60), 3)
        values = rng.normal(size=60)[sources] + rng.normal(size=180)

        def mean(weights: np.ndarray, values: np.ndarray = values) -> float:
            return float(np.average(values, weights=weights))

        interval = source_bootstrap(mean, sources % 2 == 0, sources, rng, draws=200)
        hits += interval.lower <= 0 <= interval.upper
    assert hits >= 180


def test_draws_that_are_no_number_are_left_out() -> None:
    found = percentile_interval(1.0, np.array([np.nan, np.inf, 0.5, 0.7]))
    assert found.upper == 1.0
    assert 0.5 <= found.lower <= 0.7
