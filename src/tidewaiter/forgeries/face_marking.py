"""Forged pictures as files that say so: PNG with a note that any viewer of metadata shows."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from tidewaiter.forgeries.face_forgery import Pixels

NOTE = "made by Tidewaiter for tests"
# PNG (ISO/IEC 15948), 5.2 and 11.2.2: signature of 8 bytes, IHDR chunk of 25.
AFTER_HEADER = 8 + 25


def marked(pixels: Pixels, species: str, seed: int) -> bytes:
    """A PNG of RGB pixels whose text chunks say who made it, by which recipe and seed.

    The same arguments give the same bytes with the same OpenCV.
    """
    import cv2

    _, stored = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    plain = stored.tobytes()
    texts = {
        "Software": "Tidewaiter",
        "Warning": f"Forged face, {NOTE}",
        "Comment": f"{NOTE}; species {species}; seed {seed}",
    }
    notes = b"".join(_text_chunk(keyword, text) for keyword, text in texts.items())
    return plain[:AFTER_HEADER] + notes + plain[AFTER_HEADER:]


def _text_chunk(keyword: str, text: str) -> bytes:
    """A tEXt chunk (PNG, 11.3.3.2): keyword, zero byte, Latin-1 text."""
    body = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
