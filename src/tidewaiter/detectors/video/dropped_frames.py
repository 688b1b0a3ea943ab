"""Missing time: jumps of motion, and frozen stretches after which the scene has gone on."""

from __future__ import annotations

from math import log

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.breaks import BreakSearch, Freeze
from tidewaiter.traces.packets import binomial_exponent
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
    Timeline,
    tr,
)

FEWEST_FRAMES = 50
"""Fewer frames do not show what differences are usual."""

LEAST_MOVING_SHARE = 0.1
"""Share of frames that must differ by more than noise; in a still scene nothing can jump."""

SHOWN_JUMP = 6.0
"""Robust standard deviations from which a jump is marked in the picture."""

LEAST_RESUMPTION = log(2.0)
"""After a freeze the scene must have gone on by more than two frames: a stop does not jump."""

MOST_FREEZE_SCORE = 40.0
SHOWN_JUMPS = 12


class DroppedFrames(Detector):
    """Finds places where frames are missing or were held."""

    id = "video.dropped_frames"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"timeline", "breaks"})
    looks_for = tr("motion that jumps from one frame to the next, and frozen stretches")
    speaks_when = tr(
        "at least {frames} frames, of which {share:.0%} show motion",
        frames=FEWEST_FRAMES,
        share=LEAST_MOVING_SHARE,
    )
    score_unit = tr("robust standard deviations of the largest jump")
    limitations = (
        tr("Footage removed while nothing moves leaves no jump."),
        tr("Recorders and networks drop frames too; the jump does not say who caused it."),
        tr("Changes of scene are listed, not scored: editing a film is not forging it."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the largest jump against the usual variation of motion in this video."""
        timeline: FrameTimeline = traces["timeline"]
        breaks: BreakSearch = traces["breaks"]
        gate = _gate(timeline, breaks)
        if not gate[0].passed:
            return self.not_applicable(
                tr(
                    "{found} frames found; {needed} needed",
                    found=timeline.frames,
                    needed=FEWEST_FRAMES,
                ),
                gate=gate,
            )
        if not gate[1].passed:
            return self.not_applicable(
                tr(
                    "{found:.0%} of the frames show motion; {needed:.0%} needed",
                    found=breaks.moving_share,
                    needed=LEAST_MOVING_SHARE,
                ),
                gate=gate,
            )
        jump = float(breaks.strength.max())
        frozen = [(freeze, freeze_exponent(freeze, timeline)) for freeze in breaks.freezes]
        frozen = [(freeze, exponent) for freeze, exponent in frozen if exponent > 0.0]
        freeze_score = min(max((e for _, e in frozen), default=0.0), MOST_FREEZE_SCORE)
        return self.examined(
            max(jump, freeze_score),
            gate=gate,
            evidence=_evidence(timeline, breaks, [freeze for freeze, _ in frozen]),
            features={
                "largest_jump": jump,
                "freeze_exponent": freeze_score,
                "scene_changes": float(len(breaks.scene_changes)),
                "flashes": float(len(breaks.flashes)),
            },
        )


def freeze_exponent(freeze: Freeze, timeline: FrameTimeline) -> float:
    """-log10 of the chance of so many equal frames, where the scene then jumps on; else 0."""
    if freeze.resumption < LEAST_RESUMPTION:
        return 0.0
    equal = timeline.digest[1:] == timeline.digest[:-1]
    outside = int(equal.sum()) - freeze.equal_frames
    length = freeze.end - freeze.start
    rate = (outside + 1) / (timeline.frames - length + 1)
    counted = (np.array([freeze.equal_frames]), np.array([length]))
    tail = float(binomial_exponent(*counted, min(rate, 1.0))[0])
    return max(0.0, tail - float(np.log10(timeline.frames)))


def _gate(timeline: FrameTimeline, breaks: BreakSearch) -> tuple[Check, ...]:
    return (
        Check(
            name=tr("frames"),
            found=tr("{count}", count=timeline.frames),
            needed=tr("{count}", count=FEWEST_FRAMES),
            passed=timeline.frames >= FEWEST_FRAMES,
        ),
        Check(
            name=tr("frames with motion"),
            found=tr("{share:.0%}", share=breaks.moving_share),
            needed=tr("{share:.0%}", share=LEAST_MOVING_SHARE),
            passed=breaks.moving_share >= LEAST_MOVING_SHARE,
        ),
    )


def _evidence(timeline: FrameTimeline, breaks: BreakSearch, frozen: list[Freeze]) -> list[Evidence]:
    jumps = np.argsort(-breaks.strength, kind="stable")[:SHOWN_JUMPS]
    spans = [
        _span(timeline, int(frame) - 1, int(frame) + 1, "jump")
        for frame in np.sort(jumps)
        if breaks.strength[frame] >= SHOWN_JUMP
    ]
    spans += [_span(timeline, freeze.start, freeze.end, "frozen") for freeze in frozen]
    changes = [
        _span(timeline, int(frame) - 1, int(frame) + 1, "scene")
        for frame in breaks.scene_changes[:SHOWN_JUMPS]
    ]
    step = max(1, -(-timeline.frames // MAX_SERIES_POINTS))
    highest = _blockwise_max(timeline.difference, step)
    return [
        Timeline(
            caption=tr("Jumps, frozen stretches and changes of scene"),
            duration_s=timeline.duration_s,
            spans=(*spans, *changes),
        ),
        Series(
            caption=tr("How much each frame differs from the one before"),
            x=tuple(timeline.time_s[::step].tolist()),
            y=tuple(highest.tolist()),
            x_label=tr("time in s"),
            y_label=tr("mean difference in grey levels"),
            marks=tuple(spans),
        ),
    ]


def _span(timeline: FrameTimeline, start: int, end: int, what: str) -> Span:
    labels = {
        "jump": tr("jump of motion"),
        "frozen": tr("frozen"),
        "scene": tr("change of scene"),
    }
    last = min(end, timeline.frames) - 1
    return Span(
        start_s=float(timeline.time_s[max(start, 0)]),
        end_s=float(timeline.time_s[last]),
        label=labels[what],
    )


def _blockwise_max(values: np.ndarray, step: int) -> np.ndarray:
    starts = np.arange(0, len(values), step)
    return np.asarray(np.maximum.reduceat(values, starts), np.float64)
