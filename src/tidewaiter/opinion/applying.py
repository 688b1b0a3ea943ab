"""From scores to likelihood ratios by a calibration's curve; bounding, cap and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.opinion.calibration import Calibration, Isotonic, Logistic

LN10 = float(np.log(10.0))
# Ends of the middle 95 % of bootstrap draws.
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Spoken:
    """A likelihood ratio a calibration gives: bounded, capped, with its 95 % interval."""

    log10_lr: float
    lower: float
    upper: float
    draws: FloatArray
    """log10 LR of every bootstrap draw, bounded alike."""


def speak(calibration: Calibration, score: float) -> Spoken:
    """The bounded log10 LR of one detector's score."""
    value = unbounded(calibration.curve, np.array([[score]]))[0]
    return _spoken(
        calibration, float(value), drawn_values(calibration.curve, np.array([score]))[:, 0]
    )


def speak_together(calibration: Calibration, members: Mapping[str, Spoken]) -> Spoken:
    """The bounded log10 LR of a fusion; `members` by detector id, silent ones left out.

    A silent member enters as 0. Draw d of the fusion meets draw d of every member, so
    that the interval holds the uncertainty of both.
    """
    curve = calibration.curve
    if not isinstance(curve, Logistic):
        raise TypeError(f"{calibration.id} is {curve.kind}; a fusion is logistic")
    order = [member.detector for member in calibration.members]
    values = np.array([[members[name].log10_lr if name in members else 0.0 for name in order]])
    table = curve.draws.table()
    inputs = np.column_stack(
        [
            np.resize(members[name].draws, len(table)) if name in members else np.zeros(len(table))
            for name in order
        ]
    )
    scaled = (inputs - curve.centres) / curve.scales
    draws = (table[:, 0] + (table[:, 1:] * scaled).sum(axis=1)) / LN10
    return _spoken(calibration, float(unbounded(curve, values)[0]), draws)


def unbounded(curve: Logistic | Isotonic, scores: FloatArray) -> FloatArray:
    """log10 LR before any bound for scores of shape (items, members)."""
    if isinstance(curve, Isotonic):
        return np.asarray(np.interp(scores[:, 0], curve.knots, curve.log10_lr))
    scaled = (scores - np.asarray(curve.centres)) / np.asarray(curve.scales)
    return np.asarray((curve.intercept + scaled @ np.asarray(curve.slopes)) / LN10)


def drawn_values(curve: Logistic | Isotonic, scores: FloatArray) -> FloatArray:
    """log10 LR before any bound for one detector's scores (items,): shape (draws, items)."""
    table = curve.draws.table()
    if isinstance(curve, Isotonic):
        return _between_knots(np.asarray(curve.knots), table, scores)
    scaled = (scores - curve.centres[0]) / curve.scales[0]
    return np.asarray((table[:, :1] + table[:, 1:2] * scaled) / LN10)


def spoken_values(calibration: Calibration, scores: FloatArray) -> FloatArray:
    """Bounded and capped log10 LR, without intervals, for scores of shape (items, members)."""
    limits = (calibration.spoken_lower, calibration.spoken_upper)
    return np.asarray(np.clip(unbounded(calibration.curve, scores), *limits))


def strongest(spoken: Sequence[tuple[str, Spoken]]) -> str:
    """The name whose bounded log10 LR is furthest from 0; the first in order among equals."""
    return max(spoken, key=lambda item: abs(item[1].log10_lr))[0]


def _between_knots(knots: FloatArray, table: FloatArray, scores: FloatArray) -> FloatArray:
    at = np.interp(scores, knots, np.arange(knots.size))
    left = np.minimum(at.astype(np.int64), knots.size - 2)
    share = at - left
    return np.asarray((1 - share) * table[:, left] + share * table[:, left + 1])


def interval(value: float, draws: FloatArray) -> tuple[float, float]:
    """The 95 % interval of a log10 LR from its bootstrap draws, before bounding.

    As far to either side as the draws reach to the further one. On few sources slopes come
    out too steep and draws steeper still, so that the plain percentiles miss the true value
    on the side of caution; this interval holds it (benchmarks/detection/calibration).
    """
    lower, upper = np.quantile(draws, TAILS)
    reach = max(value - float(lower), float(upper) - value, 0.0)
    return value - reach, value + reach


def _spoken(calibration: Calibration, value: float, draws: FloatArray) -> Spoken:
    limits = (calibration.spoken_lower, calibration.spoken_upper)
    lower, log10_lr, upper = np.clip(
        [interval(value, draws)[0], value, interval(value, draws)[1]], *limits
    ).tolist()
    return Spoken(log10_lr, lower, upper, np.clip(draws, *limits))
