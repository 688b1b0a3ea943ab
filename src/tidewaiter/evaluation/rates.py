"""Error rates of scores: ROC, DET, AUC, equal error rate, misleading evidence.

Larger scores are more manipulation-like. `labels` is True where the item is known to be
manipulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.cllr import class_shares
from tidewaiter.evaluation.sources import BoolArray, FloatArray


@dataclass(frozen=True)
class Roc:
    """Rates at every threshold, from the strictest (no alarm at all) to the laxest.

    An item raises an alarm where its score ≥ threshold.
    """

    thresholds: FloatArray
    false_positive: FloatArray
    true_positive: FloatArray


@dataclass(frozen=True)
class Det:
    """A DET curve: both error rates as normal deviates, without the ends where one is 0 or 1."""

    false_positive_deviate: FloatArray
    false_negative_deviate: FloatArray


@dataclass(frozen=True)
class Misleading:
    """Rates of misleading evidence."""

    as_issued: float
    """Share of genuine items with log10 LR > 0."""
    manipulated: float
    """Share of manipulated items with log10 LR < 0."""


def roc(scores: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> Roc:
    """The ROC curve; tied scores are one threshold."""
    truth = np.asarray(labels, dtype=np.bool_)
    shares = class_shares(truth, weights)
    levels, level_of = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    positive = np.cumsum(np.bincount(level_of, weights=shares * truth, minlength=levels.size))
    negative = np.cumsum(np.bincount(level_of, weights=shares * ~truth, minlength=levels.size))
    return Roc(
        thresholds=np.concatenate([[np.inf], -levels]),
        false_positive=np.minimum(np.concatenate([[0.0], negative]), 1.0),
        true_positive=np.minimum(np.concatenate([[0.0], positive]), 1.0),
    )


def det(scores: FloatArray, labels: BoolArray) -> Det:
    """The DET curve of the scores."""
    from scipy.stats import norm

    curve = roc(scores, labels)
    miss = 1.0 - curve.true_positive
    inner = (curve.false_positive > 0) & (curve.false_positive < 1) & (miss > 0) & (miss < 1)
    return Det(
        false_positive_deviate=np.asarray(norm.ppf(curve.false_positive[inner])),
        false_negative_deviate=np.asarray(norm.ppf(miss[inner])),
    )


def auc(scores: FloatArray, labels: BoolArray, weights: FloatArray | None = None) -> float:
    """Probability that a manipulated item scores above a genuine one; ties count half."""
    curve = roc(scores, labels, weights)
    return float(np.trapezoid(curve.true_positive, curve.false_positive))


def tpr_at_fpr(
    scores: FloatArray,
    labels: BoolArray,
    false_positive_rate: float,
    weights: FloatArray | None = None,
) -> float:
    """Largest share of manipulated items found with at most this share of false alarms.

    No interpolation: the rate of a threshold that exists. With fewer than 1/rate genuine
    items it is the rate without any false alarm.
    """
    curve = roc(scores, labels, weights)
    allowed = curve.false_positive <= false_positive_rate + 1e-12
    return float(curve.true_positive[allowed].max())


def equal_error_rate(scores: FloatArray, labels: BoolArray) -> float:
    """Rate at which false alarms and misses are equal, between thresholds by a straight line."""
    curve = roc(scores, labels)
    gap = curve.false_positive - (1.0 - curve.true_positive)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    step = gap[after] - gap[before]
    share = 0.0 if step == 0 else -gap[before] / step
    return float(
        curve.false_positive[before]
        + share * (curve.false_positive[after] - curve.false_positive[before])
    )


def misleading(
    log10_lr: FloatArray, labels: BoolArray, weights: FloatArray | None = None
) -> Misleading:
    """How often a likelihood ratio points the wrong way; exactly 1 misleads nobody."""
    truth = np.asarray(labels, dtype=np.bool_)
    shares = class_shares(truth, weights)
    values = np.asarray(log10_lr, dtype=np.float64)
    return Misleading(
        as_issued=float(shares[~truth & (values > 0)].sum()),
        manipulated=float(shares[truth & (values < 0)].sum()),
    )
