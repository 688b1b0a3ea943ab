"""Repeated, looped or re-used stretches of a video."""

from __future__ import annotations

from math import log10

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.repeats import ExactRun, RepeatedRun, RepeatSearch
from tidewaiter.traces.timeline import FrameTimeline
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Series,
    Span,
    Text,
    Timeline,
    tr,
)

LEAST_MOVING_S = 3.0
"""Below this little motion there is nothing that could be seen to repeat."""

LEAST_LIKENESS = 0.65
"""A run less alike than this is no copy, whatever the background says."""

MOST_EXPONENT_A_WINDOW = 12.0
"""No single window may count for more than 1 : 10^12: the tail of the background is a model."""

EXPONENT_A_PICTURE = 3.0
"""Weight of each equal and changing picture: chance equality was not seen in 10^3 pictures."""

LEAST_NOISE = 0.01
"""Grey levels of noise in still cells above which exactly equal pictures cannot be chance."""

ENDLESS_SHARE = 0.5
"""Share of the video that a repetition without beginning and end must fill to be called endless."""

SHOWN_RUNS = 8


class RepeatedStretch(Detector):
    """Finds motion that occurs twice in one video, frame for frame."""

    id = "video.repeated_stretch"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"timeline", "repeats"})
    looks_for = tr("stretches of the video that were copied from an earlier place or looped")
    speaks_when = tr("at least {needed:.0f} s of the video show motion", needed=LEAST_MOVING_S)
    score_unit = tr("-log10 of the number of such repetitions expected by chance")
    limitations = (
        tr("A repeated stretch in which nothing moves is not found."),
        tr(
            "Machines and belts that repeat themselves all the time are not told from a loop "
            "that fills the whole video."
        ),
        tr("Animations and recordings of screens may repeat exactly without being altered."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the best run against the likeness of unrelated stretches of this video."""
        timeline: FrameTimeline = traces["timeline"]
        search: RepeatSearch = traces["repeats"]
        gate = _gate(timeline, search)
        if not gate[0].passed and not _exact_evidence(search):
            return self.not_applicable(
                tr(
                    "{found:.1f} s of motion found; {needed:.0f} s needed to see a repetition",
                    found=_moving_s(timeline, search),
                    needed=LEAST_MOVING_S,
                ),
                gate=gate,
            )
        edged = [run for run in search.runs if run_exponent(run, search) > 0.0]
        endless = _endless(timeline, search)
        if endless is not None and not edged and not _exact_evidence(search):
            return self.not_applicable(
                tr(
                    "the scene repeats itself every {period:.1f} s for the whole video; "
                    "a machine or belt and a loop cannot be told apart",
                    period=endless.lag * timeline.frame_s,
                ),
                gate=gate,
                evidence=_evidence(timeline, search, [endless]),
            )
        near = max((run_exponent(run, search) for run in edged), default=_nothing(search))
        exact = max((exact_exponent(run) for run in _exact_evidence(search)), default=-9.0)
        return self.examined(
            max(near, exact),
            gate=gate,
            evidence=_evidence(timeline, search, edged),
            features=_features(search, near, exact),
            limitations=_thinned(timeline, search),
        )


def run_exponent(run: RepeatedRun, search: RepeatSearch) -> float:
    """-log10 of the expected number of chance runs as long and as alike; 0 without an edge."""
    if not np.isfinite(run.outside) or run.likeness < LEAST_LIKENESS:
        return 0.0
    rise = float(np.arctanh(min(run.likeness, 0.9999)))
    floor = max(search.background_high, float(np.arctanh(np.clip(run.outside, -0.99, 0.99))))
    tail = min(3.0 + (rise - floor) / search.background_decade, MOST_EXPONENT_A_WINDOW)
    windows = run.moving_frames / search.window_frames
    exponent = windows * tail - log10(search.comparisons + 1)
    return max(0.0, exponent)


def exact_exponent(run: ExactRun) -> float:
    """Exponent of a run of equal pictures: 3 for each."""
    return EXPONENT_A_PICTURE * (run.end - run.start)


def _gate(timeline: FrameTimeline, search: RepeatSearch) -> tuple[Check, ...]:
    found = _moving_s(timeline, search)
    return (
        Check(
            name=tr("motion"),
            found=tr("{found:.1f} s", found=found),
            needed=tr("{needed:.0f} s", needed=LEAST_MOVING_S),
            passed=found >= LEAST_MOVING_S,
        ),
    )


def _moving_s(timeline: FrameTimeline, search: RepeatSearch) -> float:
    hop = search.window_frames / 2 * search.spacing
    return search.moving_windows * hop * timeline.frame_s


def _exact_evidence(search: RepeatSearch) -> list[ExactRun]:
    """Equal pictures count where noise forbids chance, or where the repetition has an edge."""
    return [run for run in search.exact if run.edged or search.noise >= LEAST_NOISE]


def _endless(timeline: FrameTimeline, search: RepeatSearch) -> RepeatedRun | None:
    """A run without an edge that fills most of the video."""
    for run in search.runs:
        fills = run.end - run.start > ENDLESS_SHARE * (timeline.frames - run.lag)
        if fills and run.likeness >= LEAST_LIKENESS and not np.isfinite(run.outside):
            return run
    return None


def _nothing(search: RepeatSearch) -> float:
    """The score without any run: worse than chance, by the number of comparisons made."""
    return -log10(search.comparisons + 1)


def _features(search: RepeatSearch, near: float, exact: float) -> dict[str, float]:
    best = max((run.likeness for run in search.runs), default=0.0)
    return {
        "exponent_of_alike_run": near,
        "exponent_of_equal_run": exact,
        "likeness_of_best_run": best,
        "background_decade": search.background_decade,
    }


def _evidence(
    timeline: FrameTimeline, search: RepeatSearch, runs: list[RepeatedRun]
) -> list[Evidence]:
    spans: list[Span] = []
    shown: list[ExactRun | RepeatedRun] = [*_exact_evidence(search)[:SHOWN_RUNS]]
    for run in [*shown, *runs[:SHOWN_RUNS]]:
        spans += [
            _span(timeline, run.start - run.lag, run.end - run.lag, copy=False),
            _span(timeline, run.start, run.end, copy=True),
        ]
    step = max(1, -(-len(search.window_time_s) // MAX_SERIES_POINTS))
    return [
        Timeline(
            caption=tr("Stretches that occur twice"),
            duration_s=timeline.duration_s,
            spans=tuple(spans),
        ),
        Series(
            caption=tr("Likeness of the motion to the most similar earlier moment"),
            x=tuple(search.window_time_s[::step].tolist()),
            y=tuple(search.window_likeness[::step].tolist()),
            x_label=tr("time in s"),
            y_label=tr("likeness, 1 = the same"),
            marks=tuple(spans),
        ),
    ]


def _span(timeline: FrameTimeline, start: int, end: int, *, copy: bool) -> Span:
    last = min(end, timeline.frames) - 1
    return Span(
        start_s=float(timeline.time_s[max(0, start)]),
        end_s=float(timeline.time_s[last]) + timeline.frame_s,
        label=tr("repetition") if copy else tr("first occurrence"),
    )


def _thinned(timeline: FrameTimeline, search: RepeatSearch) -> list[Text]:
    if search.spacing == 1 and timeline.fingerprint_stride == 1:
        return []
    span = search.window_frames / 2 * search.spacing * timeline.frame_s
    return [
        tr(
            "The video is long: repetitions shorter than about {shortest:.0f} s may be missed.",
            shortest=2 * span,
        )
    ]
