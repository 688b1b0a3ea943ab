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

    `least` grey levels, the usual residual of the block itself (its `quantile` over time),
    `contrast` shares of the spread of grey levels around it, `activity` shares of the change from
    frame to frame around it, `swing` shares of its range over `SWING_FRAMES` either way beyond
    that of most blocks, and `frame` times what most blocks' residuals keep to at that moment, up
    to `coarsest` grey levels: what most blocks are off by more than that is no coarser encoding,
    and without a limit a change of half the picture would explain itself.
    """

    least: float
    quantile: float
    contrast: float
    activity: float
    swing: float
    frame: float
    coarsest: float


# Chosen on the calibration scenes of benchmarks/custody/edits, where the highest level of a benign
# copy lay 3.5 times over the median with shares of activity, and 2.0 times with swing and frame:
# encoders show what moves some frames late (a whole picture that sways they follow), and all of a
# picture gets coarser where a group of pictures begins. A clock's residual differs from digit to
# digit, hence its higher quantile; a crop that was undone blurs edges and is off everywhere.
PICTURE = Noise(
    least=0.05, quantile=0.5, contrast=0.0, activity=0.0, swing=0.06, frame=2.0, coarsest=1.0
)
CLOCK = Noise(
    least=0.5, quantile=0.8, contrast=0.02, activity=0.1, swing=0.0, frame=0.0, coarsest=0.0
)
CROPPED = Noise(
    least=0.05, quantile=0.8, contrast=0.05, activity=0.0, swing=0.06, frame=2.0, coarsest=4.0
)

FRAMED_SHARE = 0.1
"""Blocks below this share of a stretch's peak are its rim, blurred by encoding: not framed."""
SWING_FRAMES = 8
"""How late, in frames, an encoder may show a change."""
MOST_BLOCKS = 0.75
"""Share of the blocks that tell what all of a picture does: a painted region is smaller than the
rest."""
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
        explained = _explained(original[start:end], np.abs(mean), kind)
        score[start:end] = np.abs(mean) / np.sqrt(everywhere**2 + here**2 + explained)
    return Residual(score, gain, offset)


def painted(score: Values, threshold: float) -> list[Painted]:
    """Stretches in which some block's score stays over a threshold."""
    over = score.max(axis=1) > threshold
    found: list[Painted] = []
    for start, end in _stretches(over):
        part = score[start:end]
        peak = float(part.max())
        differs = part > max(threshold, FRAMED_SHARE * peak)
        blocks = differs.sum(axis=0) >= min(CONSECUTIVE_FRAMES, (end - start) / 2)
        found.append(Painted(start, end, blocks, peak))
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


def _explained(original: Values, size: Values, kind: Noise) -> Values:
    """The square of the noise that the moment itself explains; `size` is that of the residual."""
    explained: Values = np.full_like(size, kind.least**2)
    if kind.activity:
        explained += (kind.activity * _activity(original)) ** 2
    if kind.swing:
        explained += (kind.swing * _swing(original)) ** 2
    if kind.contrast:
        explained += (kind.contrast * _contrast(original)) ** 2
    if kind.frame:
        usual = np.quantile(size, MOST_BLOCKS, axis=1, keepdims=True)
        explained += (kind.frame * np.minimum(usual, kind.coarsest)) ** 2
    return explained


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


def _swing(original: Values) -> Values:
    """How much wider than most the grey levels range around each block over some frames."""
    import cv2

    window = np.ones((2 * SWING_FRAMES + 1, 1), np.uint8)
    reach = cv2.dilate(original, window) - cv2.erode(original, window)
    rows = reach.reshape(len(original), *_shape(original.shape[1]))
    around = [cv2.dilate(picture, np.ones((3, 3), np.uint8)) for picture in rows]
    swing: Values = np.stack(around).reshape(original.shape)
    swing -= np.quantile(swing, MOST_BLOCKS, axis=1, keepdims=True)
    return np.maximum(swing, 0.0, out=swing)


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
