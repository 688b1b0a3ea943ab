"""Where the flow of a video breaks: jumps of motion, frozen stretches, changes of scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.traces.timeline import FrameTimeline

NEIGHBOURHOOD = 6
"""Frames on either side that a difference is compared with."""

NOISE_DIFFERENCE = 0.1
"""Grey levels added to both sides of a ratio: below it differences are coding noise."""

MAD_TO_SIGMA = 1.4826
LEAST_SPREAD = 0.15
"""Of log ratios; very even motion does not make a small jump a sure one."""

FEWEST_KEYS = 3
"""Key frames needed before their own usual jump can be taken off."""

SCENE_DIFFERENCE = 8.0
"""Grey levels on a 64 x 36 grid that a change of scene differs at least."""

SCENE_LIKENESS = 0.8
"""Correlation of the pictures before and after, above which the scene is the same."""

FLASH_RETURN = 0.4
"""A flash is over when the picture is this much nearer to that before it than the lit one."""

FREEZE_SHARE = 0.2
"""A frame of a freeze differs less than this share of the motion around it."""

SHORTEST_FREEZE_S = 0.25
FEWEST_FROZEN = 4
SURROUNDINGS_S = 3.0
BESIDE_S = 0.6

# Pictures are compared part by part: as floats they take a table that grows with the video.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Freeze:
    """Frames [start, end) that hardly differ, in the midst of motion.

    `depth` is the natural logarithm of the smaller difference beside it over the larger
    ones inside; `equal_frames` how many are exactly equal to the one before;
    `resumption` the logarithm of the first difference after it over the motion that
    follows: well above 0 when the scene went on unseen.
    """

    start: int
    end: int
    depth: float
    equal_frames: int
    resumption: float


@dataclass(frozen=True)
class BreakSearch:
    """One value a frame, and what stands out.

    `rise` is ln(difference / differences around it), per frame time, with the usual
    jump of key frames taken off; `strength` is rise in robust standard deviations, 0 at
    flashes, scene changes and both ends. `likeness` is the correlation with the picture
    before (1 where fingerprints were thinned). `still` are frames of difference below
    noise. `scene_changes` are the first frames of new scenes.
    """

    rise: NDArray[np.float64]
    strength: NDArray[np.float64]
    likeness: NDArray[np.float64]
    scene_changes: NDArray[np.int64]
    flashes: NDArray[np.int64]
    freezes: tuple[Freeze, ...]
    moving_share: float


class Breaks(VideoTrace):
    """Search the timeline for jumps, freezes and changes of scene."""

    name = "breaks"
    after = ("timeline",)

    def result(self, earlier: Traces) -> Any:
        """A `BreakSearch`; `Untaken` where there is no timeline."""
        timeline = earlier["timeline"]
        return timeline if isinstance(timeline, Untaken) else search_breaks(timeline)


def search_breaks(timeline: FrameTimeline) -> BreakSearch:
    """Compare every difference with those around it."""
    flow = difference_per_time(timeline)
    rise = rises(flow, timeline.key)
    likeness = picture_likeness(timeline)
    flashes = _flashes(timeline)
    scenes = (timeline.difference > SCENE_DIFFERENCE) & (likeness < SCENE_LIKENESS)
    scenes[flashes] = False
    strength = _strength(rise)
    strength[scenes] = 0.0
    strength[flashes] = 0.0
    return BreakSearch(
        rise=rise,
        strength=strength,
        likeness=likeness,
        scene_changes=np.flatnonzero(scenes),
        flashes=flashes,
        freezes=find_freezes(timeline),
        moving_share=float(np.mean(flow > 2 * NOISE_DIFFERENCE)),
    )


def difference_per_time(timeline: FrameTimeline) -> NDArray[np.float64]:
    """Differences divided by how many usual frame times passed, where more than one did."""
    steps = np.diff(timeline.time_s, prepend=timeline.time_s[0]) / timeline.frame_s
    return timeline.difference / np.maximum(np.rint(steps), 1.0)


def rises(flow: NDArray[np.float64], key: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log ratio of each difference to those around it; 0 for the first frame.

    Those around it are the median of the neighbourhood or the larger of the two next to
    it, whichever is more: motion that quickens over some frames is no jump.
    """
    rise = np.zeros(len(flow))
    if len(flow) < 3:
        return rise
    padded = np.pad(flow[1:], NEIGHBOURHOOD, mode="symmetric" if len(flow) > 6 else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURHOOD + 1)
    beside = windows[:, [NEIGHBOURHOOD - 1, NEIGHBOURHOOD + 1]].max(axis=1)
    usual = np.maximum(np.median(windows, axis=1), beside)
    rise[1:] = np.log((flow[1:] + NOISE_DIFFERENCE) / (usual + NOISE_DIFFERENCE))
    return _without_key_jumps(rise, key)


def _without_key_jumps(rise: NDArray[np.float64], key: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take off what key frames usually add: a fresh start of the encoder, not of the scene."""
    places = np.flatnonzero(key[1:]) + 1
    if len(places) >= FEWEST_KEYS:
        rise[places] -= max(float(np.median(rise[places])), 0.0)
    elif len(places):
        steps = np.diff(places, prepend=0)
        rise[places[steps == steps.max()]] = 0.0
    return rise


def picture_likeness(timeline: FrameTimeline) -> NDArray[np.float64]:
    """Correlation of each picture with the one before; 1 for flat pictures and thinned ones."""
    likeness = np.ones(timeline.frames)
    if timeline.fingerprint_stride == 1 and timeline.frames > 1:
        for start in range(1, timeline.frames, _ROWS_AT_ONCE):
            pictures = _standardised(timeline.picture[start - 1 : start + _ROWS_AT_ONCE])
            late, early = pictures[1:], pictures[:-1]
            flat = (late**2).sum(axis=1) * (early**2).sum(axis=1) == 0.0
            alike = np.where(flat, 1.0, np.einsum("ij,ij->i", late, early))
            likeness[start : start + len(alike)] = alike
    return likeness


def find_freezes(timeline: FrameTimeline) -> tuple[Freeze, ...]:
    """Runs of hardly differing frames between moving ones."""
    from scipy.ndimage import percentile_filter

    flow = timeline.difference.astype(np.float64)
    shortest = max(FEWEST_FROZEN, round(SHORTEST_FREEZE_S / timeline.frame_s))
    if len(flow) < 2 * shortest:
        return ()
    reach = int(min(2 * round(SURROUNDINGS_S / timeline.frame_s) + 1, len(flow)))
    around = percentile_filter(flow, 75, size=reach, mode="nearest")
    low = np.zeros(len(flow) + 2, np.int8)
    low[1:-1] = (flow < FREEZE_SHARE * around) & (around > 2 * NOISE_DIFFERENCE)
    low[1] = 0
    turns = np.flatnonzero(np.diff(low))
    found = [
        _freeze(timeline, flow, int(start), int(end))
        for start, end in zip(turns[::2], turns[1::2], strict=True)
        if end - start >= shortest
    ]
    return tuple(sorted(found, key=lambda freeze: -freeze.depth))


def _strength(rise: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(rise) < 2 * NEIGHBOURHOOD:
        return np.zeros(len(rise))
    center = float(np.median(rise[1:]))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(rise[1:] - center)))
    strength = (rise - center) / max(spread, LEAST_SPREAD)
    strength[:2] = strength[-1:] = 0.0
    return strength


def _flashes(timeline: FrameTimeline) -> NDArray[np.int64]:
    """Frames that leave the scene's look for one frame, and the frame after each."""
    if timeline.fingerprint_stride != 1 or timeline.frames < 3:
        return np.zeros(0, np.int64)
    step = _picture_steps(timeline.picture, 1)
    out, back = step[:-1], step[1:]
    around = _picture_steps(timeline.picture, 2)
    lit = np.minimum(out, back)
    middle = 1 + np.flatnonzero((around < FLASH_RETURN * lit) & (lit > SCENE_DIFFERENCE / 4))
    return np.unique(np.concatenate([middle, middle + 1]))


def _picture_steps(pictures: NDArray[np.uint8], lag: int) -> NDArray[np.float32]:
    """Mean absolute difference of each picture from the one `lag` earlier."""
    steps = np.zeros(len(pictures) - lag, np.float32)
    for start in range(0, len(steps), _ROWS_AT_ONCE):
        part = pictures[start : start + _ROWS_AT_ONCE + lag].astype(np.float32)
        steps[start : start + _ROWS_AT_ONCE] = np.abs(part[lag:] - part[:-lag]).mean(axis=1)
    return steps


def _freeze(timeline: FrameTimeline, flow: NDArray[np.float64], start: int, end: int) -> Freeze:
    beside = max(2, round(BESIDE_S / timeline.frame_s))
    before = flow[max(1, start - beside) : start]
    behind = flow[end + 1 : end + 1 + beside]
    inside = float(np.quantile(flow[start:end], 0.9))
    known = min(len(before), len(behind)) >= beside // 2
    equal = timeline.digest[start:end] == timeline.digest[start - 1 : end - 1]
    return Freeze(
        start=start,
        end=end,
        depth=_log_ratio(min(np.median(before), np.median(behind)), inside) if known else 0.0,
        equal_frames=int(equal.sum()),
        resumption=_log_ratio(flow[end], np.median(behind)) if known else 0.0,
    )


def _log_ratio(above: float, below: float) -> float:
    floor = NOISE_DIFFERENCE / 4
    return float(np.log((above + floor) / (below + floor)))


def _standardised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    centred = pictures.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.asarray(centred / np.maximum(length, 1e-6), np.float32)
