"""EXIF: the TIFF directories in which cameras and programs describe a picture.

A bounded reader of our own, since these bytes come from anyone: offsets may point
anywhere, directories may point at each other in a circle, counts may lie. Sources:
TIFF 6.0, CIPA DC-008-2019.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidewaiter.traces.generation import holds_recipe
from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_DIRECTORIES = 16
MAX_ENTRIES = 1024
MAX_VALUES = 64
"""Numbers kept of one entry."""
MAX_TEXT_BYTES = 64 * 1024
MAX_THUMBNAIL_BYTES = 4 * 1024 * 1024

_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBER_CODES = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 11: "f", 12: "d", 13: "L"}

_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_MAKER_NOTE = 0x927C
_TEXT_TAGS: dict[tuple[str, int], str] = {
    ("main", 0x010E): "description",
    ("main", 0x010F): "make",
    ("main", 0x0110): "model",
    ("main", 0x0131): "software",
    ("main", 0x0132): "modified",
    ("main", 0x013B): "artist",
    ("main", 0x013C): "host_computer",
    ("main", 0x8298): "copyright",
    ("exif", 0x9003): "taken",
    ("exif", 0x9004): "digitized",
    ("exif", 0x9010): "modified_zone",
    ("exif", 0x9011): "taken_zone",
    ("exif", 0x9012): "digitized_zone",
    ("exif", 0x9286): "user_comment",
    ("exif", 0xA420): "unique_id",
    ("exif", 0xA433): "lens_make",
    ("exif", 0xA434): "lens_model",
    ("gps", 0x0001): "latitude_side",
    ("gps", 0x0003): "longitude_side",
    ("gps", 0x001D): "gps_date",
}
_NUMBER_TAGS: dict[tuple[str, int], str] = {
    ("main", 0x0112): "orientation",
    ("exif", 0x920A): "focal_length_mm",
    ("exif", 0xA001): "colour_space",
    ("exif", 0xA002): "width",
    ("exif", 0xA003): "height",
    ("gps", 0x0002): "latitude",
    ("gps", 0x0004): "longitude",
    ("gps", 0x0007): "gps_time",
    ("thumbnail", 0x0201): "thumbnail_offset",
    ("thumbnail", 0x0202): "thumbnail_length",
}


@dataclass(frozen=True)
class Exif:
    """What the EXIF says. `texts` are safe to show; `numbers` hold one value or several.

    `maker_note` is the first 16 bytes of the camera maker's private note; `recipe` is true
    where the user comment holds the settings of an image generator.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    maker_note: bytes | None = None
    thumbnail: bytes | None = None
    recipe: bool = False
    problems: tuple[Text, ...] = ()

    def time(self, name: str) -> datetime | None:
        """`taken`, `modified` or `digitized` as local time without a zone."""
        return exif_time(self.texts.get(name, ""))

    @property
    def gps_time(self) -> datetime | None:
        """The satellite receiver's time, UTC, without a zone."""
        day = self.texts.get("gps_date", "").replace("-", ":")
        clock = self.numbers.get("gps_time", ())
        start = exif_time(f"{day} 00:00:00")
        if start is None or len(clock) != 3 or not all(0 <= part < 61 for part in clock):
            return None
        return start + timedelta(hours=clock[0], minutes=clock[1], seconds=clock[2])

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, where both are given and possible."""
        north = self._degrees("latitude", "S", 90.0)
        east = self._degrees("longitude", "W", 180.0)
        return None if north is None or east is None else (north, east)

    def _degrees(self, name: str, negative: str, limit: float) -> float | None:
        parts = self.numbers.get(name, ())
        if len(parts) != 3:
            return None
        value = parts[0] + parts[1] / 60 + parts[2] / 3600
        sign = -1 if self.texts.get(f"{name}_side", "").upper().startswith(negative) else 1
        return sign * value if 0 <= value <= limit else None


def read_exif(data: bytes) -> Exif:
    """Read EXIF from bytes that start with a TIFF header; never raises."""
    reading = _Reading(data)
    try:
        reading.run()
    except struct.error:
        reading.problems.append(tr("the EXIF points outside itself"))
    return Exif(
        texts=reading.texts,
        numbers=reading.numbers,
        maker_note=reading.maker_note,
        thumbnail=_thumbnail(data, reading.numbers),
        recipe=reading.recipe,
        problems=tuple(reading.problems),
    )


def exif_time(text: str) -> datetime | None:
    """`YYYY:MM:DD HH:MM:SS` as a time without a zone; None for blank or impossible ones."""
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - EXIF has none
    except ValueError:
        return None


@dataclass
class _Reading:
    data: bytes
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, tuple[float, ...]] = field(default_factory=dict)
    maker_note: bytes | None = None
    recipe: bool = False
    problems: list[Text] = field(default_factory=list)
    order: str = "<"
    waiting: list[tuple[str, int]] = field(default_factory=list)

    def run(self) -> None:
        if self.data[:4] not in (b"II*\0", b"MM\0*"):
            self.problems.append(tr("the EXIF does not start with a TIFF header"))
            return
        self.order = "<" if self.data[:1] == b"I" else ">"
        self.waiting = [("main", self._number("L", 4))]
        visited: set[int] = set()
        while self.waiting:
            name, offset = self.waiting.pop(0)
            if offset in visited:
                self.problems.append(tr("EXIF directories point at each other in a circle"))
                continue
            if len(visited) >= MAX_DIRECTORIES:
                self.problems.append(
                    tr("more than {limit} EXIF directories", limit=MAX_DIRECTORIES)
                )
                return
            visited.add(offset)
            self._directory(name, offset)

    def _directory(self, name: str, offset: int) -> None:
        count = self._number("H", offset)
        if count > MAX_ENTRIES:
            self.problems.append(tr("an EXIF directory claims {count} entries", count=count))
            return
        for index in range(count):
            self._entry(name, offset + 2 + 12 * index)
        following = offset + 2 + 12 * count
        if name == "main" and following + 4 <= len(self.data):
            after = self._number("L", following)
            if after:
                self.waiting.append(("thumbnail", after))

    def _entry(self, directory: str, at: int) -> None:
        tag, kind, count = struct.unpack_from(f"{self.order}HHL", self.data, at)
        if tag in (_EXIF_POINTER, _GPS_POINTER) and directory == "main":
            self.waiting.append(
                ("exif" if tag == _EXIF_POINTER else "gps", self._number("L", at + 8))
            )
            return
        size = _TYPE_SIZES.get(kind, 0) * count
        offset = at + 8 if size <= 4 else self._number("L", at + 8)
        text_name = _TEXT_TAGS.get((directory, tag))
        number_name = _NUMBER_TAGS.get((directory, tag))
        if tag == _MAKER_NOTE and directory == "exif":
            self.maker_note = bytes(self.data[offset : offset + 16])
        elif text_name:
            raw = self.data[offset : offset + min(size, MAX_TEXT_BYTES)]
            self._keep_text(text_name, raw)
        elif number_name:
            self.numbers.setdefault(number_name, self._values(kind, count, offset))

    def _keep_text(self, name: str, raw: bytes) -> None:
        if name == "user_comment":
            raw = _user_comment(raw)
            self.recipe = holds_recipe(name, raw.decode("utf-8", errors="replace"))
        text = shown(raw.split(b"\0")[0] if name != "user_comment" else raw)
        if text:
            self.texts.setdefault(name, text)

    def _values(self, kind: int, count: int, offset: int) -> tuple[float, ...]:
        count = min(count, MAX_VALUES)
        if kind in (5, 10):
            code = "L" if kind == 5 else "l"
            raw = struct.unpack_from(f"{self.order}{2 * count}{code}", self.data, offset)
            pairs = zip(raw[::2], raw[1::2], strict=True)
            return tuple(top / bottom if bottom else 0.0 for top, bottom in pairs)
        if kind not in _NUMBER_CODES:
            return ()
        return struct.unpack_from(f"{self.order}{count}{_NUMBER_CODES[kind]}", self.data, offset)

    def _number(self, code: str, offset: int) -> int:
        return int(struct.unpack_from(self.order + code, self.data, offset)[0])


def _user_comment(raw: bytes) -> bytes:
    """The comment without its eight-byte character code; UTF-16 turned into UTF-8."""
    code, body = raw[:8], raw[8:]
    if code.startswith(b"UNICODE"):
        big = body[:1] == b"\0" or body[:2] == b"\xfe\xff"
        text = body.decode("utf-16-be" if big else "utf-16-le", errors="replace")
        return text.strip("\ufeff\0 ").encode("utf-8", errors="replace")
    return body.strip(b"\0 ")


def _thumbnail(data: bytes, numbers: Mapping[str, tuple[float, ...]]) -> bytes | None:
    offset = numbers.get("thumbnail_offset", ())
    length = numbers.get("thumbnail_length", ())
    if not offset or not length or not 0 < length[0] <= MAX_THUMBNAIL_BYTES:
        return None
    start = int(offset[0])
    found = data[start : start + int(length[0])]
    return found if found.startswith(b"\xff\xd8") else None
