"""Where a copy's pictures differ from the original's although the same moments are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.fingerprints import CLOCK_HEIGHT, SMALL_HEIGHT, SMALL_WIDTH

Values = NDArray[Any]
"""Frames x blocks, in grey levels."""

AVERAGED_FRAMES = 5
"""Custody handbook 3.13: the residual is a mean over so many frames."""
CONSECUTIVE_FRAMES = 4
"""So many frames in a row must show the difference."""
JOINED_FRAMES = 12
"""Stretches closer than this are one."""


@dataclass(frozen=True)
class Noise:
    """What encoding explains of a residual.

    `least` grey levels, the usual residual of the block itself (its `quantile` over time), and
    `contrast` shares of the spread of grey levels around it.
    """

    least: float
    quantile: float
    contrast: float


# Chosen on the calibration scenes of benchmarks/custody/edits. A clock's residual differs from
# digit to digit, hence its higher quantile; a crop blurs edges, hence its share of contrast.
PICTURE = Noise(0.05, 0.5, 0.0)
CLOCK = Noise(0.5, 0.8, 0.02)
CROPPED = Noise(0.05, 0.8, 0.05)

SHARE_OF_ACTIVITY = 0.10
"""Of the change from frame to frame around a block, so much may be encoded wrongly."""
QUANTILES_TO_SIGMA = {0.5: 1.4826, 0.8: 0.7803}
"""Quantiles of a normal law's absolute value, inverted."""
ROBUST_ROUNDS = 2


@dataclass(frozen=True)
class Residual:
    """How far a copy's blocks lie from the original's, over what encoding explains.

    `score` is frames x blocks (NaN-free, 0 where nothing is compared); `gain` and `offset`
    are the copy's brightness against the original's.
    """

    score: Values
    gain: float
    offset: float


@dataclass(frozen=True)
class Painted:
    """A stretch [start, end) of compared frames in which some blocks differ, and how much."""

    start: int
    end: int
    blocks: NDArray[np.bool_]
    peak: float


def residual(
    original: Values,
    copy: Values,
    moments: Sequence[tuple[int, int]],
    kind: Noise = PICTURE,
) -> Residual:
    """Compare frame by frame; both hold the same moments in the same order.

    `moments` are stretches [start, end) within which frames follow each other; no mean is
    taken across their edges. Blocks are a picture in rows, so that neighbours are known.
    """
    gain, offset = _brightness(original, copy)
    plain = copy - gain * original - offset
    plain -= np.median(plain, axis=0)
    size = np.abs(plain)
    shrink = 1.0 / np.sqrt(AVERAGED_FRAMES)
    everywhere = float(np.median(size)) * QUANTILES_TO_SIGMA[0.5] * shrink
    here = np.quantile(size, kind.quantile, axis=0) * QUANTILES_TO_SIGMA[kind.quantile] * shrink
    score = np.zeros_like(plain)
    for start, end in moments:
        if end - start < CONSECUTIVE_FRAMES:
            continue
        mean = _averaged(plain[start:end])
        active = SHARE_OF_ACTIVITY * _activity(original[start:end])
        rough = kind.contrast * _contrast(original[start:end])
        noise = np.sqrt(kind.least**2 + everywhere**2 + here**2 + active**2 + rough**2)
        score[start:end] = np.abs(mean) / noise
    return Residual(score, gain, offset)


def painted(score: Values, threshold: float) -> list[Painted]:
    """Stretches in which some block's score stays over a threshold."""
    over = score.max(axis=1) > threshold
    found: list[Painted] = []
    for start, end in _stretches(over):
        part = score[start:end]
        blocks = (part > threshold).sum(axis=0) >= min(CONSECUTIVE_FRAMES, (end - start) / 2)
        found.append(Painted(start, end, blocks, float(part.max())))
    return found


def sustained_peak(score: Values) -> float:
    """The highest level that some frames in a row all reach: what a threshold must exceed."""
    peaks = score.max(axis=1)
    if len(peaks) < CONSECUTIVE_FRAMES:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(peaks, CONSECUTIVE_FRAMES)
    return float(windows.min(axis=1).max())


def _brightness(original: Values, copy: Values) -> tuple[float, float]:
    """Gain and offset of the whole copy, without the blocks that differ."""
    step = max(1, len(original) // 200)
    ours, theirs = original[::step].ravel(), copy[::step].ravel()
    if ours.std() < 1e-3:
        return 1.0, float(np.median(theirs - ours))
    gain, offset = np.polyfit(ours, theirs, 1)
    for _ in range(ROBUST_ROUNDS):
        error = np.abs(theirs - gain * ours - offset)
        good = error <= 3 * np.median(error) + 0.5
        gain, offset = np.polyfit(ours[good], theirs[good], 1)
    return float(gain), float(offset)


def _averaged(values: Values) -> Values:
    import cv2

    mean: Values = cv2.blur(values, (1, AVERAGED_FRAMES), borderType=cv2.BORDER_REPLICATE)
    return mean


def _activity(original: Values) -> Values:
    """The largest change from frame to frame in and around each block."""
    import cv2

    change = np.abs(np.diff(original, axis=0))
    both = np.zeros_like(original)
    both[1:] = change
    both[:-1] = np.maximum(both[:-1], change)
    rows = both.reshape(len(original), *_shape(original.shape[1]))
    around = [cv2.dilate(picture, np.ones((3, 3), np.uint8)) for picture in rows]
    return _averaged(np.stack(around).reshape(original.shape))


def _contrast(original: Values) -> Values:
    """How far apart the grey levels around each block lie: what blurring can change."""
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    rows = original.reshape(len(original), *_shape(original.shape[1]))
    spread = [cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, kernel) for picture in rows]
    contrast: Values = np.stack(spread).reshape(original.shape)
    return contrast


def _shape(blocks: int) -> tuple[int, int]:
    """Rows and columns of a small picture or of a clock's."""
    if blocks == SMALL_HEIGHT * SMALL_WIDTH:
        return SMALL_HEIGHT, SMALL_WIDTH
    return CLOCK_HEIGHT, blocks // CLOCK_HEIGHT


def _stretches(over: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of at least CONSECUTIVE_FRAMES, those close together joined."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], over.view(np.int8), [0]])))
    runs = [
        (int(start), int(end))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start >= CONSECUTIVE_FRAMES
    ]
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < JOINED_FRAMES:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
