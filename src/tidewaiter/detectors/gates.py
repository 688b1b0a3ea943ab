"""Conditions that several validity gates share."""

from __future__ import annotations

from tidewaiter.traces.compression import Compression
from tidewaiter.vocabulary import Check, tr


def compression_check(compression: Compression, quality: int) -> Check:
    """That the file lost no more than a JPEG of this quality."""
    found = (
        tr("{format}", format=compression.format or "?")
        if compression.quality is None
        else tr("JPEG {quality}", quality=compression.quality)
    )
    return Check(
        name=tr("compression"),
        found=found,
        needed=tr("lossless or JPEG {quality} or better", quality=quality),
        passed=compression.at_least(quality),
    )
