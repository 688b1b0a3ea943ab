"""Piecewise affine warps of a face: a field from mesh points, and pictures drawn through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_forgery import Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import moved_by

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
# The field is computed on a grid this many cells wide per face and drawn out between.
CELLS_ACROSS = 80
RING_POINTS = 20
# The ring at which a warp has faded away, in radii of the face's points.
RING_RADIUS = 1.55
# Share of a mesh's area that may lie in triangles of the wrong side; noise of the inner
# lips and lids makes some tenths of a percent.
LARGEST_FOLDED_SHARE = 0.02

Field = NDArray[np.float32]
"""H x W x 2: where in the source each pixel of the goal comes from (x, y)."""


@dataclass(frozen=True)
class Window:
    """Part of a picture around a face: left, top, width, height in whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def corner(self) -> Points:
        """Top left corner, to be taken off points."""
        return np.array([self.left, self.top], np.float32)

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """The part of a picture or plane; a view."""
        return array[self.top : self.top + self.height, self.left : self.left + self.width]


def window_around(points: Points, shape: tuple[int, ...], margin: float = 0.4) -> Window:
    """The part of a picture of `shape` that holds the points and `margin` of their extent."""
    low, high = points.min(0), points.max(0)
    room = margin * float((high - low).max())
    height, width = shape[:2]
    left, top = np.clip(np.floor(low - room), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(high + room) + 1, 1, (width, height)).astype(int)
    if right - left < 16 or bottom - top < 16:
        raise UnfitFaces(
            "the face lies outside its picture; at least its middle is needed; take another one"
        )
    return Window(int(left), int(top), int(right - left), int(bottom - top))


def field(
    goal: Points,
    source: Points,
    shape: tuple[int, ...],
    rest: NDArray[np.float64] = IDENTITY,
) -> Field:
    """The warp that brings `source` points to the `goal` points of a picture of `shape`.

    Away from the face the field fades into the affine map `rest` (goal to source). Raises
    UnfitFaces where the mesh folds over itself.
    """
    ring = _ring(goal)
    spots = np.concatenate([goal, ring]).astype(np.float64)
    shift = source - moved_by(rest, goal)
    shifts = np.concatenate([shift, np.zeros_like(ring)]).astype(np.float64)
    return _spread(spots, shifts, shape, rest)


def picture_field(
    goal: Points, source: Points, shape: tuple[int, ...], rest: NDArray[np.float64] = IDENTITY
) -> Field:
    """As `field`, fading out at the picture's corners and mid-edges instead of a ring."""
    height, width = shape[:2]
    across, down = (0, (width - 1) / 2, width - 1), (0, (height - 1) / 2, height - 1)
    edge = np.array([(x, y) for y in down for x in across if (x, y) != (across[1], down[1])])
    inside = ((goal > 1) & (goal < (width - 2, height - 2))).all(1)
    spots = np.concatenate([goal[inside], edge])
    shift = source - moved_by(rest, goal)
    shifts = np.concatenate([shift[inside], np.zeros_like(edge)])
    return _spread(spots.astype(np.float64), shifts.astype(np.float64), shape, rest)


def drawn(pixels: Pixels, where: Field) -> Pixels:
    """The picture seen through a field; mirrored beyond its edges, never black."""
    import cv2

    # One map of x and y; OpenCV's type hints do not know that the second may be absent.
    nothing: Any = None
    height, width = pixels.shape[:2]
    # OpenCV mirrors step by step: a point a million pixels away would take minutes.
    where = np.clip(np.nan_to_num(where), (-width, -height), (2 * width, 2 * height))
    seen = cv2.remap(
        pixels,
        where.astype(np.float32),
        nothing,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(seen, np.uint8)


def moved_mask(where: Field) -> Plane:
    """1 where the field moves a pixel by a quarter or more, 0 where it hardly moves."""
    height, width = where.shape[:2]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    moved = np.hypot(where[..., 0] - x, where[..., 1] - y)
    return np.asarray(np.minimum(moved * 4, 1), np.float32)


def _ring(points: Points) -> Points:
    """Points around a face at which its warp has no more effect."""
    middle = (points.min(0) + points.max(0)) / 2
    radii = (points.max(0) - points.min(0)) / 2 * RING_RADIUS
    angles = np.arange(RING_POINTS) * (2 * np.pi / RING_POINTS)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(middle + circle * radii, np.float32)


def _spread(
    spots: NDArray[np.float64],
    shifts: NDArray[np.float64],
    shape: tuple[int, ...],
    rest: NDArray[np.float64],
) -> Field:
    """Shifts at scattered spots drawn out to every pixel, plus the affine `rest`."""
    import cv2

    triangles = _triangles(spots, shifts + moved_by(rest, spots))
    height, width = shape[:2]
    extent = float((spots.max(0) - spots.min(0)).max())
    step = max(1, round(extent / RING_RADIUS / CELLS_ACROSS))
    columns, rows = -(-width // step), -(-height // step)
    which = _triangle_map((spots + 0.5) / step - 0.5, triangles, (rows, columns))
    planes = _planes(spots, shifts, triangles)[which]
    x = (np.arange(columns, dtype=np.float32) + 0.5) * step - 0.5
    y = ((np.arange(rows, dtype=np.float32) + 0.5) * step - 0.5)[:, None]
    coarse = _values(planes, x, y)
    full = cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)
    return full[:height, :width] + _affine_field(rest, width, height)


def _values(planes: NDArray[np.float32], x: NDArray[Any], y: NDArray[Any]) -> Field:
    """The planes a·x + b·y + c (rows x columns x 6) at their own places."""
    first = planes[..., 0] * x + planes[..., 1] * y + planes[..., 2]
    second = planes[..., 3] * x + planes[..., 4] * y + planes[..., 5]
    return np.stack([first, second], axis=-1)


def _affine_field(rest: NDArray[np.float64], width: int, height: int) -> Field:
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    a = rest.astype(np.float32)
    return np.stack([a[i, 0] * x + (a[i, 1] * y + a[i, 2]) for i in (0, 1)], axis=-1)


def _triangles(goal: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.int32]:
    """Delaunay triangles of the goal; raises UnfitFaces where the source's are folded."""
    from scipy.spatial import Delaunay

    triangles = np.asarray(Delaunay(goal).simplices, np.int32)
    areas, others = _areas(goal[triangles]), _areas(source[triangles])
    folded = float(np.abs(areas[areas * others < 0]).sum() / np.abs(areas).sum())
    if folded > LARGEST_FOLDED_SHARE:
        raise UnfitFaces(
            f"{folded:.1%} of the mesh folds over itself; at most {LARGEST_FOLDED_SHARE:.0%} may; "
            "take faces of more similar pose"
        )
    return triangles[np.abs(areas) > 1e-6]


def _areas(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


def _planes(
    spots: NDArray[np.float64], shifts: NDArray[np.float64], triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """For each triangle the two planes through its corners' shifts (x: 3, y: 3 numbers).

    One more row of zeros stands for places in no triangle.
    """
    first, second, third = (spots[triangles[:, corner]] for corner in range(3))
    there = [shifts[triangles[:, corner]] for corner in range(3)]
    (ax, ay), (bx, by) = (second - first).T, (third - first).T
    area = (ax * by - ay * bx)[:, None]
    one, two = there[1] - there[0], there[2] - there[0]
    by_x = (one * by[:, None] - two * ay[:, None]) / area
    by_y = (two * ax[:, None] - one * bx[:, None]) / area
    start = there[0] - by_x * first[:, :1] - by_y * first[:, 1:]
    flat = np.stack([by_x, by_y, start], axis=-1).reshape(-1, 6)
    return np.concatenate([flat, np.zeros((1, 6))]).astype(np.float32)


def _triangle_map(
    spots: NDArray[np.float64], triangles: NDArray[np.int32], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Which triangle each cell lies in; the number after the last where none."""
    import cv2

    which = np.full(shape, len(triangles), np.int32)
    # OpenCV draws with 4 binary places below the pixel.
    corners = np.round(spots * 16).astype(np.int32)[triangles]
    for number, corner in enumerate(corners):
        cv2.fillConvexPoly(which, corner, number, lineType=cv2.LINE_8, shift=4)
    return which
