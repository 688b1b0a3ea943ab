"""A foreign stretch: the scene changes and then comes back as it was left."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.breaks import BreakSearch
from tidewaiter.traces.packets import PacketTable
from tidewaiter.traces.timeline import FrameTimeline
from tidewaiter.vocabulary import (
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Span,
    Text,
    Timeline,
    tr,
)

FEWEST_FRAMES = 50
MOST_CHANGES_PER_MIN = 12.0
"""Recordings of one camera change scene seldom; films and interviews do so all the time."""

LONGEST_STRETCH_S = 60.0
MOST_SCENE_CHANGES = 60
"""Pairs of these are compared; the gate keeps them few in any case."""

PICTURE_NOISE = 1.0
"""Grey levels by which two pictures of one unchanged scene differ after coding."""

BESIDE_FRAMES = 12


class InsertedStretch(Detector):
    """Finds a stretch between two changes of scene, with the same scene before and after."""

    id = "video.inserted_stretch"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"timeline", "breaks", "packets"})
    looks_for = tr("a stretch of another scene between two parts of one recording")
    speaks_when = tr(
        "at least {frames} frames and at most {changes:.0f} changes of scene a minute",
        frames=FEWEST_FRAMES,
        changes=MOST_CHANGES_PER_MIN,
    )
    score_unit = tr("natural logarithm of how much less the scene changed across than inside")
    limitations = (
        tr("A film or interview that cuts to another camera and back looks the same."),
        tr("A stretch inserted from the same camera and scene is not found here."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the pair of scene changes across which the scene went on best."""
        timeline: FrameTimeline = traces["timeline"]
        breaks: BreakSearch = traces["breaks"]
        changes = breaks.scene_changes
        per_minute = 60.0 * len(changes) / max(timeline.duration_s, 10.0)
        gate = _gate(timeline, per_minute)
        reason = _refusal(timeline, per_minute)
        if reason is not None:
            return self.not_applicable(reason, gate=gate)
        inserts = find_inserts(timeline, breaks)
        best = inserts[0] if inserts else None
        return self.examined(
            best.continuity if best else -1.0,
            gate=gate,
            evidence=_evidence(timeline, inserts),
            features={"scene_changes": float(len(changes)), **_contrasts(timeline, traces, best)},
        )


@dataclass(frozen=True)
class Insert:
    """Frames [start, end) between two changes of scene; see the unit of the score."""

    start: int
    end: int
    continuity: float


def find_inserts(timeline: FrameTimeline, breaks: BreakSearch) -> list[Insert]:
    """Pairs of changes with the same scene before and after, best first; none overlap."""
    changes = breaks.scene_changes[:MOST_SCENE_CHANGES]
    picture = timeline.picture.astype(np.float32)
    found: list[Insert] = []
    for index, start in enumerate(changes):
        for end in changes[index + 1 :]:
            if timeline.time_s[end] - timeline.time_s[start] > LONGEST_STRETCH_S:
                break
            continuity = _continuity(picture, int(start), int(end))
            if continuity > 0.0:
                found.append(Insert(int(start), int(end), continuity))
    kept: list[Insert] = []
    for insert in sorted(found, key=lambda item: -item.continuity):
        if all(insert.end <= other.start or insert.start >= other.end for other in kept):
            kept.append(insert)
    return kept


def _continuity(picture: NDArray[np.float32], start: int, end: int) -> float:
    across = float(np.abs(picture[end] - picture[start - 1]).mean())
    into = float(np.abs(picture[start] - picture[start - 1]).mean())
    out = float(np.abs(picture[end] - picture[end - 1]).mean())
    return log((min(into, out) + PICTURE_NOISE) / (across + PICTURE_NOISE))


def _gate(timeline: FrameTimeline, per_minute: float) -> tuple[Check, ...]:
    return (
        Check(
            name=tr("frames"),
            found=tr("{count}", count=timeline.frames),
            needed=tr("{count}", count=FEWEST_FRAMES),
            passed=timeline.frames >= FEWEST_FRAMES,
        ),
        Check(
            name=tr("fingerprint of every frame"),
            found=tr("one in {stride}", stride=timeline.fingerprint_stride),
            needed=tr("one in {stride}", stride=1),
            passed=timeline.fingerprint_stride == 1,
        ),
        Check(
            name=tr("changes of scene a minute"),
            found=tr("{rate:.1f}", rate=per_minute),
            needed=tr("at most {rate:.0f}", rate=MOST_CHANGES_PER_MIN),
            passed=per_minute <= MOST_CHANGES_PER_MIN,
        ),
    )


def _refusal(timeline: FrameTimeline, per_minute: float) -> Text | None:
    if timeline.frames < FEWEST_FRAMES:
        return tr(
            "{found} frames found; {needed} needed", found=timeline.frames, needed=FEWEST_FRAMES
        )
    if timeline.fingerprint_stride != 1:
        return tr(
            "{found} frames are too many to keep a fingerprint of each; examine parts of the video",
            found=timeline.frames,
        )
    if per_minute > MOST_CHANGES_PER_MIN:
        return tr(
            "{found:.0f} changes of scene a minute found; at most {allowed:.0f} allowed: "
            "this is edited footage, not one recording",
            found=per_minute,
            allowed=MOST_CHANGES_PER_MIN,
        )
    return None


def _contrasts(timeline: FrameTimeline, traces: Traces, insert: Insert | None) -> dict[str, float]:
    """How much detail, noise of motion and packet sizes differ inside, as log ratios."""
    if insert is None:
        return {}
    table: PacketTable = traces["packets"]
    values = {
        "detail_contrast": _contrast(timeline.detail.astype(np.float64), insert),
        "difference_contrast": _contrast(timeline.difference.astype(np.float64), insert),
    }
    if table.packets == timeline.frames:
        values["packet_size_contrast"] = _contrast(table.size.astype(np.float64), insert)
    return values


def _contrast(series: NDArray[np.float64], insert: Insert) -> float:
    inside = series[insert.start + 1 : insert.end]
    before = series[max(1, insert.start - BESIDE_FRAMES) : insert.start]
    behind = series[insert.end + 1 : insert.end + 1 + BESIDE_FRAMES]
    outside = np.concatenate([before, behind])
    if not len(inside) or not len(outside):
        return 0.0
    return abs(log((float(np.median(inside)) + 0.1) / (float(np.median(outside)) + 0.1)))


def _evidence(timeline: FrameTimeline, inserts: list[Insert]) -> list[Evidence]:
    spans = tuple(
        Span(
            start_s=float(timeline.time_s[insert.start]),
            end_s=float(timeline.time_s[insert.end]),
            label=tr("another scene in between"),
        )
        for insert in inserts
    )
    return [
        Timeline(
            caption=tr("Stretches after which the earlier scene goes on"),
            duration_s=timeline.duration_s,
            spans=spans,
        )
    ]
