"""Read the planes of a decoded frame and bring only what is needed into RGB.

Converting whole frames can cost more than decoding them. So each plane is scaled or
warped to the small size wanted, and only that is converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels

Affine = NDArray[np.float64]
"""2 x 3: from (column, row, 1) of the result to (column, row) of the source, both counted
from the centre of the first pixel."""

# OpenCV's warpAffine addresses its source with signed 16-bit numbers.
WARP_LIMIT = 32_000

# OpenCV has its own fast way for blocks of two; 257 rows of bytes are the most that 16 bits hold.
LEAST_SUMMED, MOST_SUMMED = 3, 257
LANES = 4
ONE_IN_EACH_LANE, TO_LOWEST_LANE = np.uint64(0x0001_0001_0001_0001), np.uint64(48)


@dataclass(frozen=True)
class Layout:
    """How a planar format lies in memory: bits per sample, chroma scale, range by name.

    `full_range` is True or False where the format itself decides, None where the stream does.
    `shift_x` is the chroma plane's offset in chroma pixels: 0 where chroma sits on the left
    luma pixel (H.273 default), else the value that centres it.
    """

    bits: int
    chroma: bool
    scale_x: int = 1
    scale_y: int = 1
    full_range: bool | None = None
    shift_x: float = 0.0

    @property
    def shift_y(self) -> float:
        """Chroma lies between two rows in every supported format."""
        return (1 / self.scale_y - 1) / 2


@cache
def layout_of(pixel_format: str) -> Layout | None:
    """The layout of an FFmpeg pixel format; None where only whole-frame conversion is right."""
    found = re.fullmatch(r"(?:yuv([aj]?)(\d{3})p|gray)(?:(9|10|12|14|16)le)?", pixel_format)
    if not found:
        return None
    bits = int(found[3] or 8)
    if found[2] is None:
        return Layout(bits, chroma=False)
    scale = _CHROMA_SCALES.get(found[2])
    if scale is None:
        return None
    layout = Layout(bits, chroma=True, scale_x=scale[0], scale_y=scale[1])
    if found[1] != "j":
        return layout
    # JFIF centres chroma between luma columns; MPEG streams put it on the left one (H.273).
    return replace(layout, full_range=True, shift_x=(1 / scale[0] - 1) / 2)


_CHROMA_SCALES = {
    "420": (2, 2),
    "422": (2, 1),
    "444": (1, 1),
    "440": (1, 2),
    "411": (4, 1),
    "410": (4, 4),
}

# Luma weights of red and blue by H.273 matrix coefficients: 1 BT.709; 4 FCC; 5, 6 BT.601;
# 7 SMPTE 240M; 9, 10 BT.2020.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_UNDECLARED = 2
# Players take undeclared material of this many rows or more for BT.709 (mpv, VLC).
_HD_ROWS = 720
_LIMITED, _FULL = 1, 2  # AVColorRange


@cache
def rgb_matrix(layout: Layout, matrix_code: int, range_code: int, rows: int) -> Any:
    """3 x 4 float64 from (Y, Cb, Cr) samples to 8-bit RGB; None for an unknown matrix.

    `matrix_code` and `range_code` are those of the stream; where it declares none, the
    matrix follows the number of rows and the range is limited (grey: full).
    """
    if matrix_code == _UNDECLARED:
        matrix_code = 1 if rows >= _HD_ROWS else 6
    if matrix_code not in _LUMA_WEIGHTS:
        return None
    red, blue = _LUMA_WEIGHTS[matrix_code]
    green = 1 - red - blue
    full = _is_full(layout, range_code)
    top, unit = 2**layout.bits - 1, 2 ** (layout.bits - 8)
    luma = 255 / top if full else 255 / (219 * unit)
    chroma = 255 / top if full else 255 / (224 * unit)
    if not layout.chroma:
        chroma = 0.0
    cr, cb = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    matrix = np.array(
        [
            [luma, 0.0, cr],
            [luma, -cb * blue / green, -cr * red / green],
            [luma, cb, 0.0],
        ]
    )
    zero = np.array([0.0 if full else 16.0 * unit, 128.0 * unit, 128.0 * unit])
    return np.hstack([matrix, -(matrix @ zero)[:, None]])


def _is_full(layout: Layout, range_code: int) -> bool:
    if layout.full_range is not None:
        return layout.full_range
    return range_code != _LIMITED if not layout.chroma else range_code == _FULL


def plane_of(av_frame: Any, index: int, bits: int) -> NDArray[Any]:
    """One plane as H x W, uint8 or uint16, a view on the frame's memory (copy to keep)."""
    plane = av_frame.planes[index]
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    stride = abs(plane.line_size) // dtype.itemsize
    rows = np.frombuffer(plane, dtype).reshape(plane.height, stride)[:, : plane.width]
    # A negative line size means that the rows lie bottom up in memory.
    return np.ascontiguousarray(rows[::-1]) if plane.line_size < 0 else rows


def warped(av_frame: Any, layout: Layout, affine: Affine, width: int, height: int) -> Any:
    """The planes sampled through `affine` (result → luma of the stored frame).

    A list of one (grey) or three arrays of height x width.
    """
    luma = sampled(plane_of(av_frame, 0, layout.bits), affine, width, height)
    if not layout.chroma:
        return [luma]
    to_chroma = _chroma_affine(affine, layout)
    return [luma] + [
        sampled(plane_of(av_frame, index, layout.bits), to_chroma, width, height)
        for index in (1, 2)
    ]


def _chroma_affine(affine: Affine, layout: Layout) -> Affine:
    chroma = affine / [[layout.scale_x], [layout.scale_y]]
    chroma[:, 2] += (layout.shift_x, layout.shift_y)
    return chroma


def sampled(plane: NDArray[Any], affine: Affine, width: int, height: int) -> NDArray[Any]:
    """`plane` (H x W or H x W x 3) at the places `affine` names, smoothed where it shrinks.

    Shrinking by k or more averages k x k pixels first, so that fine texture does not turn
    into false patterns. Outside the picture its border pixels are repeated.
    """
    import cv2

    if width * height == 0:
        raise ValueError(f"a crop of {width} × {height} pixels has no content")
    resized: NDArray[Any] | None = _plain_resize(plane, affine, width, height)
    if resized is not None:
        return resized
    shrink = int(min(np.hypot(*affine[:, 0]), np.hypot(*affine[:, 1])) + 1e-6)
    if shrink >= 2 or max(plane.shape) > WARP_LIMIT:
        plane, affine = _shrunk(plane, affine, (width, height), max(shrink, 1))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values: NDArray[Any] = cv2.warpAffine(
        plane, affine, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return values


def summed_side(plane: NDArray[Any], width: int, height: int) -> int:
    """The side of the blocks of which `block_means` makes width x height; 0 where it cannot."""
    side = plane.shape[1] // width
    fits = (side * height, side * width) == plane.shape and plane.dtype == np.uint8
    return side if fits and LEAST_SUMMED <= side <= MOST_SUMMED else 0


def block_means(plane: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """Means of blocks of `side` x `side` bytes, bit for bit those of `cv2.resize`.

    OpenCV adds the bytes of a block one by one; NumPy adds whole rows several times faster.
    """
    height, width = plane.shape[0] // side, plane.shape[1] // side
    down, across = plane.strides
    blocks = np.lib.stride_tricks.as_strided(
        plane, (height, side, plane.shape[1]), (down * side, down, across), writeable=False
    )
    rows = np.add.reduce(blocks, axis=1, dtype=np.uint16)
    if side == LANES:
        # One product adds the four 16-bit lanes of a word into its highest: 16 x 255 fits.
        sums = rows.view("<u8")
        sums *= ONE_IN_EACH_LANE
        sums >>= TO_LOWEST_LANE
    else:
        sums = rows[:, 0::side].astype(np.uint32)
        for column in range(1, side):
            sums += rows[:, column::side]
    means = sums.astype(np.float32)
    means *= np.float32(1 / side**2)
    found: NDArray[np.uint8] = np.rint(means, out=means).astype(np.uint8).reshape(height, width)
    return found


def _plain_resize(plane: NDArray[Any], affine: Affine, width: int, height: int) -> Any:
    """The whole plane at its own size or an integer part of it; None otherwise.

    OpenCV averages integer blocks several times faster than any other ratio.
    """
    import cv2

    factor_x, factor_y = plane.shape[1] // width, plane.shape[0] // height
    if (factor_x * width, factor_y * height) != (plane.shape[1], plane.shape[0]):
        return None
    exact = np.array(
        [[factor_x, 0, (factor_x - 1) / 2], [0, factor_y, (factor_y - 1) / 2]], np.float64
    )
    # A quarter of a chroma pixel of siting is below what such a thumbnail resolves.
    if np.abs(affine - exact).max() > (0.5 if factor_x > 2 else 1e-9):
        return None
    if factor_x == factor_y == 1:
        return plane.copy()
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)


def _shrunk(
    plane: NDArray[Any], affine: Affine, size: tuple[int, int], shrink: int
) -> tuple[NDArray[Any], Affine]:
    """The part of the plane that is needed, averaged in blocks, and the affine into it."""
    import cv2

    width, height = size
    corners = affine @ np.array(
        [[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], np.float64
    )
    limits = np.array([plane.shape[1], plane.shape[0]])
    low = np.clip(np.floor(corners.min(1)).astype(int) - shrink, 0, limits - 1)
    high = np.clip(np.ceil(corners.max(1)).astype(int) + shrink + 1, low + 1, limits)
    blocks = (high - low) // shrink
    if blocks.min() < 1:
        return plane, affine
    high = low + blocks * shrink
    region = plane[low[1] : high[1], low[0] : high[0]]
    small = cv2.resize(region, tuple(int(n) for n in blocks), interpolation=cv2.INTER_AREA)
    moved = affine / shrink
    moved[:, 2] = (affine[:, 2] - low + 0.5) / shrink - 0.5
    return small, moved


def to_rgb(planes: list[NDArray[Any]], matrix: NDArray[np.float64]) -> Pixels:
    """Equal-sized planes of one or three components as RGB, H x W x 3, uint8."""
    import cv2

    if len(planes) == 1:
        grey = np.clip(np.rint(planes[0] * matrix[0, 0] + matrix[0, 3]), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    rgb = cv2.transform(cv2.merge(planes), matrix)
    eight_bit: Pixels = np.minimum(rgb, 255).astype(np.uint8, copy=False)
    return eight_bit
