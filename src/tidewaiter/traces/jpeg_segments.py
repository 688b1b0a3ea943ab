"""The marker segments of a JPEG file: order, tables, embedded metadata, where it ends.

Works on bytes, decodes no pixels, and is bounded by `MAX_SEGMENTS`. Sources: ITU-T T.81
annex B (markers), annex K (example tables), JFIF 1.02, CIPA DC-008 (EXIF).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_SEGMENTS = 2000
MAX_COMMENTS = 8
MAX_ICC_BYTES = 4 * 1024 * 1024

SOI, EOI, SOS, DQT, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# Inside entropy-coded data FF is followed by 00 or by a restart marker D0..D7.
_NEXT_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_ICC = b"ICC_PROFILE\0"

# ITU-T T.81 tables K.1 and K.2, in zigzag order as files store them.
_LUMA_NATURAL = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 "
    "14 17 22 29 51 87 80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 "
    "49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"
)
_CHROMA_NATURAL = (
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 " + "99 " * 38
)


@dataclass(frozen=True)
class Segment:
    """One marker segment: its marker's low byte, its offset and its length in the file."""

    marker: int
    offset: int
    byte_length: int
    label: str = ""

    @property
    def name(self) -> str:
        """The marker's usual name, with the label of an application segment."""
        if 0xE0 <= self.marker <= 0xEF:
            return f"APP{self.marker - 0xE0}" + (f" {self.label}" if self.label else "")
        names = {DQT: "DQT", 0xC4: "DHT", SOS: "SOS", COM: "COM", 0xDD: "DRI", 0xDC: "DNL"}
        if self.marker in _FRAME_MARKERS:
            return f"SOF{self.marker - 0xC0}"
        return names.get(self.marker, f"0x{self.marker:02X}")


@dataclass(frozen=True)
class JpegLayout:
    """What lies in a JPEG file before and after the picture data.

    `tables` are quantisation tables in zigzag order by destination; `end` is the offset
    after the end marker, None where the file ends early.
    """

    segments: tuple[Segment, ...]
    width: int | None = None
    height: int | None = None
    progressive: bool = False
    sampling: tuple[str, ...] = ()
    tables: tuple[tuple[int, tuple[int, ...]], ...] = ()
    exif: bytes | None = None
    xmp: bytes | None = None
    photoshop: bytes | None = None
    icc: bytes | None = None
    comments: tuple[str, ...] = ()
    end: int | None = None
    problems: tuple[Text, ...] = ()


@dataclass(frozen=True)
class TableQuality:
    """How the quantisation tables compare with those of the Independent JPEG Group.

    `quality` is the IJG quality (1..100) whose tables come nearest to the first table;
    `exact` is true where every table in the file equals that quality's.
    """

    quality: int
    exact: bool


def read_jpeg(data: bytes) -> JpegLayout:
    """Read the marker segments; never raises, whatever the bytes."""
    reading = _Reading(data)
    try:
        reading.run()
    except (struct.error, IndexError):
        reading.problems.append(tr("the JPEG structure ends in the middle of a segment"))
    return reading.layout()


def table_quality(tables: tuple[tuple[int, tuple[int, ...]], ...]) -> TableQuality | None:
    """The IJG quality of a file's tables; None where there are none.

    "Own table" in words: `exact` is False, so the file was written by a camera or
    program with tables of its own.
    """
    if not tables:
        return None
    luma, chroma = _standard_tables()
    by_id = dict(tables)
    first = by_id.get(0, tables[0][1])
    quality = int(np.abs(luma - np.array(first)).sum(axis=1).argmin())
    standard = [tuple(luma[quality].tolist()), tuple(chroma[quality].tolist())]
    exact = first == standard[0] and all(
        table in standard for table_id, table in tables if table_id != 0
    )
    return TableQuality(quality + 1, exact)


@dataclass
class _Reading:
    data: bytes
    segments: list[Segment] = field(default_factory=list)
    size: tuple[int, int] | None = None
    progressive: bool = False
    sampling: tuple[str, ...] = ()
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)
    icc: bytearray = field(default_factory=bytearray)
    comments: list[str] = field(default_factory=list)
    end: int | None = None
    problems: list[Text] = field(default_factory=list)

    def run(self) -> None:
        position = 2
        while len(self.segments) < MAX_SEGMENTS:
            found = _NEXT_MARKER.search(self.data, position)
            if found is None:
                self.problems.append(tr("the JPEG has no end marker: the file ends early"))
                return
            marker, position = self.data[found.end() - 1], found.end()
            if marker == EOI:
                self.end = position
                return
            if marker in (SOI, 0x01):
                continue
            position = self._segment(marker, position)
        self.problems.append(tr("more than {limit} JPEG segments", limit=MAX_SEGMENTS))

    def _segment(self, marker: int, position: int) -> int:
        length = int(struct.unpack_from(">H", self.data, position)[0])
        if length < 2:
            self.problems.append(tr("a JPEG segment gives {length} as its length", length=length))
            return position
        body = self.data[position + 2 : position + length]
        label = self._application(marker, body) if 0xE0 <= marker <= 0xEF else ""
        self.segments.append(Segment(marker, position - 2, length + 2, label))
        if marker == DQT:
            self._tables(body)
        elif marker in _FRAME_MARKERS:
            self._frame(marker, body)
        elif marker == COM and len(self.comments) < MAX_COMMENTS:
            self.comments.append(shown(body))
        return position + length

    def _application(self, marker: int, body: bytes) -> str:
        known = {_EXIF: "exif", _XMP: "xmp", _PHOTOSHOP: "photoshop"}
        for start, name in known.items():
            if body.startswith(start):
                if name == "photoshop":  # resources may go on in the next segment
                    self.payloads[name] = self.payloads.get(name, b"") + body[len(start) :]
                else:
                    self.payloads.setdefault(name, body[len(start) :])
        if body.startswith(_ICC) and len(self.icc) + len(body) <= MAX_ICC_BYTES:
            self.icc += body[len(_ICC) + 2 :]
        if marker == 0xEB and body[:2] == b"JP":
            return "JUMBF"
        return shown(body[:28].split(b"\0")[0], 28) if body[:3].isalnum() else ""

    def _tables(self, body: bytes) -> None:
        position = 0
        while position < len(body):
            wide, table_id = body[position] >> 4, body[position] & 15
            count = 128 if wide else 64
            raw = body[position + 1 : position + 1 + count]
            if len(raw) < count:
                self.problems.append(tr("a quantisation table ends early"))
                return
            values = struct.unpack(">64H" if wide else ">64B", raw)
            self.tables.setdefault(table_id, values)
            position += 1 + count

    def _frame(self, marker: int, body: bytes) -> None:
        height, width, components = struct.unpack_from(">HHB", body, 1)
        if self.size is None:
            self.size = (width, height)
            self.progressive = marker in _PROGRESSIVE
            factors = (body[6 + 3 * i + 1] for i in range(min(components, 4)))
            self.sampling = tuple(f"{factor >> 4}x{factor & 15}" for factor in factors)

    def layout(self) -> JpegLayout:
        width, height = self.size or (None, None)
        return JpegLayout(
            segments=tuple(self.segments),
            width=width,
            height=height,
            progressive=self.progressive,
            sampling=self.sampling,
            tables=tuple(sorted(self.tables.items())),
            exif=self.payloads.get("exif"),
            xmp=self.payloads.get("xmp"),
            photoshop=self.payloads.get("photoshop"),
            icc=bytes(self.icc) or None,
            comments=tuple(self.comments),
            end=self.end,
            problems=tuple(self.problems),
        )


def _standard_tables() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Luma and chroma tables of quality 1..100: 100 x 64, zigzag order, IJG scaling."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    order = _zigzag()

    def scaled(text: str) -> NDArray[np.int64]:
        natural = np.array(text.split(), dtype=np.int64)[order][None, :]
        table: NDArray[np.int64] = np.clip((natural * scale + 50) // 100, 1, 255)
        return table

    return scaled(_LUMA_NATURAL), scaled(_CHROMA_NATURAL)


def _zigzag() -> list[int]:
    """Natural (row-major) index of each zigzag position, T.81 figure A.6."""
    places = [(row, column) for row in range(8) for column in range(8)]
    places.sort(key=lambda p: (p[0] + p[1], p[0] if (p[0] + p[1]) % 2 else p[1]))
    return [8 * row + column for row, column in places]
