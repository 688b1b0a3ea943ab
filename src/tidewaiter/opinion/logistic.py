"""Weighted logistic regression, one fit or thousands of bootstrap fits at a time.

Minimises Σ w_i ln(1 + exp(−z_i x_i·β)) + λ‖b‖²/2, z = ±1, by Newton's method with step
halving. The penalty spares the intercept.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray

MAX_STEPS = 100
# Newton's method has converged when no coefficient moves further than this.
TOLERANCE = 1e-9
# A step is halved at most this often before the fit stops where it is.
MAX_HALVINGS = 30
# The best offset lies within the largest log LR plus this.
OFFSET_MARGIN = 40.0
# Halvings of that range: to about 1e-12.
BISECTIONS = 60
# Weights of at most this many items and draws are held in memory at once.
CHUNK_CELLS = 2_000_000


def class_balanced(labels: BoolArray, counts: FloatArray | None = None) -> FloatArray:
    """Item weights count / (2 · total of the class), so that the fit's prior is ½.

    The log-odds are then the natural logarithm of the likelihood ratio. `counts` may have
    shape (draws, items); every class must have some weight in every row.
    """
    raw = np.ones(labels.size) if counts is None else np.asarray(counts, dtype=np.float64)
    weights: FloatArray = np.empty(raw.shape)
    for chosen in (labels, ~labels):
        weights[..., chosen] = raw[..., chosen] / (2 * raw[..., chosen].sum(axis=-1, keepdims=True))
    return weights


def fit(
    features: FloatArray,
    labels: BoolArray,
    weights: FloatArray,
    *,
    penalty: float,
    intercept: bool = True,
) -> FloatArray:
    """Coefficients (intercept first; 0 where none is fitted) for features (items, k)."""
    start = np.zeros((1, features.shape[1] + intercept))
    found = _padded(_newton(features, labels, weights[None, :], penalty, start), intercept)
    return np.asarray(found[0])


def fit_draws(
    features: FloatArray,
    labels: BoolArray,
    item_draws: tuple[IntArray, IntArray],
    *,
    penalty: float,
    intercept: bool = True,
) -> FloatArray:
    """Coefficients of every bootstrap draw, shape (draws, 1 + k), intercept first.

    `item_draws` is (how often each source was drawn, shape (draws, sources); the source
    code of every item).
    """
    drawn, source_codes = item_draws
    whole = fit(features, labels, class_balanced(labels), penalty=penalty, intercept=intercept)
    start = whole if intercept else whole[1:]
    rows = max(1, CHUNK_CELLS // labels.size)
    parts = []
    for first in range(0, drawn.shape[0], rows):
        counts = drawn[first : first + rows][:, source_codes].astype(np.float64)
        weights = class_balanced(labels, counts)
        beginning = np.tile(start, (counts.shape[0], 1))
        parts.append(_newton(features, labels, weights, penalty, beginning))
    return _padded(np.concatenate(parts), intercept)


def fit_offset(natural_log_lr: FloatArray, labels: BoolArray, weights: FloatArray) -> FloatArray:
    """The number to add to a natural log LR so that it fits the labels; the slope stays 1.

    Shapes (..., items) give one offset per row. The cost is convex with one minimum, also
    where the classes are separated; bisection of its derivative finds it.
    """
    sign = np.where(labels, 1.0, -1.0)
    span = np.abs(natural_log_lr).max(axis=-1) + OFFSET_MARGIN
    low, high = -span, span
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        margin = sign * (natural_log_lr + middle[..., None])
        falling = (weights * -sign * _sigmoid(-margin)).sum(axis=-1) < 0
        low, high = np.where(falling, middle, low), np.where(falling, high, middle)
    return np.asarray(0.5 * (low + high))


def _newton(
    features: FloatArray,
    labels: BoolArray,
    weights: FloatArray,
    penalty: float,
    start: FloatArray,
) -> FloatArray:
    """One row of `start` and of `weights` per fit; a column of ones where it has room for one."""
    intercept = start.shape[1] - features.shape[1]
    design = np.hstack([np.ones((labels.size, intercept)), features])
    ridge = np.diag(np.r_[np.zeros(intercept), np.full(features.shape[1], penalty)])
    squares = (design[:, :, None] * design[:, None, :]).reshape(labels.size, -1)
    target = labels.astype(np.float64)
    beta = start.astype(np.float64)
    for _ in range(MAX_STEPS):
        share = _sigmoid(beta @ design.T)
        gradient = (weights * (share - target)) @ design + beta @ ridge
        curvature = ((weights * share * (1 - share)) @ squares).reshape(-1, *ridge.shape) + ridge
        step = _solve(curvature, gradient)
        moved = _halve(lambda b: _cost(b, design, target, weights, ridge), beta, step)
        change = float(np.abs(moved - beta).max())
        beta = moved
        if change < TOLERANCE:
            break
    return beta


def _solve(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """Newton's step; a trace of damping keeps flat directions solvable."""
    size = gradient.shape[1]
    damping = 1e-12 * np.eye(size)
    return np.asarray(np.linalg.solve(curvature + damping, gradient[:, :, None])[:, :, 0])


def _halve(
    cost: Callable[[FloatArray], FloatArray], beta: FloatArray, step: FloatArray
) -> FloatArray:
    """Take the step, or half of it, or a quarter … for each fit until its cost does not rise."""
    before = cost(beta)
    scale = np.ones((beta.shape[0], 1))
    for _ in range(MAX_HALVINGS):
        moved = beta - scale * step
        worse = cost(moved) > before + 1e-13
        if not worse.any():
            return np.asarray(moved)
        scale[worse] *= 0.5
    scale[worse] = 0.0
    return np.asarray(beta - scale * step)


def _cost(
    beta: FloatArray,
    design: FloatArray,
    target: FloatArray,
    weights: FloatArray,
    ridge: FloatArray,
) -> FloatArray:
    margin = np.where(target > 0, -1.0, 1.0) * (beta @ design.T)
    return np.asarray(
        (weights * np.logaddexp(0.0, margin)).sum(axis=1)
        + 0.5 * ((beta @ ridge) * beta).sum(axis=1)
    )


def _sigmoid(value: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * value)))


def _padded(beta: FloatArray, intercept: bool) -> FloatArray:
    return beta if intercept else np.hstack([np.zeros((beta.shape[0], 1)), beta])
