"""Stretches of a video that occur twice: exactly, or as alike as copies stay after encoding.

Windows of change (not of pictures, so that a still background cannot match) are compared
with all earlier ones; likeness is 2·Σab / (Σa² + Σb²), 1 for a perfect copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.traces.timeline import CHANGE_SPAN_FRAMES, FrameTimeline, expand

WINDOW_S = 0.8
SHORTEST_WINDOW, LONGEST_WINDOW = 8, 30
"""Frames; a window must hold enough motion to be told from other motion."""

MOST_COMPARISONS = 120_000_000
"""Pairs of frames compared at most; beyond that, windows are spaced wider (11 min at 30/s)."""

SHORTEST_LAG_S = 1.0
"""Repetitions sooner than this are steps, waves and other natural rhythm."""

PEAKS_A_WINDOW = 3
CANDIDATE_LIKENESS = 0.5
MOST_CANDIDATES = 40

NOISE_GATE = 3.0
"""Changes below this many standard deviations of the noise count as none."""

LEAST_GATE, MOST_GATE = 0.15, 1.5
"""Grey levels between which the noise gate is kept: rounding below, real motion above."""

QUARTILE_OF_ABSOLUTE_NORMAL = 0.3186
MOVING_ENERGY = 2.0
"""Sum of squared gated changes of a frame above which something moves in it."""

SHORTEST_EXACT = 3
MOST_EXACT_LAGS = 8
LARGEST_GROUP = 64
"""Pictures seen more often than this belong to a still scene and say nothing."""

NORMAL_DECADE = 0.247
"""(3.090 - 2.326) / 3.090: the decade of a normal law over its 99.9 % point, the least believed."""

LEAST_DECADE = 0.05
"""Of artanh(likeness); few windows cannot know the tail of a background more sharply."""

_BACKGROUND_SAMPLES = 400
_ROWS_AT_ONCE = 4096
_HIGHEST_LIKENESS = 0.9999


@dataclass(frozen=True)
class RepeatedRun:
    """A stretch [start, end) of frames that occurred `lag` frames earlier too.

    `likeness` is that of the whole run, `outside` the larger one just before and just
    after it at the same lag (NaN where nothing moves there or the video ends on both
    sides); `moving_frames` how many frames of the run carry motion.
    """

    start: int
    end: int
    lag: int
    likeness: float
    outside: float
    moving_frames: int


@dataclass(frozen=True)
class ExactRun:
    """A stretch [start, end) of changing pictures, each equal to the one `lag` frames earlier.

    `edged` says whether changing but unequal pictures border it on either side.
    """

    start: int
    end: int
    lag: int
    edged: bool


@dataclass(frozen=True)
class RepeatSearch:
    """What was found and the background it stood out from.

    `runs` are ordered by likeness times length. Of artanh(likeness) between windows that
    are in no run, `background_high` is the 99.9 % point and `background_decade` the step
    from the 99 % to the 99.9 % point: an exponential tail goes on like this. `window_time_s` and
    `window_likeness` give, for each moving window, the best likeness to any earlier one.
    `spacing` is 1 when windows overlap by half, more when the search had to be thinned.
    `noise` is the standard deviation of changes in still cells, grey levels.
    """

    runs: tuple[RepeatedRun, ...]
    exact: tuple[ExactRun, ...]
    background_high: float
    background_decade: float
    comparisons: int
    window_frames: int
    moving_windows: int
    spacing: int
    noise: float
    window_time_s: NDArray[np.float64]
    window_likeness: NDArray[np.float32]


class Repeats(VideoTrace):
    """Search the timeline for repeated stretches."""

    name = "repeats"
    after = ("timeline",)

    def result(self, earlier: Traces) -> Any:
        """A `RepeatSearch`; `Untaken` where there is no timeline."""
        timeline = earlier["timeline"]
        return timeline if isinstance(timeline, Untaken) else search_repeats(timeline)


def search_repeats(timeline: FrameTimeline) -> RepeatSearch:
    """Compare every moving window with all earlier stretches of the video."""
    stride = timeline.fingerprint_stride
    gated, noise = gated_changes(timeline)
    window = window_length(timeline.frame_s * stride)
    shortest_lag = max(window, round(SHORTEST_LAG_S / (timeline.frame_s * stride)))
    windows = _compare_windows(gated, window, shortest_lag)
    runs = _refine_all(gated, windows, window)
    high, decade = _background(windows, runs, window)
    times = timeline.time_s[::stride]
    return RepeatSearch(
        runs=tuple(_in_frames(run, stride) for run in runs),
        exact=exact_runs(timeline),
        background_high=high,
        background_decade=decade,
        comparisons=windows.comparisons,
        window_frames=window * stride,
        moving_windows=len(windows.start),
        spacing=windows.spacing,
        noise=noise,
        window_time_s=times[windows.start],
        window_likeness=windows.likeness.max(axis=1, initial=0.0),
    )


def window_length(frame_s: float) -> int:
    """Frames in a window of usual length."""
    return int(np.clip(round(WINDOW_S / max(frame_s, 1e-3)), SHORTEST_WINDOW, LONGEST_WINDOW))


def gated_changes(timeline: FrameTimeline) -> tuple[NDArray[np.float32], float]:
    """Changes above the noise, companded (n x 144 float32), and the noise in grey levels."""
    change = expand(timeline.change)
    size = np.abs(change)
    noise = float(np.quantile(size, 0.25, overwrite_input=True)) / QUARTILE_OF_ABSOLUTE_NORMAL
    gate = float(np.clip(NOISE_GATE * noise, LEAST_GATE, MOST_GATE))
    # In place and part by part: these tables grow with the video, and copies add up.
    for start in range(0, len(change), _ROWS_AT_ONCE):
        part = change[start : start + _ROWS_AT_ONCE]
        part -= np.median(part, axis=1, keepdims=True)
        above = np.sign(part) * np.maximum(np.abs(part) - gate, 0.0)
        part[:] = np.arcsinh(above / gate)
    return change, noise


def exact_runs(timeline: FrameTimeline) -> tuple[ExactRun, ...]:
    """Runs of changing pictures whose checksums equal those at a constant earlier place."""
    digest = timeline.digest
    changing = np.ones(len(digest), bool)
    changing[1:] = digest[1:] != digest[:-1]
    found: list[ExactRun] = []
    for lag in _common_lags(digest):
        found += _exact_runs_at(digest, changing, lag)
    return tuple(sorted(found, key=lambda run: (run.start - run.end, run.start)))


@dataclass(frozen=True)
class _Windows:
    start: NDArray[np.int64]
    lag: NDArray[np.int64]
    likeness: NDArray[np.float32]
    background: NDArray[np.float32]
    background_window: NDArray[np.int64]
    background_lag: NDArray[np.int64]
    comparisons: int
    spacing: int


def _compare_windows(gated: NDArray[np.float32], window: int, shortest_lag: int) -> _Windows:
    energy = (gated**2).sum(axis=1)
    total = np.convolve(energy, np.ones(window), "valid") if len(energy) >= window else energy[:0]
    starts = np.arange(shortest_lag, len(total), max(1, window // 2))
    starts = starts[total[starts] > MOVING_ENERGY * window / 2]
    spacing = max(1, int(np.ceil(float(starts.sum()) * window / MOST_COMPARISONS)))
    starts = starts[::spacing]
    rng = np.random.default_rng(0)
    lags, likenesses, samples, sample_lags = [], [], [], []
    for start in starts:
        profile = _profile(gated, total, int(start), (window, shortest_lag))
        lag, likeness = _peaks(profile, window, shortest_lag)
        lags.append(lag)
        likenesses.append(likeness)
        chosen = rng.integers(0, len(profile), min(_BACKGROUND_SAMPLES, len(profile)))
        samples.append(profile[chosen])
        sample_lags.append(chosen + shortest_lag)
    return _Windows(
        start=starts,
        lag=np.array(lags, np.int64).reshape(-1, PEAKS_A_WINDOW),
        likeness=np.array(likenesses, np.float32).reshape(-1, PEAKS_A_WINDOW),
        background=np.concatenate([np.zeros(0, np.float32), *samples]),
        background_window=np.repeat(starts, [len(s) for s in samples]),
        background_lag=np.concatenate([np.zeros(0, np.int64), *sample_lags]),
        comparisons=int(starts.sum()),
        spacing=spacing,
    )


def _profile(
    gated: NDArray[np.float32], total: NDArray[np.float32], start: int, sizes: tuple[int, int]
) -> NDArray[np.float32]:
    """Likeness of the window at `start` to those at start - lag.

    `sizes` are the window and the shortest lag; entry i is the shortest lag + i.
    """
    window, shortest_lag = sizes
    columns = start - shortest_lag + 1
    past = gated[: columns + window - 1]
    products = gated[start : start + window] @ past.T
    # Row r of the window meets column c + r: summing along diagonals is a skewed view.
    skewed = np.lib.stride_tricks.as_strided(
        products,
        shape=(window, columns),
        strides=(products.strides[0] + products.strides[1], products.strides[1]),
        writeable=False,
    )
    shared = skewed.sum(axis=0)
    both = total[start] + total[:columns]
    still = total[:columns] < MOVING_ENERGY * window / 2
    likeness = np.where(still, 0.0, 2.0 * shared / np.maximum(both, 1e-9))
    return likeness[::-1].astype(np.float32)


def _peaks(
    profile: NDArray[np.float32], window: int, shortest_lag: int
) -> tuple[list[int], list[float]]:
    left = profile.copy()
    lags, likenesses = [], []
    for _ in range(PEAKS_A_WINDOW):
        best = int(np.argmax(left))
        lags.append(best + shortest_lag)
        likenesses.append(float(left[best]))
        left[max(0, best - window // 2) : best + window // 2 + 1] = -1.0
    return lags, likenesses


def _refine_all(gated: NDArray[np.float32], windows: _Windows, window: int) -> list[RepeatedRun]:
    places = np.argwhere(windows.likeness >= CANDIDATE_LIKENESS)
    order = np.argsort([-windows.likeness[tuple(place)] for place in places], kind="stable")
    runs: list[RepeatedRun] = []
    tried = 0
    for row, peak in places[order]:
        start, lag = int(windows.start[row]), int(windows.lag[row, peak])
        if any(_covers(run, start, window, lag) for run in runs):
            continue
        if tried == MOST_CANDIDATES:
            break
        tried += 1
        run = refine_run(gated, start, window, lag)
        if run is not None and run not in runs:
            runs.append(run)
    return sorted(runs, key=lambda run: -run.likeness * run.moving_frames)


def _covers(run: RepeatedRun, start: int, window: int, lag: int) -> bool:
    overlap = min(run.end, start + window) - max(run.start, start)
    return abs(run.lag - lag) <= 1 and overlap >= window // 2


def refine_run(gated: NDArray[np.float32], start: int, window: int, lag: int) -> RepeatedRun | None:
    """Grow a matching window to the stretch that matches at this lag, frame by frame."""
    shared, both = _pairwise(gated, lag)
    core = slice(start - lag, start - lag + window)
    level = 2.0 * float(shared[core].sum()) / max(float(both[core].sum()), 1e-9)
    gain = 2.0 * shared - 0.5 * max(level, 0.0) * both
    summed = np.concatenate([[0.0], np.cumsum(gain)])
    first = int(np.argmin(summed[: core.start + 1]))
    last = core.stop + int(np.argmax(summed[core.stop :]))
    energy = float(both[first:last].sum())
    if energy <= 0.0:
        return None
    return RepeatedRun(
        start=max(first + lag - CHANGE_SPAN_FRAMES, lag),
        end=last + lag,
        lag=lag,
        likeness=2.0 * float(shared[first:last].sum()) / energy,
        outside=_outside(shared, both, (first, last), window),
        moving_frames=int(np.count_nonzero(both[first:last] > 2 * MOVING_ENERGY)),
    )


def _pairwise(
    gated: NDArray[np.float32], lag: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    late, early = gated[lag:], gated[:-lag]
    shared = np.einsum("ij,ij->i", late, early)
    both = np.einsum("ij,ij->i", late, late) + np.einsum("ij,ij->i", early, early)
    return shared, both


def _outside(
    shared: NDArray[np.float32],
    both: NDArray[np.float32],
    run: tuple[int, int],
    window: int,
) -> float:
    sides = [
        slice(max(0, run[0] - CHANGE_SPAN_FRAMES - window), max(0, run[0] - CHANGE_SPAN_FRAMES)),
        slice(run[1] + CHANGE_SPAN_FRAMES, run[1] + CHANGE_SPAN_FRAMES + window),
    ]
    levels = []
    for side in sides:
        energy = float(both[side].sum())
        if np.count_nonzero(both[side] > 2 * MOVING_ENERGY) >= window // 3:
            levels.append(2.0 * float(shared[side].sum()) / energy)
    return max(levels) if levels else float("nan")


def _background(windows: _Windows, runs: list[RepeatedRun], window: int) -> tuple[float, float]:
    """High point and decade of artanh(likeness) over pairs of windows that lie in no edged run."""
    inside = np.zeros(len(windows.background), bool)
    for run in runs:
        if np.isfinite(run.outside) and run.outside <= run.likeness / 2:
            late = windows.background_window
            reach = (late > run.start - window) & (late < run.end)
            inside |= reach & (np.abs(windows.background_lag - run.lag) <= window)
    values = windows.background[~inside]
    if len(values) < 2:
        return 0.0, 1.0
    fisher = np.arctanh(np.clip(values, -_HIGHEST_LIKENESS, _HIGHEST_LIKENESS))
    high, highest = np.quantile(fisher, [0.99, 0.999])
    return float(highest), float(max(highest - high, NORMAL_DECADE * highest, LEAST_DECADE))


def _in_frames(run: RepeatedRun, stride: int) -> RepeatedRun:
    if stride == 1:
        return run
    return RepeatedRun(
        run.start * stride,
        run.end * stride,
        run.lag * stride,
        run.likeness,
        run.outside,
        run.moving_frames,
    )


def _common_lags(digest: NDArray[np.uint32]) -> list[int]:
    order = np.argsort(digest, kind="stable")
    _, group, counts = np.unique(digest[order], return_inverse=True, return_counts=True)
    same = (group[1:] == group[:-1]) & (counts[group[1:]] <= LARGEST_GROUP)
    steps = np.diff(order)[same]
    steps = steps[steps >= SHORTEST_WINDOW]
    lags, hits = np.unique(steps, return_counts=True)
    best = np.argsort(-hits, kind="stable")[:MOST_EXACT_LAGS]
    return [
        int(lag) for lag, hit in zip(lags[best], hits[best], strict=True) if hit >= SHORTEST_EXACT
    ]


def _exact_runs_at(
    digest: NDArray[np.uint32], changing: NDArray[np.bool_], lag: int
) -> list[ExactRun]:
    equal = np.zeros(len(digest) + 2, bool)
    equal[lag + 1 : -1] = digest[lag:] == digest[:-lag]
    turns = np.flatnonzero(np.diff(equal.astype(np.int8)))
    runs = []
    for start, end in zip(turns[::2], turns[1::2], strict=True):
        if np.count_nonzero(changing[start:end]) < SHORTEST_EXACT:
            continue
        before = lag < start and bool(changing[start - 1])
        behind = end < len(digest) and bool(changing[end])
        runs.append(ExactRun(int(start), int(end), lag, bool(before or behind)))
    return runs
