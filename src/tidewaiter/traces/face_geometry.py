"""Plane geometry of a located face: crops, openness of eyes and mouth, pose, skin regions.

Points are numbered as in the 468-point mesh. "Left" and "right" are sides of the image,
never of the person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels

Points = NDArray[np.floating[Any]]
"""N x 2 or N x 3: x to the right, y down, z away from the camera, in pixels."""
Corners = NDArray[np.float32]
"""3 x 2: top left, top right and bottom left of a possibly rotated rectangle."""

# Outer and inner corner of the image's left eye, inner and outer of its right eye.
EYE_CORNERS = ((33, 133), (362, 263))
# The iris network sees a square so many times as wide as the eye.
EYE_MARGIN = 2.3
# The lips' inner edges above the mouth's inner corners.
MOUTH_OPENING = (13, 14)
MOUTH_CORNERS = (78, 308)
OUTER_EYE_CORNERS = (33, 263)
FOREHEAD_AND_CHIN = (10, 152)
# A crop half as wide again as the face, as the mesh was trained on.
MESH_MARGIN = 1.5

SKIN_REGIONS = ("forehead", "left cheek", "right cheek")
"""Regions whose mean colour is followed, in this order everywhere."""
SKIN_POINTS = (
    (69, 109, 10, 338, 299, 9),
    (117, 118, 101, 36, 205, 187, 50),
    (346, 347, 330, 266, 425, 411, 280),
)


def level_square(centre: Points, side: float, angle: float) -> Corners:
    """The corners of a square of that centre and side, turned by `angle` radians."""
    along = np.array([np.cos(angle), np.sin(angle)]) * side / 2
    down = np.array([-along[1], along[0]])
    first = centre[:2] - along - down
    return np.stack([first, first + 2 * along, first + 2 * down]).astype(np.float32)


def mesh_square(points: Points) -> Corners:
    """The next crop for the mesh: eyes level, half as wide again as the points."""
    return eyes_level_square(points, MESH_MARGIN)


def eyes_level_square(points: Points, margin: float) -> Corners:
    """The square around a mesh, eyes level, `margin` times as wide as its longer extent."""
    outer_left, outer_right = (points[i, :2] for i in OUTER_EYE_CORNERS)
    angle = float(np.arctan2(*(outer_right - outer_left)[::-1]))
    along = np.array([np.cos(angle), np.sin(angle)])
    axes = np.stack([along, [-along[1], along[0]]])
    turned = points[:, :2] @ axes.T
    low, high = turned.min(0), turned.max(0)
    centre = (low + high) / 2 @ axes
    return level_square(centre, margin * float((high - low).max()), angle)


def from_crop(points: Points, corners: Corners, size: int) -> Points:
    """Points of a `size` x `size` crop in the coordinates of the picture it was cut from."""
    along = (corners[1] - corners[0]) / (size - 1)
    down = (corners[2] - corners[0]) / (size - 1)
    plane = corners[0] + points[:, :1] * along + points[:, 1:2] * down
    if points.shape[1] == 2:
        return np.asarray(plane, np.float32)
    depth = points[:, 2:] * float(np.linalg.norm(along))
    return np.concatenate([plane, depth], axis=1).astype(np.float32)


def square_crop(
    crop: Callable[[Corners, int, int], Pixels], corners: Corners, size: int, most: int = 3
) -> Pixels:
    """A `size` x `size` crop, taken up to `most` times finer and averaged down.

    Sampling a large face at every fourth pixel would alias; averaging also lowers the
    noise of its mean colour.
    """
    import cv2

    side = float(np.linalg.norm(corners[1] - corners[0]))
    finer = int(np.clip(side // size, 1, most))
    pixels = crop(corners, size * finer, size * finer)
    if finer == 1:
        return pixels
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA))


def cut(pixels: Pixels, corners: Corners, width: int, height: int) -> Pixels:
    """The rectangle `corners` of a picture, warped to width x height; black outside it."""
    return _warped(pixels, corners, (width, height), repeats=False)


def cut_repeating(pixels: Pixels, corners: Corners, width: int, height: int) -> Pixels:
    """Like `cut`, but the picture's border goes on outside it, as with `Frame.crop`."""
    return _warped(pixels, corners, (width, height), repeats=True)


def _warped(pixels: Pixels, corners: Corners, size: tuple[int, int], *, repeats: bool) -> Pixels:
    import cv2

    width, height = size

    goal = np.array([[0, 0], [width - 1, 0], [0, height - 1]], np.float32)
    matrix = cv2.getAffineTransform(np.asarray(corners, np.float32), goal)
    border = cv2.BORDER_REPLICATE if repeats else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    )


def mouth_opening(points: Points) -> float:
    """Distance between the lips over the width of the mouth; 0 when closed."""
    above, below = (points[i, :2] for i in MOUTH_OPENING)
    left, right = (points[i, :2] for i in MOUTH_CORNERS)
    width = max(float(np.linalg.norm(left - right)), 1e-6)
    return float(np.linalg.norm(above - below)) / width


def head_pose(points: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from the mesh's own depth; 0, 0, 0 is frontal.

    Yaw is positive when the face turns to the image's right, roll when its eye line
    falls to the right. The mesh's depth is learned, so these are coarse (some degrees).
    """
    left, right = (points[i].astype(np.float64) for i in OUTER_EYE_CORNERS)
    forehead, chin = (points[i].astype(np.float64) for i in FOREHEAD_AND_CHIN)
    across, down = right - left, chin - forehead
    normal = np.cross(across, down)
    yaw = -np.degrees(np.arctan2(normal[0], normal[2]))
    pitch = -np.degrees(np.arctan2(normal[1], normal[2]))
    roll = np.degrees(np.arctan2(across[1], across[0]))
    return float(yaw), float(pitch), float(roll)


def skin_masks(points: Points, size: int) -> tuple[Points, NDArray[np.uint8]]:
    """The rectangle that holds the skin regions, and their masks in a crop of it.

    Top left, top right, bottom left (3 x 2) in the coordinates of `points`; masks of a
    `size` x `size` crop of that rectangle: 3 x size x size, 0 or 255.
    """
    import cv2

    outlines = [points[list(indices), :2] for indices in SKIN_POINTS]
    low = np.concatenate(outlines).min(0)
    extent = np.maximum(np.concatenate(outlines).max(0) - low, 1)
    masks = np.zeros((len(SKIN_POINTS), size, size), np.uint8)
    for mask, outline in zip(masks, outlines, strict=True):
        inside = np.round((outline - low) / extent * (size - 1)).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(inside), 255)
    return low + np.array([[0, 0], [extent[0], 0], [0, extent[1]]]), masks


def box_of(points: Points) -> NDArray[np.float32]:
    """Left, top, width, height of the points."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return np.concatenate([low, high - low]).astype(np.float32)


def overlap(box: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Intersection over union of two boxes (left, top, width, height)."""
    low = np.maximum(box[:2], other[:2])
    high = np.minimum(box[:2] + box[2:], other[:2] + other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    both = float(np.prod(box[2:]) + np.prod(other[2:])) - shared
    return shared / both if both > 0 else 0.0


def as_stored(
    box: NDArray[np.float32], orientation: int, width: int, height: int
) -> tuple[int, int, int, int]:
    """A box of the upright picture in the stored one of `width` x `height` pixels.

    Left, top, width, height, clipped to the picture, at least one pixel wide and high.
    """
    left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    if quarter_turns == 1:
        left, top, right, bottom = width - bottom, left, width - top, right
    elif quarter_turns == 2:
        left, top, right, bottom = width - right, height - bottom, width - left, height - top
    elif quarter_turns == 3:
        left, top, right, bottom = top, height - right, bottom, height - left
    if orientation in (2, 4, 5, 7):
        left, right = width - right, width - left
    x0, x1 = (int(np.clip(round(float(v)), 0, width)) for v in (left, right))
    y0, y1 = (int(np.clip(round(float(v)), 0, height)) for v in (top, bottom))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, max(x1 - x0, 1), max(y1 - y0, 1)
