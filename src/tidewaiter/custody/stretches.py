"""Spans of pictures or sound with their times, and pictures shown at other times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.differences import Difference, Stretch
from tidewaiter.traces.fingerprints import NO_TIME, Fingerprints

TIME_SLACK = 0.25
"""Share of a frame's time by which containers may round it."""
LEAST_TIME_SLACK = 2_000
"""Microseconds; Matroska rounds to whole milliseconds."""


def stretch_at(times: NDArray[np.int64], span: tuple[int, int]) -> Stretch:
    """A span [start, end) of places with its times; the end is when its last one ends."""
    if not len(times):
        return Stretch(*span, 0.0, 0.0)
    usual = float(np.median(np.diff(np.sort(times)))) if len(times) > 1 else 40_000.0

    def when(place: int) -> float:
        return float(times[place]) if place < len(times) else float(times.max()) + usual

    start_s, end_s = when(span[0]) / 1e6, when(span[1]) / 1e6
    if span[1] > span[0]:
        part = times[span[0] : span[1]]
        start_s, end_s = float(part.min()) / 1e6, (float(part.max()) + usual) / 1e6
    return Stretch(span[0], span[1], round(start_s, 6), round(end_s, 6))


def coded_times(prints: Fingerprints) -> NDArray[np.int64]:
    """When each coded picture is shown, from the first; decoding times where none is given."""
    times = prints.picture_pts
    if (times == NO_TIME).any():
        times = prints.picture_dts
    if not len(times) or (times == NO_TIME).any():
        return np.arange(len(times), dtype=np.int64) * 40_000
    from_zero: NDArray[np.int64] = times - times.min()
    return from_zero


def from_zero(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times from the first; all 0 where one is missing."""
    return times - times.min() if len(times) and (times != NO_TIME).all() else times * 0


def retimed(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> list[Difference]:
    """The same pictures shown at other times: sped up, slowed or held."""
    if len(ours) < 2:
        return []
    usual = float(np.median(np.diff(np.sort(ours))))
    slack = max(LEAST_TIME_SLACK, TIME_SLACK * usual)
    order = np.argsort(ours, kind="stable")
    off = np.abs(np.diff(theirs[order]) - np.diff(ours[order])) > slack
    if not off.any():
        return []
    places = np.flatnonzero(off)
    start, end = int(places[0]), int(places[-1]) + 2
    stretch, source = stretch_at(theirs[order], (start, end)), stretch_at(ours[order], (start, end))
    return [Difference("retimed", stretch, source, exact=True)]
