"""The chunks of a PNG file: words, EXIF, colour profile, credentials, where it ends.

Bounded and without decoding pixels. Source: W3C PNG Specification, Third Edition.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from tidewaiter.traces.generation import holds_recipe
from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
MAX_TEXTS = 32
MAX_TEXT_BYTES = 1024 * 1024
"""Bytes of one text after inflating; generation parameters are a few tens of kilobytes."""

_XMP_KEYWORD = "XML:com.adobe.xmp"


@dataclass(frozen=True)
class PngLayout:
    """What lies in a PNG file besides its pixels.

    `texts` are (keyword, words) with words cut for display; `names` are the chunk types
    in order, repeats left out; `recipes` the keywords whose words are a generator's
    settings; `end` is the offset after IEND, None where it is missing.
    """

    names: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    recipes: tuple[str, ...] = ()
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    end: int | None = None
    problems: tuple[Text, ...] = ()


def read_png(data: bytes) -> PngLayout:
    """Read the chunks; never raises, whatever the bytes."""
    reading = _Reading(data)
    reading.run()
    return PngLayout(
        names=tuple(reading.names),
        texts=tuple(reading.texts),
        recipes=tuple(reading.recipes),
        exif=reading.exif,
        xmp=reading.xmp,
        icc=reading.icc,
        end=reading.end,
        problems=tuple(reading.problems),
    )


@dataclass
class _Reading:
    data: bytes
    names: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    recipes: list[str] = field(default_factory=list)
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    end: int | None = None
    problems: list[Text] = field(default_factory=list)

    def run(self) -> None:
        position = len(SIGNATURE)
        for _ in range(MAX_CHUNKS):
            if position + 12 > len(self.data):
                self.problems.append(tr("the PNG has no end chunk: the file ends early"))
                return
            length, kind = struct.unpack_from(">L4s", self.data, position)
            name = shown(kind.decode("latin-1"), 4)
            if not self.names or self.names[-1] != name:
                self.names.append(name)
            self._chunk(kind, position + 8, length)
            position += 12 + length
            if kind == b"IEND":
                self.end = min(position, len(self.data))
                return
        self.problems.append(tr("more than {limit} PNG chunks", limit=MAX_CHUNKS))

    def _chunk(self, kind: bytes, start: int, length: int) -> None:
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"):
            return
        body = self.data[start : start + length]
        if kind == b"eXIf":
            self.exif = body
        elif kind == b"iCCP":
            self.icc = self._inflate(body.partition(b"\0")[2][1:])
        elif len(self.texts) < MAX_TEXTS:
            self._text(kind, body)

    def _text(self, kind: bytes, body: bytes) -> None:
        keyword, _, rest = body.partition(b"\0")
        name = shown(keyword.decode("latin-1"), 79)
        if kind == b"zTXt":
            words = self._inflate(rest[1:])
        elif kind == b"iTXt":
            parts = rest[2:].split(b"\0", 2)
            words = parts[-1] if len(parts) == 3 else b""
            words = self._inflate(words) if rest[:1] == b"\1" else words
        else:
            words = rest
        if name == _XMP_KEYWORD:
            self.xmp = words
        else:
            self.texts.append((name, shown(words)))
            if holds_recipe(name, words[:MAX_TEXT_BYTES].decode("utf-8", errors="replace")):
                self.recipes.append(name)

    def _inflate(self, packed: bytes) -> bytes:
        """At most MAX_TEXT_BYTES of the inflated bytes; empty where they cannot be read."""
        try:
            return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES)
        except zlib.error:
            self.problems.append(tr("a compressed PNG chunk cannot be read"))
            return b""
