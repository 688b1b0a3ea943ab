"""How a calibration does on sources it has not seen: held-out values, bounds and measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.cllr import cllr, cllr_min, dev_pav
from tidewaiter.evaluation.elub import elub, invariance_bounds
from tidewaiter.evaluation.intervals import Interval, clopper_pearson, percentile_interval
from tidewaiter.evaluation.rates import auc, misleading, tpr_at_fpr
from tidewaiter.evaluation.sources import (
    BoolArray,
    FloatArray,
    IntArray,
    count_sources,
    draw_sources,
    fold_by_source,
)
from tidewaiter.opinion.calibration import MAX_HELD_OUT, Estimate, Measures, SupportedBounds
from tidewaiter.opinion.scores import Sample
from tidewaiter.opinion.weighing import SUPPORT_LOG10_LR

FOLDS = 5
# Draws behind the interval of a measure.
MEASURE_DRAWS = 500

_MEASURES = (
    "cllr",
    "cllr_min",
    "cllr_cal",
    "dev_pav",
    "auc",
    "tpr_at_1_percent_fpr",
    "misleading_as_issued",
    "misleading_manipulated",
    "false_support",
    "found",
)
# Which of them are rates, and whether of manipulated items.
_RATES = {
    "tpr_at_1_percent_fpr": True,
    "misleading_as_issued": False,
    "misleading_manipulated": True,
    "false_support": False,
    "found": True,
}

Fitted = Callable[[FloatArray], FloatArray]
"""Scores of shape (items, members) to unbounded log10 LR."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out log10 LR of every item of a sample, by the fold that did not see its source."""

    unbounded: FloatArray
    bounded: FloatArray
    """Bounded by what the items of the other folds support."""
    labels: BoolArray
    sources: IntArray


def hold_out(
    sample: Sample, fit_on: Callable[[Sample], Fitted | None], rng: np.random.Generator
) -> HeldOut | None:
    """Fit on all folds but one, apply to that one; None where a fold refuses to be fitted."""
    folds = min(FOLDS, count_sources(sample.sources, sample.labels))
    folds = max(2, min(folds, count_sources(sample.sources, ~sample.labels)))
    fold_of = fold_by_source(sample.labels, sample.sources, folds, rng)
    unbounded = np.zeros(sample.labels.size)
    for fold in range(folds):
        inside = fold_of != fold
        if not _both(sample.labels[inside]):
            return None
        fitted = fit_on(sample.chosen(inside))
        if fitted is None:
            return None
        unbounded[~inside] = fitted(sample.scores[~inside])
    bounded = _bounded_by_others(unbounded, sample, fold_of)
    return HeldOut(unbounded, bounded, sample.labels, sample.sources)


def supported_bounds(held_out: HeldOut) -> SupportedBounds:
    """ELUB and its cross-check on held-out values, n counted in sources."""
    bounds = elub(held_out.unbounded, held_out.labels, held_out.sources)
    check = invariance_bounds(held_out.unbounded, held_out.labels, held_out.sources)
    return SupportedBounds(
        lower=bounds.lower,
        upper=bounds.upper,
        invariance_lower=check.lower,
        invariance_upper=check.upper,
    )


def measure(
    held_out: HeldOut,
    spoken_limits: tuple[float, float],
    rng: np.random.Generator,
    *,
    draws: int = MEASURE_DRAWS,
) -> Measures:
    """Every measure of the bounded values with its 95 % interval over sources.

    `spoken_limits` is what the calibration may say after cap and floor; the rates of
    support are counted after it, the measures of calibration before.
    """
    values, labels = held_out.bounded, held_out.labels
    spoken = np.clip(values, *spoken_limits)
    ones = np.ones(labels.size)
    statistics = _statistics(values, spoken, labels)
    drawn = draw_sources(labels, held_out.sources, draws, rng)[:, held_out.sources]
    rows = np.array([statistics(row.astype(np.float64)) for row in drawn])
    whole = statistics(ones)
    intervals = {
        name: percentile_interval(whole[k], rows[:, k]) for k, name in enumerate(_MEASURES)
    }
    for name, of_manipulated in _RATES.items():
        sources = count_sources(held_out.sources, labels == of_manipulated)
        intervals[name] = widened(intervals[name], sources)
    estimates = {name: _estimate(found) for name, found in intervals.items()}
    return Measures(**estimates, cllr_spoken=cllr(spoken, labels))


def widened(rate: Interval, sources: int) -> Interval:
    """The interval of a rate, at least the exact one of that rate among so many sources.

    A bootstrap over items without a single error gives no interval at all; no errors among
    n sources do not mean a rate of 0.
    """
    exact = clopper_pearson(min(max(rate.value, 0.0), 1.0) * sources, sources)
    return Interval(rate.value, min(rate.lower, exact.lower), max(rate.upper, exact.upper))


def thinned(values: FloatArray) -> tuple[float, ...]:
    """The values in rising order, to three decimals, at most `MAX_HELD_OUT` of them."""
    ordered = np.sort(values)
    if ordered.size > MAX_HELD_OUT:
        ordered = np.quantile(ordered, np.linspace(0, 1, MAX_HELD_OUT))
    return tuple(round(float(value), 3) + 0.0 for value in ordered)


def _both(labels: BoolArray) -> bool:
    return bool(labels.any() and not labels.all())


def _bounded_by_others(unbounded: FloatArray, sample: Sample, fold_of: IntArray) -> FloatArray:
    bounded = np.zeros(unbounded.size)
    for fold in np.unique(fold_of):
        inside = fold_of != fold
        bounds = elub(unbounded[inside], sample.labels[inside], sample.sources[inside])
        bounded[~inside] = np.clip(unbounded[~inside], bounds.lower, bounds.upper)
    return bounded


def _statistics(
    values: FloatArray, spoken: FloatArray, labels: BoolArray
) -> Callable[[FloatArray], list[float]]:
    supports = spoken >= SUPPORT_LOG10_LR

    def of(weights: FloatArray) -> list[float]:
        cost, least = cllr(values, labels, weights), cllr_min(values, labels, weights)
        wrong = misleading(values, labels, weights)
        return [
            cost,
            least,
            cost - least,
            dev_pav(values, labels, weights),
            auc(values, labels, weights),
            tpr_at_fpr(values, labels, 0.01, weights),
            wrong.as_issued,
            wrong.manipulated,
            _share(supports, ~labels, weights),
            _share(supports, labels, weights),
        ]

    return of


def _share(holds: BoolArray, chosen: BoolArray, weights: FloatArray) -> float:
    return float(weights[chosen & holds].sum() / weights[chosen].sum())


def _estimate(interval: Interval) -> Estimate:
    return Estimate(
        value=round(interval.value, 6),
        lower=round(interval.lower, 6),
        upper=round(interval.upper, 6),
    )
