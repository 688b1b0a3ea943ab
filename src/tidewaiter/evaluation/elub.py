"""How far a likelihood ratio may go on the data that validated it.

A small validation set must not claim 10⁶. Both bounds are counted in independent sources:
each source of a class weighs 1, whatever number of items it gave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray, source_weights

# Vergeer et al. 2016 scan log10 LR in steps of this width.
GRID_STEP = 0.01
# One virtual misleading item is added to each class (Vergeer et al. 2016).
ADDED_MISLEADING = 1.0
# Jeffreys' prior of a share (Alberink et al. 2025).
JEFFREYS = 0.5
# log10 LR beyond this are infinite for our purposes; they keep their side.
EXTREME = 9.0
# The cost comparison tolerates this much rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Bounds:
    """What log10 LR the data support at most: lower ≤ 0 ≤ upper."""

    lower: float
    upper: float


def elub(log10_lr: FloatArray, labels: BoolArray, sources: IntArray | None = None) -> Bounds:
    """Empirical lower and upper bound (ELUB; Vergeer et al., Science & Justice 56, 2016).

    The upper bound is the largest t ≥ 0 such that on all of [0, t] acting on the likelihood
    ratios costs no more than ignoring them; the lower bound likewise to the left. Never
    beyond log10(n + 1), n the number of sources of the class that would be misjudged.
    """
    samples = _samples(log10_lr, labels, sources)
    lowest = -int(np.log10(samples.manipulated_count + 1) / GRID_STEP)
    highest = int(np.log10(samples.as_issued_count + 1) / GRID_STEP)
    grid = _grid(lowest, highest)
    theta = np.power(10.0, grid)
    missed = samples.manipulated_share(grid, above=False)
    alarmed = samples.as_issued_share(grid, above=True)
    cost = _with_one_more(missed, samples.manipulated_count) + theta * _with_one_more(
        alarmed, samples.as_issued_count
    )
    return _around_zero(grid, cost <= np.minimum(1.0, theta) + ROUNDING)


def invariance_bounds(
    log10_lr: FloatArray, labels: BoolArray, sources: IntArray | None = None
) -> Bounds:
    """Invariance-verification bounds (Alberink et al. 2025), a cross-check of `elub`.

    A likelihood ratio of a likelihood ratio is itself: the upper bound is the last t before
    log10 P(ℓ ≥ t | manipulated) − log10 P(ℓ ≥ t | as issued) falls below t.
    """
    samples = _samples(log10_lr, labels, sources)
    lowest = int(np.floor(min(0.0, samples.lowest) / GRID_STEP))
    highest = int(np.ceil(max(0.0, samples.highest) / GRID_STEP))
    grid = _grid(lowest, highest)
    above_m = _jeffreys(samples.manipulated_share(grid, at_least=True), samples.manipulated_count)
    above_g = _jeffreys(samples.as_issued_share(grid, at_least=True), samples.as_issued_count)
    holds_above = np.log10(above_m) - np.log10(above_g) - grid >= -ROUNDING
    holds_below = grid - np.log10(1 - above_m) + np.log10(1 - above_g) >= -ROUNDING
    return Bounds(
        lower=_around_zero(grid, holds_below).lower, upper=_around_zero(grid, holds_above).upper
    )


def _grid(lowest: int, highest: int) -> FloatArray:
    return np.asarray(np.arange(lowest, highest + 1) * GRID_STEP, dtype=np.float64)


@dataclass(frozen=True)
class _Samples:
    """Sorted log10 LR of both classes with cumulative shares of source weight."""

    manipulated: FloatArray
    manipulated_cumulative: FloatArray
    manipulated_count: float
    as_issued: FloatArray
    as_issued_cumulative: FloatArray
    as_issued_count: float

    @property
    def lowest(self) -> float:
        return float(min(self.manipulated[0], self.as_issued[0]))

    @property
    def highest(self) -> float:
        return float(max(self.manipulated[-1], self.as_issued[-1]))

    def manipulated_share(
        self, at: FloatArray, *, above: bool = False, at_least: bool = False
    ) -> FloatArray:
        return _share(self.manipulated, self.manipulated_cumulative, at, above, at_least)

    def as_issued_share(
        self, at: FloatArray, *, above: bool = False, at_least: bool = False
    ) -> FloatArray:
        return _share(self.as_issued, self.as_issued_cumulative, at, above, at_least)


def _samples(log10_lr: FloatArray, labels: BoolArray, sources: IntArray | None) -> _Samples:
    truth = np.asarray(labels, dtype=np.bool_)
    values = np.clip(np.asarray(log10_lr, dtype=np.float64), -EXTREME, EXTREME)
    if not truth.any() or truth.all():
        raise ValueError("one class has no item; a bound needs items of both classes")
    origin = np.arange(values.size) if sources is None else sources
    weights = source_weights(truth, np.asarray(origin, dtype=np.int64))
    manipulated, m_cumulative, m_count = _sorted(values[truth], weights[truth])
    as_issued, g_cumulative, g_count = _sorted(values[~truth], weights[~truth])
    return _Samples(manipulated, m_cumulative, m_count, as_issued, g_cumulative, g_count)


def _sorted(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    order = np.argsort(values, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(weights[order])])
    return values[order], running / running[-1], float(running[-1])


def _share(
    values: FloatArray, cumulative: FloatArray, at: FloatArray, above: bool, at_least: bool
) -> FloatArray:
    if at_least:
        return np.asarray(1.0 - cumulative[np.searchsorted(values, at - ROUNDING, side="left")])
    below = cumulative[np.searchsorted(values, at + ROUNDING, side="right")]
    return np.asarray(1.0 - below if above else below)


def _with_one_more(share: FloatArray, count: float) -> FloatArray:
    return (share * count + ADDED_MISLEADING) / (count + ADDED_MISLEADING)


def _jeffreys(share: FloatArray, count: float) -> FloatArray:
    return (share * count + JEFFREYS) / (count + 2 * JEFFREYS)


def _around_zero(grid: FloatArray, holds: BoolArray) -> Bounds:
    """The unbroken stretch around 0 on which the condition holds."""
    zero = int(np.argmin(np.abs(grid)))
    fails_right = np.flatnonzero(~holds[zero:])
    fails_left = np.flatnonzero(~holds[zero::-1])
    right = grid[zero:].size - 1 if fails_right.size == 0 else int(fails_right[0]) - 1
    left = grid[: zero + 1].size - 1 if fails_left.size == 0 else int(fails_left[0]) - 1
    return Bounds(
        lower=round(float(grid[zero - max(left, 0)]), 6) + 0.0,
        upper=round(float(grid[zero + max(right, 0)]), 6) + 0.0,
    )
