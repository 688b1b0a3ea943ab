"""Time stamps that skip and key frames that fall out of their rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.breaks import BreakSearch
from tidewaiter.traces.packets import PacketTable, usual_key_interval
from tidewaiter.traces.timeline import FrameTimeline
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    MediaKind,
    Proposition,
    Series,
    Span,
    Text,
    Timeline,
    tr,
)

FEWEST_PACKETS = 50
GAP_FRAMES = 1.6
"""A step between time stamps longer than this many usual steps lacks a frame."""

FEWEST_GROUPS = 4
"""Groups of pictures needed before their length can be called a rhythm."""

SCENE_RISE = 1.0
"""ln of a difference over its neighbours, above which an encoder may have put a key frame."""

JUMP_STRENGTH = 6.0
"""Robust standard deviations from which motion counts as jumping at a key frame."""

SHOWN_EVENTS = 20


class TimestampsAndGops(Detector):
    """Finds gaps in time and breaks in the rhythm of key frames."""

    id = "video.timestamps_and_gops"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"packets", "timeline", "breaks"})
    looks_for = tr("gaps in the time stamps and key frames out of their rhythm")
    speaks_when = tr(
        "at least {packets} frames with time stamps, not all of them key frames",
        packets=FEWEST_PACKETS,
    )
    score_unit = tr("-log10 of the chance of the rarest irregularity in so regular a stream")
    limitations = (
        tr("Encoding the video again repairs time stamps and key frames: then nothing is seen."),
        tr("Bad reception and overloaded recorders leave gaps as well."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the rarest irregularity; the rarer its kind in this stream, the more it says."""
        table: PacketTable = traces["packets"]
        timeline: FrameTimeline = traces["timeline"]
        gate = _gate(table)
        reason = _refusal(table)
        if reason is not None:
            return self.not_applicable(reason, gate=gate)
        events = [
            *time_gaps(table),
            *key_breaks(table, traces["breaks"]),
            *jumps_on_keys(table, traces["breaks"]),
        ]
        events.sort(key=lambda event: -event.exponent)
        return self.examined(
            events[0].exponent if events else 0.0,
            gate=gate,
            evidence=_evidence(table, timeline, events),
            features={
                f"{kind}s": float(sum(event.kind == kind for event in events))
                for kind in ("gap", "key_break", "jump_on_key")
            },
        )


@dataclass(frozen=True)
class Event:
    """An irregularity at frame `frame` (display order): gap, key_break or jump_on_key."""

    kind: str
    frame: int
    exponent: float


def time_gaps(table: PacketTable) -> list[Event]:
    """Steps of time that lack frames, scored by how many frames and how rare such steps are."""
    times = table.pts_s
    steps = np.diff(times)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if usual == 0.0:
        return []
    gaps = np.flatnonzero(steps > GAP_FRAMES * usual)
    rarity = log10(len(steps) / max(len(gaps), 1))
    return [
        Event("gap", int(place) + 1, rarity * log10(1.0 + float(steps[place]) / usual) / log10(2.0))
        for place in gaps
        if rarity > 0.0
    ]


def key_breaks(table: PacketTable, breaks: BreakSearch) -> list[Event]:
    """Key frames off the rhythm at places where the scene does not change."""
    keys = np.flatnonzero(table.key)
    if len(keys) <= FEWEST_GROUPS:
        return []
    usual = usual_key_interval(table)
    steps = np.diff(keys)
    off = np.flatnonzero(steps != usual)
    rarity = log10(len(steps) / max(len(off), 1))
    events = []
    for index in off:
        frame = int(keys[index + 1])
        early = steps[index] < usual
        if rarity > 0.0 and not (early and _scene_starts(breaks, frame)):
            events.append(Event("key_break", frame, 2.0 * rarity))
    return events


def jumps_on_keys(table: PacketTable, breaks: BreakSearch) -> list[Event]:
    """Jumps exactly on a key frame that was due: chance 1 in the length of a group."""
    keys = np.flatnonzero(table.key)
    if len(keys) <= FEWEST_GROUPS or len(breaks.strength) != table.packets:
        return []
    usual = usual_key_interval(table)
    due = keys[1:][np.diff(keys) == usual]
    regular = len(due) / (len(keys) - 1)
    jumping = due[(breaks.strength[due] >= JUMP_STRENGTH) | np.isin(due, breaks.scene_changes)]
    return [Event("jump_on_key", int(frame), regular * log10(usual)) for frame in jumping]


def _scene_starts(breaks: BreakSearch, frame: int) -> bool:
    if frame >= len(breaks.rise):
        return False
    near = slice(max(frame - 1, 0), frame + 2)
    changed = np.isin(np.arange(near.start, near.stop), breaks.scene_changes).any()
    return bool(changed or float(breaks.rise[near].max()) > SCENE_RISE)


def _gate(table: PacketTable) -> tuple[Check, ...]:
    return (
        Check(
            name=tr("frames"),
            found=tr("{count}", count=table.packets),
            needed=tr("{count}", count=FEWEST_PACKETS),
            passed=table.packets >= FEWEST_PACKETS,
        ),
        Check(
            name=tr("time stamps"),
            found=tr("on all frames") if table.in_display_order else tr("missing"),
            needed=tr("on all frames"),
            passed=table.in_display_order,
        ),
    )


def _refusal(table: PacketTable) -> Text | None:
    if table.packets < FEWEST_PACKETS:
        return tr(
            "{found} frames found; {needed} needed", found=table.packets, needed=FEWEST_PACKETS
        )
    if not table.in_display_order:
        return tr("time stamps are missing in the file; they are needed on all frames")
    return None


def _evidence(table: PacketTable, timeline: FrameTimeline, events: list[Event]) -> list[Evidence]:
    start = float(table.pts_s[0])
    spans = tuple(_span(table, event, start) for event in events[:SHOWN_EVENTS])
    step = max(1, -(-table.packets // MAX_SERIES_POINTS))
    largest = np.maximum.reduceat(table.size, np.arange(0, table.packets, step))
    steps = np.diff(np.flatnonzero(table.key))
    rows = (
        Fact(name=tr("packets"), value=tr("{count}", count=table.packets)),
        Fact(name=tr("key frames"), value=tr("{count}", count=int(table.key.sum()))),
        Fact(
            name=tr("frames from key frame to key frame"),
            value=tr("{low} to {high}", low=int(steps.min()), high=int(steps.max()))
            if len(steps)
            else tr("only one key frame"),
        ),
        Fact(
            name=tr("frame types"),
            value=tr("{types}", types=_types(table)),
        ),
    )
    return [
        Timeline(
            caption=tr("Irregular places of the stream"),
            duration_s=timeline.duration_s,
            spans=spans,
        ),
        Series(
            caption=tr("Size of each packet"),
            x=tuple((table.pts_s[::step] - start).tolist()),
            y=tuple(largest.astype(float).tolist()),
            x_label=tr("time in s"),
            y_label=tr("bytes"),
            marks=spans,
        ),
        Facts(caption=tr("The compressed stream"), rows=rows),
    ]


def _span(table: PacketTable, event: Event, start: float) -> Span:
    labels = {
        "gap": tr("gap in the time stamps"),
        "key_break": tr("key frame out of rhythm"),
        "jump_on_key": tr("jump exactly at a key frame"),
    }
    return Span(
        start_s=float(table.pts_s[max(event.frame - 1, 0)]) - start,
        end_s=float(table.pts_s[event.frame]) - start,
        label=labels[event.kind],
    )


def _types(table: PacketTable) -> str:
    kinds, counts = np.unique(table.frame_type, return_counts=True)
    return ", ".join(f"{kind.decode()}: {count}" for kind, count in zip(kinds, counts, strict=True))
