"""The chunks of a RIFF file (WebP pictures, AVI videos), read with bounds.

Sources: RFC 9649 (WebP); Microsoft Multimedia Programming Interface 1.0 (RIFF, INFO).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_CHUNKS = 4096
MAX_CHUNK_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 4

# INFO: program, creation date, source, comment, copyright, engineer.
_WORDS = {b"ISFT", b"ICRD", b"ISRC", b"ICMT", b"ICOP", b"IENG", b"IDIT", b"strn"}
_PAYLOADS = {b"EXIF": "exif", b"XMP ": "xmp", b"ICCP": "icc", b"_PMX": "xmp"}
_LISTS = {b"hdrl", b"strl", b"INFO", b"odml"}


@dataclass(frozen=True)
class RiffLayout:
    """What a RIFF file says besides its media. `end` is where the outermost chunk ends."""

    form: str = ""
    names: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    end: int | None = None
    problems: tuple[Text, ...] = ()


def read_riff(stream: BinaryIO, byte_length: int) -> RiffLayout:
    """Read the chunks of a seekable stream of `byte_length` bytes; never raises for content."""
    head = _at(stream, 0, 12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64"):
        return RiffLayout(problems=(tr("the file does not start with a RIFF header"),))
    end = 8 + struct.unpack_from("<L", head, 4)[0]
    end += end % 2
    reading = _Reading(stream, byte_length)
    if end > byte_length:
        reading.problems.append(
            tr(
                "the RIFF header promises {end} bytes; the file has {found}",
                end=end,
                found=byte_length,
            )
        )
    reading.walk(12, min(end, byte_length), 0)
    return RiffLayout(
        form=shown(head[8:12], 4),
        names=tuple(dict.fromkeys(reading.names)),
        words=tuple(reading.words),
        exif=reading.payloads.get("exif"),
        xmp=reading.payloads.get("xmp"),
        icc=reading.payloads.get("icc"),
        end=end if end <= byte_length else None,
        problems=tuple(reading.problems),
    )


class _Reading:
    def __init__(self, stream: BinaryIO, byte_length: int) -> None:
        self.stream = stream
        self.byte_length = byte_length
        self.names: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.payloads: dict[str, bytes] = {}
        self.problems: list[Text] = []
        self.count = 0

    def walk(self, position: int, end: int, depth: int) -> None:
        while position + 8 <= end:
            self.count += 1
            if self.count > MAX_CHUNKS:
                self.problems.append(tr("more than {limit} RIFF chunks", limit=MAX_CHUNKS))
                return
            kind, length = struct.unpack("<4sL", _at(self.stream, position, 8))
            self.names.append(shown(kind, 4))
            if position + 8 + length > end + 1:
                self.problems.append(
                    tr("the chunk {name} is longer than what holds it", name=shown(kind, 4))
                )
            self._chunk(kind, position + 8, min(length, end - position - 8), depth)
            position += 8 + length + length % 2

    def _chunk(self, kind: bytes, start: int, length: int, depth: int) -> None:
        if kind == b"LIST" and depth < MAX_DEPTH:
            if _at(self.stream, start, 4) in _LISTS:
                self.walk(start + 4, start + length, depth + 1)
        elif kind in _WORDS:
            words = shown(_at(self.stream, start, min(length, 1024)))
            if words:
                self.words.append((shown(kind, 4), words))
        elif kind in _PAYLOADS and length <= MAX_CHUNK_BYTES:
            self.payloads.setdefault(_PAYLOADS[kind], _at(self.stream, start, length))


def _at(stream: BinaryIO, position: int, length: int) -> bytes:
    stream.seek(position)
    return stream.read(length)
