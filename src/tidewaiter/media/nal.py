"""Take coded pictures apart into the units that carry the picture, whatever the container.

The same H.264 or H.265 stream lies in MP4 with a length before each unit and in a transport
stream with a start code; the parameter sets lie beside the pictures or among them. What is
left when all that is taken away is the same in every container, and that is what gets hashed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tidewaiter.errors import CorruptMedia

UNIT_CODECS = ("h264", "hevc")
"""Codecs whose pictures come in NAL units."""

# Rec. ITU-T H.264, table 7-1: coded slices and slice data partitions.
H264_PICTURE = frozenset(range(1, 6))
H264_SEI, H264_PARAMETERS = frozenset({6}), frozenset({7, 8, 13, 15})
# Rec. ITU-T H.265, table 7-1: every VCL type.
HEVC_PICTURE = frozenset(range(32))
HEVC_SEI, HEVC_PARAMETERS = frozenset({39, 40}), frozenset({32, 33, 34})

# Rec. ITU-T H.264, annex D.1.7: payload type of "user data unregistered".
USER_DATA_UNREGISTERED = 5
UUID_LENGTH = 16

# First start code of a picture: MPEG-4 Visual VOP; MPEG-1/2 picture header.
PICTURE_STARTS = {"mpeg4": b"\x00\x00\x01\xb6", "mpeg2video": b"\x00\x00\x01\x00"}
PICTURE_STARTS["mpeg1video"] = PICTURE_STARTS["mpeg2video"]

_START_CODE = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True)
class Units:
    """The units of one coded picture by what they carry."""

    picture: tuple[bytes, ...]
    parameters: tuple[bytes, ...]
    messages: tuple[bytes, ...]

    def marks(self) -> tuple[str, ...]:
        """UUIDs (hex) of the user data in the messages, such as a signature's."""
        return tuple(mark for unit in self.messages for mark in _uuids(unit))


class Splitter:
    """Takes the packets of one stream apart.

    `configuration` is the stream's own header (avcC, hvcC or start codes), from which the
    width of length fields is read: it is not always four bytes.
    """

    def __init__(self, codec: str, configuration: bytes) -> None:
        self.codec = codec
        self.length_width = length_width(codec, configuration)
        self.parameters = tuple(parameter_sets(codec, configuration))

    def units(self, packet: bytes) -> Units:
        """The units of one packet; a codec without units is one picture unit.

        Raises CorruptMedia where a length field points beyond the packet.
        """
        if self.codec not in UNIT_CODECS:
            return Units((_from_picture_start(self.codec, packet),), (), ())
        return _sorted_units(self.codec, self.in_order(packet))

    def in_order(self, packet: bytes) -> Iterator[bytes]:
        """Every unit of a packet of H.264 or H.265, as they lie in it.

        Raises CorruptMedia where a length field points beyond the packet.
        """
        if self.length_width and not _has_start_code(packet, self.length_width):
            return by_lengths(packet, self.length_width)
        return by_start_codes(packet)


def by_lengths(data: bytes, width: int) -> Iterator[bytes]:
    """Units that each follow a big-endian length of `width` bytes, trailing zeros dropped."""
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + width], "big")
        start = position + width
        if length > len(data) - start:
            raise CorruptMedia(
                f"a coded picture of {len(data)} bytes announces a part of {length} bytes at "
                f"byte {position}; the recording is cut off or was tampered with there"
            )
        unit = data[start : start + length].rstrip(b"\x00")
        if unit:
            yield unit
        position = start + length


def by_start_codes(data: bytes) -> Iterator[bytes]:
    """Units between start codes (Rec. ITU-T H.264, annex B), trailing zeros dropped."""
    starts = [match.end() for match in _START_CODE.finditer(data)]
    ends = [*(start - 3 for start in starts[1:]), len(data)]
    for start, end in zip(starts, ends, strict=False):
        unit = data[start:end].rstrip(b"\x00")
        if unit:
            yield unit


def length_width(codec: str, configuration: bytes) -> int:
    """Bytes of the length before each unit; 0 where units follow start codes.

    ISO/IEC 14496-15, 5.3.3.1 (avcC) and 8.3.3.1 (hvcC): the lower two bits plus one.
    """
    if len(configuration) < 7 or configuration[0] != 1:
        return 0
    if codec == "h264":
        return (configuration[4] & 3) + 1
    if codec == "hevc" and len(configuration) > 22:
        return (configuration[21] & 3) + 1
    return 0


def parameter_sets(codec: str, configuration: bytes) -> Iterator[bytes]:
    """The parameter sets in a stream's own header; what breaks off is left out."""
    if codec not in UNIT_CODECS:
        return
    if not length_width(codec, configuration):
        yield from _sorted_units(codec, by_start_codes(configuration)).parameters
    elif codec == "h264":
        yield from _avc_sets(configuration)
    else:
        yield from _hevc_sets(configuration)


def unit_type(codec: str, unit: bytes) -> int:
    """The NAL unit type, from the first byte."""
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def _avc_sets(configuration: bytes) -> Iterator[bytes]:
    position = 5
    for mask in (0x1F, 0xFF):
        if position >= len(configuration):
            return
        count = configuration[position] & mask
        position += 1
        for _ in range(count):
            unit, position = _sized(configuration, position)
            if unit:
                yield unit


def _hevc_sets(configuration: bytes) -> Iterator[bytes]:
    position = 23
    for _ in range(configuration[22]):
        count = int.from_bytes(configuration[position + 1 : position + 3], "big")
        position += 3
        for _ in range(count):
            unit, position = _sized(configuration, position)
            if not unit:
                return
            if unit_type("hevc", unit) in HEVC_PARAMETERS:
                yield unit


def _sized(data: bytes, position: int) -> tuple[bytes, int]:
    """What follows a length of two bytes, without trailing zeros, and where it ends."""
    end = position + 2 + int.from_bytes(data[position : position + 2], "big")
    return data[position + 2 : end].rstrip(b"\x00"), end


def _has_start_code(packet: bytes, width: int) -> bool:
    """Start codes in a stream that announces lengths: some writers leave them in."""
    if not packet.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01")):
        return False
    # A length of 1 or of 256 to 511 bytes looks like a start code; then the lengths must add up.
    position = 0
    while position < len(packet):
        position += width + int.from_bytes(packet[position : position + width], "big")
    return position != len(packet)


def _sorted_units(codec: str, parts: Iterable[bytes]) -> Units:
    places: tuple[list[bytes], ...] = ([], [], [])
    kinds = (
        (H264_PICTURE, H264_PARAMETERS, H264_SEI)
        if codec == "h264"
        else (HEVC_PICTURE, HEVC_PARAMETERS, HEVC_SEI)
    )
    for unit in parts:
        found = unit_type(codec, unit)
        for kind, place in zip(kinds, places, strict=True):
            if found in kind:
                place.append(unit)
    picture, parameters, messages = map(tuple, places)
    return Units(picture, parameters, messages)


def _from_picture_start(codec: str, packet: bytes) -> bytes:
    """Some containers repeat the stream's header before a picture and others do not."""
    start = packet.find(PICTURE_STARTS[codec]) if codec in PICTURE_STARTS else 0
    return packet[max(start, 0) :]


def _uuids(unit: bytes) -> Iterator[str]:
    """UUIDs of user data in a supplemental message of H.264 (one-byte header) or H.265 (two)."""
    position = 1 if unit[0] & 0x1F in H264_SEI else 2
    while position + 2 <= len(unit):
        kind, position = _grown(unit, position)
        size, position = _grown(unit, position)
        if kind == USER_DATA_UNREGISTERED and position + UUID_LENGTH <= len(unit):
            yield unit[position : position + UUID_LENGTH].hex()
        position += size


def _grown(unit: bytes, position: int) -> tuple[int, int]:
    """A number written as bytes of 255 and a last smaller one; and where it ends."""
    value = 0
    while position < len(unit) and unit[position] == 0xFF:
        value, position = value + 255, position + 1
    return value + (unit[position] if position < len(unit) else 0), position + 1
