"""Compare the pictures of a re-encoded copy with the original's: in time, then in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import FOREIGN, Alignment, Indices, align
from tidewaiter.custody.masks import Hidden, Mask, seen_blocks
from tidewaiter.custody.painted import (
    CLOCK,
    CLOCK_RIM,
    CROPPED,
    PICTURE,
    Levels,
    Painted,
    scores,
    usual_of,
)
from tidewaiter.custody.registration import Window, window_of
from tidewaiter.custody.runs import Change, Run, changes_of, runs_of
from tidewaiter.custody.small_pictures import Flat, Greys, PictureRows, Ticks
from tidewaiter.traces.fingerprints import Fingerprints

SAME_RATE = 0.01
"""Rates closer than this are one rate."""
MOST_RESAMPLED = 8
"""Times as many frames as the original has, at most, when it is brought to the copy's rate."""
CROP_FLOOR = 2.5
"""Frames that are never closer than this do not show the same part of the scene."""
CROP_GAIN = 0.6
"""A fitted window is believed where it brings the floor below this share."""

FAITHFUL_FACTOR, FAITHFUL_BASE = 1.3, 0.15
"""A stretch this close to what it shows, in floors, is taken from there; else painted over."""
DIFFERENT_BLOCK, PAINTED_SHARE = 4.0, 0.3
"""Blocks that lie this far apart, in floors; a picture with fewer of them is the same moment."""
STEADY_FRAMES = 12
"""Runs this long on average are footage that was put there, not the path's wavering."""
PIECE = 2048
"""Frames that are in memory as rows at once."""
UNCERTAIN_FRAMES = 250
"""As far as a cut's place is looked for to either side."""


@dataclass(frozen=True)
class PictureThresholds:
    """Over which residuals count, and under which length a change of order does not."""

    picture: float
    clock: float
    shortest: int


@dataclass(frozen=True)
class PictureFindings:
    """Changes of order and painted regions (frames of the copy), and what was fitted.

    `lengths` are those of the changes at the copy's rate, as the threshold is compared with them.
    """

    changes: tuple[Change, ...]
    lengths: tuple[int, ...]
    painted: tuple[Painted, ...]
    clock: tuple[Painted, ...]
    uncertain: tuple[int, ...]
    path: Indices
    floor: float
    window: Window | None
    pace: float
    same_rate: bool
    peaks: tuple[float, float]


def locate_pictures(
    original: Fingerprints,
    copy: Fingerprints,
    thresholds: PictureThresholds,
    masks: Sequence[Mask] = (),
) -> PictureFindings:
    """Where a copy shows other moments than the original, or others of its regions.

    Frame numbers are those of the copy and of the original as they are decoded.
    """
    view, found, window = _best_view(original, copy, seen_blocks(copy.frame_time, masks))
    path = _settled(view, found)
    virtual = len(view.shown)
    changes = changes_of(runs_of(path), virtual, thresholds.shortest)
    picture, clock = _levels(view, path, masks, thresholds, whole=window is None)
    return PictureFindings(
        changes=tuple(_mapped(change, view.shown, len(original.small)) for change in changes),
        lengths=tuple(change.length for change in changes),
        painted=tuple(picture.painted()),
        clock=tuple(clock.painted()),
        uncertain=tuple(_uncertainty(view, found.floor, change) for change in changes),
        path=np.where(path == FOREIGN, FOREIGN, view.shown[np.maximum(path, 0)]),
        floor=found.floor,
        window=window,
        pace=_pace(original, copy) if len(view.shown) == len(original.small) else 1.0,
        same_rate=len(view.shown) == len(original.small),
        peaks=(picture.sustained_peak(), clock.sustained_peak()),
    )


def _best_view(
    original: Fingerprints, copy: Fingerprints, seen: NDArray[np.bool_]
) -> tuple[_View, Alignment, Window | None]:
    """The original at the copy's rate, or frame by frame, whichever the copy follows.

    A copy at another rate shows the same moments at the same times (an export), or the same
    frames at other times (played faster or slower).
    """
    every = np.arange(len(original.small))
    resampled = _at_rate(original.frame_time, copy.frame_time)
    view = _View(original, copy, resampled, seen)
    found, window = view.aligned()
    if len(resampled) == len(every):
        return view, found, window
    other = _View(original, copy, every, seen)
    again, second = other.aligned()
    if _followed(again) > _followed(found):
        return other, again, second
    return view, found, window


def _followed(found: Alignment) -> float:
    """Share of the copy's frames in steady runs."""
    return sum(run.length for run in runs_of(found.path) if run.steady) / len(found.path)


class _View:
    """Both recordings as rows for the alignment, the original at the copy's rate."""

    def __init__(
        self,
        original: Fingerprints,
        copy: Fingerprints,
        shown: Indices,
        seen: NDArray[np.bool_],
    ) -> None:
        self.original, self.copy = original, copy
        self.shown, self.seen = shown, seen
        self.ours = Greys(original.small, shown)
        self.theirs = Greys(copy.small)
        self.has_clock = len(original.clock) > 0 and len(copy.clock) > 0
        self.rows()

    def rows(self) -> None:
        """Make the rows anew after the pictures or the clock's use changed."""
        ours = Ticks(self.original.clock, self.shown) if self.has_clock else None
        theirs = Ticks(self.copy.clock) if self.has_clock else None
        self.our_rows, self.their_rows = (
            PictureRows(self.ours, ours, self.seen),
            PictureRows(self.theirs, theirs, self.seen),
        )

    def aligned(self) -> tuple[Alignment, Window | None]:
        """The alignment, after a crop was undone where there is one."""
        found = align(self.our_rows, self.their_rows)
        known = np.flatnonzero(found.path != FOREIGN)
        if found.floor < CROP_FLOOR or len(known) < 2:
            return found, None
        window = window_of(self.ours.at(found.path[known]), self.theirs.at(known))
        if window.trivial:
            return found, None
        kept = self.ours, self.has_clock
        self.ours, self.has_clock = Greys(self.original.small, self.shown, window), False
        self.rows()
        again = align(self.our_rows, self.their_rows)
        if again.floor < CROP_GAIN * found.floor:
            return again, window
        self.ours, self.has_clock = kept
        self.rows()
        return found, None


def _pace(original: Fingerprints, copy: Fingerprints) -> float:
    """How much faster than the original a copy shows its frames; 1 at the same rate."""
    if min(len(original.frame_time), len(copy.frame_time)) < 3:
        return 1.0
    ours, theirs = _usual_step(original.frame_time), _usual_step(copy.frame_time)
    return ours / theirs if theirs > 0 and abs(ours / theirs - 1) >= SAME_RATE else 1.0


def _usual_step(times: NDArray[np.int64]) -> float:
    """Microseconds from frame to frame, without pauses; 0 where times do not advance.

    The median alone is off by up to 1.5 % at 30 frames a second where a container rounds times
    to milliseconds (Matroska, WebM); the mean of the usual steps is not.
    """
    steps = np.diff(times)
    median = float(np.median(steps))
    usual = steps[np.abs(steps - median) <= median / 2]
    return float(usual.mean()) if median > 0 else 0.0


def _at_rate(original: NDArray[np.int64], copy: NDArray[np.int64]) -> Indices:
    """Frames of the original at the copy's rate, by the nearest time; every one at its own."""
    every = np.arange(len(original))
    if min(len(original), len(copy)) < 3:
        return every
    ours, theirs = _usual_step(original), _usual_step(copy)
    if ours <= 0 or theirs <= 0 or abs(theirs / ours - 1.0) < SAME_RATE:
        return every
    if not 0 < original[-1] / theirs < MOST_RESAMPLED * len(every):
        return every
    wanted = np.arange(0, original[-1] + ours / 2, theirs)
    after = np.clip(np.searchsorted(original, wanted), 1, len(original) - 1)
    nearer = wanted - original[after - 1] <= original[after] - wanted
    return np.where(nearer, after - 1, after)


def _settled(view: _View, found: Alignment) -> Indices:
    """The path, without excursions that a painted region alone explains.

    Where before and after a stretch the same moments are shown, and within it most of the
    picture fits the moment expected there, the stretch shows that moment with a part changed.
    """
    path = found.path.copy()
    runs = [run for run in runs_of(path) if run.steady]
    for before, after in pairwise(runs):
        _settle(view, found, path, before, after)
    for first in range(len(runs) - 2):
        for last in range(first + 2, min(first + 8, len(runs))):
            _settle(view, found, path, runs[first], runs[last])
    return path


def _settle(view: _View, found: Alignment, path: Indices, before: Run, after: Run) -> None:
    start, end = before.end, after.start
    offset = int(path[start - 1]) - (start - 1)
    if start >= end or abs(int(path[end]) - end - offset) > 1:
        return
    expected = np.arange(start, end) + offset
    if expected[-1] >= len(view.our_rows) or np.array_equal(path[start:end], expected):
        return
    there = found.distance[start:end]
    close = np.nan_to_num(there, nan=np.inf) <= FAITHFUL_FACTOR * found.floor + FAITHFUL_BASE
    shown = len(runs_of(path[start:end]))
    # Other footage is shown in long runs; a painted region makes the path waver in short ones.
    if close.mean() > 0.5 and (shown <= 2 or end - start >= shown * STEADY_FRAMES):
        return
    if _different_share(view, expected, start, max(found.floor, 0.5)) < PAINTED_SHARE:
        path[start:end] = expected


def _different_share(view: _View, expected: Indices, start: int, floor: float) -> float:
    """Share of the blocks that do not show the frames expected from `start` of the copy on."""
    blocks, different = int(view.seen.sum()), 0
    for first in range(0, len(expected), PIECE):
        part = expected[first : first + PIECE]
        theirs = view.their_rows[start + first : start + first + len(part)]
        gap = (view.our_rows[part] - theirs)[:, :blocks] * blocks
        # A bright patch moves the mean of its frame and so every other block: take that out.
        gap = np.abs(gap - np.median(gap, axis=1, keepdims=True))
        different += int((gap > DIFFERENT_BLOCK * floor).sum())
    return different / (len(expected) * blocks)


def _levels(
    view: _View,
    path: Indices,
    masks: Sequence[Mask],
    thresholds: PictureThresholds,
    *,
    whole: bool,
) -> tuple[Levels, Levels]:
    """Scores of the copy's frames: of the picture's blocks and of the clock's."""
    picture, clock = Levels(len(path), thresholds.picture), Levels(len(path), thresholds.clock)
    runs = [run for run in runs_of(path) if run.steady]
    moments = [(run.start, run.end) for run in runs]
    places = np.concatenate([np.arange(*m) for m in moments] or [np.zeros(0, int)])
    places = places[path[places] != FOREIGN]
    if not len(places):
        return picture, clock
    ends = np.concatenate([[0], np.cumsum([(path[s:e] != FOREIGN).sum() for s, e in moments])])
    stretches = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    kind = PICTURE if whole else CROPPED
    ours, theirs = Flat(view.ours.at(path[places])), Flat(view.theirs.at(places))
    hidden = Hidden(view.copy.frame_time[places], masks) if masks else None
    usual = usual_of(ours, theirs, kind, hidden)
    for first, score in scores(ours, theirs, stretches, usual, kind, hidden):
        picture.note(places[first : first + len(score)], score)
    if view.has_clock and whole:
        inner = slice(None), slice(CLOCK_RIM, -CLOCK_RIM), slice(CLOCK_RIM, -CLOCK_RIM)
        ours = Flat(Greys(view.original.clock[inner], view.shown[path[places]]))
        theirs = Flat(Greys(view.copy.clock[inner], places))
        for first, score in scores(ours, theirs, stretches, usual_of(ours, theirs, CLOCK), CLOCK):
            clock.note(places[first : first + len(score)], score)
    return picture, clock


def _mapped(change: Change, shown: Indices, frames: int) -> Change:
    """A change in frames of the original itself, not of the original at the copy's rate."""

    def span(part: tuple[int, int] | None) -> tuple[int, int] | None:
        if part is None:
            return None
        return tuple(int(shown[p]) if p < len(shown) else frames for p in part)  # type: ignore[return-value]

    return replace(change, original=span(change.original), from_original=span(change.from_original))


def _uncertainty(view: _View, floor: float, change: Change) -> int:
    """By how many frames a cut may lie elsewhere without any frame fitting worse."""
    if change.kind != "removed" or change.original is None or change.copy[0] == 0:
        return 0
    place, missing = change.copy[0], change.original[1] - change.original[0]
    offset = change.original[0] - place
    low = max(0, place - UNCERTAIN_FRAMES)
    high = min(len(view.their_rows), place + UNCERTAIN_FRAMES)
    frames = np.arange(low, high)
    early = np.clip(frames + offset, 0, len(view.our_rows) - 1)
    late = np.clip(frames + offset + missing, 0, len(view.our_rows) - 1)
    rows = view.their_rows[low:high]
    gain = np.abs(rows - view.our_rows[late]).sum(axis=1) - np.abs(rows - view.our_rows[early]).sum(
        axis=1
    )
    # Cost of cutting at each frame, up to a constant: what later frames lose by the late side.
    cost = -np.concatenate([[0.0], np.cumsum(gain)])
    cost -= cost[place - low]
    near = np.flatnonzero(cost <= max(0.35, 0.6 * floor)) + low
    return int(max(np.abs(near - place).max(), 0)) if len(near) else 0
