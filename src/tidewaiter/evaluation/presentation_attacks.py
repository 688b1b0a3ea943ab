"""What attacks achieve against a detector, and against the whole system behind it.

Two orientations meet here. A detector's score is larger where a picture looks more like an
attack, and it calls an attack at score ≥ cut. A recogniser's score is a similarity, accepted
at score ≥ threshold. Terms of ISO/IEC 30107-3:2023. The headline is the worst species, never
a mean over species.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray
from tidewaiter.evaluation.verification import (
    EqualError,
    equal_error,
    false_match_rate,
    false_non_match_rate,
    threshold_at,
)


def apcer(attacks: Mapping[str, FloatArray], cut: float) -> dict[str, float]:
    """APCER of each species: share of its detector scores below the cut, taken for bona fide."""
    _needed(attacks)
    return {name: float((_scores(attacks[name]) < cut).mean()) for name in sorted(attacks)}


def worst_apcer(attacks: Mapping[str, FloatArray], cut: float) -> float:
    """The highest APCER of any species."""
    return max(apcer(attacks, cut).values())


def bpcer(bona_fide: FloatArray, cut: float) -> float:
    """BPCER: share of bona fide presentations called an attack."""
    return float((_scores(bona_fide) >= cut).mean())


def bpcer_at_apcer(bona_fide: FloatArray, attacks: Mapping[str, FloatArray], share: float) -> float:
    """Lowest BPCER with every species' APCER ≤ share: BPCER20 at 0.05, BPCER100 at 0.01."""
    cuts = _cuts(bona_fide, attacks)
    allowed = [cut for cut in cuts if worst_apcer(attacks, cut) <= share]
    return bpcer(bona_fide, max(allowed))


def apcer_at_bpcer(bona_fide: FloatArray, attacks: Mapping[str, FloatArray], share: float) -> float:
    """Worst species' APCER at the lowest cut that gives BPCER ≤ share."""
    return worst_apcer(attacks, threshold_at(_scores(bona_fide), share))


def detection_equal_error(bona_fide: FloatArray, attacks: FloatArray) -> EqualError:
    """D-EER of one species: the mean of APCER and BPCER where they differ least."""
    # An attack called one is to a detector what a mated comparison is to a recogniser.
    return equal_error(mated=_scores(attacks), impostor=_scores(bona_fide))


def legacy_acer(worst_apcer_value: float, bpcer_value: float) -> float:
    """ACER, half of APCER + BPCER: not a measure of the standard, for old papers only."""
    return (worst_apcer_value + bpcer_value) / 2


def accepted(
    similarities: FloatArray, threshold: float, gate_passed: BoolArray | None = None
) -> BoolArray:
    """Whether the whole system accepts each presentation: the gate passes it and it matches.

    A similarity that is not a number is a capture that failed: refused, and still counted.
    """
    matched = np.asarray(similarities, dtype=np.float64) >= threshold
    if gate_passed is None:
        return np.asarray(matched, dtype=np.bool_)
    return np.asarray(matched & np.asarray(gate_passed, dtype=np.bool_))


def targeted_and_any(
    targets: Sequence[str], returned: Sequence[Sequence[str]]
) -> tuple[BoolArray, BoolArray]:
    """Whether each search by an attack returned its target, and whether it returned anybody."""
    hits = [target in names for target, names in zip(targets, returned, strict=True)]
    return np.array(hits, dtype=np.bool_), np.array([len(n) > 0 for n in returned], dtype=np.bool_)


def riapar(iapar: float, frr: float) -> float:
    """Attack acceptance plus the price in honest refusals: 1 + IAPAR − (1 − FRR)."""
    return iapar + frr


def lift(iapar: float, without_attack: float) -> float:
    """What the attack adds to the acceptance of the same hosts without one."""
    return iapar - without_attack


def expected_false_accepts(omega: float, iapar: float, fmr: float) -> float:
    """FAR_ω: false accepts when a share ω of impostors attacks."""
    return omega * iapar + (1 - omega) * fmr


def weighted_error(beta: float, far_omega: float, fnmr: float) -> float:
    """WER_ωβ: false accepts weigh β, false refusals 1 − β."""
    return beta * far_omega + (1 - beta) * fnmr


def spoofability_curve(
    mated: FloatArray,
    impostor: FloatArray,
    attack: FloatArray,
    omegas: FloatArray,
    beta: float = 0.5,
) -> FloatArray:
    """EPSC: for each ω, the least WER over all thresholds, and FAR_ω there; shape (ω, 2)."""
    everything = np.concatenate([mated, impostor, attack])
    thresholds = np.unique(everything[~np.isnan(everything)])
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    refused = false_non_match_rate(mated, thresholds)
    matched = false_match_rate(impostor, thresholds)
    passed = false_match_rate(attack, thresholds)
    points = []
    for omega in np.asarray(omegas, dtype=np.float64):
        false_accepts = omega * passed + (1 - omega) * matched
        errors = beta * false_accepts + (1 - beta) * refused
        best = int(np.argmin(errors))
        points.append((errors[best], false_accepts[best]))
    return np.array(points, dtype=np.float64)


def _cuts(bona_fide: FloatArray, attacks: Mapping[str, FloatArray]) -> FloatArray:
    """Every cut at which a rate changes, and one above all scores."""
    _needed(attacks)
    scores = np.unique(np.concatenate([_scores(bona_fide), *map(_scores, attacks.values())]))
    return np.append(scores, np.inf)


def _needed(attacks: Mapping[str, FloatArray]) -> None:
    if not attacks:
        raise ValueError("no attack species; at least one is needed")


def _scores(values: FloatArray) -> FloatArray:
    scores = np.asarray(values, dtype=np.float64).ravel()
    if scores.size == 0 or np.isnan(scores).any():
        raise ValueError(f"{scores.size} detector scores; at least one, none missing, is needed")
    return scores
