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
WINDOW = 5
"""Side of the window of local differences, in pixels of the compared size."""
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
    `difference` is the largest local difference in grey levels (0..255) after the best
    common brightness and contrast, in windows of a tenth of the longer side and with one
    part in 48 of slack for alignment; `place` is that window in pixels of the picture as
    stored: left, top, width, height.
    """

    width: int
    height: int
    same_shape: bool
    correlation: float | None
    difference: float | None = None
    place: tuple[int, int, int, int] | None = None


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
    size = (ours.shape[1], ours.shape[0])
    candidates = [_resized(content, size) for content in contents if content is not None]
    rated = [(found, c) for c in candidates if (found := _correlation(c, ours)) is not None]
    height, width = luma.shape
    if not rated:
        return ThumbnailMatch(width, height, bool(candidates), None)
    correlation, theirs = max(rated, key=lambda pair: pair[0])
    difference, (row, column) = _largest_difference(theirs, ours)
    scale = max(picture.rgb.shape) / COMPARED_SIDE
    reach = WINDOW // 2
    left, top, side = (round(scale * part) for part in (column - reach, row - reach, WINDOW))
    return ThumbnailMatch(
        width=width,
        height=height,
        same_shape=True,
        correlation=correlation,
        difference=difference,
        place=(left, top, side, side),
    )


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


def _resized(content: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(np.ascontiguousarray(content), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _correlation(theirs: NDArray[np.float32], ours: NDArray[np.float32]) -> float | None:
    """Pearson correlation; None where either is flat."""
    if ours.std() < MIN_CONTRAST or theirs.std() < MIN_CONTRAST:
        return None
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


def _largest_difference(
    theirs: NDArray[np.float32], ours: NDArray[np.float32]
) -> tuple[float, tuple[int, int]]:
    """The largest window mean of the difference and where it is (row, column)."""
    import cv2

    slope, offset = np.polyfit(theirs.ravel(), ours.ravel(), 1)
    fitted = cv2.copyMakeBorder(slope * theirs + offset, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    height, width = ours.shape
    differences = [
        np.abs(
            cv2.blur(ours - fitted[down : down + height, right : right + width], (WINDOW, WINDOW))
        )
        for down in range(3)
        for right in range(3)
    ]
    least = np.min(differences, axis=0)
    edge = min(WINDOW // 2, (min(height, width) - 1) // 2)
    inner = least[edge : height - edge, edge : width - edge]
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    return float(inner.max()), (int(row) + edge, int(column) + edge)
