"""Faces drawn in code, with the mesh where they were drawn."""

from __future__ import annotations

import cv2
import numpy as np

from tidewaiter.forgeries.face_mesh import (
    INNER_LIPS,
    LEFT_BROW,
    LEFT_EYE,
    OUTER_LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
)
from tidewaiter.forgeries.faces import Face

# In units of half the face's width, x to the right and y down, the eyes' line at 0.
NOSE_LINE = {168: -0.05, 6: 0.05, 197: 0.15, 195: 0.25, 5: 0.35, 4: 0.45, 1: 0.5, 19: 0.54,
             94: 0.58, 2: 0.6, 164: 0.66, 9: -0.3, 151: -0.5, 18: 1.05, 200: 1.1, 199: 1.17}  # fmt: skip
# Left of the middle; the right half mirrors it.
PAIRS = {98: (327, -0.13, 0.57), 97: (326, -0.06, 0.58), 48: (278, -0.2, 0.5),
         64: (294, -0.18, 0.56), 129: (358, -0.22, 0.46), 50: (280, -0.58, 0.4),
         117: (346, -0.55, 0.22), 118: (347, -0.42, 0.25), 205: (425, -0.48, 0.52),
         187: (411, -0.6, 0.6), 36: (266, -0.35, 0.4), 101: (330, -0.42, 0.35),
         123: (352, -0.7, 0.38), 147: (376, -0.72, 0.55), 213: (433, -0.7, 0.68),
         192: (416, -0.62, 0.75), 206: (426, -0.36, 0.6), 216: (436, -0.46, 0.7),
         212: (432, -0.48, 0.84), 108: (337, -0.25, -0.5), 69: (299, -0.42, -0.55),
         83: (313, -0.1, 1.04), 204: (424, -0.36, 0.98), 169: (394, -0.5, 1.0),
         210: (430, -0.44, 0.92), 214: (434, -0.6, 0.85), 208: (428, -0.15, 1.15),
         57: (287, -0.38, 0.8), 186: (410, -0.36, 0.7), 43: (273, -0.34, 0.88),
         106: (335, -0.26, 0.97)}  # fmt: skip


def mesh(mouth: float = 0.02, width: float = 1.0) -> np.ndarray:
    """468 x 2 in units of half the face's width; `mouth` is half its opening."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 2))
    around = np.arange(36) * (2 * np.pi / 36)
    points[list(OVAL)] = np.stack([0.95 * np.sin(around), 0.25 - 1.1 * np.cos(around)], 1)
    points[list(LEFT_EYE)] = ellipse(16, (-0.4, 0), (0.2, 0.07))
    points[list(RIGHT_EYE)] = ellipse(16, (0.4, 0), (0.2, 0.07)) * (-1, 1) + (0.8, 0)
    points[list(OUTER_LIPS)] = ellipse(20, (0, 0.8), (0.32, 0.1 + mouth))
    points[list(INNER_LIPS)] = ellipse(20, (0, 0.8), (0.26, mouth))
    x = np.linspace(-0.65, -0.18, 5)
    brow = np.stack([np.tile(x, 2), np.repeat((-0.17, -0.25), 5)], 1)
    points[list(LEFT_BROW)], points[list(RIGHT_BROW)] = brow, brow * (-1, 1)
    for index, y in NOSE_LINE.items():
        points[index] = 0, y
    for left, (right, x_left, y) in PAIRS.items():
        points[left], points[right] = (x_left, y), (-x_left, y)
    return points * (width, 1)


def ellipse(count: int, middle: tuple[float, float], axes: tuple[float, float]) -> np.ndarray:
    """Points from the left corner along the lower edge to the right and back above."""
    angles = np.pi - np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(angles), np.sin(angles)], 1) * axes + middle


def face(seed: int, side: int = 160, *, mouth: float = 0.02, angle: float = 0.0) -> Face:
    """A face of random colours on a textured ground, in a square picture of that side."""
    rng = np.random.default_rng(seed)
    unit = mesh(mouth, float(rng.uniform(0.92, 1.08)))
    c, s = np.cos(angle), np.sin(angle)
    points = unit @ np.array([[c, s], [-s, c]]) * side * 0.28 + side * 0.45
    ground = cv2.resize(rng.integers(60, 220, (9, 9, 3), dtype=np.uint8), (side, side))
    pixels = cv2.add(ground, rng.integers(0, 12, ground.shape, dtype=np.uint8))
    skin = tuple(int(v) for v in rng.integers((150, 110, 90), (230, 180, 150)))
    for part, colour in (
        (OVAL, skin),
        (LEFT_EYE, (230, 230, 235)),
        (RIGHT_EYE, (230, 230, 235)),
        (LEFT_BROW, (60, 40, 30)),
        (RIGHT_BROW, (60, 40, 30)),
        (OUTER_LIPS, (170, 70, 80)),
        (INNER_LIPS, (70, 20, 20)),
    ):
        outline = np.round(points[list(part)]).astype(np.int32)
        cv2.fillConvexPoly(pixels, cv2.convexHull(outline), colour)
    for corner in (6, 4):
        cv2.circle(
            pixels, tuple(np.round(points[corner]).astype(int).tolist()), 2, (120, 80, 70), -1
        )
    noise = rng.integers(0, 8, pixels.shape, dtype=np.uint8)
    return Face(cv2.add(cv2.GaussianBlur(pixels, (0, 0), 0.8), noise), points.astype(np.float32))
