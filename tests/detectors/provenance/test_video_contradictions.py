"""Each contradiction of a video file, and the genuine neighbour that must not raise it."""

# ruff: noqa: DTZ001 - times in files carry no zone
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tidewaiter.detectors.provenance.file_facts_video import VideoFileFacts
from tidewaiter.traces.base import Traces
from tidewaiter.traces.encoder_marks import EncoderMarks
from tidewaiter.traces.file_facts import VideoFacts
from tidewaiter.traces.matroska import MatroskaLayout
from tidewaiter.traces.mp4_boxes import Edit, Mp4Layout, Mp4Track
from tidewaiter.vocabulary import Facts, Finding, MediaKind, Status

DAY = datetime(2024, 5, 1)
APPLE = (("com.apple.quicktime.make", "Apple"), ("com.apple.quicktime.model", "iPhone 12"))


def examined(marks: tuple[str, ...] = (), **parts: Any) -> Finding:
    facts = VideoFacts(byte_length=1000, marks=EncoderMarks(marks), **parts)
    return VideoFileFacts().find(Traces(MediaKind.VIDEO, {"file.facts": facts}))


def contradictions(marks: tuple[str, ...] = (), **mp4: Any) -> list[str]:
    finding = examined(marks, mp4=Mp4Layout(**mp4))
    assert finding.status is Status.EXAMINED
    (table,) = finding.evidence
    assert isinstance(table, Facts)
    return [str(row.contradicts) for row in table.rows if row.contradicts]


def track(**parts: Any) -> Mp4Track:
    return Mp4Track(**{"kind": "vide", "span_s": 10.0, "media_span_s": 10.0, **parts})


def test_nothing_readable_is_not_applicable() -> None:
    assert examined().status is Status.NOT_APPLICABLE


CONTRADICTING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "names a camera",
        {"marks": ("x264 - core 164",), "words": (("©mak", "Canon"),)},
        {"marks": ("x264 - core 164",)},
    ),
    (
        "names a camera",
        {"words": (*APPLE, ("©too", "Lavf60.1.100"))},
        {"words": (("©mak", "DJI"), ("©too", "Lavf60.1.100"))},
    ),
    ("before its own boxes", {"promised_end": 1200}, {"promised_end": 1000}),
    (
        "changed before it was created",
        {"created": DAY, "modified": DAY - timedelta(days=3)},
        {"created": DAY, "modified": DAY - timedelta(hours=3)},
    ),
    (
        "on another day",
        {"created": DAY, "tracks": (track(created=DAY - timedelta(days=9)),)},
        {"created": DAY, "tracks": (track(created=DAY - timedelta(hours=9)),)},
    ),
    (
        "recording itself is dated",
        {
            "created": DAY,
            "words": (("com.apple.quicktime.creationdate", "2024-04-01T10:00:00+0200"),),
        },
        {
            "created": DAY,
            "words": (("com.apple.quicktime.creationdate", "2024-05-01T10:00:00+0200"),),
        },
    ),
    (
        "longest track",
        {"span_s": 20.0, "tracks": (track(),)},
        {"span_s": 10.1, "tracks": (track(),)},
    ),
    (
        "frames add up",
        {"tracks": (track(samples_span_s=30.0),)},
        {"tracks": (track(samples_span_s=10.0),)},
    ),
    (
        "cut without re-encoding",
        {"tracks": (track(edits=(Edit(6.0, 4.0),)),)},
        {"tracks": (track(edits=(Edit(0.5, None), Edit(10.0, 0.08))),)},
    ),
]


@pytest.mark.parametrize(("words", "contradicting", "consistent"), CONTRADICTING)
def test_contradiction_and_its_consistent_neighbour(
    words: str, contradicting: dict[str, Any], consistent: dict[str, Any]
) -> None:
    found = contradictions(**contradicting)
    assert found
    assert all(words in one for one in found)
    assert contradictions(**consistent) == []


def test_a_cut_in_the_middle_counts_what_is_left_out() -> None:
    edits = (Edit(3.0, 0.0), Edit(3.0, 7.0))
    finding = examined(mp4=Mp4Layout(tracks=(track(edits=edits),)))
    (table,) = finding.evidence
    assert isinstance(table, Facts)
    assert "leaves out 4.0 s that were recorded" in [str(row.value) for row in table.rows]


def test_a_named_program_is_a_fact() -> None:
    finding = examined(matroska=MatroskaLayout("webm", "Lavf60.1.100", "HandBrake 1.8"))
    assert finding.features == {"contradictions": 0.0, "program": 1.0}
    assert "Lavf60.1.100" in str(finding.concludes)
