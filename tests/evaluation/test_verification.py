"""Errors of recognition: definitions by hand, other formulas on the same scores, invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tidewaiter.evaluation import verification as v

SCORES = st.lists(st.integers(-20, 20).map(lambda n: n / 4), min_size=1, max_size=60).map(np.array)


def seeded(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(2, 1, 300).round(2), rng.normal(0, 1, 4000).round(2)


def test_rates_by_definition_with_ties_accepted():
    mated, impostor = np.array([0.9, 0.5, 0.3]), np.array([0.1, 0.5, 0.4, 0.6])
    assert v.false_match_rate(impostor, 0.5) == 0.5
    assert v.false_non_match_rate(mated, 0.5) == pytest.approx(1 / 3)


def test_captures_that_failed_count_as_failures_only():
    scores = np.array([0.2, np.nan, 0.8, np.nan])
    assert v.failure_rate(scores) == 0.5
    assert v.false_match_rate(scores, 0.5) == 0.5
    assert v.false_accept_rate(0.5, 0.5) == 0.25
    assert v.false_reject_rate(0.1, 0.5) == pytest.approx(0.55)


def test_scalar_and_vector_distance_and_similarity_agree():
    mated, impostor = seeded()
    thresholds = np.linspace(-1, 3, 41)
    vector = v.false_match_rate(impostor, thresholds)
    assert vector.tolist() == [float(v.false_match_rate(impostor, t)) for t in thresholds]
    distances = -impostor
    assert vector.tolist() == [float((distances <= -t).mean()) for t in thresholds]
    fnmr = v.false_non_match_rate(mated, thresholds)
    assert fnmr.tolist() == [float((mated < t).mean()) for t in thresholds]


def test_inputs_stay_as_they_were():
    mated, impostor = seeded()
    copies = mated.copy(), impostor.copy()
    v.equal_error(mated, impostor)
    v.threshold_at(impostor, 0.01)
    assert np.array_equal(mated, copies[0])
    assert np.array_equal(impostor, copies[1])


@given(SCORES, st.sampled_from([0.0, 0.001, 0.05, 0.29, 0.5, 0.999, 1.0]))
def test_the_threshold_keeps_its_promise_with_ties(scores, share):
    threshold = v.threshold_at(scores, share)
    assert v.false_match_rate(scores, threshold) <= share + 1e-12
    if np.isfinite(threshold):
        looser = np.nextafter(threshold, -np.inf)
        assert v.false_match_rate(scores, looser) > share


def test_the_threshold_counts_whole_shares_as_whole():
    assert v.false_match_rate(np.arange(100.0), v.threshold_at(np.arange(100.0), 0.29)) == 0.29


def test_the_equal_error_rate_is_that_of_an_exhaustive_search():
    mated, impostor = seeded()
    pairs = [
        (abs((impostor >= t).mean() - (mated < t).mean()), t)
        for t in np.unique(np.concatenate([mated, impostor]))
    ]
    t = min(pairs)[1]
    found = v.equal_error(mated, impostor)
    assert found.threshold == t
    expected = ((impostor >= t).mean() + (mated < t).mean()) / 2
    assert found.rate == pytest.approx(expected, abs=1e-12)


def test_rates_agree_with_a_cumulated_histogram_of_all_scores():
    """The way of pyeer: cumulated counts over the sorted unique scores of both classes."""
    mated, impostor = seeded(2)
    thresholds = np.unique(np.concatenate([mated, impostor]))
    below_mated = np.cumsum([np.sum(mated == t) for t in thresholds]) - [
        np.sum(mated == t) for t in thresholds
    ]
    below_impostor = np.cumsum([np.sum(impostor == t) for t in thresholds]) - [
        np.sum(impostor == t) for t in thresholds
    ]
    assert v.false_non_match_rate(mated, thresholds) == pytest.approx(
        below_mated / mated.size, abs=1e-12
    )
    assert v.false_match_rate(impostor, thresholds) == pytest.approx(
        1 - below_impostor / impostor.size, abs=1e-12
    )


# Threshold, FMR, FNMR as pyeer 0.5.6 gives them for the scores of the next test.
OF_PYEER = [
    (0.24, 0.7844444444444445, 0.0),
    (0.53, 0.4022222222222222, 0.23333333333333334),
    (0.7, 0.17888888888888888, 0.4),
    (0.8300000000000001, 0.022222222222222223, 0.5333333333333333),
]


def test_rates_are_those_of_pyeer_at_the_same_thresholds():
    mated = ((np.arange(120) * 37) % 101) / 100 + 0.30
    impostor = ((np.arange(900) ** 2 * 13) % 89) / 100
    thresholds, fmr, fnmr = zip(*OF_PYEER, strict=True)
    assert v.false_match_rate(impostor, thresholds) == pytest.approx(fmr, abs=1e-12)
    assert v.false_non_match_rate(mated, thresholds) == pytest.approx(fnmr, abs=1e-12)


def test_deviates_stay_half_a_trial_off_the_ends():
    found = v.deviates(np.array([0.0, 0.5, 1.0]), 50)
    assert found == pytest.approx([stats.norm.ppf(0.01), 0.0, stats.norm.ppf(0.99)])


def test_identification_errors_by_definition():
    ranks, scores = np.array([1, 3, 0, 2]), np.array([0.9, 0.9, np.nan, 0.4])
    first = v.false_negative_identification(ranks, scores, answers=1, threshold=0.5)
    third = v.false_negative_identification(ranks, scores, answers=3, threshold=0.5)
    lax = v.false_negative_identification(ranks, scores, answers=3, threshold=0.0)
    assert (first, third, lax) == (0.75, 0.5, 0.25)
    assert v.false_positive_identification(np.array([0.2, np.nan, 0.7]), 0.5) == pytest.approx(
        1 / 3
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: v.false_match_rate(np.array([np.nan]), 0.5),
        lambda: v.failure_rate(np.array([])),
        lambda: v.threshold_at(np.array([1.0]), 1.2),
        lambda: v.false_positive_identification(np.array([]), 0.5),
        lambda: v.false_negative_identification(
            np.array([1]), np.array([]), answers=1, threshold=0
        ),
        lambda: v.deviates(np.array([0.5]), 0),
    ],
)
def test_nothing_measured_is_refused(call):
    with pytest.raises(ValueError, match="need"):
        call()
