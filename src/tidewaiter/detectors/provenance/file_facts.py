"""What a picture file says about itself, and where its statements contradict each other.

Each contradiction is one that cannot be true of a file as its device wrote it. Missing
data contradict nothing: messengers and web sites remove them from genuine pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.exif import Exif
from tidewaiter.traces.file_facts import PictureFacts
from tidewaiter.traces.generation import generated_source
from tidewaiter.traces.trailing import TrailingKind
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    MediaKind,
    Proposition,
    Regions,
    Text,
    tr,
)

ZONE_SLACK = timedelta(hours=26)
"""Local times of two clocks differ by at most 26 hours when they mean the same moment."""
GPS_SLACK = timedelta(hours=48)
"""A receiver may report its last fix; two days are beyond that."""
GPS_ROLLOVER = timedelta(weeks=1024)
"""Receivers that count weeks with ten bits are wrong by this (IS-GPS-200)."""
SAME_PICTURE = 0.7
"""Correlation of thumbnail and picture below which they show different things. On 14 genuine
photographs with a thumbnail the lowest was 0.987 (benchmarks/detection/provenance)."""
SAME_PLACE = 25.0
"""Local difference in grey levels above which a place was changed after the thumbnail was
made. The highest on the same 14 photographs was 4.4; nine in ten patches of a fifth of
the longer side, pasted into photographs, exceed it (same benchmark)."""
MAX_ROWS = 60
SHOWN_SEGMENTS = 14

# First bytes of maker notes that name their maker (ExifTool documentation, MakerNotes).
_NOTE_MAKERS = (
    (b"Nikon\0", ("nikon",)),
    (b"OLYMP\0", ("olympus", "om digital", "epson", "minolta", "sanyo", "agfa")),
    (b"OLYMPUS\0", ("olympus", "om digital")),
    (b"OM SYSTEM\0", ("om digital", "olympus")),
    (b"FUJIFILM", ("fuji", "leica", "sharp", "ge", "general")),
    (b"SONY ", ("sony", "hasselblad")),
    (b"Panasonic\0", ("panasonic", "leica")),
    (b"Apple iOS\0", ("apple",)),
    (b"PENTAX \0", ("pentax", "ricoh")),
    (b"LEICA\0", ("leica", "panasonic")),
)
_ENCODER_COMMENT = re.compile(
    r"gd-jpeg|Lavc\d|Created with GIMP|Intel\(R\) JPEG Library|LEAD Technologies|ImageMagick"
)
_GD_QUALITY = re.compile(r"gd-jpeg.*quality = (\d{1,3})$")
_FORMAT_NAMES = {"image/jpeg", "image/png", "image/tiff", "image/webp", "image/gif"}
_SECOND_FILE = frozenset({TrailingKind.ARCHIVE, TrailingKind.DOCUMENT, TrailingKind.PROGRAM})


class FileFacts(Detector):
    """A table of the file's own statements, contradictions marked; never a likelihood ratio."""

    id = "provenance.file_facts"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"file.facts"})
    looks_for = tr("contradictions between what a picture file says about itself and what it is")
    speaks_when = tr("the file says anything about itself besides its pixels")
    score_unit = tr("none: a fact")
    limitations = (
        tr("All of this can be written by anyone with common tools; agreement proves nothing."),
        tr("Missing data prove nothing: messengers and web sites remove them."),
    )
    weighs = False

    def examine(self, traces: Traces) -> Finding:
        """All statements as rows, the number of contradictions as a feature."""
        facts: PictureFacts = traces["file.facts"]
        rows = list(_rows(facts))[:MAX_ROWS]
        gate = Check(
            name=tr("statements of the file"),
            found=tr("{count}", count=len(rows)),
            needed=tr("at least one"),
            passed=bool(rows),
        )
        if not rows:
            return self.not_applicable(
                tr("the file says nothing besides its pixels; at least one statement needed"),
                gate=[gate],
            )
        contradictions = [row for row in rows if row.contradicts is not None]
        return self.examined(
            concludes=_conclusion(facts, len(contradictions)),
            gate=[gate],
            evidence=_evidence(facts, rows),
            features={
                "contradictions": float(len(contradictions)),
                "edited": float(bool(facts.editor)),
                "generated": float(facts.states_generation),
            },
        )


def _evidence(facts: PictureFacts, rows: list[Fact]) -> list[Evidence]:
    table = Facts(caption=tr("What the file says about itself"), rows=tuple(rows))
    if not _changed_place(facts) or not facts.thumbnail or not facts.thumbnail.place:
        return [table]
    left, top, width, height = facts.thumbnail.place
    box = Box(left=left, top=top, width=width, height=height)
    caption = tr("Where the picture differs most from the small picture inside the file")
    return [table, Regions(caption=caption, boxes=(box,))]


def _conclusion(facts: PictureFacts, contradictions: int) -> Text:
    editor = facts.editor
    if facts.states_generation:
        return tr(
            "The file itself states that an image generator made it, wholly or in part. "
            "Contradictions marked in the table: {count}.",
            count=contradictions,
        )
    if contradictions:
        return tr(
            "What the file says does not fit together. Contradictions marked: {count}.",
            count=contradictions,
        )
    if editor:
        return tr(
            "The file names a program that edits pictures ({program}); nothing it says "
            "contradicts anything else.",
            program=editor,
        )
    return tr("Nothing the file says about itself contradicts anything else. That proves nothing.")


def _rows(facts: PictureFacts) -> Iterator[Fact]:
    yield from _generation_rows(facts)
    if facts.exif:
        yield from _camera_rows(facts, facts.exif)
        yield from _time_rows(facts, facts.exif)
    yield from _xmp_rows(facts)
    yield from _structure_rows(facts)
    yield from _thumbnail_rows(facts)
    for problem in facts.problems:
        yield Fact(name=tr("cannot be read"), value=problem)


def _generation_rows(facts: PictureFacts) -> Iterator[Fact]:
    against = None
    if facts.camera:
        against = tr("the same file names a camera: {camera}", camera=facts.camera)
    source = facts.xmp.values.get("Iptc4xmpExt:DigitalSourceType", "") if facts.xmp else ""
    if source:
        marked = against if generated_source(source) else None
        yield Fact(name=tr("stated source"), value=_plain(source), contradicts=marked)
    for keyword in facts.png.recipes if facts.png else ():
        value = tr("settings of an image generator, under “{keyword}”", keyword=keyword)
        yield Fact(name=tr("generation settings"), value=value, contradicts=against)
    if facts.exif and facts.exif.recipe:
        value = tr("settings of an image generator, in the user comment")
        yield Fact(name=tr("generation settings"), value=value, contradicts=against)


def _camera_rows(facts: PictureFacts, exif: Exif) -> Iterator[Fact]:
    named = (
        (tr("camera"), facts.camera, _foreign_note(exif)),
        (tr("lens"), exif.texts.get("lens_model", ""), _foreign_lens(exif)),
        (tr("software"), exif.texts.get("software", ""), None),
        (tr("description"), exif.texts.get("description", ""), None),
        (tr("comment"), exif.texts.get("user_comment", ""), None),
        (tr("author"), exif.texts.get("artist", ""), None),
    )
    for name, words, contradicts in named:
        if words:
            yield Fact(name=name, value=_plain(words), contradicts=contradicts)
    width, height = (int((exif.numbers.get(side) or (0,))[0]) for side in ("width", "height"))
    if width > 0 and height > 0:
        yield Fact(
            name=tr("size stated by the camera"),
            value=tr("{width} x {height} pixels", width=width, height=height),
            contradicts=_other_size(facts, width, height),
        )
    if exif.place:
        value = tr("{north:.5f}, {east:.5f}", north=exif.place[0], east=exif.place[1])
        yield Fact(name=tr("place (latitude, longitude)"), value=value)


def _time_rows(facts: PictureFacts, exif: Exif) -> Iterator[Fact]:
    taken, modified, gps = exif.time("taken"), exif.time("modified"), exif.gps_time
    for name, key in ((tr("taken"), "taken"), (tr("last changed"), "modified")):
        if exif.texts.get(key):
            words = f"{exif.texts[key]} {exif.texts.get(key + '_zone', '')}".strip()
            contradicts = None
            if key == "modified" and _before(modified, taken):
                contradicts = tr("changed before it was taken")
            yield Fact(name=name, value=_plain(words), contradicts=contradicts)
    if gps is not None:
        contradicts = None
        if taken is not None and _far_from(gps, taken):
            contradicts = tr("the satellite time and the time taken are days apart")
        yield Fact(name=tr("satellite time (UTC)"), value=_moment(gps), contradicts=contradicts)
    changed = facts.xmp.time("xmp:ModifyDate") if facts.xmp else None
    if changed is not None and taken is not None and _before(changed, taken):
        yield Fact(
            name=tr("last changed (XMP)"),
            value=_moment(changed),
            contradicts=tr("changed before it was taken"),
        )


def _xmp_rows(facts: PictureFacts) -> Iterator[Fact]:
    values = facts.xmp.values if facts.xmp else {}
    named = (
        (tr("made with (XMP)"), "xmp:CreatorTool"),
        (tr("created (XMP)"), "xmp:CreateDate"),
        (tr("changed (XMP)"), "xmp:ModifyDate"),
        (tr("credit"), "photoshop:Credit"),
        (tr("AI system"), "Iptc4xmpExt:AISystemUsed"),
        (tr("Content Credentials kept at"), "dcterms:provenance"),
    )
    for name, key in named:
        if values.get(key):
            yield Fact(name=name, value=_plain(values[key]))
    if values.get("dc:format") in _FORMAT_NAMES:
        stated = values["dc:format"]
        actual = "image/jpeg" if facts.jpeg else "image/png" if facts.png else stated
        against = tr("the file is {actual}", actual=actual) if actual != stated else None
        yield Fact(name=tr("format stated (XMP)"), value=_plain(stated), contradicts=against)
    for event in facts.xmp.history if facts.xmp else ():
        words = (event.action, event.when, event.software, event.details)
        yield Fact(name=tr("editing step"), value=_plain(" · ".join(w for w in words if w)))
    if facts.xmp and facts.xmp.derived:
        yield Fact(name=tr("made from"), value=tr("another file, which the XMP names"))
    for field, said in facts.photoshop.fields.items() if facts.photoshop else ():
        yield Fact(name=tr("IPTC {field}", field=field), value=_plain(said))


def _structure_rows(facts: PictureFacts) -> Iterator[Fact]:
    if facts.table_quality and facts.jpeg:
        quality = facts.table_quality.quality
        exact = tr("standard tables, quality {quality}", quality=quality)
        own = tr(
            "own tables of the camera or program, nearest to quality {quality}", quality=quality
        )
        value = exact if facts.table_quality.exact else own
        yield Fact(name=tr("JPEG quantisation"), value=value)
        names = [segment.name for segment in facts.jpeg.segments]
        order = " ".join(dict.fromkeys(names[:SHOWN_SEGMENTS]))
        yield Fact(name=tr("JPEG structure"), value=_plain(order), contradicts=_resaved(facts))
    for comment in facts.jpeg.comments if facts.jpeg else ():
        against = _foreign_comment(facts, comment)
        yield Fact(name=tr("JPEG comment"), value=_plain(comment), contradicts=against)
    if facts.jpeg and facts.jpeg.end is None:
        value = tr("missing")
        yield Fact(name=tr("end of the file"), value=value, contradicts=tr("the file ends early"))
    if facts.profile:
        yield Fact(name=tr("colour profile"), value=_plain(facts.profile))
    for keyword, words in facts.texts:
        yield Fact(name=tr("text “{keyword}”", keyword=keyword), value=_plain(words))
    if any(keyword.startswith("jpeg:") for keyword, _ in facts.texts):
        yield Fact(name=tr("made from"), value=tr("a JPEG file, as its text entries say"))
    if facts.trailing and facts.trailing.kind is not TrailingKind.PADDING:
        yield Fact(
            name=tr("bytes after the end of the picture"),
            value=tr(
                "{count} bytes: {kind}",
                count=facts.trailing.byte_length,
                kind=facts.trailing.kind.value,
            ),
            contradicts=tr("a second file lies behind the picture")
            if facts.trailing.kind in _SECOND_FILE
            else None,
        )


def _thumbnail_rows(facts: PictureFacts) -> Iterator[Fact]:
    match = facts.thumbnail
    if match is None:
        return
    value = tr("{width} x {height} pixels", width=match.width, height=match.height)
    against = None
    if not match.same_shape:
        against = tr("has another shape than the picture: cropped, or of another picture")
    elif match.correlation is not None and match.correlation < SAME_PICTURE:
        against = tr(
            "shows something else than the picture (correlation {found:.2f}; {needed} needed)",
            found=match.correlation,
            needed=SAME_PICTURE,
        )
    elif _changed_place(facts):
        against = tr(
            "differs from the picture in one place by {found:.0f} of 255 grey levels (at most "
            "{needed:.0f} expected): changed there since",
            found=match.difference or 0.0,
            needed=SAME_PLACE,
        )
    yield Fact(name=tr("small picture inside the file"), value=value, contradicts=against)


def _changed_place(facts: PictureFacts) -> bool:
    match = facts.thumbnail
    if match is None or match.correlation is None or match.correlation < SAME_PICTURE:
        return False
    return (match.difference or 0.0) > SAME_PLACE


def _foreign_note(exif: Exif) -> Text | None:
    make = exif.texts.get("make", "").lower()
    for start, makers in _NOTE_MAKERS:
        if make and exif.maker_note and exif.maker_note.startswith(start):
            if any(maker in make for maker in makers):
                return None
            return tr("the private note inside is of another maker: {maker}", maker=makers[0])
    return None


def _foreign_lens(exif: Exif) -> Text | None:
    """Apple writes the telephone's model in front of the lens."""
    model, lens = exif.texts.get("model", ""), exif.texts.get("lens_model", "")
    if model.startswith("iPhone") and lens.startswith("iPhone") and not lens.startswith(model):
        return tr("is the lens of another telephone than {model}", model=model)
    return None


def _other_size(facts: PictureFacts, width: int, height: int) -> Text | None:
    if {width, height} == {facts.width, facts.height}:
        return None
    return tr(
        "the picture has {width} x {height} pixels: resized or cropped since",
        width=facts.width,
        height=facts.height,
    )


def _resaved(facts: PictureFacts) -> Text | None:
    """Cameras write sequential JPEG; a named editor would explain a progressive one."""
    if facts.jpeg and facts.jpeg.progressive and facts.camera and not facts.editor:
        return tr(
            "progressive JPEG, which cameras do not write: saved again by a program not named"
        )
    return None


def _foreign_comment(facts: PictureFacts, comment: str) -> Text | None:
    stated = _GD_QUALITY.search(comment)
    quality = facts.table_quality
    if stated and quality and int(stated[1]) != quality.quality:
        return tr(
            "states quality {stated}; the tables are of quality {found}: saved again since",
            stated=int(stated[1]),
            found=quality.quality,
        )
    if _ENCODER_COMMENT.search(comment) and facts.camera and not facts.editor:
        return tr("written by a program, while the file names only a camera")
    return None


def _before(first: datetime | None, second: datetime | None) -> bool:
    return first is not None and second is not None and first < second - ZONE_SLACK


def _far_from(gps: datetime, taken: datetime) -> bool:
    apart = abs(gps - taken)
    return apart > GPS_SLACK and abs(apart - GPS_ROLLOVER) > GPS_SLACK


def _moment(moment: datetime) -> Text:
    return _plain(moment.strftime("%Y-%m-%d %H:%M:%S"))


def _plain(words: str) -> Text:
    return tr("{words}", words=words)
