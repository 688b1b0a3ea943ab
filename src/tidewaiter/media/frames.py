"""One decoded frame of a video, read plane by plane, valid only while it is being fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.media.orientation import QUARTER_TURNED, turned, upright_to_stored
from tidewaiter.media.planes import (
    Affine,
    Layout,
    block_means,
    layout_of,
    plane_of,
    rgb_matrix,
    sampled,
    summed_side,
    to_rgb,
    warped,
)

PICTURE_TYPES = ("none", "I", "P", "B", "S", "SI", "SP", "BI")
"""By FFmpeg's AVPictureType."""


@dataclass(frozen=True)
class View:
    """How frames of one video are shown: EXIF orientation and the size of the first, stored.

    Thumbnails keep the first frame's shape when dimensions change within the stream.
    """

    orientation: int
    width: int
    height: int


class AvFrame:
    """A decoded frame over PyAV; `width` and `height` are those of the upright frame.

    Nothing of it outlives its feeding: `release` drops the decoder's picture and all
    that was made from it, and a later use is an error, so that memory stays flat.
    """

    __slots__ = (
        "_av_frame",
        "_cache",
        "_view",
        "height",
        "index",
        "key",
        "picture_type",
        "shared",
        "time_guessed",
        "time_s",
        "width",
    )

    def __init__(
        self, av_frame: Any, index: int, time_s: float, time_guessed: bool, view: View
    ) -> None:
        self._av_frame = av_frame
        self._view = view
        self._cache: dict[Any, Any] = {}
        self.index = index
        self.time_s = time_s
        self.time_guessed = time_guessed
        self.shared: dict[str, Any] = {}
        self.key: bool = av_frame.key_frame
        self.picture_type = PICTURE_TYPES[av_frame.pict_type]
        self.width, self.height = _swapped(view.orientation, av_frame.width, av_frame.height)

    def thumbnail(self, height: int = 180) -> Pixels:
        """The upright frame scaled to `height` rows (or its own, if fewer), RGB; cached."""
        key = ("thumbnail", height)
        if key not in self._cache:
            width, height = self._thumbnail_size(height, self._view.orientation)
            stored = _swapped(self._view.orientation, width, height)
            pixels = self._sampled_rgb(self._whole(*stored), *stored)
            self._cache[key] = turned(pixels, self._view.orientation)
        thumbnail: Pixels = self._cache[key]
        return thumbnail

    def luma_thumbnail(self, height: int = 180) -> NDArray[np.uint8]:
        """The luma plane scaled to `height` rows, not rotated, in the stream's own range; cached.

        Samples of more than eight bits are brought to eight; formats without a luma plane
        give the BT.601 luma of their RGB.
        """
        key = ("luma", height)
        if key not in self._cache:
            self._cache[key] = self._luma(*self._thumbnail_size(height, 1))
        luma: NDArray[np.uint8] = self._cache[key]
        return luma

    def crop(self, corners: NDArray[np.float32], width: int, height: int) -> Pixels:
        """The quadrilateral `corners` warped to width x height, RGB; no whole-frame conversion.

        Corners are pixel centres in upright coordinates, 3 x 2: top left, top right, bottom
        left. Beyond the frame its border pixels are repeated.
        """
        return self._sampled_rgb(self._stored_affine(corners, width, height), width, height)

    def rgb(self) -> Pixels:
        """The whole upright frame in RGB; slow, cached."""
        if "rgb" not in self._cache:
            self._cache["rgb"] = turned(self._stored_rgb(), self._view.orientation)
        rgb: Pixels = self._cache["rgb"]
        return rgb

    def release(self) -> None:
        """Give the decoder's memory back; called when the next frame is asked for."""
        self._av_frame = None
        self._cache.clear()
        self.shared.clear()

    def decoded(self) -> Any:
        """The PyAV frame itself, stored orientation; an error once it was released."""
        if self._av_frame is None:
            raise RuntimeError(
                f"frame {self.index} was used after the next one had been asked for; "
                "a trace may keep numbers and small copies, never a frame"
            )
        return self._av_frame

    def _thumbnail_size(self, height: int, orientation: int) -> tuple[int, int]:
        width, full = _swapped(orientation, self._view.width, self._view.height)
        height = min(height, full)
        return max(1, round(width * height / full)), height

    def _whole(self, width: int, height: int) -> Affine:
        """The whole stored frame scaled to width x height, edges on edges."""
        frame = self.decoded()
        scale_x, scale_y = frame.width / width, frame.height / height
        return np.array([[scale_x, 0, (scale_x - 1) / 2], [0, scale_y, (scale_y - 1) / 2]])

    def _stored_affine(self, corners: NDArray[np.float32], width: int, height: int) -> Affine:
        frame = self.decoded()
        top_left, top_right, bottom_left = np.asarray(corners, np.float64)
        upright = np.eye(3)
        upright[:2, 0] = (top_right - top_left) / max(width - 1, 1)
        upright[:2, 1] = (bottom_left - top_left) / max(height - 1, 1)
        upright[:2, 2] = top_left
        to_stored = upright_to_stored(self._view.orientation, frame.width, frame.height)
        affine: Affine = (to_stored @ upright)[:2]
        return affine

    def _sampled_rgb(self, affine: Affine, width: int, height: int) -> Pixels:
        frame = self.decoded()
        layout, matrix = _conversion(frame)
        if layout is None or matrix is None:
            pixels: Pixels = sampled(self._stored_rgb(), affine, width, height)
            return pixels
        return to_rgb(warped(frame, layout, affine, width, height), matrix)

    def _stored_rgb(self) -> Pixels:
        frame = self.decoded()
        if "stored" not in self._cache:
            layout, matrix = _conversion(frame)
            if layout is None or matrix is None:
                # With more threads FFmpeg's scaler gave different pixels from run to run.
                self._cache["stored"] = frame.reformat(format="rgb24", threads=1).to_ndarray()
            else:
                size = frame.width, frame.height
                self._cache["stored"] = to_rgb(
                    warped(frame, layout, self._whole(*size), *size), matrix
                )
        stored: Pixels = self._cache["stored"]
        return stored

    def _luma(self, width: int, height: int) -> NDArray[Any]:
        import cv2

        frame = self.decoded()
        layout = layout_of(frame.format.name)
        if layout is None:
            grey = cv2.cvtColor(self._stored_rgb(), cv2.COLOR_RGB2GRAY)
            return sampled(grey, self._whole(width, height), width, height)
        plane = plane_of(frame, 0, layout.bits)
        side = summed_side(plane, width, height)
        if side:
            return block_means(plane, side)
        luma = sampled(plane, self._whole(width, height), width, height)
        return luma if layout.bits == 8 else (luma >> (layout.bits - 8)).astype(np.uint8)


def _conversion(av_frame: Any) -> tuple[Layout | None, Any]:
    """Layout and matrix of a frame; None where only FFmpeg's own conversion is right."""
    layout = layout_of(av_frame.format.name)
    if layout is None:
        return None, None
    return layout, rgb_matrix(
        layout, av_frame.colorspace, av_frame.color_range, _matrix_rows(av_frame.height)
    )


def _matrix_rows(rows: int) -> int:
    """Rows as far as they matter for the matrix, so that the cache stays small."""
    return min(rows, 1 << 11) // 16 * 16


def _swapped(orientation: int, width: int, height: int) -> tuple[int, int]:
    return (height, width) if orientation in QUARTER_TURNED else (width, height)
