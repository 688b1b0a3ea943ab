"""Where a copy's pictures differ from the original's although the same moments are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import Framed, Indices
from tidewaiter.custody.masks import Hidden
from tidewaiter.traces.fingerprints import CLOCK_HEIGHT, SMALL_HEIGHT, SMALL_WIDTH

Values = NDArray[Any]
"""Frames x blocks, in grey levels."""

AVERAGED_FRAMES = 5
"""Custody handbook 3.13: the residual is a mean over so many frames."""
CONSECUTIVE_FRAMES = 8
"""So many frames in a row must show the difference: what an encoder shows late it soon mends."""
SHORT_FRAMES, SHORT_FACTOR = 4, 2.0
"""So few suffice (custody handbook 3.13) where the level is so many times the threshold."""
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

CLOCK_RIM = 1
"""Outermost cells of a clock's picture are left out: at other sizes what passes beside the box
shows in them."""
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


SAMPLED_FRAMES = 4096
"""Frames from which it is told what is usual in all of a recording: every one of a shorter one."""
PIECE = 2048
"""Frames whose scores are in memory at once."""
MARGIN = SWING_FRAMES
"""Frames to either side that a score looks at."""
LARGEST_SCORE = 60_000.0
"""What 16 bits hold."""


@dataclass(frozen=True)
class Usual:
    """What holds for a copy from its beginning to its end.

    `gain` and `offset` are its brightness against the original's, `middle` the usual difference
    of each block, `noise` what usually remains of it (grey levels, squared).
    """

    gain: float
    offset: float
    middle: Values
    noise: Values


@dataclass(frozen=True)
class Painted:
    """A stretch [start, end) of compared frames in which some blocks differ, and how much."""

    start: int
    end: int
    blocks: NDArray[np.bool_]
    peak: float


class Levels:
    """The scores of a copy's frames: the highest of each, and all of those over a threshold."""

    def __init__(self, frames: int, threshold: float) -> None:
        self.threshold = threshold
        self.peaks = np.zeros(frames, np.float32)
        self._over: dict[int, NDArray[np.float16]] = {}

    def note(self, places: Indices, score: Values) -> None:
        """Take the scores (frames x blocks) of these frames in."""
        peaks = score.max(axis=1)
        self.peaks[places] = peaks
        for index in np.flatnonzero(peaks > self.threshold):
            row = np.minimum(score[index], LARGEST_SCORE).astype(np.float16)
            self._over[int(places[index])] = row

    def painted(self) -> list[Painted]:
        """Stretches in which some block's score stays over the threshold."""
        return [self._framed(*stretch) for stretch in _stretches(self.peaks, self.threshold)]

    def sustained_peak(self) -> float:
        """The highest level that enough frames in a row all reach: what a threshold must exceed."""
        short = _sustained(self.peaks, SHORT_FRAMES) / SHORT_FACTOR
        return max(_sustained(self.peaks, CONSECUTIVE_FRAMES), short)

    def _framed(self, start: int, end: int) -> Painted:
        peak = float(self.peaks[start:end].max())
        level = max(self.threshold, FRAMED_SHARE * peak)
        rows = [self._over[place] for place in range(start, end) if place in self._over]
        counts = np.zeros(rows[0].shape, np.int64)
        for row in rows:
            counts += row > level
        return Painted(start, end, counts >= min(SHORT_FRAMES, (end - start) / 2), peak)


def usual_of(
    original: Framed, copy: Framed, kind: Noise = PICTURE, hidden: Hidden | None = None
) -> Usual:
    """What is usual between frames that show the same moments, in grey levels of their blocks.

    Blocks `hidden` under a mask say nothing of it.
    """
    step = max(1, -(-len(original) // SAMPLED_FRAMES))
    ours, theirs = original[::step], copy[::step]
    if hidden is None:
        gain, offset = _brightness(ours, theirs)
        plain = theirs - gain * ours - offset
        middle = np.median(plain, axis=0)
        size = np.abs(plain - middle)
        here = np.quantile(size, kind.quantile, axis=0)
    else:
        under = hidden[::step]
        gain, offset = _brightness(ours, np.where(under, np.nan, theirs))
        plain = np.where(under, np.nan, theirs - gain * ours - offset)
        plain[:, under.all(axis=0)] = 0.0
        middle = np.nanmedian(plain, axis=0)
        size = np.abs(plain - middle)
        here = np.nanquantile(size, kind.quantile, axis=0)
        size = size[~under]
    here = here * QUANTILES_TO_SIGMA[kind.quantile] / np.sqrt(AVERAGED_FRAMES)
    return Usual(gain, offset, middle, median_noise(size) ** 2 + here**2)


def median_noise(size: Values) -> float:
    """The noise of means over `AVERAGED_FRAMES`, by the median of the size of single residuals."""
    return float(np.median(size)) * QUANTILES_TO_SIGMA[0.5] / float(np.sqrt(AVERAGED_FRAMES))


def scores(
    original: Framed,
    copy: Framed,
    moments: Sequence[tuple[int, int]],
    usual: Usual,
    kind: Noise = PICTURE,
    hidden: Hidden | None = None,
) -> Iterator[tuple[int, Values]]:
    """How far a copy's blocks lie from the original's, over what encoding explains.

    Both hold the same moments in the same order; `moments` are stretches [start, end) within
    which frames follow each other: no mean is taken across their edges. Blocks are a picture in
    rows, so that neighbours are known; blocks `hidden` under a mask score nothing, and nothing of
    them is in the means of frames beside the mask's time. Gives the first frame of a part and its
    scores, frames x blocks; frames of stretches too short to be judged are left out.
    """
    for start, end in moments:
        if end - start < SHORT_FRAMES:
            continue
        for first in range(start, end, PIECE):
            last = min(first + PIECE, end)
            low, high = max(first - MARGIN, start), min(last + MARGIN, end)
            ours = original[low:high]
            plain = copy[low:high] - usual.gain * ours - usual.offset - usual.middle
            if hidden is not None:
                plain[hidden[low:high]] = 0.0
            size = np.abs(_averaged(plain))
            score = size / np.sqrt(usual.noise + _explained(ours, size, kind))
            if hidden is not None:
                score[hidden[low:high]] = 0.0
            yield first, score[first - low : last - low]


def _brightness(original: Values, copy: Values) -> tuple[float, float]:
    """Gain and offset of the whole copy, without the blocks that differ."""
    step = max(1, len(original) // 200)
    ours, theirs = original[::step].ravel(), copy[::step].ravel()
    known = ~np.isnan(theirs)
    if not known.all():
        ours, theirs = ours[known], theirs[known]
    if ours.size == 0:
        return 1.0, 0.0
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
    rows = CLOCK_HEIGHT - 2 * CLOCK_RIM
    return rows, blocks // rows


def _sustained(peaks: NDArray[np.float32], frames: int) -> float:
    """The highest level that so many frames in a row all reach; 0 where there are fewer."""
    if len(peaks) < frames:
        return 0.0
    return float(np.lib.stride_tricks.sliding_window_view(peaks, frames).min(axis=1).max())


def _stretches(peaks: NDArray[np.float32], threshold: float) -> list[tuple[int, int]]:
    """Runs over a threshold, long enough or high enough; those close together joined."""
    over = (peaks > threshold).view(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], over, [0]])))
    runs = [
        (start, end)
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if end - start >= CONSECUTIVE_FRAMES
        or _sustained(peaks[start:end], SHORT_FRAMES) > SHORT_FACTOR * threshold
    ]
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < JOINED_FRAMES:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
