"""Attack rates: definitions by hand, other formulas on the same scores, invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation import presentation_attacks as pa
from tidewaiter.evaluation.verification import false_match_rate, false_non_match_rate

FINE = st.integers(-12, 12).map(lambda n: n / 4)
SCORES = st.lists(FINE, min_size=1, max_size=30).map(np.array)
SPECIES = st.dictionaries(st.sampled_from("abcd"), SCORES, min_size=1)


def detector() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(4)
    attacks = {"swap": rng.normal(2, 1, 150), "morph": rng.normal(1, 1, 90)}
    return rng.normal(0, 1, 400), attacks


def test_apcer_is_per_species_and_the_headline_is_the_worst():
    attacks = {"swap": np.array([0.2, 0.8]), "morph": np.array([0.5, 0.5, 0.4, 0.9])}
    assert pa.apcer(attacks, 0.5) == {"morph": 0.25, "swap": 0.5}
    assert pa.worst_apcer(attacks, 0.5) == 0.5
    assert pa.bpcer(np.array([0.1, 0.5, 0.6]), 0.5) == pytest.approx(2 / 3)


@given(SCORES, SPECIES, st.sampled_from([0.0, 0.01, 0.05, 0.2, 1.0]))
def test_bpcer_at_apcer_is_the_exhaustive_minimum(bona_fide, attacks, share):
    cuts = [*np.unique(np.concatenate([bona_fide, *attacks.values()])), np.inf]
    best = min(
        np.mean(bona_fide >= cut)
        for cut in cuts
        if max(np.mean(a < cut) for a in attacks.values()) <= share
    )
    assert pa.bpcer_at_apcer(bona_fide, attacks, share) == pytest.approx(best, abs=1e-12)


@given(SCORES, SPECIES, st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_apcer_at_bpcer_keeps_the_bpcer_and_is_the_least_that_does(bona_fide, attacks, share):
    everything = np.unique(np.concatenate([bona_fide, *attacks.values()]))
    cuts = [-np.inf, *np.nextafter(everything, np.inf)]
    best = min(
        max(np.mean(a < cut) for a in attacks.values())
        for cut in cuts
        if np.mean(bona_fide >= cut) <= share
    )
    assert pa.apcer_at_bpcer(bona_fide, attacks, share) == pytest.approx(best, abs=1e-12)


def test_the_detection_equal_error_is_that_of_an_exhaustive_search():
    bona_fide, attacks = detector()
    cuts = np.unique(np.concatenate([bona_fide, attacks["swap"]]))
    gaps = [abs((attacks["swap"] < c).mean() - (bona_fide >= c).mean()) for c in cuts]
    c = cuts[int(np.argmin(gaps))]
    expected = ((attacks["swap"] < c).mean() + (bona_fide >= c).mean()) / 2
    found = pa.detection_equal_error(bona_fide, attacks["swap"])
    assert found.rate == pytest.approx(expected, abs=1e-12)
    assert pa.legacy_acer(0.4, 0.2) == pytest.approx(0.3)


@given(SCORES, FINE, st.randoms())
def test_a_gate_never_lets_more_through(similarities, threshold, random):
    passed = np.array([random.random() < 0.5 for _ in similarities])
    open_, gated = (
        pa.accepted(similarities, threshold),
        pa.accepted(similarities, threshold, passed),
    )
    assert not np.any(gated & ~open_)
    assert gated.tolist() == [
        bool(pa.accepted(np.array([s]), threshold, np.array([p]))[0])
        for s, p in zip(similarities, passed, strict=True)
    ]


def test_a_capture_that_failed_is_refused_and_still_counted():
    similarities = np.array([0.9, np.nan, 0.2, 0.9])
    successes = pa.accepted(similarities, 0.5, np.array([True, True, True, False]))
    assert successes.tolist() == [True, False, False, False]


def test_identification_tells_the_target_from_anybody():
    targeted, anybody = pa.targeted_and_any(["a", "b", "c"], [["a", "x"], ["x"], []])
    assert targeted.tolist() == [True, False, False]
    assert anybody.tolist() == [True, True, False]


def test_derived_rates_are_their_formulas():
    iapar, fmr, fnmr = 0.3, 0.001, 0.04
    assert pa.riapar(iapar, fnmr) == pytest.approx(1 + (iapar - (1 - fnmr)), abs=1e-12)
    assert pa.lift(iapar, 0.1) == pytest.approx(0.2)
    far = pa.expected_false_accepts(0.25, iapar, fmr)
    assert far == pytest.approx(0.25 * iapar + 0.75 * fmr, abs=1e-12)
    assert pa.weighted_error(0.4, far, fnmr) == pytest.approx(0.4 * far + 0.6 * fnmr, abs=1e-12)


def test_the_spoofability_curve_is_the_least_error_at_each_share_of_attacks():
    rng = np.random.default_rng(9)
    mated, impostor, attack = rng.normal(3, 1, 80), rng.normal(0, 1, 90), rng.normal(2, 1, 70)
    found = pa.spoofability_curve(mated, impostor, attack, np.array([0.0, 0.5, 1.0]))
    for omega, (error, false_accepts) in zip([0.0, 0.5, 1.0], found, strict=True):
        every = [
            pa.weighted_error(
                0.5,
                pa.expected_false_accepts(
                    omega, float(false_match_rate(attack, t)), float(false_match_rate(impostor, t))
                ),
                float(false_non_match_rate(mated, t)),
            )
            for t in np.concatenate([mated, impostor, attack])
        ]
        assert error == pytest.approx(min(every), abs=1e-12)
        assert 0 <= false_accepts <= 1
    assert found[0, 0] <= found[1, 0] <= found[2, 0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: pa.apcer({}, 0.5),
        lambda: pa.apcer({"a": np.array([])}, 0.5),
        lambda: pa.bpcer(np.array([np.nan]), 0.5),
    ],
)
def test_nothing_measured_is_refused(call):
    with pytest.raises(ValueError, match="needed"):
        call()
