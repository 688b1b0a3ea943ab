"""Noise level in blocks against local brightness, and where it does not fit the rest.

The level is the mean of the smaller magnitudes of the diagonal Haar band. The median, which
is usual, moves in steps of 0.74 grey levels on 8-bit pixels. Blocks are compared
only with homogeneous blocks of like brightness; a window that holds too many of the
quietest, or of the noisiest, is counted a contrario: were the picture of one piece, these
would lie anywhere (idea of Noisesniffer; examination handbook, 3.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.media.material import Plane
from tidewaiter.traces.base import PictureTrace, Traces, Untaken, too_small

# Side of a block in pixels: 64 values of the diagonal band, sigma to about 12 %.
BLOCK_PX = 16

# Fewest blocks a side: below it no window is a part of the picture.
MIN_BLOCKS = 8

# The smaller three quarters of the magnitudes are averaged: edges lie in the rest. Of
# standard normal values their mean is 2 (phi(0) - phi(1.1503)) / 0.75.
KEPT_SHARE = 0.75
KEPT_MEAN_OF_NORMAL = 0.5149

# A level below this is what rounding leaves of nothing, not noise.
DEAD_LEVEL = 0.1

# Grey levels at which a sensor clips or a picture is crushed.
DARKEST, BRIGHTEST = 4.0, 251.0

# Groups of like brightness, and the share of each that is homogeneous enough to compare.
BRIGHTNESS_GROUPS = 10
HOMOGENEOUS_SHARE = 0.4

# Share of the compared blocks that counts as the quietest, and as the noisiest.
EXTREME_SHARE = 0.15

# Sides of the windows, in blocks, and the step between them as a share of the side.
WINDOW_SIDES = (6, 10, 16, 24)
WINDOW_STEP = 0.25

Blocks = NDArray[np.bool_]


@dataclass(frozen=True)
class OddWindow:
    """The window whose count is least likely by chance; `side` "quieter" or "noisier"."""

    left: int
    top: int
    width: int
    height: int
    side: str
    log10_nfa: float


@dataclass(frozen=True)
class NoiseLevels:
    """Noise in blocks of 16 pixels; masked blocks are nan.

    `level` in grey levels; `deviation` robust z of log level among homogeneous blocks of
    like brightness; `map` the same smoothed over 5 x 5 blocks, 0 where nothing is known.
    `dead_share`: share of unsaturated blocks whose diagonal band compression has emptied.
    """

    level: Plane
    deviation: Plane
    map: Plane
    brightness: tuple[float, ...]
    usual_level: tuple[float, ...]
    odd: OddWindow | None
    compared: int
    usable_share: float
    dead_share: float


class NoiseTrace(PictureTrace):
    """Noise levels of a still picture."""

    name = "noise"

    def measure(self, picture: Picture, earlier: Traces) -> NoiseLevels | Untaken:  # noqa: ARG002
        """Levels and the oddest window; not applicable under 128 pixels a side."""
        small = too_small(picture, BLOCK_PX * MIN_BLOCKS)
        if small is not None:
            return small
        return noise_levels(picture.luma)


def noise_levels(luma: Plane) -> NoiseLevels:
    """Noise of a luma plane of at least 128 pixels a side."""
    level, mean, roughness, clipped = _block_values(luma)
    dead = level < DEAD_LEVEL
    usable = ~clipped & ~dead
    groups, compared = _homogeneous(mean, roughness, usable)
    deviation = np.full(level.shape, np.nan, np.float32)
    usual = []
    for group in range(BRIGHTNESS_GROUPS):
        members = compared & (groups == group)
        if members.sum() < MIN_BLOCKS:
            compared &= ~members
            continue
        logs = np.log(level[members])
        middle = float(np.median(logs))
        spread = 1.4826 * float(np.median(np.abs(logs - middle)))
        deviation[members] = (logs - middle) / max(spread, 0.02)
        usual.append((float(np.median(mean[members])), float(np.exp(middle))))
    unclipped = max(1, int((~clipped).sum()))
    return NoiseLevels(
        level=np.where(usable, level, np.nan).astype(np.float32),
        deviation=deviation,
        map=_smoothed(deviation, compared),
        brightness=tuple(point[0] for point in usual),
        usual_level=tuple(point[1] for point in usual),
        odd=_oddest(deviation, compared, groups),
        compared=int(compared.sum()),
        usable_share=float(usable.mean()),
        dead_share=float((dead & ~clipped).sum() / unclipped),
    )


def _block_values(luma: Plane) -> tuple[Plane, Plane, Plane, Blocks]:
    """Per block: noise level, mean, roughness (low-pass variance), and whether clipped."""
    rows, columns = (side // BLOCK_PX for side in luma.shape)
    whole = luma[: rows * BLOCK_PX, : columns * BLOCK_PX]
    a, b, c, d = whole[::2, ::2], whole[::2, 1::2], whole[1::2, ::2], whole[1::2, 1::2]
    diagonal = np.abs(a - b - c + d) / 2
    low = (a + b + c + d) / 4
    magnitudes = _by_block(diagonal, BLOCK_PX // 2)
    kept = round(magnitudes.shape[-1] * KEPT_SHARE)
    magnitudes.partition(kept - 1, axis=-1)
    level = magnitudes[..., :kept].mean(axis=-1) / KEPT_MEAN_OF_NORMAL
    lows = _by_block(low, BLOCK_PX // 2)
    outside = (lows <= DARKEST) | (lows >= BRIGHTEST)
    means = _by_block(low, 2).mean(axis=-1)
    coarse = _by_block(means, BLOCK_PX // 4)
    # The noise itself moves a mean of 16 pixels by a quarter of its level; without that
    # correction quiet parts would count as smooth and crowd out the rest.
    roughness = coarse.var(axis=-1) - (level / 4) ** 2
    return level, lows.mean(axis=-1), roughness, outside.mean(axis=-1) > 0.02


def _by_block(plane: NDArray[Any], side: int) -> NDArray[Any]:
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    blocks = plane.reshape(rows, side, columns, side).swapaxes(1, 2)
    return np.ascontiguousarray(blocks).reshape(rows, columns, side * side)


def _homogeneous(mean: Plane, roughness: Plane, usable: Blocks) -> tuple[NDArray[np.int64], Blocks]:
    """Brightness group of every block, and the smoothest usable blocks of each group."""
    compared = np.zeros(mean.shape, bool)
    if not usable.any():
        return np.zeros(mean.shape, np.int64), compared
    borders = np.quantile(mean[usable], np.linspace(0, 1, BRIGHTNESS_GROUPS + 1)[1:-1])
    groups = np.searchsorted(borders, mean)
    for group in range(BRIGHTNESS_GROUPS):
        members = usable & (groups == group)
        if members.any():
            limit = np.quantile(roughness[members], HOMOGENEOUS_SHARE)
            compared |= members & (roughness <= limit)
    return groups, compared


def _smoothed(deviation: Plane, compared: Blocks) -> Plane:
    import cv2

    known = cv2.blur(compared.astype(np.float32), (5, 5))
    total = cv2.blur(np.where(compared, deviation, 0).astype(np.float32), (5, 5))
    return np.where(known > 0.05, total / np.maximum(known, 0.05), 0).astype(np.float32)


def _oddest(deviation: Plane, compared: Blocks, groups: NDArray[np.int64]) -> OddWindow | None:
    """The window and side with the smallest number of false alarms."""
    from scipy.stats import binom

    candidates = []
    tests = 0
    for name, extreme in _extremes(deviation, compared, groups).items():
        share = float(extreme.sum() / max(1, compared.sum()))
        for side in WINDOW_SIDES:
            if side > min(compared.shape) // 2 or not 0 < share < 1:
                continue
            counted, marked = _window_sums(compared, side), _window_sums(extreme, side)
            tests += counted.size
            tail = binom.logsf(marked - 1, counted, share)
            row, column = np.unravel_index(int(tail.argmin()), tail.shape)
            candidates.append((float(tail[row, column]), int(row), int(column), side, name))
    if not candidates:
        return None
    log_tail, top, left, size, name = min(candidates)
    step = _step(size)
    return OddWindow(
        left=left * step * BLOCK_PX,
        top=top * step * BLOCK_PX,
        width=size * BLOCK_PX,
        height=size * BLOCK_PX,
        side=name,
        log10_nfa=float(np.log10(tests) + log_tail / np.log(10)),
    )


def _extremes(deviation: Plane, compared: Blocks, groups: NDArray[np.int64]) -> dict[str, Blocks]:
    """The quietest and the noisiest compared blocks of every brightness group."""
    quietest, noisiest = np.zeros_like(compared), np.zeros_like(compared)
    for group in range(BRIGHTNESS_GROUPS):
        members = compared & (groups == group)
        if members.any():
            low, high = np.quantile(deviation[members], (EXTREME_SHARE, 1 - EXTREME_SHARE))
            quietest |= members & (deviation <= low)
            noisiest |= members & (deviation >= high)
    return {"quieter": quietest, "noisier": noisiest}


def _window_sums(blocks: Blocks, side: int) -> NDArray[np.int64]:
    """Number of true blocks in every window of this side, at its step."""
    total: Any = np.zeros(np.add(blocks.shape, 1), np.int64)
    total[1:, 1:] = blocks.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    step = _step(side)
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(sums[::step, ::step])


def _step(side: int) -> int:
    return max(1, round(side * WINDOW_STEP))
