"""Find which frame of the original each frame of a copy shows: the cheapest path through both.

Frames are rows of numbers. From one frame of the copy to the next the path may go on by one
frame (free), stand still, skip one or step back (a small price), jump anywhere (a larger one)
or show nothing of the original (a price per frame). Long recordings are aligned coarsely
first and then in bands around that path, so that time and memory grow with their length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Framed(Protocol):
    """Frames x values: an array of them, or what makes the wanted rows of one when asked."""

    def __len__(self) -> int:
        """Frames."""
        ...

    def __getitem__(self, places: Any, /) -> NDArray[Any]:
        """The rows of a slice or of an array of places."""
        ...


Rows = NDArray[Any]
"""Frames x values; their distance is the sum of absolute differences."""
Indices = NDArray[np.int64]

FOREIGN = -1
"""In a path: a frame that shows nothing of the original."""

MOST_PAIRS = 6_000_000
"""Pairs of frames compared directly; beyond, a coarse path comes first (100 s at 25 a second)."""
CHUNK = 256
"""Frames of the copy whose distances are computed at once."""
BANDS_OVER_COARSE = 4
"""Over 40 minutes the step is the cube root of this part of the frames: pairs in bands (9 n step)
and of the coarse path (n^2 / step^2) are then about as many."""
PIECE = 4096
"""Rows that are in memory at once."""
BAND = 2
"""Coarse steps to either side of the coarse path that are searched."""
FLOOR_SAMPLES = 400

# Custody handbook 3.13: gap cost max(0.35, 0.6 of the floor).
LEAST_STEP, STEP_OF_FLOOR = 0.35, 0.6
JUMP_STEPS, TRIM_STEPS, FOREIGN_STEPS, FOREIGN_BASE = 8.0, 4.0, 3.0, 1.0
"""A jump, a missing start or end, and a foreign frame, in steps; chosen on made scenes."""

_FAR = np.float32(1e9)
_ON, _STILL, _SKIP, _BACK, _JUMP, _RETURN = range(6)


@dataclass(frozen=True)
class Alignment:
    """For each frame of the copy the frame of the original it shows, or FOREIGN.

    `floor` is the usual distance of a frame to its best match; `distance` that of each frame
    to the one it shows (NaN where foreign).
    """

    path: Indices
    floor: float
    distance: NDArray[np.float32]


def align(original: Framed, copy: Framed) -> Alignment:
    """Align all frames of a copy; both need at least one frame."""
    step = _coarse_step(len(original), len(copy))
    if step <= 1:
        return _aligned(original, copy, _everywhere(len(original), len(copy)))
    coarse = _thinned(original, step), _thinned(copy, step)
    path = _aligned(*coarse, _everywhere(len(coarse[0]), len(coarse[1]))).path
    return _aligned(original, copy, list(_bands(path, step, len(original), len(copy))))


def _coarse_step(original: int, copy: int) -> int:
    """Frames that are averaged into one of the coarse path; 1 where none is needed.

    The longer the recordings, the coarser, so that neither the coarse path nor the bands around
    it take most of the work; averages over seconds would lose what moves.
    """
    pairs = original * copy
    balanced = np.cbrt(np.sqrt(pairs) / BANDS_OVER_COARSE)
    return int(np.ceil(min(np.sqrt(pairs / MOST_PAIRS), balanced)))


def _everywhere(original: int, copy: int) -> list[tuple[int, Indices]]:
    """Every frame of the original for every part of the copy."""
    return [(start, np.arange(original)) for start in range(0, copy, CHUNK)]


def _aligned(original: Framed, copy: Framed, windows: list[tuple[int, Indices]]) -> Alignment:
    floor = _floor(original, copy, windows)
    path = _cheapest(original, copy, windows, floor)
    return Alignment(path, floor, distance_along(original, copy, path))


def distance_along(original: Framed, copy: Framed, path: Indices) -> NDArray[np.float32]:
    """The distance of each frame of the copy to the one it shows; NaN where foreign."""
    found = np.full(len(copy), np.nan, np.float32)
    known = np.flatnonzero(path != FOREIGN)
    for start in range(0, len(known), PIECE):
        part = known[start : start + PIECE]
        found[part] = np.abs(copy[part] - original[path[part]]).sum(axis=1)
    return found


def _thinned(rows: Framed, step: int) -> Rows:
    """Means of `step` frames: a short change moves them less than one frame of many would."""
    count = len(rows) // step
    if not count:
        step, count = len(rows), 1
    piece = max(PIECE // step, 1)
    means = []
    for start in range(0, count, piece):
        end = min(start + piece, count)
        part = rows[start * step : end * step]
        means.append(part.reshape(end - start, step, -1).mean(axis=1))
    return np.concatenate(means)


def _bands(coarse: Indices, step: int, original: int, copy: int) -> Iterator[tuple[int, Indices]]:
    """For each coarse step of the copy, the frames of the original that may be shown there."""
    known = np.flatnonzero(coarse != FOREIGN)
    for place in range((copy + step - 1) // step):
        near = coarse[max(0, place - BAND) : place + BAND + 1]
        wanted = {int(value) for value in near if value != FOREIGN}
        # Where the coarse path shows nothing of the original, go on from either side.
        at = int(np.searchsorted(known, place))
        for anchor in known[max(0, at - 1) : at + 1]:
            wanted.add(int(coarse[anchor]) + place - int(anchor))
        wanted = {min(max(value, 0), (original - 1) // step) for value in wanted} or {0}
        spans = [
            np.arange(max(0, (v - BAND) * step), min(original, (v + BAND + 1) * step))
            for v in wanted
        ]
        yield place * step, np.unique(np.concatenate(spans))


def _floor(original: Framed, copy: Framed, windows: list[tuple[int, Indices]]) -> float:
    """The median over frames of the copy of the distance to the best match."""
    stride = max(1, len(copy) // FLOOR_SAMPLES)
    ends = [*(start for start, _ in windows[1:]), len(copy)]
    each = max(1, len(windows) // FLOOR_SAMPLES)
    least = []
    for (start, window), end in list(zip(windows, ends, strict=True))[::each]:
        least.append(_distances(copy[start:end:stride], original[window]).min(axis=1))
    return float(np.median(np.concatenate(least)))


def _distances(rows: Rows, others: Rows) -> NDArray[np.float32]:
    from scipy.spatial.distance import cdist

    found: NDArray[np.float32] = cdist(rows, others, "cityblock").astype(np.float32)
    return found


@dataclass
class _Trail:
    """How each state was reached, for one window."""

    window: Indices
    how: list[NDArray[np.int8]]
    jumped_from: list[int]
    foreign_before: list[bool]


def _cheapest(
    original: Framed, copy: Framed, windows: list[tuple[int, Indices]], floor: float
) -> Indices:
    step = max(LEAST_STEP, STEP_OF_FLOOR * floor)
    starts = [start for start, _ in windows]
    trails: list[_Trail] = []
    value: NDArray[np.float32] | None = None
    outside, before = np.float32(0), np.zeros(0, np.int64)
    for (start, window), end in zip(windows, [*starts[1:], len(copy)], strict=True):
        cost = np.maximum(_distances(copy[start:end], original[window]) - np.float32(floor), 0)
        trail = _Trail(window, [], [], [])
        follows = np.concatenate([[False], np.diff(window) == 1])
        for row in cost:
            if value is None:
                value = row + np.where(window > 0, np.float32(TRIM_STEPS * step), np.float32(0))
                outside = np.float32(FOREIGN_STEPS * step + FOREIGN_BASE + JUMP_STEPS * step / 2)
                trail.how.append(np.full(len(window), _ON, np.int8))
                trail.jumped_from.append(FOREIGN)
                trail.foreign_before.append(True)
                continue
            if len(before):
                value, before = _carried(value, before, window), np.zeros(0, np.int64)
            value, outside = _advanced(value, outside, row, follows, step, trail)
        trails.append(trail)
        before = window
    assert value is not None
    last = trails[-1].window
    value = value + np.where(last < len(original) - 1, np.float32(TRIM_STEPS * step), 0)
    best = int(value.argmin())
    ends = FOREIGN if outside + TRIM_STEPS * step < value[best] else int(last[best])
    return _traced(trails, ends, len(copy))


def _carried(value: NDArray[np.float32], before: Indices, window: Indices) -> NDArray[np.float32]:
    """Values of the states that two neighbouring windows share; the others are far.

    The cheapest state stays reachable: `_advanced` jumps from it by its place in the window,
    so it is kept at the nearest frame that the new window knows.
    """
    moved = np.full(len(window), _FAR, np.float32)
    _, old, new = np.intersect1d(before, window, assume_unique=True, return_indices=True)
    moved[new] = value[old]
    if not len(old):
        moved[int(np.abs(window - before[int(value.argmin())]).argmin())] = value.min()
    return moved


def _advanced(
    value: NDArray[np.float32],
    outside: np.float32,
    row: NDArray[np.float32],
    follows: NDArray[np.bool_],
    step: float,
    trail: _Trail,
) -> tuple[NDArray[np.float32], np.float32]:
    """One frame of the copy further: new values, and how each was reached."""
    cheapest = int(value.argmin())
    jump = value[cheapest] + np.float32(JUMP_STEPS * step)
    half = np.float32(JUMP_STEPS * step / 2)
    ways = np.full((6, len(value)), _FAR, np.float32)
    ways[_ON, 1:] = np.where(follows[1:], value[:-1], _FAR)
    ways[_STILL] = value + np.float32(step)
    ways[_SKIP, 2:] = np.where(follows[2:] & follows[1:-1], value[:-2] + np.float32(step), _FAR)
    ways[_BACK, :-1] = np.where(follows[1:], value[1:] + np.float32(step), _FAR)
    ways[_JUMP] = jump
    ways[_RETURN] = outside + half
    how = ways.argmin(axis=0)
    stays = outside <= value[cheapest] + half
    trail.how.append(how.astype(np.int8))
    trail.jumped_from.append(int(trail.window[cheapest]))
    trail.foreign_before.append(bool(stays))
    entered = np.float32(FOREIGN_STEPS * step + FOREIGN_BASE) + min(outside, value[cheapest] + half)
    return ways[how, np.arange(len(value))] + row, np.float32(entered)


def _traced(trails: list[_Trail], ends: int, length: int) -> Indices:
    """Walk back from the cheapest end."""
    path = np.full(length, FOREIGN, np.int64)
    now, place = ends, length
    for trail in reversed(trails):
        for index in range(len(trail.how) - 1, -1, -1):
            place -= 1
            path[place] = now
            if now == FOREIGN:
                now = FOREIGN if trail.foreign_before[index] else trail.jumped_from[index]
                continue
            at = int(np.searchsorted(trail.window, now))
            way = int(trail.how[index][at]) if at < len(trail.window) else _JUMP
            now = {
                _ON: now - 1,
                _STILL: now,
                _SKIP: now - 2,
                _BACK: now + 1,
                _JUMP: trail.jumped_from[index],
                _RETURN: FOREIGN,
            }[way]
    return path
