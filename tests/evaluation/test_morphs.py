"""Morph measures: definitions by hand, loops over the formulas, invariants."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidewaiter.evaluation import morphs as m

TENTHS = st.integers(0, 10).map(lambda n: n / 10)
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4))
SCORES = SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=TENTHS))
SEVERAL = st.tuples(st.integers(1, 3), SHAPES).flatmap(
    lambda given: arrays(np.float64, (given[0], *given[1]), elements=TENTHS)
)

# One morph that passes for both, one for the first contributor only; two probes each.
HAND = np.array([[[0.9, 0.2], [0.6, 0.7]], [[0.8, 0.8], [0.1, 0.4]]])


def test_measures_by_hand():
    assert m.mmpmr(HAND, 0.5) == 0.5
    assert m.mmpmr_average(HAND, 0.5) == 0.25
    assert m.fmmpmr(HAND, 0.5) == 0.25
    assert m.attack_potential([HAND], [0.5]).tolist() == [[0.5], [0.0]]


@given(SCORES, TENTHS)
def test_measures_are_their_formulas_in_loops(scores, threshold):
    morphs, contributors, probes = scores.shape
    minmax = np.mean([scores[k].max(axis=1).min() >= threshold for k in range(morphs)])
    product = np.mean(
        [
            np.prod([(scores[k, n] >= threshold).mean() for n in range(contributors)])
            for k in range(morphs)
        ]
    )
    together = np.mean(
        [
            (scores[k, :, p] >= threshold).all()
            for k, p in itertools.product(range(morphs), range(probes))
        ]
    )
    assert m.mmpmr(scores, threshold) == pytest.approx(minmax, abs=1e-12)
    assert m.mmpmr_average(scores, threshold) == pytest.approx(product, abs=1e-12)
    assert m.fmmpmr(scores, threshold) == pytest.approx(together, abs=1e-12)


@given(SEVERAL, TENTHS)
def test_the_matrix_is_its_formula_and_never_rises(scores, threshold):
    recognisers, morphs, contributors, probes = scores.shape
    found = m.attack_potential(list(scores), [threshold] * recognisers)
    for r, c in itertools.product(range(1, probes + 1), range(1, recognisers + 1)):
        fooled = [
            sum(
                all((scores[q, k, n] >= threshold).sum() >= r for n in range(contributors))
                for q in range(recognisers)
            )
            >= c
            for k in range(morphs)
        ]
        assert found[r - 1, c - 1] == pytest.approx(np.mean(fooled), abs=1e-12)
    assert np.all(np.diff(found, axis=0) <= 0)
    assert np.all(np.diff(found, axis=1) <= 0)


@given(SEVERAL, TENTHS)
def test_the_measures_bound_each_other(scores, threshold):
    matrix = m.attack_potential(list(scores), [threshold] * len(scores))
    for one in scores:
        assert m.mmpmr(one, threshold) >= m.mmpmr_average(one, threshold) - 1e-12
        assert m.mmpmr(one, threshold) >= m.fmmpmr(one, threshold) - 1e-12
        assert matrix[0, 0] >= m.mmpmr_average(one, threshold) - 1e-12
    assert m.attack_potential([scores[0]], [threshold])[0, 0] == m.mmpmr(scores[0], threshold)


@given(SCORES, TENTHS)
def test_inputs_stay_as_they_were(scores, threshold):
    before = scores.copy()
    m.mmpmr(scores, threshold)
    m.mmpmr_average(scores, threshold)
    m.attack_potential([scores], [threshold])
    assert np.array_equal(scores, before)


def test_rmmr_is_acceptance_plus_refusals_and_not_its_complement():
    assert m.rmmr(0.3, 0.04) == pytest.approx(1 + (0.3 - (1 - 0.04)), abs=1e-12)


def test_fewer_probes_of_one_contributor_change_nothing_for_the_others():
    padded = np.array([[[0.9, 0.2, 0.3], [0.6, np.nan, np.nan]]])
    assert m.mmpmr(padded, 0.5) == 1.0
    assert m.mmpmr_average(padded, 0.5) == pytest.approx(1 / 3)


def test_a_capture_that_failed_stays_in_the_denominator():
    failed = np.array([[[0.9, -np.inf], [0.9, 0.9]]])
    assert m.mmpmr_average(failed, 0.5) == 0.5


def test_the_morph_detector_is_judged_at_a_stated_bscer():
    bona_fide, morphs = np.arange(100) / 100, np.array([0.85, 0.95, 0.995])
    assert m.macer_at_bscer(morphs, bona_fide, 0.1) == pytest.approx(1 / 3)
    assert m.macer_at_bscer(morphs, bona_fide, 0.01) == pytest.approx(2 / 3)


def test_expected_success_is_read_from_licit_scores():
    mated, impostor = np.array([0.8, 1.0, np.nan]), np.array([0.1, 0.35, 0.5, 0.2])
    # A morph half-way between 0.9 and the pair's own score passes 0.6 where that is over 0.3.
    assert m.expected_morph_success(mated, impostor, 0.6) == 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda: m.mmpmr(np.zeros((2, 2)), 0.5),
        lambda: m.mmpmr(np.zeros((0, 2, 2)), 0.5),
        lambda: m.mmpmr(np.full((1, 2, 2), np.nan), 0.5),
        lambda: m.attack_potential([], []),
        lambda: m.attack_potential([HAND, HAND[:1]], [0.5, 0.5]),
        lambda: m.macer_at_bscer(np.array([]), np.array([0.1]), 0.1),
        lambda: m.expected_morph_success(np.array([]), np.array([0.1]), 0.1),
    ],
)
def test_scores_that_make_no_sense_are_refused(call):
    with pytest.raises(ValueError, match="needed"):
        call()
