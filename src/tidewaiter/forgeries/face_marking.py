"""Forged pictures as files that say so, in a note that any viewer of metadata shows."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from tidewaiter.forgeries.face_forgery import Pixels

NOTE = "made by Tidewaiter for tests"
# PNG (ISO/IEC 15948), 5.2 and 11.2.2: signature of 8 bytes, IHDR chunk of 25.
AFTER_HEADER = 8 + 25
# JPEG (ITU-T T.81), B.2.1: the marker that begins a file; a comment segment may follow it.
AFTER_SOI = 2


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


def saved_as_jpeg(pixels: Pixels, quality: int, note: str) -> bytes:
    """A JPEG of RGB pixels with a comment that says who saved it and the note.

    The same arguments give the same bytes with the same OpenCV.
    """
    import cv2

    wanted = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, stored = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), wanted)
    plain, text = stored.tobytes(), f"{NOTE}; {note}".encode("latin-1")
    comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    return plain[:AFTER_SOI] + comment + plain[AFTER_SOI:]


def unmarked(content: bytes) -> Pixels:
    """The RGB pixels of a picture that `marked` wrote."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None, "our own PNG"
    return np.ascontiguousarray(pixels[..., ::-1])


def _text_chunk(keyword: str, text: str) -> bytes:
    """A tEXt chunk (PNG, 11.3.3.2): keyword, zero byte, Latin-1 text."""
    body = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
