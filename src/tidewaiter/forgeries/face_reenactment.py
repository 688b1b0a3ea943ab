"""Reenactment: the host's own face driven to a donor's expression."""

from __future__ import annotations

import numpy as np

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_blending import (
    EROSION_PER_FACE,
    FEATHER_PER_FACE,
    blended,
    colour_moved,
    extent_of,
    feathered,
    hull_mask,
)
from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import (
    CHIN,
    INNER_FACE,
    INNER_LIPS,
    LEFT_BROW,
    LEFT_EYE,
    MOUTH,
    MOVED,
    OUTER_LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    laid_on,
    moved_by,
)
from tidewaiter.forgeries.face_pairs import Surroundings, on_host, surroundings
from tidewaiter.forgeries.face_swaps import as_generated
from tidewaiter.forgeries.face_warping import Field, drawn, field, moved_mask

# Mean movement of the lips below which nobody would call it another expression, in
# distances between the outer eye corners.
LEAST_MOVEMENT = 0.02
LARGEST_MOVEMENT = 0.16
STRENGTHS = (0.7, 1.2)
LIPS = (*OUTER_LIPS, *INNER_LIPS)
LOWER_JAW = (*CHIN, 152, 148, 176, 377, 400, 149, 378, 150, 379, 206, 426, 216, 436, 212, 432)
UPPER = (*LEFT_EYE, *RIGHT_EYE, *LEFT_BROW, *RIGHT_BROW)


def reenact(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:
    """Mouth, jaw, eyes and brows moved as the donor's; the mouth's inside is the donor's."""
    around = surroundings(host)
    goal = _driven(around.points, donor.points, rng, upper=True)
    warped, where = _self_warped(around, goal)
    warped, filled = _mouth_filled(warped, goal, host, donor)
    mask = np.maximum(moved_mask(where), filled)
    if rng.random() < 0.6:
        return _rendered(host, around, warped, mask, rng)
    return around.put_back(host, warped, mask)


def reenact_mouth(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:
    """Only the mouth driven, made anew at low resolution and blended back."""
    around = surroundings(host)
    goal = _driven(around.points, donor.points, rng, upper=False)
    warped, _ = _self_warped(around, goal)
    warped, _ = _mouth_filled(warped, goal, host, donor)
    extent = extent_of(around.points)
    region = [points[list(MOUTH)] for points in (around.points, goal)]
    hard = hull_mask([np.concatenate(region)], warped.shape)
    mask = _grown(hard, extent * float(rng.uniform(0.02, 0.06)))
    mask = feathered(mask, extent * FEATHER_PER_FACE * float(rng.uniform(0.4, 1.2)))
    made = as_generated(warped, extent, rng)
    return around.put_back(host, blended(around.pixels, made, mask), mask)


def _driven(host: Points, donor: Points, rng: np.random.Generator, *, upper: bool) -> Points:
    """The host's points with the donor's expression, scaled to the host's face."""
    laid = np.asarray(moved_by(laid_on(donor, host), donor), np.float32)
    strength = float(rng.uniform(*STRENGTHS))
    moved = host.copy()
    scale = float(np.linalg.norm(host[263] - host[33]))
    _follow(moved, host, laid, LIPS, strength)
    lips = list(LIPS)
    movement = float(np.linalg.norm(moved[lips] - host[lips], axis=1).mean()) / scale
    if not LEAST_MOVEMENT <= movement <= LARGEST_MOVEMENT:
        raise UnfitFaces(
            f"the lips would move by {movement:.3f} eye distances; {LEAST_MOVEMENT} to "
            f"{LARGEST_MOVEMENT} needed; take a donor of another expression"
        )
    _follow(moved, host, laid, LOWER_JAW, strength * 0.6)
    if upper:
        _follow(moved, host, laid, UPPER, strength * 0.8)
    return moved


def _follow(
    moved: Points, host: Points, laid: Points, indices: tuple[int, ...], strength: float
) -> None:
    chosen = list(indices)
    moved[chosen] = host[chosen] + strength * (laid[chosen] - host[chosen])


def _self_warped(around: Surroundings, goal: Points) -> tuple[Pixels, Field]:
    chosen = list(MOVED)
    where = field(goal[chosen], around.points[chosen], around.pixels.shape)
    return drawn(around.pixels, where), where


def _mouth_filled(warped: Pixels, goal: Points, host: Face, donor: Face) -> tuple[Pixels, Plane]:
    """The donor's teeth and tongue between the driven lips."""
    extent = extent_of(goal)
    inner = goal[list(INNER_LIPS)]
    height = float(np.linalg.norm(goal[13] - goal[14]))
    empty = np.zeros(warped.shape[:2], np.float32)
    if height < 0.015 * extent:
        return warped, empty
    over = on_host(donor, host, goal, warped.shape)
    lips = hull_mask([goal[list(OUTER_LIPS)]], warped.shape)
    over = colour_moved(over, warped, lips, way="mean")
    try:
        mask = feathered(hull_mask([inner], warped.shape), extent * 0.006)
    except UnfitFaces:
        return warped, empty
    return blended(warped, over, mask), mask


def _rendered(
    host: Face, around: Surroundings, warped: Pixels, mask: Plane, rng: np.random.Generator
) -> Forgery:
    """The driven face given anew by a coarse generator over the oval or the inner face."""
    extent = extent_of(around.points)
    outline = around.points[list(OVAL if rng.random() < 0.6 else INNER_FACE)]
    factor = float(rng.uniform(0.4, 1.6))
    hard = hull_mask([outline], warped.shape, extent * EROSION_PER_FACE * factor)
    soft = feathered(hard, extent * FEATHER_PER_FACE * factor)
    made = blended(warped, as_generated(warped, extent, rng), soft)
    return around.put_back(host, made, np.maximum(mask, soft))


def _grown(mask: Plane, reach: float) -> Plane:
    import cv2

    size = 2 * round(reach) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(mask, kernel))
