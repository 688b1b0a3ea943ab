"""Read an alignment as an editor's list: what was removed, inserted, repeated, moved, replaced."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tidewaiter.custody.alignment import FOREIGN, Indices

SHORTEST_RUN = 5
"""Frames; shorter runs are read together with their neighbours as an irregular stretch."""
SLACK = 1
"""Frames by which a run may wobble: copies at other rates round times either way."""
STILL_SLOPE, FAST_SLOPE, BACK_SLOPE = 0.35, 1.35, -0.6
"""Frames of the original per frame of the copy in an irregular stretch."""


@dataclass(frozen=True)
class Run:
    """Frames [start, end) of the copy that show the original from `shown` on, at its pace.

    `shown` is FOREIGN for frames that show nothing of it; `slope` is the pace (1 usual).
    """

    start: int
    end: int
    shown: int
    slope: float = 1.0

    @property
    def length(self) -> int:
        """Frames of the copy."""
        return self.end - self.start

    @property
    def steady(self) -> bool:
        """Whether the original is shown at its own pace."""
        return self.shown != FOREIGN and self.slope == 1.0

    @property
    def shown_end(self) -> int:
        """Where what it shows ends in the original."""
        return self.shown + max(1, round(self.length * abs(self.slope)))


@dataclass(frozen=True)
class Change:
    """One change of order; stretches are [start, end) in frames."""

    kind: str
    copy: tuple[int, int]
    original: tuple[int, int] | None = None
    from_original: tuple[int, int] | None = None

    @property
    def length(self) -> int:
        """Frames it concerns, of the copy or of the original, whichever are more."""
        spans = [self.copy] if self.original is None else [self.copy, self.original]
        return max(end - start for start, end in spans)


def runs_of(path: Indices) -> list[Run]:
    """The path as runs: steady ones, foreign ones, and irregular ones by their slope."""
    pieces = _pieces(path)
    joined: list[Run] = []
    waiting: list[Run] = []
    for piece in pieces:
        if piece.shown != FOREIGN and piece.length >= SHORTEST_RUN:
            joined += _irregular(waiting, path)
            waiting = []
            joined.append(piece)
        elif piece.shown == FOREIGN and piece.length >= SHORTEST_RUN:
            joined += [*_irregular(waiting, path), piece]
            waiting = []
        else:
            waiting.append(piece)
    return joined + _irregular(waiting, path)


def changes_of(runs: list[Run], original: int, shortest: int) -> list[Change]:
    """What was done to `original` frames to give these runs.

    Removals and repetitions under `shortest` frames are left out: a copy at another rate
    makes as many by itself.
    """
    pieces = _split_overlaps(runs)
    kept = _main_chain(pieces)
    covered = np.zeros(original, np.bool_)
    for index in kept:
        covered[pieces[index].shown : pieces[index].shown_end] = True
    elsewhere = np.zeros(original, np.bool_)
    for index, run in enumerate(pieces):
        if index not in kept and run.shown != FOREIGN:
            low, high = _range(run)
            elsewhere[low:high] = True
    found: list[Change] = []
    bounds = [None, *sorted(kept), None]
    for before, after in pairwise(bounds):
        found += _between(pieces, before, after, covered, elsewhere)
    return [change for change in found if change.length >= shortest]


def _pieces(path: Indices) -> list[Run]:
    pieces: list[Run] = []
    start = 0
    for place in range(1, len(path) + 1):
        if place < len(path) and _goes_on(path, start, place):
            continue
        pieces.append(Run(start, place, int(path[start])))
        start = place
    return pieces


def _goes_on(path: Indices, start: int, place: int) -> bool:
    if path[start] == FOREIGN or path[place] == FOREIGN:
        return bool(path[start] == path[place])
    step = path[place] - path[place - 1]
    drift = (path[place] - place) - (path[start] - start)
    return bool(0 <= step <= 1 + SLACK and abs(drift) <= SLACK)


def _irregular(pieces: list[Run], path: Indices) -> list[Run]:
    """Short pieces as one run: standing still, faster, backwards or foreign."""
    if not pieces:
        return []
    start, end = pieces[0].start, pieces[-1].end
    shown = path[start:end]
    known = shown[shown != FOREIGN]
    if len(known) < max(1, (end - start) / 2):
        return [Run(start, end, FOREIGN)]
    if end - start < 3:
        return [Run(start, end, int(known[0]), 1.0)]
    places = np.flatnonzero(shown != FOREIGN)
    slope = float(np.polyfit(places, known, 1)[0]) if len(known) > 1 else 1.0
    expected = known[0] + slope * (places - places[0])
    if np.abs(known - expected).max() > 4 + 0.2 * (end - start):
        return [Run(start, end, FOREIGN)]
    if STILL_SLOPE <= slope <= FAST_SLOPE:
        return [Run(start, end, int(known[0]), 1.0)]
    return [Run(start, end, int(known[0]), round(slope, 2) or 0.01)]


def _split_overlaps(runs: list[Run]) -> list[Run]:
    """Cut a run where it leaves what earlier runs have shown already."""
    pieces: list[Run] = []
    reached = 0
    for run in runs:
        if run.steady and run.shown < reached < run.shown_end:
            cut = run.start + reached - run.shown
            pieces += [Run(run.start, cut, run.shown), Run(cut, run.end, reached)]
        else:
            pieces.append(run)
        if run.steady:
            reached = max(reached, run.shown_end)
    return pieces


def _main_chain(runs: list[Run]) -> set[int]:
    """Indices of the runs that together show most of the original in its own order."""
    steady = [index for index, run in enumerate(runs) if run.shown != FOREIGN and run.slope > 0]
    best: dict[int, tuple[float, int | None]] = {}
    for index in steady:
        run = runs[index]
        value, link = 0.0, None
        for earlier in steady:
            if earlier >= index:
                break
            if runs[earlier].shown_end - SLACK <= run.shown and best[earlier][0] > value:
                value, link = best[earlier][0], earlier
        # On equal terms a run that stands where it stood in the original is the genuine one.
        home = 0.001 if run.shown == run.start else 0.0
        best[index] = (value + run.length * max(1.0, run.slope) + home, link)
    if not best:
        return set()
    last: int | None = max(best, key=lambda index: best[index][0])
    chain = set()
    while last is not None:
        chain.add(last)
        last = best[last][1]
    return chain


def _between(
    runs: list[Run],
    before: int | None,
    after: int | None,
    covered: np.ndarray,
    elsewhere: np.ndarray,
) -> list[Change]:
    """Changes from one kept run to the next, and of the pace of the first."""
    found: list[Change] = []
    if before is not None and not runs[before].steady:
        found.append(_paced(runs[before]))
    first = 0 if before is None else before + 1
    last = len(runs) if after is None else after
    low = 0 if before is None else runs[before].shown_end
    high = len(covered) if after is None else runs[after].shown
    others = runs[first:last]
    start = others[0].start if others else (runs[last].start if after is not None else None)
    place = start if start is not None else (runs[-1].end if runs else 0)
    missing = np.flatnonzero(~elsewhere[low:high]) + low if high > low else np.zeros(0, int)
    if not others:
        if len(missing):
            found.append(Change("removed", (place, place), (int(missing[0]), int(missing[-1]) + 1)))
        elif high > low:
            found.append(Change("moved_away", (place, place), (low, high)))
        return found
    gap = (int(missing[0]), int(missing[-1]) + 1) if len(missing) else None
    for run in others:
        found.append(_placed(run, gap, covered))
        gap = None
    return found


def _placed(run: Run, gap: tuple[int, int] | None, covered: np.ndarray) -> Change:
    """A run off the main chain: what it shows, and what it stands in place of."""
    here = (run.start, run.end)
    if run.shown != FOREIGN and run.slope < BACK_SLOPE:
        return Change("reversed", here, gap, _range(run))
    if run.shown != FOREIGN and abs(run.slope) < STILL_SLOPE:
        return Change("frozen", here, gap, (run.shown, run.shown + 1))
    if gap is not None and gap[1] - gap[0] >= min(SHORTEST_RUN, run.length / 4):
        if run.length < SHORTEST_RUN and run.length < (gap[1] - gap[0]) / 4:
            # A frame or two mixed of both sides of a cut are no footage of their own.
            return Change("removed", (run.end, run.end), gap)
        return Change("replaced", here, gap, None if run.shown == FOREIGN else _range(run))
    if run.shown == FOREIGN:
        return Change("inserted", here)
    low, high = _range(run)
    repeated = covered[low:high].mean() > 0.5
    return Change("repeated" if repeated else "moved", here, None, (low, high))


def _paced(run: Run) -> Change:
    shown = _range(run)
    if run.slope < STILL_SLOPE:
        return Change("frozen", (run.start, run.end), None, (run.shown, run.shown + 1))
    kind = "sped_up" if run.slope > 1 else "slowed"
    return Change(kind, (run.start, run.end), shown, shown)


def _range(run: Run) -> tuple[int, int]:
    if run.slope < 0:
        return max(0, run.shown - run.length), run.shown + 1
    return run.shown, run.shown_end
