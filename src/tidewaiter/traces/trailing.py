"""Bytes after the end of a picture, and what kind of file they would be by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCANNED_BYTES = 4096
_ZIP_END = b"PK\x05\x06"
_ZIP_END_SPAN = 65_557  # APPNOTE 4.3.16: end record of 22 bytes and a comment of at most 65,535


class TrailingKind(StrEnum):
    """What the bytes after the end look like."""

    PADDING = "padding"
    PICTURE = "picture"
    VIDEO = "video"
    PHONE = "phone data"
    ARCHIVE = "archive"
    DOCUMENT = "document"
    PROGRAM = "program or script"
    TEXT = "text"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Trailing:
    """`byte_length` bytes follow the end of the picture at `offset`."""

    offset: int
    byte_length: int
    kind: TrailingKind


_STARTS: tuple[tuple[bytes, TrailingKind], ...] = (
    (b"\xff\xd8\xff", TrailingKind.PICTURE),
    (b"\x89PNG", TrailingKind.PICTURE),
    (b"PK\x03\x04", TrailingKind.ARCHIVE),
    (b"Rar!\x1a\x07", TrailingKind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", TrailingKind.ARCHIVE),
    (b"\x1f\x8b\x08", TrailingKind.ARCHIVE),
    (b"%PDF-", TrailingKind.DOCUMENT),
    (b"MZ", TrailingKind.PROGRAM),
    (b"\x7fELF", TrailingKind.PROGRAM),
    (b"<?php", TrailingKind.PROGRAM),
    (b"#!/", TrailingKind.PROGRAM),
    (b"<script", TrailingKind.PROGRAM),
    (b"<html", TrailingKind.PROGRAM),
    (b"<!doctype html", TrailingKind.PROGRAM),
)
# Words that phones put near the start or the end of what they append.
_PHONE_WORDS = (b"SEFT", b"SEFH", b"MotionPhoto_Data", b"Image_UTC_Data", b"LIVE_", b"DepthMap")


def read_trailing(data: bytes, end: int | None) -> Trailing | None:
    """What follows `end` in the file; None where nothing follows or the end is unknown."""
    if end is None or end >= len(data):
        return None
    return Trailing(end, len(data) - end, _kind(data[end : end + SCANNED_BYTES], data, end))


def _kind(start: bytes, data: bytes, end: int) -> TrailingKind:
    if not start.strip(b"\0\xff \r\n\t") and not data[end:].strip(b"\0\xff \r\n\t"):
        return TrailingKind.PADDING
    tail = data[max(end, len(data) - SCANNED_BYTES) :]
    if any(word in start or word in tail for word in _PHONE_WORDS):
        return TrailingKind.PHONE
    body = start.lstrip(b"\0 \r\n\t")
    lowered = body[:32].lower()
    for signature, kind in _STARTS:
        if body.startswith(signature) or lowered.startswith(signature):
            return kind
    if b"ftyp" in start[:64]:
        return TrailingKind.VIDEO
    if data.find(_ZIP_END, max(end, len(data) - _ZIP_END_SPAN)) >= 0:
        return TrailingKind.ARCHIVE
    printable = sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in body[:512])
    return (
        TrailingKind.TEXT if body and printable >= 0.95 * len(body[:512]) else TrailingKind.UNKNOWN
    )
