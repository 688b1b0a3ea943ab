"""Small riders inside picture files: Photoshop resources, IPTC fields, colour profile names.

Bounded readers on bytes. Sources: Adobe Photoshop File Formats (image resources),
IPTC-IIM 4.2, ICC.1:2022.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_RESOURCES = 256
MAX_FIELDS = 256

_IPTC_RESOURCE = 0x0404
_IPTC_FIELDS = {
    55: "date_created",
    60: "time_created",
    65: "program",
    70: "program_version",
    80: "by_line",
    110: "credit",
    115: "source",
    116: "copyright",
}


@dataclass(frozen=True)
class Photoshop:
    """What image resources say: how many there are, and the IPTC fields among them."""

    resources: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Text, ...] = ()


def read_photoshop(data: bytes) -> Photoshop:
    """Read image resources (the body of APP13 `Photoshop 3.0`); never raises."""
    count, position = 0, 0
    fields: dict[str, str] = {}
    while data[position : position + 4] == b"8BIM" and count < MAX_RESOURCES:
        resource = data[position + 4 : position + 6]
        name_length = data[position + 6] if position + 6 < len(data) else 0
        start = position + 7 + name_length + (name_length + 1) % 2
        if len(data) < start + 4:
            return Photoshop(count, fields, (tr("a Photoshop resource ends early"),))
        (length,) = struct.unpack_from(">L", data, start)
        if len(resource) == 2 and struct.unpack(">H", resource)[0] == _IPTC_RESOURCE:
            fields.update(_iptc(data[start + 4 : start + 4 + length]))
        count += 1
        position = start + 4 + length + length % 2
    return Photoshop(count, fields)


def profile_name(icc: bytes) -> str:
    """The description of an ICC profile, or an empty string where it cannot be read."""
    try:
        (count,) = struct.unpack_from(">L", icc, 128)
        for index in range(min(count, 64)):
            signature, offset, length = struct.unpack_from(">4sLL", icc, 132 + 12 * index)
            if signature == b"desc":
                return _description(icc[offset : offset + min(length, 4096)])
    except struct.error:
        return ""
    return ""


def _iptc(data: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    position = 0
    for _ in range(MAX_FIELDS):
        if position + 5 > len(data) or data[position] != 0x1C:
            break
        record, number = data[position + 1], data[position + 2]
        (length,) = struct.unpack_from(">H", data, position + 3)
        if length & 0x8000:  # extended lengths are for pictures, not for words
            break
        if record == 2 and number in _IPTC_FIELDS:
            fields[_IPTC_FIELDS[number]] = shown(data[position + 5 : position + 5 + length])
        position += 5 + length
    return {name: value for name, value in fields.items() if value}


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        (length,) = struct.unpack_from(">L", tag, 8)
        return shown(tag[12 : 12 + length].split(b"\0")[0])
    if tag[:4] == b"mluc":
        length, offset = struct.unpack_from(">LL", tag, 20)
        return shown(tag[offset : offset + length].decode("utf-16-be", errors="replace"))
    return ""
