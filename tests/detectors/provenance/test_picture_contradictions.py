"""Each contradiction of a picture file, and the genuine neighbour that must not raise it."""

from __future__ import annotations

from typing import Any

import pytest

from tidewaiter.detectors.provenance.file_facts import FileFacts
from tidewaiter.traces.base import Traces
from tidewaiter.traces.exif import Exif
from tidewaiter.traces.file_facts import PictureFacts
from tidewaiter.traces.jpeg_segments import JpegLayout, Segment, TableQuality
from tidewaiter.traces.png_chunks import PngLayout
from tidewaiter.traces.riders import Photoshop
from tidewaiter.traces.thumbnails import ThumbnailMatch
from tidewaiter.traces.trailing import Trailing, TrailingKind
from tidewaiter.traces.xmp import HistoryEvent, Xmp
from tidewaiter.vocabulary import Box, Facts, Finding, MediaKind, Regions, Status

CAMERA = {"make": "Canon", "model": "Canon EOS"}


def examined(**parts: Any) -> Finding:
    facts = PictureFacts(**{"width": 4000, "height": 3000, **parts})
    return FileFacts().find(Traces(MediaKind.PICTURE, {"file.facts": facts}))


def contradictions(**parts: Any) -> list[str]:
    finding = examined(**parts)
    assert finding.status is Status.EXAMINED
    table = finding.evidence[0]
    assert isinstance(table, Facts)
    found = [str(row.contradicts) for row in table.rows if row.contradicts]
    assert finding.features["contradictions"] == len(found)
    return found


def jpeg(**parts: Any) -> dict[str, Any]:
    layout = JpegLayout(segments=(Segment(0xDB, 2, 69),), end=100, **parts)
    return {"jpeg": layout, "table_quality": TableQuality(90, exact=True)}


def exif(texts: dict[str, str] | None = None, **parts: Any) -> dict[str, Any]:
    return {"exif": Exif(texts={**CAMERA, **(texts or {})}, **parts)}


def patched(difference: float) -> ThumbnailMatch:
    place = (40, 30, 20, 20)
    return ThumbnailMatch(
        160, 120, same_shape=True, correlation=0.9, difference=difference, place=place
    )


def test_pixels_alone_are_not_applicable() -> None:
    finding = examined()
    assert finding.status is Status.NOT_APPLICABLE
    assert not finding.gate[0].passed


CONTRADICTING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "resized or cropped",
        exif(numbers={"width": (6000,), "height": (4000,)}),
        exif(numbers={"width": (3000,), "height": (4000,)}),
    ),
    (
        "changed before it was taken",
        exif({"taken": "2024:05:03 10:00:00", "modified": "2024:05:01 10:00:00"}),
        exif({"taken": "2024:05:02 09:00:00", "modified": "2024:05:01 10:00:00"}),
    ),
    (
        "changed before it was taken",
        exif({"taken": "2024:05:03 10:00:00"}) | {"xmp": Xmp({"xmp:ModifyDate": "2024-04-01"})},
        exif({"taken": "2024:05:03 10:00:00"}) | {"xmp": Xmp({"xmp:ModifyDate": "2024-05-04"})},
    ),
    (
        "days apart",
        exif(
            {"taken": "2024:05:03 10:00:00", "gps_date": "2024:04:01"},
            numbers={"gps_time": (1, 2, 3)},
        ),
        exif(
            {"taken": "2024:05:03 10:00:00", "gps_date": "2004:09:17"},
            numbers={"gps_time": (1, 2, 3)},
        ),
    ),
    (
        "private note",
        exif(maker_note=b"Nikon\0\2\0\0\0"),
        exif({"make": "NIKON CORPORATION"}, maker_note=b"Nikon\0\2\0\0\0"),
    ),
    (
        "another telephone",
        exif({"model": "iPhone 12", "lens_model": "iPhone 15 Pro back camera"}),
        exif({"model": "iPhone 12", "lens_model": "iPhone 12 back dual wide camera"}),
    ),
    (
        "progressive",
        exif() | jpeg(progressive=True),
        exif({"software": "GIMP 2.10"}) | jpeg(progressive=True),
    ),
    (
        "names only a camera",
        exif() | jpeg(comments=("Lavc58.54.100",)),
        jpeg(comments=("Lavc58.54.100",)),
    ),
    (
        "states quality 82",
        jpeg(comments=("CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 82",)),
        jpeg(comments=("CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",)),
    ),
    (
        "ends early",
        {"jpeg": JpegLayout(segments=(), end=None)},
        {"jpeg": JpegLayout(segments=(Segment(0xDB, 2, 69),), end=10)} | exif(),
    ),
    (
        "another shape",
        exif() | {"thumbnail": ThumbnailMatch(160, 120, same_shape=False, correlation=None)},
        exif() | {"thumbnail": ThumbnailMatch(160, 120, same_shape=True, correlation=None)},
    ),
    (
        "shows something else",
        exif() | {"thumbnail": ThumbnailMatch(160, 120, same_shape=True, correlation=0.3)},
        exif() | {"thumbnail": ThumbnailMatch(160, 120, same_shape=True, correlation=0.95)},
    ),
    (
        "in one place by 60",
        exif() | {"thumbnail": patched(60.0)},
        exif() | {"thumbnail": patched(10.0)},
    ),
    (
        "second file",
        exif() | {"trailing": Trailing(100, 50, TrailingKind.ARCHIVE)},
        exif() | {"trailing": Trailing(100, 50, TrailingKind.VIDEO)},
    ),
    (
        "names a camera",
        exif() | {"png": PngLayout(recipes=("parameters",), end=1)},
        {"png": PngLayout(recipes=("parameters",), end=1)},
    ),
    (
        "the file is image/png",
        {"png": PngLayout(end=1), "xmp": Xmp({"dc:format": "image/jpeg"})},
        {"png": PngLayout(end=1), "xmp": Xmp({"dc:format": "image/png"})},
    ),
]


@pytest.mark.parametrize(("words", "contradicting", "consistent"), CONTRADICTING)
def test_contradiction_and_its_consistent_neighbour(
    words: str, contradicting: dict[str, Any], consistent: dict[str, Any]
) -> None:
    found = contradictions(**contradicting)
    assert len(found) == 1
    assert words in found[0]
    assert contradictions(**consistent) == []


def test_the_changed_place_is_drawn() -> None:
    match = patched(60.0)
    regions = examined(**exif(), thumbnail=match).evidence[1]
    assert isinstance(regions, Regions)
    assert regions.boxes == (Box(left=40, top=30, width=20, height=20),)


def test_a_stated_editor_is_a_fact_not_a_contradiction() -> None:
    parts = exif({"software": "Adobe Photoshop 25.0"})
    assert contradictions(**parts) == []
    assert "Adobe Photoshop 25.0" in str(examined(**parts).concludes)


@pytest.mark.parametrize(
    "parts",
    [
        {"xmp": Xmp({"Iptc4xmpExt:DigitalSourceType": "http://x/trainedAlgorithmicMedia"})},
        {"xmp": Xmp({"photoshop:Credit": "Made with Google AI"})},
        {"png": PngLayout(texts=(("Software", "NovelAI"),), end=1)},
        {"exif": Exif(texts={"user_comment": "x"}, recipe=True)},
    ],
)
def test_a_file_that_says_it_was_generated(parts: dict[str, Any]) -> None:
    finding = examined(**parts)
    assert finding.features["generated"] == 1
    assert "image generator made it" in str(finding.concludes)


def test_history_and_iptc_are_shown() -> None:
    finding = examined(
        xmp=Xmp(history=(HistoryEvent("saved", "2024", "Adobe Photoshop"),), derived=True),
        photoshop=Photoshop(1, {"by_line": "Anna"}),
    )
    (table,) = finding.evidence
    assert isinstance(table, Facts)
    values = [str(row.value) for row in table.rows]
    assert "saved · 2024 · Adobe Photoshop" in values
    assert "Anna" in values


def test_braces_from_a_file_cannot_become_a_template() -> None:
    finding = examined(**exif({"software": "{evil} {0} {x:.9f}"}))
    (table,) = finding.evidence
    assert isinstance(table, Facts)
    assert "{evil} {0} {x:.9f}" in [str(row.value) for row in table.rows]
