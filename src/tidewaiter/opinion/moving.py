"""Move a shipped curve to a site's own material: its offset only, the slope is kept."""

from __future__ import annotations

import numpy as np

from tidewaiter.evaluation.elub import EXTREME, Bounds, elub
from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray, draw_sources
from tidewaiter.opinion.applying import LN10, drawn_values, unbounded
from tidewaiter.opinion.calibration import Calibration, Draws, Isotonic, Logistic, SupportedBounds
from tidewaiter.opinion.logistic import class_balanced, fit_offset
from tidewaiter.opinion.scores import Sample


def best_offset(curve: Logistic | Isotonic, sample: Sample) -> float:
    """What to add to log10 LR so that it fits a site's genuine and altered items."""
    natural = unbounded(curve, sample.scores) * LN10
    weights = class_balanced(sample.labels)
    return float(fit_offset(natural, sample.labels, weights)) / LN10


def cautious_offset(curve: Logistic | Isotonic, genuine: FloatArray, usual: float) -> float:
    """What to add so that the median genuine item says no more than it usually does.

    Never positive: without altered items nothing shows that more may be claimed.
    """
    median = float(np.median(unbounded(curve, genuine)))
    return min(0.0, usual - median)


def shifted(
    curve: Logistic | Isotonic, offset: float, offset_draws: FloatArray
) -> Logistic | Isotonic:
    """The curve with `offset` (log10) added, and one offset added to each of its draws."""
    table = curve.draws.table()
    if isinstance(curve, Isotonic):
        moved = Draws.of(table + offset_draws[:, None], "float16")
        log10_lr = tuple(value + offset for value in curve.log10_lr)
        return curve.model_copy(update={"log10_lr": log10_lr, "draws": moved})
    natural = np.column_stack([table[:, 0] + offset_draws * LN10, table[:, 1:]])
    return curve.model_copy(
        update={
            "intercept": curve.intercept + offset * LN10,
            "draws": Draws.of(natural, "float32"),
        }
    )


def drawn_offsets(
    curve: Logistic | Isotonic, sample: Sample, rng: np.random.Generator
) -> FloatArray:
    """The best offset of every draw of the curve on a bootstrap of the site's sources."""
    natural = drawn_values(curve, sample.scores[:, 0]) * LN10
    drawn = draw_sources(sample.labels, sample.sources, natural.shape[0], rng)
    weights = class_balanced(sample.labels, drawn[:, sample.sources].astype(np.float64))
    return fit_offset(natural, sample.labels, weights) / LN10


def drawn_cautious_offsets(
    calibration: Calibration, sample: Sample, rng: np.random.Generator
) -> FloatArray:
    """The cautious offset of every draw on a bootstrap of the site's genuine sources."""
    values = drawn_values(calibration.curve, sample.scores[:, 0])
    count = int(sample.sources.max()) + 1
    offsets = np.zeros(values.shape[0])
    for draw, row in enumerate(values):
        kept = np.isin(sample.sources, rng.integers(0, count, count))
        offsets[draw] = min(0.0, calibration.usual_as_issued - float(np.median(row[kept])))
    return offsets


def site_bounds(
    base: SupportedBounds, log10_lr: FloatArray, labels: BoolArray, sources: IntArray
) -> Bounds:
    """What both the shipped validation and the site's own items support.

    With genuine items only, the upper bound is that of a cue that never misses an altered
    item, and nothing supports clearing: the lower bound is 0.
    """
    if labels.any():
        own = elub(log10_lr, labels, sources)
    else:
        count = int(np.unique(sources).size)
        values = np.concatenate([log10_lr, np.full(count, EXTREME)])
        truth = np.arange(values.size) >= log10_lr.size
        origin = np.concatenate([sources, int(sources.max()) + 1 + np.arange(count)])
        own = Bounds(lower=0.0, upper=elub(values, truth, origin).upper)
    return Bounds(lower=max(base.lower, own.lower), upper=min(base.upper, own.upper))
