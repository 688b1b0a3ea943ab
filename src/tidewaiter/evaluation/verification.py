"""Errors of face recognition without any attack: one to one, and one among many.

Scores are similarities; a comparison is accepted where its score ≥ threshold. A distance d
enters as −d. A score that is not a number is a capture without a template: it is left out of
FMR and FNMR, and counts in the failure rate. Terms of ISO/IEC 19795-1:2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tidewaiter.evaluation.sources import FloatArray, IntArray

# A share times a count that ought to be whole may come out a hair below (0.29 · 100).
_ROUNDING = 1e-9


@dataclass(frozen=True)
class EqualError:
    """Where the two error curves come closest: the mean of both, and the threshold."""

    rate: float
    threshold: float


def false_match_rate(impostor: FloatArray, threshold: ArrayLike) -> FloatArray:
    """FMR: share of comparisons of two people that are accepted, at each threshold."""
    scores = np.sort(_measured(impostor))
    below = np.searchsorted(scores, np.asarray(threshold, dtype=np.float64), side="left")
    return np.asarray((scores.size - below) / scores.size)


def false_non_match_rate(mated: FloatArray, threshold: ArrayLike) -> FloatArray:
    """FNMR: share of comparisons of one person that are refused, at each threshold."""
    scores = np.sort(_measured(mated))
    below = np.searchsorted(scores, np.asarray(threshold, dtype=np.float64), side="left")
    return np.asarray(below / scores.size)


def failure_rate(scores: FloatArray) -> float:
    """FTA of probes or FTE of enrolments: share of attempts without a template (NaN)."""
    attempts = np.asarray(scores, dtype=np.float64)
    if attempts.size == 0:
        raise ValueError("no attempt; at least one is needed")
    return float(np.isnan(attempts).mean())


def false_accept_rate(fmr: float, failure: float) -> float:
    """FAR of a transaction of one attempt: a capture that failed is nobody's."""
    return (1 - failure) * fmr


def false_reject_rate(fnmr: float, failure: float) -> float:
    """FRR of a transaction of one attempt: a capture that failed is refused."""
    return failure + (1 - failure) * fnmr


def threshold_at(scores: FloatArray, share: float) -> float:
    """The loosest threshold that at most this share of the scores reaches.

    The next number above the (k + 1)-th score from the top, k = ⌊share · n⌋, so that ties
    fall on the strict side; no interpolation. −∞ where every score may reach it.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share}; 0 to 1 is needed")
    downwards = np.sort(_measured(scores))[::-1]
    allowed = int(np.floor(share * downwards.size + _ROUNDING))
    if allowed >= downwards.size:
        return float("-inf")
    return float(np.nextafter(downwards[allowed], np.inf))


def equal_error(mated: FloatArray, impostor: FloatArray) -> EqualError:
    """EER: the mean of FMR and FNMR at the threshold where they differ least.

    Of several such thresholds the lowest; thresholds are the scores themselves.
    """
    thresholds = np.unique(np.concatenate([_measured(mated), _measured(impostor)]))
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    fmr = false_match_rate(impostor, thresholds)
    fnmr = false_non_match_rate(mated, thresholds)
    best = int(np.argmin(np.abs(fmr - fnmr)))
    return EqualError(float((fmr[best] + fnmr[best]) / 2), float(thresholds[best]))


def deviates(rates: FloatArray, trials: int) -> FloatArray:
    """Rates as normal deviates for the axis of a DET curve, kept half a trial off 0 and 1."""
    from scipy.stats import norm

    if trials < 1:
        raise ValueError(f"{trials} trials; at least one is needed")
    half = 0.5 / trials
    return np.asarray(norm.ppf(np.clip(rates, half, 1 - half)), dtype=np.float64)


def false_negative_identification(
    ranks: IntArray, scores: FloatArray, *, answers: int, threshold: float
) -> float:
    """FNIR(N, R, T): share of searches by enrolled people that miss the right identity.

    `ranks` is the place of the right identity among the answers, 1 the first, 0 where it
    was not returned; `scores` its score. Missed: beyond the first R = `answers`, or below T.
    """
    places = np.asarray(ranks, dtype=np.int64)
    values = np.asarray(scores, dtype=np.float64)
    if places.size == 0 or places.shape != values.shape:
        raise ValueError(f"{places.size} ranks and {values.size} scores; one each is needed")
    return float(1 - ((places >= 1) & (places <= answers) & (values >= threshold)).mean())


def false_positive_identification(best_scores: FloatArray, threshold: float) -> float:
    """FPIR(N, T): share of searches by people not enrolled that return anybody.

    `best_scores` is the highest score of each search's answers, NaN without any answer.
    """
    best = np.asarray(best_scores, dtype=np.float64)
    if best.size == 0:
        raise ValueError("no search; at least one is needed")
    return float((best >= threshold).mean())


def _measured(scores: FloatArray) -> FloatArray:
    values = np.asarray(scores, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    if values.size == 0:
        raise ValueError("no comparison with a score; at least one is needed")
    return values
