"""Which rows of a picture that ends early were really decoded."""

from __future__ import annotations

import numpy as np

from tidewaiter.media.material import Pixels

# Rows of one MCU with 4:2:0 chroma, the largest usual (ITU-T T.81, A.2).
MCU_ROWS = 16
# libjpeg gives blocks without data zero coefficients: mid-grey in every component.
JPEG_FILL = 128
# Interpolated chroma of the last decoded row reaches this far into the filling.
CHROMA_BLEED_ROWS = 1
# Columns at the right edge that tell whether the last row of blocks is complete.
EDGE_COLUMNS = 4


def kept_rows(rgb: Pixels, data: bytes, reader: str) -> tuple[int, int]:
    """First row and one past the last row that hold decoded pixels; equal if there is none.

    `rgb` is what a tolerant decoder made of the truncated `data`: decoded rows, then filling.
    """
    if reader != "JPEG":
        rows = np.flatnonzero(rgb.any(axis=(1, 2)))
        return (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
    if _is_progressive(data):
        # Every scan covers the whole picture; the missing ones only refine it.
        return (0, rgb.shape[0]) if (rgb != JPEG_FILL).any() else (0, 0)
    edge = (rgb[:, -EDGE_COLUMNS:] != JPEG_FILL).any(axis=(1, 2))
    rows = np.flatnonzero(edge)
    if not rows.size:
        return 0, 0
    decoded = int(rows[-1]) + 1
    if decoded < rgb.shape[0]:
        decoded = (decoded - CHROMA_BLEED_ROWS) // MCU_ROWS * MCU_ROWS
    return 0, decoded


def _is_progressive(data: bytes) -> bool:
    """Whether the first frame header is that of a progressive JPEG (SOF2, SOF6, SOF10)."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xC2, 0xC6, 0xCA):
            return True
        if marker == 0xDA:
            return False
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False
