"""What a Matroska or WebM file says about its making: programs, date, title, duration.

Only the first megabytes are read and only the Info element is opened. Source: RFC 9559
(Matroska), RFC 8794 (EBML).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_ELEMENTS = 2000
MAX_INFO_BYTES = 64 * 1024

_SEGMENT, _INFO, _CLUSTER = 0x18538067, 0x1549A966, 0x1F43B675
_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_MUXER, _WRITER, _TITLE, _DATE = 0x4D80, 0x5741, 0x7BA9, 0x4461
_EPOCH = datetime(2001, 1, 1)  # noqa: DTZ001 - shown as written, in UTC


@dataclass(frozen=True)
class MatroskaLayout:
    """The Info element: `muxer` wrote the container, `writer` is the program around it."""

    doc_type: str = ""
    muxer: str = ""
    writer: str = ""
    title: str = ""
    created: datetime | None = None
    problems: tuple[Text, ...] = ()


def read_matroska(stream: BinaryIO, byte_length: int) -> MatroskaLayout:
    """Read the Info element of a seekable stream; never raises for content."""
    found: dict[int, bytes] = {}
    problems: list[Text] = []
    waiting = [(0, byte_length)]
    count = 0
    while waiting:
        position, end = waiting.pop()
        while position < end:
            count += 1
            element = _element(stream, position)
            if element is None or count > MAX_ELEMENTS:
                problems.append(
                    tr("the Matroska structure cannot be read at byte {at}", at=position)
                )
                break
            kind, start, length = element
            stop = end if length is None else min(start + length, end)
            if kind == _CLUSTER:
                break
            if kind in (_SEGMENT, _EBML, _INFO):
                waiting.append((stop, end))
                end, stop = stop, start
            elif kind in (_DOC_TYPE, _MUXER, _WRITER, _TITLE, _DATE):
                found.setdefault(kind, _at(stream, start, min(stop - start, MAX_INFO_BYTES)))
            position = stop
    return MatroskaLayout(
        doc_type=shown(found.get(_DOC_TYPE, b"")),
        muxer=shown(found.get(_MUXER, b"")),
        writer=shown(found.get(_WRITER, b"")),
        title=shown(found.get(_TITLE, b"")),
        created=_time(found.get(_DATE, b"")),
        problems=tuple(problems[:1]),
    )


def _element(stream: BinaryIO, position: int) -> tuple[int, int, int | None] | None:
    """Kind, start of the body and its length (None: unknown) of the element at `position`."""
    head = _at(stream, position, 12)
    if not head or not head[0] & 0xF0:
        return None
    kind_length = 9 - head[0].bit_length()
    kind = int.from_bytes(head[:kind_length], "big")
    if len(head) <= kind_length or not head[kind_length]:
        return None
    first = head[kind_length]
    length_length = 9 - first.bit_length()
    raw = head[kind_length : kind_length + length_length]
    if len(raw) < length_length:
        return None
    mask = (1 << (7 * length_length)) - 1
    length = int.from_bytes(raw, "big") & mask
    return kind, position + kind_length + length_length, None if length == mask else length


def _time(raw: bytes) -> datetime | None:
    """Nanoseconds since 2001, signed."""
    if len(raw) != 8:
        return None
    try:
        return _EPOCH + timedelta(microseconds=struct.unpack(">q", raw)[0] // 1000)
    except OverflowError:
        return None


def _at(stream: BinaryIO, position: int, length: int) -> bytes:
    stream.seek(position)
    return stream.read(length)
