"""Fit the curve of a calibration: logistic or isotonic, with its bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tidewaiter.evaluation.cllr import pav
from tidewaiter.evaluation.sources import (
    BoolArray,
    FloatArray,
    IntArray,
    count_sources,
    draw_sources,
)
from tidewaiter.opinion.calibration import Draws, Isotonic, Logistic
from tidewaiter.opinion.logistic import class_balanced, fit, fit_draws
from tidewaiter.opinion.scores import Sample

Kind = Literal["logistic", "isotonic"]

# The ridge on a slope in units of the score's spread amounts to a normal prior of this
# standard deviation. Slopes fitted on few sources come out too steep without it; what bias
# remains is `mean_error` in benchmarks/detection/calibration.
PRIOR_SPREAD = 5.0
# Draws of the bootstrap over sources (handbook of examination, 2.1).
DRAWS = 2000
# An isotonic curve keeps this many knots, and this many draws at each.
KNOTS = 24
ISOTONIC_DRAWS = 500


@dataclass(frozen=True)
class Plan:
    """How a curve is fitted."""

    kind: Kind = "logistic"
    penalty: float | None = None
    """Ridge on the slopes; None for `usual_penalty` of the sample."""
    draws: int = DRAWS
    intercept: bool = True
    standardise: bool = True


def fit_curve(
    sample: Sample, plan: Plan, rng: np.random.Generator | None
) -> Logistic | Isotonic | None:
    """The curve of a sample, or None where a larger score is no more manipulation-like.

    Without `rng` a single draw, the fit itself, is kept: enough for held-out values.
    """
    if plan.kind == "isotonic":
        return _isotonic(sample, plan, rng)
    return _logistic(sample, plan, rng)


def usual_penalty(sample: Sample) -> float:
    """The ridge that is a prior of `PRIOR_SPREAD`, weighed against the independent sources."""
    fewest = min(
        count_sources(sample.sources, sample.labels), count_sources(sample.sources, ~sample.labels)
    )
    return 1.0 / (PRIOR_SPREAD**2 * 2 * max(fewest, 1))


def _logistic(sample: Sample, plan: Plan, rng: np.random.Generator | None) -> Logistic | None:
    centres, scales = spread(sample.scores, sample.labels)
    if not plan.standardise:
        centres, scales = np.zeros(centres.size), np.ones(scales.size)
    scaled = (sample.scores - centres) / scales
    weights = class_balanced(sample.labels)
    penalty = usual_penalty(sample) if plan.penalty is None else plan.penalty
    whole = fit(scaled, sample.labels, weights, penalty=penalty, intercept=plan.intercept)
    if np.any(whole[1:] <= 0):
        return None
    table = whole[None, :]
    if rng is not None:
        drawn = draw_sources(sample.labels, sample.sources, plan.draws, rng)
        table = fit_draws(
            scaled,
            sample.labels,
            (drawn, sample.sources),
            penalty=penalty,
            intercept=plan.intercept,
        )
    return Logistic(
        centres=tuple(centres.tolist()),
        scales=tuple(scales.tolist()),
        intercept=float(whole[0]),
        slopes=tuple(whole[1:].tolist()),
        penalty=penalty,
        draws=Draws.of(table, "float32"),
    )


def spread(scores: FloatArray, labels: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Centre and scale of each column: mean and standard deviation, classes weighed alike."""
    weights = class_balanced(labels)
    centres = weights @ scores
    scales = np.sqrt(weights @ (scores - centres) ** 2)
    return centres, np.where(scales > 0, scales, 1.0)


def _isotonic(sample: Sample, plan: Plan, rng: np.random.Generator | None) -> Isotonic | None:
    scores = sample.scores[:, 0]
    knots = np.unique(np.quantile(scores, np.linspace(0, 1, KNOTS)))
    if knots.size < 2:
        return None
    ones = np.ones(scores.size)
    whole = _at_knots(scores, sample.labels, ones, knots)
    if whole[-1] - whole[0] < 1e-9:
        return None
    table = whole[None, :]
    if rng is not None:
        draws = min(plan.draws, ISOTONIC_DRAWS)
        drawn = draw_sources(sample.labels, sample.sources, draws, rng)
        table = _drawn_at_knots(sample, drawn, knots)
    return Isotonic(
        knots=tuple(knots.tolist()),
        log10_lr=tuple(np.maximum.accumulate(whole).tolist()),
        draws=Draws.of(table, "float16"),
    )


def _drawn_at_knots(sample: Sample, drawn: IntArray, knots: FloatArray) -> FloatArray:
    scores = sample.scores[:, 0]
    rows = [
        _at_knots(scores, sample.labels, row[sample.sources].astype(np.float64), knots)
        for row in drawn
    ]
    return np.stack(rows)


def _at_knots(
    scores: FloatArray, labels: BoolArray, weights: FloatArray, knots: FloatArray
) -> FloatArray:
    """PAV at the knots, with one misleading item added at each end so that it stays finite."""
    ends = np.array([scores.min(), scores.max()])
    values = np.concatenate([scores, ends])
    truth = np.concatenate([labels, [True, False]])
    shares = np.concatenate([weights, [1.0, 1.0]])
    log10_lr = pav(values, truth, shares)
    usable = shares > 0
    order = np.argsort(values[usable], kind="stable")
    return np.interp(knots, values[usable][order], log10_lr[usable][order])
