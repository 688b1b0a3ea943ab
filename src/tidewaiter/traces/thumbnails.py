"""Compare the small picture inside a file with the picture itself."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.jpeg_segments import read_jpeg

MAX_SIDE = 1024
"""Larger embedded pictures are previews of another kind and are not decoded."""
COMPARED_SIDE = 48
"""Pixels of the longer side at which the two are compared; finer detail differs by scaling."""
MIN_CONTRAST = 6.0
"""Standard deviation of luma (of 255) below which a correlation means nothing."""
SIDE_SLACK = 0.03
"""Share of a side by which shapes may differ: cameras round thumbnail sides, often to eights."""
BAR_LUMA = 32.0
"""Mean luma below which a strip beside the picture is a black bar."""


@dataclass(frozen=True)
class ThumbnailMatch:
    """How the embedded thumbnail compares with the picture.

    `same_shape` is false where no black bars explain another aspect ratio.
    `correlation` (-1..1) is the best over quarter turns; None where either is too flat.
    """

    width: int
    height: int
    same_shape: bool
    correlation: float | None


def compare_thumbnail(thumbnail: bytes, picture: Picture) -> ThumbnailMatch | None:
    """Decode `thumbnail` (a JPEG) and compare; None where it cannot be decoded."""
    luma = _decoded(thumbnail)
    if luma is None:
        return None
    ours = _small_luma(picture)
    contents = [
        _without_bars(np.rot90(luma, turns), picture.rgb.shape[1] / picture.rgb.shape[0])
        for turns in range(4)
    ]
    found = [_correlation(content, ours) for content in contents if content is not None]
    known = [value for value in found if value is not None]
    height, width = luma.shape
    return ThumbnailMatch(width, height, bool(found), max(known) if known else None)


def _decoded(thumbnail: bytes) -> NDArray[np.float32] | None:
    from PIL import Image

    layout = read_jpeg(thumbnail)
    if not layout.width or not layout.height or max(layout.width, layout.height) > MAX_SIDE:
        return None
    try:
        with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as image:
            return np.asarray(image.convert("L"), dtype=np.float32)
    except (OSError, ValueError, SyntaxError):
        return None


def _small_luma(picture: Picture) -> NDArray[np.float32]:
    """The picture's luma scaled so that its longer side is COMPARED_SIDE."""
    import cv2

    height, width = picture.rgb.shape[:2]
    scale = COMPARED_SIDE / max(height, width)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def _without_bars(luma: NDArray[np.float32], aspect: float) -> NDArray[np.float32] | None:
    """The central part with `aspect` (width by height), if what lies around it is black."""
    height, width = luma.shape
    spare_width = width - min(width, height * aspect)
    spare_height = height - min(height, width / aspect)
    if spare_width <= max(2.0, SIDE_SLACK * width) and spare_height <= max(
        2.0, SIDE_SLACK * height
    ):
        return luma
    left, top = int(spare_width / 2), int(spare_height / 2)
    bars = [luma[:top], luma[height - top :], luma[:, :left], luma[:, width - left :]]
    dark = all(bar.size == 0 or float(bar.mean()) < BAR_LUMA for bar in bars)
    content = luma[top : height - top, left : width - left]
    return content if dark and content.size else None


def _correlation(content: NDArray[np.float32], ours: NDArray[np.float32]) -> float | None:
    """Pearson correlation at the size of `ours`; None where either is flat."""
    import cv2

    size = (ours.shape[1], ours.shape[0])
    theirs = cv2.resize(np.ascontiguousarray(content), size, interpolation=cv2.INTER_AREA)
    if ours.std() < MIN_CONTRAST or theirs.std() < MIN_CONTRAST:
        return None
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
