"""Find the stretch of a track whose looks speak most for manipulation, however short.

The mean over a whole track would drown a forgery of one second; the largest of many means
is large in every long track. So means over windows of one second, two, four … up to the
whole track compete, each lowered by what the largest among so many windows of genuine
looks would reach (a multiscale scan; Dümbgen & Spokoiny 2001).

The network rates some people and cameras higher than others throughout. What the rest of
the track has in common with a window is therefore half taken from it: not wholly, because a
track may pass from one light, or unnoticed from one person, to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

SHORTEST_WINDOW_S = 1.0
# A window with fewer looks is too much at the mercy of one of them.
LEAST_LOOKS = 3
# One look's logit counts at most this much, for a single blurred frame must not decide; nor
# less than the least: how far below a look lies says more about the person than about it.
LARGEST_LOGIT = 8.0
LEAST_LOGIT = -4.0
# Spread of genuine looks about their track's mean: of one look, and of a stretch however long.
# Over the eight people of the development clips 1.3 and 0.5 (benchmarks/detection/face_network,
# short_forgery.py), with room for videos in which more happens.
LOOK_SPREAD = 1.5
STRETCH_SPREAD = 0.7
# So much of the mean of the rest of a track is taken from a window's mean.
REST_SHARE = 0.5
# A window may reach so far beyond the last look.
EDGE_S = 0.3
# Windows begin at every look, and are at most so many times as long as the next shorter ones.
GROWTH = 2.0
MOST_STRETCHES = 20

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A stretch of a track: its ends in seconds, its looks, their mean logit, its score.

    `score` is the mean less half that of the rest, and less what chance gives the largest
    of so many windows; of the whole track it is the mean.
    """

    start_s: float
    end_s: float
    looks: int
    mean: float
    score: float


@dataclass(frozen=True)
class Windows:
    """The window that speaks most for manipulation, and the stretches that stand out.

    Those are windows with a score above 0, the highest first taken, none overlapping, in
    the order of time; at most MOST_STRETCHES.
    """

    best: Window
    standing_out: tuple[tuple[float, float], ...]


def windows_of(times: Numbers, logits: Numbers, total_s: float | None = None) -> Windows | None:
    """The strongest window of one track; None with fewer than LEAST_LOOKS looks.

    `times` rise. `total_s` is the time of all tracks among which the largest is to be
    taken (default: of this one): more places to look at raise what chance gives.
    """
    if times.size < LEAST_LOOKS:
        return None
    span = float(times[-1] - times[0])
    total = max(total_s or span, span)
    sums = np.concatenate([[0.0], np.cumsum(np.clip(logits, LEAST_LOGIT, LARGEST_LOGIT))])
    found = np.concatenate([_of_length(times, sums, length, total) for length in _lengths(span)])
    first, last, looks, mean, score = found[int(np.argmax(found[:, 4]))]
    best = Window(float(times[int(first)]), float(times[int(last)]), int(looks), mean, score)
    return Windows(best, _apart(times, found[found[:, 4] > 0]))


def window_score(times: Numbers, logits: Numbers, total_s: float | None = None) -> float | None:
    """The score of the strongest window; None with too few looks."""
    found = windows_of(times, logits, total_s)
    return None if found is None else found.best.score


def chance(length_s: float, looks: Numbers, total_s: float) -> Numbers:
    """What the largest mean logit of genuine windows lies above their track's, by chance."""
    places = sqrt(2 * log(max(total_s / max(length_s, SHORTEST_WINDOW_S), 1.0)))
    spread: Numbers = np.sqrt(STRETCH_SPREAD**2 + LOOK_SPREAD**2 / looks)
    return places * spread


def _lengths(span: float) -> list[float]:
    lengths, length = [], SHORTEST_WINDOW_S
    while length < span:
        lengths.append(length)
        length *= GROWTH
    return [*lengths, span]


def _of_length(times: Numbers, sums: Numbers, length: float, total: float) -> Numbers:
    """Rows of first look, last look, number, mean and score, of every full window."""
    first = np.arange(times.size)
    last = np.searchsorted(times, times + length + 1e-6, side="right") - 1
    looks = (last - first + 1).astype(np.float64)
    full = (looks >= LEAST_LOOKS) & (times + length <= times[-1] + EDGE_S)
    first, last, looks = first[full], last[full], looks[full]
    within = sums[last + 1] - sums[first]
    mean, others = within / looks, times.size - looks
    rest = (sums[-1] - within) / np.maximum(others, 1)
    common = REST_SHARE * rest * others / times.size
    score = mean - common - chance(length, looks, total)
    return np.stack([first, last, looks, mean, score], axis=1)


def _apart(times: Numbers, rows: Numbers) -> tuple[tuple[float, float], ...]:
    """The highest window, the highest of those beside it, and so on."""
    chosen: list[tuple[float, float]] = []
    while rows.size and len(chosen) < MOST_STRETCHES:
        first, last = rows[int(np.argmax(rows[:, 4])), :2]
        chosen.append((float(times[int(first)]), float(times[int(last)])))
        rows = rows[(rows[:, 0] > last) | (rows[:, 1] < first)]
    return tuple(sorted(chosen))
