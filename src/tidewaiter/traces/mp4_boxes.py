"""The box tree of MP4 and QuickTime files, read with bounds and without decoding.

Boxes may lie about their size, hold each other to any depth or be empty; every read is
limited and no size is believed beyond what holds it. Sources: ISO/IEC 14496-12,
Apple QuickTime File Format (udta, keys/ilst), ISO 16684-1 (XMP box).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_BOXES = 200_000
"""A fragmented recording of hours has tens of thousands."""
MAX_DEPTH = 12
MAX_BODY_BYTES = 1024 * 1024
"""Bytes read of one box, at most."""
MAX_SHOWN_BOXES = 60
MAX_WORDS = 64

_EPOCH = datetime(1904, 1, 1)  # noqa: DTZ001 - file times carry no zone and are shown as written
_HOLDERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"meta", b"ilst"}
)
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True)
class Edit:
    """One entry of an edit list, in seconds; `media_s` is None for an empty stretch."""

    span_s: float
    media_s: float | None


@dataclass(frozen=True)
class Mp4Track:
    """One track: its kind (`vide`, `soun` …), handler, codec, times and lengths in seconds."""

    kind: str
    handler: str = ""
    codec: str = ""
    compressor: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    span_s: float | None = None
    media_span_s: float | None = None
    samples_span_s: float | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Mp4Layout:
    """What an MP4 or QuickTime file says. `top` is (box, bytes) in file order.

    `words` are (name, words) of user data and metadata keys; `media_offset` is where the
    first media data begin; `promised_end` is where the file must end to be complete.
    """

    brand: str = ""
    brands: tuple[str, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
    span_s: float | None = None
    fragmented: bool = False
    tracks: tuple[Mp4Track, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    xmp: bytes | None = None
    credentials: bool = False
    media_offset: int | None = None
    promised_end: int | None = None
    problems: tuple[Text, ...] = ()


def read_mp4(stream: BinaryIO, byte_length: int) -> Mp4Layout:
    """Read the boxes of a seekable stream of `byte_length` bytes; never raises for content."""
    reading = _Reading(stream, byte_length)
    reading.walk(0, byte_length, 0)
    return Mp4Layout(
        brand=reading.brand,
        brands=reading.brands,
        top=tuple(reading.top[:MAX_SHOWN_BOXES]),
        created=reading.times[0],
        modified=reading.times[1],
        span_s=reading.span_s,
        fragmented=reading.fragmented,
        tracks=tuple(_track(raw, reading.timescale) for raw in reading.tracks),
        words=tuple(reading.words),
        xmp=reading.xmp,
        credentials=reading.credentials,
        media_offset=reading.media_offset,
        promised_end=reading.promised_end,
        problems=tuple(reading.problems),
    )


@dataclass
class _RawTrack:
    kind: str = ""
    handler: str = ""
    codec: str = ""
    compressor: str = ""
    times: tuple[datetime | None, datetime | None] = (None, None)
    span: int = 0
    timescale: int = 0
    media_span: int = 0
    samples_span: int | None = None
    edits: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class _Reading:
    stream: BinaryIO
    byte_length: int
    count: int = 0
    brand: str = ""
    brands: tuple[str, ...] = ()
    top: list[tuple[str, int]] = field(default_factory=list)
    times: tuple[datetime | None, datetime | None] = (None, None)
    timescale: int = 0
    span_s: float | None = None
    fragmented: bool = False
    tracks: list[_RawTrack] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    xmp: bytes | None = None
    credentials: bool = False
    media_offset: int | None = None
    promised_end: int | None = None
    problems: list[Text] = field(default_factory=list)

    def walk(self, position: int, end: int, depth: int, inside: bytes = b"") -> None:
        """All boxes between two offsets; a size beyond `end` is reported and cut."""
        while position + 8 <= end:
            self.count += 1
            if self.count > MAX_BOXES:
                self._problem(tr("more than {limit} boxes", limit=MAX_BOXES))
                return
            kind, header, size = self._header(position, end)
            if size < header:
                if size or any(self._at(position, 8)):
                    self._problem(
                        tr(
                            "the box {name} gives {size} bytes as its size",
                            name=_name(kind),
                            size=size,
                        )
                    )
                return
            if position + size > end:
                self._overlong(kind, position + size, end, depth)
            if depth == 0:
                self.top.append((_name(kind), size))
            self._box(kind, position + header, min(position + size, end), depth, inside)
            position += size
        if depth == 0 and self.promised_end is None:
            self.promised_end = position

    def _header(self, position: int, end: int) -> tuple[bytes, int, int]:
        size, kind = struct.unpack(">L4s", self._at(position, 8))
        if size == 1:
            wide = self._at(position + 8, 8)
            return kind, 16, struct.unpack(">Q", wide)[0] if len(wide) == 8 else 0
        if size == 0 and kind.strip(b"\0"):
            return kind, 8, end - position  # to the end of what holds it
        return kind, 8, size

    def _overlong(self, kind: bytes, promised: int, end: int, depth: int) -> None:
        if depth == 0:
            self.promised_end = promised
            self._problem(
                tr(
                    "the box {name} promises bytes up to {promised}; the file has {found}",
                    name=_name(kind),
                    promised=promised,
                    found=end,
                )
            )
        else:
            self._problem(tr("the box {name} is longer than what holds it", name=_name(kind)))

    def _box(self, kind: bytes, start: int, end: int, depth: int, inside: bytes) -> None:
        if kind == b"trak" and len(self.tracks) < MAX_WORDS:
            self.tracks.append(_RawTrack())
        if kind in (b"moof", b"mvex"):
            self.fragmented = True
        if kind == b"mdat" and self.media_offset is None:
            self.media_offset = start
        if kind in _HOLDERS or inside == b"ilst":
            if depth >= MAX_DEPTH:
                self._problem(tr("boxes lie deeper than {limit} levels", limit=MAX_DEPTH))
                return
            self.walk(start + self._skip(kind, start), end, depth + 1, kind)
            return
        try:
            self._leaf(kind, start, min(end - start, MAX_BODY_BYTES), inside)
        except (struct.error, IndexError):
            self._problem(tr("the box {name} ends early", name=_name(kind)))

    def _leaf(self, kind: bytes, start: int, length: int, inside: bytes) -> None:
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, self._at(start, length))
        elif kind == b"data":
            self._word(self._key(inside), self._at(start, length)[8:])
        elif inside == b"udta" and kind[:1] == b"\xa9":
            self._word(_name(kind), self._at(start, length)[4:])

    def _skip(self, kind: bytes, start: int) -> int:
        """`meta` is a full box in MP4 and a plain one in QuickTime; tell by what follows."""
        return 4 if kind == b"meta" and self._at(start + 4, 4) != b"hdlr" else 0

    def _key(self, inside: bytes) -> str:
        """The name of an ilst item: by index into `keys`, else the box's own name."""
        index = int.from_bytes(inside, "big")
        return self.keys[index - 1] if 0 < index <= len(self.keys) else _name(inside)

    def _word(self, name: str, raw: bytes) -> None:
        words = shown(raw)
        if words and len(self.words) < MAX_WORDS:
            self.words.append((name, words))

    def _problem(self, problem: Text) -> None:
        if problem not in self.problems and len(self.problems) < MAX_WORDS:
            self.problems.append(problem)

    def _at(self, position: int, length: int) -> bytes:
        self.stream.seek(position)
        return self.stream.read(length)


def _ftyp(reading: _Reading, body: bytes) -> None:
    names = [shown(body[i : i + 4], 4) for i in (0, *range(8, min(len(body), 136), 4))]
    reading.brand, reading.brands = names[0], tuple(name for name in names[1:] if name)


def _mvhd(reading: _Reading, body: bytes) -> None:
    times, scale, span = _timed_header(body)
    reading.times, reading.timescale = times, scale
    reading.span_s = span / scale if scale else None


def _tkhd(reading: _Reading, body: bytes) -> None:
    if reading.tracks:
        code, at = (">QQL4xQ", 4) if body[:1] == b"\1" else (">LLL4xL", 4)
        created, modified, _, span = struct.unpack_from(code, body, at)
        reading.tracks[-1].times = (_time(created), _time(modified))
        reading.tracks[-1].span = _known(span, body)


def _mdhd(reading: _Reading, body: bytes) -> None:
    if reading.tracks:
        _, reading.tracks[-1].timescale, reading.tracks[-1].media_span = _timed_header(body)


def _hdlr(reading: _Reading, body: bytes) -> None:
    kind = shown(body[8:12], 4)
    if reading.tracks and not reading.tracks[-1].kind and kind not in ("mdir", "mdta"):
        name = body[24:]
        if name and name[0] == len(name) - 1:  # QuickTime counts, MP4 ends with a zero
            name = name[1:]
        reading.tracks[-1].kind = kind
        reading.tracks[-1].handler = shown(name.rstrip(b"\0"), 80)


def _stsd(reading: _Reading, body: bytes) -> None:
    if reading.tracks and len(body) >= 16:
        reading.tracks[-1].codec = shown(body[12:16], 4)
        if reading.tracks[-1].kind == "vide" and len(body) >= 90:
            name = body[58:90]
            reading.tracks[-1].compressor = shown(name[1 : 1 + min(name[0], 31)].rstrip(b"\0"))


def _stts(reading: _Reading, body: bytes) -> None:
    (count,) = struct.unpack_from(">L", body, 4)
    if reading.tracks and 8 + 8 * count <= len(body):
        pairs = struct.iter_unpack(">LL", body[8 : 8 + 8 * count])
        reading.tracks[-1].samples_span = sum(samples * delta for samples, delta in pairs)


def _elst(reading: _Reading, body: bytes) -> None:
    (count,) = struct.unpack_from(">L", body, 4)
    code = ">Qq4x" if body[:1] == b"\1" else ">Ll4x"
    for index in range(min(count, MAX_WORDS)):
        at = 8 + index * struct.calcsize(code)
        if reading.tracks:
            reading.tracks[-1].edits.append(struct.unpack_from(code, body, at))


def _keys(reading: _Reading, body: bytes) -> None:
    (count,) = struct.unpack_from(">L", body, 4)
    position = 8
    for _ in range(min(count, MAX_WORDS)):
        (length,) = struct.unpack_from(">L", body, position)
        if length < 8:
            return
        reading.keys.append(shown(body[position + 8 : position + length], 80))
        position += length


def _uuid(reading: _Reading, body: bytes) -> None:
    if body[:16] == _XMP_BOX:
        reading.xmp = body[16:]
    elif body[:16] == _C2PA_BOX:
        reading.credentials = True


def _xmp_atom(reading: _Reading, body: bytes) -> None:
    reading.xmp = body


_READERS = {
    b"ftyp": _ftyp,
    b"mvhd": _mvhd,
    b"tkhd": _tkhd,
    b"mdhd": _mdhd,
    b"hdlr": _hdlr,
    b"stsd": _stsd,
    b"stts": _stts,
    b"elst": _elst,
    b"keys": _keys,
    b"uuid": _uuid,
    b"XMP_": _xmp_atom,
}


def _timed_header(body: bytes) -> tuple[tuple[datetime | None, datetime | None], int, int]:
    code = ">QQLQ" if body[:1] == b"\1" else ">LLLL"
    created, modified, scale, span = struct.unpack_from(code, body, 4)
    return (_time(created), _time(modified)), scale, _known(span, body)


def _known(span: int, body: bytes) -> int:
    """All ones mean "not known"."""
    return 0 if span == (2**64 - 1 if body[:1] == b"\1" else 2**32 - 1) else span


def _time(seconds: int) -> datetime | None:
    """Seconds since 1904; zero means "not set"; some writers count from 1970 by mistake."""
    try:
        return _EPOCH + timedelta(seconds=seconds) if seconds else None
    except OverflowError:
        return None


def _track(raw: _RawTrack, movie_scale: int) -> Mp4Track:
    def seconds(value: int | None, scale: int) -> float | None:
        return value / scale if value and scale else None

    return Mp4Track(
        kind=raw.kind,
        handler=raw.handler,
        codec=raw.codec,
        compressor=raw.compressor,
        created=raw.times[0],
        modified=raw.times[1],
        span_s=seconds(raw.span, movie_scale),
        media_span_s=seconds(raw.media_span, raw.timescale),
        samples_span_s=seconds(raw.samples_span, raw.timescale),
        edits=tuple(
            Edit(
                span / movie_scale if movie_scale else 0.0,
                None if start < 0 or not raw.timescale else start / raw.timescale,
            )
            for span, start in raw.edits
        ),
    )


def _name(kind: bytes) -> str:
    return shown(kind.decode("latin-1"), 4)
