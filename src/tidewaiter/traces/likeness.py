"""How much two registered stretches of one picture share, down to their noise.

Two cartons look alike; their grain and sensor noise do not. A copy shares both. So after
registration the fine structure of both places is correlated where there is no print: on
the plainest pixels, normalised so that no edge dominates, against the same correlation a
JPEG block further on, where compression leaves the same marks but a copy shares nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Plane

Mask = NDArray[np.bool_]

# Side of a cell of all maps, in pixels: one JPEG block.
CELL_PX = 8

# Maps are averaged over this many cells a side: 40 x 40 pixels.
WINDOW_CELLS = 5

# Fine structure is what a Gaussian of this width removes, in pixels.
FINE_SIGMA_PX = 2.0

# Rounding noise of 8-bit pixels and its spread by a JPEG: structure below it counts little.
ROUNDING_VARIANCE = 0.25

# Slope, in grey levels per pixel, above which a place counts as printed or edged.
EDGE_SLOPE = 2.0

# Fine structure of a print edge reaches this far in all: three sigma to either side.
EDGE_REACH_PX = 15

# A region with less than this share of plain pixels is called edged.
MIN_PLAIN_SHARE = 0.1

# Share of an edged region taken as its plainest part.
PLAINEST_SHARE = 0.4

# Neighbouring values of the fine structure are dependent over about this many pixels:
# 4 pi sigma^2 of the kernel of width 1 that lens and demosaicing leave.
PIXELS_PER_FREE_VALUE = 12.0

# Shifts by one JPEG block, where a copy shares nothing and compression the same.
CONTROL_SHIFTS = ((8, 0), (0, 8), (-8, 8), (8, 8))


@dataclass(frozen=True)
class Structure:
    """A luma plane with its fine structure (normalised, about unit variance) and slopes.

    `slope` is the largest gradient within 7 pixels, in grey levels per pixel.
    """

    luma: Plane
    fine: Plane
    slope: Plane


@dataclass(frozen=True)
class Agreement:
    """Correlation of the plainest pixels of a region with its counterpart.

    `correlation` and `control` lie in -1..1; `lower` is the Fisher z of the correlation
    above control, less two standard errors: above 0 it is more than chance.
    """

    correlation: float
    control: float
    lower: float
    plain_px: int
    edged: bool
    """True where hardly any plain pixel was left and the least edged ones had to do."""


def structure_of(luma: Plane) -> Structure:
    """Fine structure and slopes of a luma plane (0..255, float32)."""
    import cv2

    residual: Any = luma - cv2.GaussianBlur(luma, (0, 0), FINE_SIGMA_PX)
    _subtract_block_pattern(residual)
    spread = np.sqrt(cv2.blur(residual * residual, (9, 9)) + np.float32(ROUNDING_VARIANCE))
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.5)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    magnitude = cv2.magnitude(down, across)
    slope: Any = cv2.dilate(magnitude, np.ones((EDGE_REACH_PX, EDGE_REACH_PX), np.uint8))
    return Structure(luma=luma, fine=residual / spread, slope=slope)


def overlapping(plane: NDArray[Any], shift: tuple[int, int]) -> tuple[Any, Any]:
    """Views of `plane` and of itself `shift` = (across, down) pixels further on."""
    across, down = shift
    height, width = plane.shape
    rows = slice(max(0, -down), min(height, height - down))
    columns = slice(max(0, -across), min(width, width - across))
    moved_rows = slice(rows.start + down, rows.stop + down)
    moved_columns = slice(columns.start + across, columns.stop + across)
    return plane[rows, columns], plane[moved_rows, moved_columns]


def likeness_map(first: Plane, second: Plane) -> tuple[Plane, Plane]:
    """Correlation of two luma planes in windows of cells, and the smaller variance there."""
    mean_1, mean_2 = _windows(first), _windows(second)
    variance_1 = _windows(first * first) - mean_1 * mean_1
    variance_2 = _windows(second * second) - mean_2 * mean_2
    shared = _windows(first * second) - mean_1 * mean_2
    scale = np.sqrt(np.maximum(variance_1 * variance_2, 1e-3))
    return shared / scale, np.minimum(variance_1, variance_2)


def noise_map(first: Structure, second: Structure) -> tuple[Plane, Plane]:
    """Correlation of the plain pixels' fine structure in windows, and their share there."""
    plain = _plain(first, second, EDGE_SLOPE)
    fine_1, fine_2 = first.fine * plain, second.fine * plain
    shared = _windows(fine_1 * fine_2)
    # In place: these planes are as large as the picture.
    np.square(fine_1, out=fine_1)
    np.square(fine_2, out=fine_2)
    energy = _windows(fine_1) * _windows(fine_2)
    return shared / np.sqrt(energy + 1e-4), _windows(plain)


def agreement(first: Structure, second: Structure, region: Mask) -> Agreement:
    """Agreement of two registered structures over `region` (cells)."""
    where = _pixels_of(region, first.fine.shape)
    slopes = np.maximum(first.slope, second.slope)[where]
    edged = bool((slopes <= EDGE_SLOPE).mean() < MIN_PLAIN_SHARE)
    limit = float(np.quantile(slopes, PLAINEST_SHARE)) if edged else EDGE_SLOPE
    plain = where & (first.slope <= limit) & (second.slope <= limit)
    correlation = _correlation(first.fine, second.fine, plain)
    control = float(
        np.median([_shifted_correlation(first, second, plain, by) for by in CONTROL_SHIFTS])
    )
    above = correlation - max(0.0, control)
    plain_px = int(plain.sum())
    free_values = max(4.0, plain_px / PIXELS_PER_FREE_VALUE)
    lower = np.arctanh(np.clip(above, -0.9999, 0.9999)) - 2 / np.sqrt(free_values - 3)
    return Agreement(correlation, control, float(lower), plain_px, edged)


def crop(structure: Structure, rows: slice, columns: slice) -> Structure:
    """A window of a structure, without copying."""
    return Structure(
        structure.luma[rows, columns],
        structure.fine[rows, columns],
        structure.slope[rows, columns],
    )


def _subtract_block_pattern(residual: Any) -> None:
    """Take out the mean 8 x 8 pattern, which every JPEG leaves everywhere."""
    height, width = (side // CELL_PX * CELL_PX for side in residual.shape)
    blocks = residual[:height, :width].reshape(
        height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX
    )
    blocks -= blocks.mean(axis=(0, 2), keepdims=True)


def _cells(plane: Plane) -> Plane:
    import cv2

    rows, columns = (side // CELL_PX for side in plane.shape)
    whole = plane[: rows * CELL_PX, : columns * CELL_PX]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def _windows(plane: Plane) -> Plane:
    import cv2

    return np.asarray(cv2.blur(_cells(plane), (WINDOW_CELLS, WINDOW_CELLS)))


def _plain(first: Structure, second: Structure, limit: float) -> Plane:
    return ((first.slope <= limit) & (second.slope <= limit)).astype(np.float32)


def _pixels_of(region: Mask, shape: tuple[int, ...]) -> Mask:
    whole = np.zeros(shape, bool)
    grown = np.repeat(np.repeat(region, CELL_PX, axis=0), CELL_PX, axis=1)
    whole[: grown.shape[0], : grown.shape[1]] = grown[: shape[0], : shape[1]]
    return whole


def _correlation(first: Plane, second: Plane, where: Mask) -> float:
    one, other = first[where], second[where]
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0 else 0.0


def _shifted_correlation(
    first: Structure, second: Structure, where: Mask, by: tuple[int, int]
) -> float:
    """The same pixels of `first` against `second` one block further on."""
    moved = np.roll(second.fine, (-by[1], -by[0]), axis=(0, 1))
    return _correlation(first.fine, moved, where)
