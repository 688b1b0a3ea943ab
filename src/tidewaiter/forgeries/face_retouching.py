"""Retouching: parts of the host's face removed, smoothed, bent or resized."""

from __future__ import annotations

import numpy as np

from tidewaiter.forgeries.face_blending import (
    blended,
    extent_of,
    feathered,
    hull_mask,
)
from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import (
    INNER_LIPS,
    LEFT_BROW,
    LEFT_EYE,
    MOUTH,
    MOVED,
    NOSE,
    OUTER_LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
)
from tidewaiter.forgeries.face_pairs import Surroundings, surroundings
from tidewaiter.forgeries.face_warping import drawn, field, moved_mask

LIPS = (*OUTER_LIPS, *INNER_LIPS)
SKIN_SPOTS = (50, 280, 205, 425, 151, 9, 108, 337, 199, 187, 411, 4, 164)
# What is never smoothed: a filter that blurs eyes is noticed.
SHARP_PARTS = (LEFT_EYE, RIGHT_EYE, LEFT_BROW, RIGHT_BROW, OUTER_LIPS)
# Upper half of the oval's sides, then the jaw: what a slimming filter draws in.
JAW = (361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132)
EYES = (LEFT_EYE, RIGHT_EYE)
FEATURES = (LEFT_EYE, RIGHT_EYE, LIPS, NOSE, LEFT_BROW, RIGHT_BROW)


def retouch_inpaint(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """One to three patches of skin, or a brow, painted over from their surroundings."""
    import cv2

    around = surroundings(host)
    mask = _patches(around, rng)
    way = cv2.INPAINT_TELEA if rng.random() < 0.5 else cv2.INPAINT_NS
    reach = max(3.0, extent_of(around.points) * 0.015)
    painted = cv2.inpaint(around.pixels, mask.astype(np.uint8), reach, way)
    return around.put_back(host, np.where(mask[..., None] > 0, painted, around.pixels), mask)


def retouch_smooth(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """Skin smoothed as a beauty filter does, with eyes, brows and lips left sharp."""
    import cv2

    around = surroundings(host)
    extent = extent_of(around.points)
    shape = around.pixels.shape
    skin = hull_mask([around.points[list(OVAL)]], shape, extent * 0.02)
    sharp = hull_mask([around.points[list(part)] for part in SHARP_PARTS], shape)
    mask = feathered(skin * (1 - sharp), extent * 0.012)
    reach = max(1.5, extent * float(rng.uniform(0.01, 0.022)))
    tolerance = float(rng.uniform(25, 55))
    smooth = cv2.bilateralFilter(around.pixels, min(int(reach * 3) | 1, 15), tolerance, reach)
    strength = float(rng.uniform(0.7, 1.0))
    lighter = np.clip(smooth.astype(np.float32) + float(rng.uniform(0, 8)), 0, 255)
    altered = blended(around.pixels, lighter.astype(np.uint8), mask * strength)
    return around.put_back(host, altered, mask)


def retouch_slim(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """Jaw drawn in and eyes enlarged, or both the other way about, as a beauty filter does."""
    around = surroundings(host)
    amount = float(rng.uniform(0.05, 0.12)) * (1 if rng.random() < 0.8 else -1)
    goal = around.points.copy()
    middle = goal[[234, 454, 10]].mean(0)
    _scaled_about(goal, JAW, middle, (1 - amount, 1 - amount * 0.5))
    for eye in EYES:
        grown = (1 + abs(amount) * 1.5,) * 2
        _scaled_about(goal, eye, goal[list(eye)].mean(0), grown)
    return _bent(host, around, goal)


def retouch_features(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """One or two of eyes, nose, mouth and brows made larger, smaller or moved."""
    around = surroundings(host)
    goal = around.points.copy()
    extent = extent_of(goal)
    for number in rng.choice(len(FEATURES), size=int(rng.integers(1, 3)), replace=False):
        part = FEATURES[int(number)]
        sign = 1 if rng.random() < 0.6 else -1
        factors = 1 + sign * rng.uniform(0.08, 0.25, 2)
        _scaled_about(goal, part, goal[list(part)].mean(0), (factors[0], factors[1]))
        goal[list(part)] += rng.normal(0, 0.008 * extent, 2).astype(np.float32)
    return _bent(host, around, goal)


def _patches(around: Surroundings, rng: np.random.Generator) -> Plane:
    """1 in one to three blobs on the skin, or over a brow or the mouth."""
    import cv2

    extent = extent_of(around.points)
    if rng.random() < 0.3:
        part = (LEFT_BROW, RIGHT_BROW, MOUTH)[int(rng.integers(3))]
        return hull_mask([around.points[list(part)]], around.pixels.shape)
    mask = np.zeros(around.pixels.shape[:2], np.uint8)
    spots = rng.choice(SKIN_SPOTS, size=int(rng.integers(1, 4)), replace=False)
    for spot in spots:
        x, y = (round(float(v)) for v in around.points[spot])
        axes = tuple(round(float(v)) for v in extent * rng.uniform(0.04, 0.1, 2))
        cv2.ellipse(mask, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    return mask.astype(np.float32)


def _scaled_about(
    points: Points, indices: tuple[int, ...], middle: Points, factors: tuple[float, float]
) -> None:
    chosen = list(indices)
    points[chosen] = middle + (points[chosen] - middle) * np.array(factors, np.float32)


def _bent(host: Face, around: Surroundings, goal: Points) -> Forgery:
    """The host's face with its points moved to the goal."""
    chosen = list(MOVED)
    where = field(goal[chosen], around.points[chosen], around.pixels.shape)
    altered: Pixels = drawn(around.pixels, where)
    return around.put_back(host, altered, moved_mask(where))
