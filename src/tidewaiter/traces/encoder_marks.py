"""Names that encoders write into the picture stream itself, in any container.

x264 and x265 state version and settings in a user-data message of the first frame;
FFmpeg, GStreamer and broadcast multiplexers leave shorter names. Bytes are searched,
nothing is decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from tidewaiter.traces.shown import shown

SEARCHED_BYTES = 2 * 1024 * 1024
"""Bytes searched from the start of the media data."""

_MARKS = (
    re.compile(rb"x264 - core [0-9]+[ -~]{0,600}"),
    re.compile(rb"x265 \(build [0-9]+\)[ -~]{0,600}"),
    re.compile(rb"Lavc[0-9]+\.[0-9]+\.[0-9]+[ -~]{0,30}"),
    re.compile(rb"SVT-AV1 Encoder[ -~]{0,60}"),
    re.compile(rb"(?:Xvi|DivX)[D0-9][ -~]{2,20}"),
)
# Published UUIDs of user-data messages: ONVIF Media Signing Specification 1.0.
_ONVIF_SIGNING = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")


@dataclass(frozen=True)
class EncoderMarks:
    """Names found, in order of the search; `signed_stream` where ONVIF signing messages lie."""

    names: tuple[str, ...] = ()
    signed_stream: bool = False


def read_encoder_marks(stream: BinaryIO, offset: int) -> EncoderMarks:
    """Search the media data from `offset` on, at most SEARCHED_BYTES."""
    stream.seek(offset)
    data = stream.read(SEARCHED_BYTES)
    found = (mark.search(data) for mark in _MARKS)
    return EncoderMarks(
        names=tuple(shown(match[0]) for match in found if match is not None),
        signed_stream=_ONVIF_SIGNING in data,
    )
