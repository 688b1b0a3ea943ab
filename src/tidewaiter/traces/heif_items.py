"""EXIF and XMP inside HEIC and AVIF pictures, found through their item tables.

Bounded; decodes nothing. Source: ISO/IEC 14496-12 (meta, iinf, iloc), 23008-12 (Exif item).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tidewaiter.vocabulary import Text, tr

MAX_BOXES = 4096
MAX_ITEMS = 4096
MAX_ITEM_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class HeifItems:
    """The EXIF (from its TIFF header on) and XMP of a picture, where it has them."""

    exif: bytes | None = None
    xmp: bytes | None = None
    problems: tuple[Text, ...] = ()


def is_heif(data: bytes) -> bool:
    """Whether the bytes begin like a HEIC or AVIF file."""
    return data[4:8] == b"ftyp" and any(
        brand in data[8:64] for brand in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
    )


def read_heif(data: bytes) -> HeifItems:
    """Find the EXIF and XMP items; never raises, whatever the bytes."""
    try:
        meta = next((body for kind, body in _boxes(data, 0) if kind == b"meta"), b"")
        parts = dict(_boxes(meta, 4))
        kinds = _item_kinds(parts.get(b"iinf", b""))
        places = _item_places(parts.get(b"iloc", b""))
    except (struct.error, IndexError):
        return HeifItems(problems=(tr("the item table of the picture cannot be read"),))
    found: dict[bytes, bytes] = {}
    for item, kind in kinds.items():
        if kind in (b"Exif", b"mime") and item in places:
            found.setdefault(kind, _content(data, places[item]))
    exif, xmp = found.get(b"Exif"), found.get(b"mime")
    return HeifItems(_from_tiff_header(exif) if exif else None, xmp or None)


def _boxes(data: bytes, position: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each box; a size that lies ends the walk at the end of `data`."""
    for _ in range(MAX_BOXES):
        if position + 8 > len(data):
            return
        size, kind = struct.unpack_from(">L4s", data, position)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, position + 8)
            header = 16
        end = len(data) if size == 0 else position + size
        if end < position + header:
            return
        # Picture data are never asked for here and may be large.
        yield kind, b"" if kind == b"mdat" else data[position + header : end]
        position = end


def _item_kinds(body: bytes) -> dict[int, bytes]:
    """Item number to its kind; only XMP is kept of the items of kind `mime`."""
    kinds: dict[int, bytes] = {}
    for kind, entry in _boxes(body, 6 if body[:1] == b"\0" else 8):
        if kind != b"infe" or entry[:1] not in (b"\2", b"\3") or len(kinds) >= MAX_ITEMS:
            continue
        code = ">H2x4s" if entry[:1] == b"\2" else ">L2x4s"
        item, item_kind = struct.unpack_from(code, entry, 4)
        if item_kind != b"mime" or b"application/rdf+xml" in entry:
            kinds[item] = item_kind
    return kinds


@dataclass
class _Cursor:
    data: bytes
    position: int = 0

    def number(self, size: int) -> int:
        if self.position + size > len(self.data):
            raise struct.error("the table ends early")
        value = int.from_bytes(self.data[self.position : self.position + size], "big")
        self.position += size
        return value


def _item_places(body: bytes) -> dict[int, list[tuple[int, int]]]:
    """Item number to (offset in the file, length) of its parts."""
    if not body:
        return {}
    cursor = _Cursor(body, 4)
    version, sizes = body[0], cursor.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(cursor.number(4 if version == 2 else 2), MAX_ITEMS)):
        item = cursor.number(4 if version == 2 else 2)
        method = cursor.number(2) & 15 if version in (1, 2) else 0
        cursor.number(2)
        base = cursor.number(base_size)
        parts = []
        for _ in range(min(cursor.number(2), 64)):
            cursor.number(index_size)
            parts.append((base + cursor.number(offset_size), cursor.number(length_size)))
        if method == 0:  # other methods point into boxes that hold no EXIF in practice
            places[item] = parts
    return places


def _content(data: bytes, parts: list[tuple[int, int]]) -> bytes:
    content = b""
    for offset, length in parts:
        content += data[offset : offset + min(length, MAX_ITEM_BYTES)]
        if len(content) > MAX_ITEM_BYTES:
            return b""
    return content


def _from_tiff_header(item: bytes) -> bytes | None:
    """The item begins with the distance to the TIFF header (ISO/IEC 23008-12, A.2.1)."""
    if len(item) < 8:
        return None
    start = 4 + int.from_bytes(item[:4], "big")
    return item[start:] or None
