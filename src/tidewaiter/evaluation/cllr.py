"""How good a set of likelihood ratios is: Cllr, what of it is calibration, ECE, Tippett.

Everywhere `log10_lr` is an array of decimal logarithms (infinite values allowed),
`labels` an array of the same length, True where the item is known to be manipulated, and
`weights` optional non-negative item weights; each class is normalised on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray

LN10 = float(np.log(10.0))
LN2 = float(np.log(2.0))


def cllr(log10_lr: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> float:
    """Cost of the log likelihood ratios in bits: 0 perfect, 1 says nothing, above 1 misleads.

    Brümmer & du Preez, Computer Speech and Language 20 (2006).
    """
    return float(ece(log10_lr, labels, np.ones(1), weights)[0])


def cllr_min(log10_lr: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> float:
    """Cllr after the best monotone recalibration of the same data: what discrimination costs."""
    return cllr(pav(log10_lr, labels, weights), labels, weights)


def cllr_cal(log10_lr: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> float:
    """Cllr − Cllr_min: what poor calibration costs."""
    return cllr(log10_lr, labels, weights) - cllr_min(log10_lr, labels, weights)


def ece(
    log10_lr: FloatArray,
    labels: BoolArray,
    prior_odds: FloatArray,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Empirical cross-entropy in bits at each of the prior odds; at odds 1 it is Cllr.

    Ramos & Gonzalez-Rodriguez, Forensic Science International 230 (2013).
    """
    values, truth = _checked(log10_lr, labels)
    shares = class_shares(truth, weights)
    odds = np.log(np.asarray(prior_odds, dtype=np.float64))[:, None]
    posterior = values[None, :] * LN10 + odds
    prior = 1.0 / (1.0 + np.exp(-odds[:, 0]))
    manipulated = _mean_bits(-posterior[:, truth], shares[truth])
    as_issued = _mean_bits(posterior[:, ~truth], shares[~truth])
    return np.asarray(prior * manipulated + (1 - prior) * as_issued)


def pav(scores: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> FloatArray:
    """log10 LR of every item by pool adjacent violators: monotone in `scores`, fitted to labels.

    Tied scores are pooled first. Values at the ends may be infinite. An item without weight
    gets the value of the next lower score. It diagnoses; its likelihood ratios are never
    reported.
    """
    values, truth = _checked(scores, labels)
    shares = class_shares(truth, weights)
    levels, level_of = np.unique(values, return_inverse=True)
    manipulated = _totals(level_of, shares * truth, levels.size)
    total = _totals(level_of, shares, levels.size)
    weighed = total > 0
    fitted = _isotonic(manipulated[weighed] / total[weighed], total[weighed])
    share = fitted[np.maximum(np.cumsum(weighed) - 1, 0)]
    with np.errstate(divide="ignore"):
        log10_lr = np.log10(share) - np.log10(1.0 - share)
    return np.asarray(log10_lr[level_of], dtype=np.float64)


def dev_pav(log10_lr: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> float:
    """Mean absolute distance between log10 LR and its PAV transform, over the range of log10 LR.

    Only where the transform is finite; 0 where no two different such values exist and the
    transform says nothing either (perfect separation).
    """
    values, truth = _checked(log10_lr, labels)
    transformed = pav(values, truth, weights)
    usable = np.isfinite(transformed) & np.isfinite(values)
    x, first = np.unique(values[usable], return_index=True)
    gap = transformed[usable][first] - x
    if x.size == 0:
        return 0.0
    if x.size == 1:
        return abs(gap.item())
    return float(_area(np.diff(x), gap[:-1], gap[1:]).sum() / (x[-1] - x[0]))


@dataclass(frozen=True)
class Tippett:
    """Share of items of each class whose log10 LR is at least x."""

    x: FloatArray
    manipulated: FloatArray
    as_issued: FloatArray


def tippett(log10_lr: FloatArray, labels: BoolArray, x: FloatArray | None = None) -> Tippett:
    """The Tippett plot as numbers; `x` defaults to every different log10 LR."""
    values, truth = _checked(log10_lr, labels)
    at = np.unique(values) if x is None else np.asarray(x, dtype=np.float64)
    return Tippett(
        x=at, manipulated=_at_least(values[truth], at), as_issued=_at_least(values[~truth], at)
    )


def class_shares(labels: BoolArray, weights: FloatArray | None = None) -> FloatArray:
    """Item weights that sum to 1 within each class."""
    raw = np.ones(labels.size) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = np.empty(labels.size)
    for chosen in (labels, ~labels):
        total = raw[chosen].sum()
        if total <= 0:
            raise ValueError("one class has no item; items of both classes are needed")
        shares[chosen] = raw[chosen] / total
    return shares


def _checked(values: FloatArray, labels: BoolArray) -> tuple[FloatArray, BoolArray]:
    numbers = np.asarray(values, dtype=np.float64)
    truth = np.asarray(labels, dtype=np.bool_)
    if numbers.shape != truth.shape or numbers.ndim != 1:
        raise ValueError(
            f"values have shape {numbers.shape}, labels {truth.shape}; "
            "two one-dimensional arrays of the same length are needed"
        )
    if np.isnan(numbers).any():
        raise ValueError(f"{int(np.isnan(numbers).sum())} values are not numbers; remove them")
    return numbers, truth


def _mean_bits(natural: FloatArray, shares: FloatArray) -> FloatArray:
    """Mean cost over items; one without weight costs nothing even where its cost is infinite."""
    counted = shares > 0
    bits = np.logaddexp(0.0, natural[:, counted]) / LN2
    return np.asarray((bits * shares[counted]).sum(axis=1))


def _totals(groups: IntArray, weights: FloatArray, count: int) -> FloatArray:
    return np.asarray(np.bincount(groups, weights=weights, minlength=count), dtype=np.float64)


def _isotonic(values: FloatArray, weights: FloatArray) -> FloatArray:
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights).x, dtype=np.float64)


def _area(width: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """Area between a line from `left` to `right` and zero; a crossing splits it in two."""
    straight = 0.5 * np.abs(left + right) * width
    spread = np.abs(left) + np.abs(right)
    crossed = 0.5 * (left**2 + right**2) * width / np.where(spread > 0, spread, 1.0)
    return np.where(left * right < 0, crossed, straight)


def _at_least(values: FloatArray, at: FloatArray) -> FloatArray:
    below = np.searchsorted(np.sort(values), at, side="left")
    return np.asarray(1.0 - below / values.size)
