"""Draw evidence over a picture: a ground in grey, maps, outlined and numbered boxes, links.

Everything is drawn with integers into a picture with a fixed palette; no font file and
no smoothing, so that the same evidence gives the same pixels everywhere.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tidewaiter.media import material
from tidewaiter.report import scale
from tidewaiter.vocabulary import Box

MAX_SIDE = 1200
"""Long side of a drawn picture at most; keeps a report of ten pictures in a few MB."""
MIN_SIDE = 480
"""Smaller pictures are enlarged by a whole factor to at least this, so that numbers fit."""

DIGITS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "01110 10001 00001 00110 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "01110 10000 11110 10001 10001 10001 01110",
    "7": "11111 00001 00010 00100 00100 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00001 01110",
}
"""Figures of 5 x 7 dots for numbering boxes."""
DOT = 3
"""Pixels per dot."""
DASH = 9
"""Pixels of a dash and of a gap on the outline of a copy."""


@dataclass(frozen=True)
class Ground:
    """The picture to draw on: grey, upright, at its final size.

    `width` and `height` are those of the picture as stored, in whose pixels evidence is
    given; `orientation` is the EXIF value that turns it upright.
    """

    grey: NDArray[np.uint8]
    width: int
    height: int
    orientation: int = 1


def ground(rgb: material.Pixels, width: int, height: int, orientation: int = 1) -> Ground:
    """A ground from pixels as stored; `width` x `height` are the units of the evidence."""
    grey = Image.fromarray(np.ascontiguousarray(rgb)).convert("L")
    return Ground(_turned(np.asarray(_fitted(grey)), orientation), width, height, orientation)


def blank(width: int, height: int) -> Ground:
    """A plain ground where no picture is at hand."""
    return Ground(np.asarray(_fitted(Image.new("L", (width, height), 128))), width, height)


def heat_map(
    on: Ground,
    values: NDArray[Any],
    ends: tuple[float, float],
    area: Box | None,
    regions: Sequence[Box],
) -> bytes:
    """PNG of `values` (2-D, covering `area` as stored) over the ground, regions outlined.

    Where several values fall on one pixel the largest is shown, so that nothing small
    and strong is lost.
    """
    low, high = ends
    left, top, right, bottom = _corners(
        on, area or Box(left=0, top=0, width=on.width, height=on.height)
    )
    upright = _turned(np.asarray(values, np.float64), on.orientation)
    spread = np.full(on.grey.shape, np.nan)
    spread[top:bottom, left:right] = _resampled(upright, bottom - top, right - left)
    drawn = Image.fromarray(scale.indices(spread, on.grey, low, high))
    _outline(drawn, on, regions, dashed=frozenset())
    return _png(drawn)


def boxes(on: Ground, places: Sequence[Box], pairs: Sequence[tuple[int, int]]) -> bytes:
    """PNG of numbered boxes over the ground; a line and a dashed box show each copy."""
    nothing = np.full(on.grey.shape, np.nan)
    drawn = Image.fromarray(scale.indices(nothing, on.grey, 0.0, 1.0))
    for origin, copy in pairs:
        ends = [_middle(_corners(on, places[index])) for index in (origin, copy)]
        _cased_line(ImageDraw.Draw(drawn), ends)
    _outline(drawn, on, places, dashed=frozenset(copy for _, copy in pairs))
    return _png(drawn)


def preview(rgb: material.Pixels, orientation: int = 1, max_side: int = 800) -> bytes:
    """The picture itself in colour, upright, as a small JPEG for the head of the page."""
    small = Image.fromarray(np.ascontiguousarray(rgb))
    small.thumbnail((max_side, max_side))
    written = io.BytesIO()
    Image.fromarray(_turned(np.asarray(small), orientation)).save(written, "JPEG", quality=85)
    return written.getvalue()


def _fitted(picture: Image.Image) -> Image.Image:
    long_side = max(picture.size)
    if long_side > MAX_SIDE:
        share = MAX_SIDE / long_side
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        return picture.resize(size, Image.Resampling.BOX)
    factor = -(-MIN_SIDE // long_side)
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST)


def _turned(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """As `Picture.upright` turns pixels; EXIF 2.32, tag 0x0112."""
    if orientation in (2, 4, 5, 7):
        array = array[:, ::-1]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(array, quarter_turns))


def _corners(on: Ground, box: Box) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a stored box in pixels of the ground, cut to it."""
    left, top, right, bottom = _upright_corners(on, box)
    turned = on.orientation in (5, 6, 7, 8)
    rows, columns = on.grey.shape
    across = columns / (on.height if turned else on.width)
    down = rows / (on.width if turned else on.height)
    left, right = (min(max(round(x * across), 0), columns) for x in (left, right))
    top, bottom = (min(max(round(y * down), 0), rows) for y in (top, bottom))
    left, top = min(left, columns - 1), min(top, rows - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _upright_corners(on: Ground, box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    if on.orientation in (2, 4, 5, 7):
        left, right = on.width - right, on.width - left
    match on.orientation:
        case 3 | 4:
            return on.width - right, on.height - bottom, on.width - left, on.height - top
        case 5 | 8:
            return top, on.width - right, bottom, on.width - left
        case 6 | 7:
            return on.height - bottom, left, on.height - top, right
    return left, top, right, bottom


def _resampled(values: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Nearest value when enlarging, largest of each cell when reducing; NaN only if all are."""
    down = np.arange(rows) * values.shape[0] // rows
    across = np.arange(columns) * values.shape[1] // columns
    return np.fmax.reduceat(np.fmax.reduceat(values, down, axis=0), across, axis=1)


def _outline(drawn: Image.Image, on: Ground, places: Sequence[Box], dashed: frozenset[int]) -> None:
    pen = ImageDraw.Draw(drawn)
    for index, place in enumerate(places):
        left, top, right, bottom = _corners(on, place)
        ring = [(left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)]
        pen.line([*ring, ring[0], ring[1]], fill=scale.BLACK, width=5)
        for start, end in zip(ring, [*ring[1:], ring[0]], strict=True):
            _white_line(pen, start, end, dashed=index in dashed)
    # Numbers last, so that no outline runs through them.
    for index, place in enumerate(places):
        left, top, _, _ = _corners(on, place)
        _number(drawn, index + 1, left, top)


def _white_line(
    pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int], *, dashed: bool
) -> None:
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    step = 2 * DASH if dashed else length
    for position in range(0, length, step):
        until = min(position + DASH, length) if dashed else length
        piece = [_between(start, end, share / length) for share in (position, until)]
        pen.line(piece, fill=scale.WHITE, width=2)


def _between(start: tuple[int, int], end: tuple[int, int], share: float) -> tuple[int, int]:
    return (
        round(start[0] + (end[0] - start[0]) * share),
        round(start[1] + (end[1] - start[1]) * share),
    )


def _cased_line(pen: ImageDraw.ImageDraw, ends: list[tuple[int, int]]) -> None:
    pen.line(ends, fill=scale.BLACK, width=5)
    pen.line(ends, fill=scale.WHITE, width=2)


def _middle(corners: tuple[int, int, int, int]) -> tuple[int, int]:
    left, top, right, bottom = corners
    return (left + right) // 2, (top + bottom) // 2


def _number(drawn: Image.Image, number: int, left: int, top: int) -> None:
    """A black figure on a white plate at the upper left of a box, kept inside the picture."""
    figures = [[[dot == "1" for dot in row] for row in DIGITS[d].split()] for d in str(number)]
    spaced = [np.pad(np.array(figure), ((1, 1), (1, 0))) for figure in figures]
    plate = np.pad(np.concatenate(spaced, axis=1), ((0, 0), (0, 1)))
    inked = np.where(np.kron(plate, np.ones((DOT, DOT), bool)), scale.BLACK, scale.WHITE)
    framed = np.pad(inked, 1, constant_values=scale.BLACK).astype(np.uint8)
    left = max(0, min(left, drawn.width - framed.shape[1]))
    top = max(0, min(top, drawn.height - framed.shape[0]))
    drawn.paste(Image.fromarray(framed), (left, top))


def _png(drawn: Image.Image) -> bytes:
    drawn.putpalette(scale.palette().tobytes())
    written = io.BytesIO()
    drawn.save(written, "PNG", compress_level=9)
    return written.getvalue()
