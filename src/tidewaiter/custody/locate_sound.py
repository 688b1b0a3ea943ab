"""Compare the sound of a re-encoded copy with the original's: cut, replaced or silenced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import FOREIGN, Rows, align
from tidewaiter.custody.runs import Change, changes_of, runs_of
from tidewaiter.traces.sound_bands import BANDS, HOP_S

ROWS_PER_S = 1 / HOP_S
QUIETEST = 20.0
"""Half decibels above the lowest level (-90 dB) that always count as silence."""
RANGE_HALF_DB = 100.0
"""Half decibels below the loud parts (50 dB) under which sound counts as silence: encoders
remove what nobody hears."""
LOUD_PERCENTILE = 95.0
SCALE = 40.0
AVERAGED_ROWS = 5
CONSECUTIVE_ROWS = 6
"""0.24 s; a shorter difference is a click."""
JOINED_ROWS = 12
LEAST_NOISE = 0.6
"""In the scale of rows: three quarters of a decibel."""
SILENT_SHARE = 0.25
"""A stretch whose level is below this share of the original's is silenced."""
FEWEST_ROWS = 25
SAYS_NOTHING = 0.01
"""Standard deviation of rows below which a sound is too uniform to be compared."""


@dataclass(frozen=True)
class SoundStretch:
    """Rows [start, end) of the copy whose sound is not the original's of that moment."""

    start: int
    end: int
    peak: float
    silent: bool


@dataclass(frozen=True)
class SoundFindings:
    """Changes of order (rows of 40 ms), stretches that differ, the floor and the highest level."""

    changes: tuple[Change, ...]
    stretches: tuple[SoundStretch, ...]
    floor: float
    peak: float


def locate_sound(
    original: NDArray[np.uint8], copy: NDArray[np.uint8], threshold: float, shortest: int
) -> SoundFindings | None:
    """Where the copy's sound is another; None where either is too short or says nothing.

    Both are rows of band levels. `shortest` is the least number of rows of a change of order.
    """
    if min(len(original), len(copy)) < FEWEST_ROWS:
        return None
    ours, theirs = _rows(original), _rows(copy)
    if ours.std() < SAYS_NOTHING:
        return _over_silence(theirs) if not ours.max() and theirs.max() > SAYS_NOTHING else None
    found = align(ours, theirs)
    path = found.path.copy()
    _same_moment(path)
    changes = changes_of(runs_of(path), len(ours), shortest)
    score = _score(path, ours, theirs)
    return SoundFindings(
        changes=tuple(changes),
        stretches=tuple(_stretches(score, path, ours, theirs, threshold)),
        floor=found.floor,
        peak=_sustained(score),
    )


def _over_silence(theirs: Rows) -> SoundFindings:
    """Sound in a copy whose original is silent throughout."""
    heard = np.flatnonzero(theirs.max(axis=1) > 0)
    start, end = int(heard[0]), int(heard[-1]) + 1
    peak = float(theirs.sum(axis=1).max())
    return SoundFindings((), (SoundStretch(start, end, peak, silent=False),), 0.0, peak)


def _rows(levels: NDArray[np.uint8]) -> Rows:
    loud = float(np.percentile(levels.max(axis=1), LOUD_PERCENTILE))
    heard = np.maximum(levels.astype(np.float32) - max(loud - RANGE_HALF_DB, QUIETEST), 0.0)
    rows: Rows = heard * np.float32(SCALE / RANGE_HALF_DB / BANDS)
    return rows


def _same_moment(path: NDArray[np.int64]) -> None:
    """Between two runs of one offset the same moments are meant, whatever is heard there."""
    steady = [run for run in runs_of(path) if run.steady]
    for first, before in enumerate(steady):
        for after in steady[first + 1 : first + 6]:
            offset = int(path[before.end - 1]) - (before.end - 1)
            same = abs(int(path[after.start]) - after.start - offset) <= 1
            if same and after.start > before.end:
                path[before.end : after.start] = np.arange(before.end, after.start) + offset


def _score(path: NDArray[np.int64], ours: Rows, theirs: Rows) -> NDArray[np.float32]:
    known = np.flatnonzero(path != FOREIGN)
    score = np.zeros(len(path), np.float32)
    if not len(known):
        return score
    gap = theirs[known] - ours[path[known]]
    gap = (gap - np.median(gap, axis=0)) * BANDS
    level = np.abs(gap).mean(axis=1)
    window = np.ones(AVERAGED_ROWS) / AVERAGED_ROWS
    smooth = np.convolve(np.pad(level, AVERAGED_ROWS // 2, mode="edge"), window, "valid")
    score[known] = smooth / (LEAST_NOISE + np.median(level))
    return score


def _stretches(
    score: NDArray[np.float32],
    path: NDArray[np.int64],
    ours: Rows,
    theirs: Rows,
    threshold: float,
) -> list[SoundStretch]:
    found: list[SoundStretch] = []
    over = np.concatenate([[0], (score > threshold).view(np.int8), [0]])
    edges = np.flatnonzero(np.diff(over))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        near = bool(found) and first - found[-1].end < JOINED_ROWS
        if not near and end - first < CONSECUTIVE_ROWS:
            continue
        start = found.pop().start if near else first
        shown = np.maximum(path[start:end], 0)
        silent = theirs[start:end].mean() < SILENT_SHARE * max(ours[shown].mean(), 1e-6)
        found.append(SoundStretch(start, end, float(score[start:end].max()), bool(silent)))
    return found


def _sustained(score: NDArray[np.float32]) -> float:
    if len(score) < CONSECUTIVE_ROWS:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(score, CONSECUTIVE_ROWS)
    return float(windows.min(axis=1).max())
