"""Self-blended faces: a picture blended with a slightly changed copy of itself.

After Shiohara & Yamasaki 2022 (arXiv 2204.08376), with hulls of the 468-point mesh. Both
halves come from one picture, so that only the traces of blending tell the result apart.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels

Mask = NDArray[np.float32]
"""Share of each pixel that was replaced, 0 to 1."""

FOREHEAD, CHIN = 10, 152
LEFT_EDGE, RIGHT_EDGE = 234, 454
# Parts of the face along its height, 0 at the forehead and 1 at the chin, and across its
# width, 0 at the image's left edge: the whole face, from the brows down, without the chin,
# the middle, the mouth, the eyes.
REGIONS = (
    ((-0.5, 1.5), (-0.5, 1.5)),
    ((0.18, 1.5), (-0.5, 1.5)),
    ((0.18, 0.9), (0.08, 0.92)),
    ((0.2, 0.86), (0.18, 0.82)),
    ((0.6, 1.5), (0.1, 0.9)),
    ((0.2, 0.52), (0.05, 0.95)),
)
REGION_SHARES = (0.36, 0.26, 0.14, 0.1, 0.09, 0.05)

# Shares and ranges of the paper; lengths are for crops of 256 pixels.
RGB_SHIFT, HSV_SHIFT, BRIGHTNESS = 20, 0.3, 0.1
SOURCE_SHIFT_X, SOURCE_SHIFT_Y, SOURCE_SCALE = 0.03, 0.015, 0.05
ELASTIC_STRENGTH, ELASTIC_GRID = 9.0, 18
BLUR_RANGE = (2.0, 12.0)
BLEND_SHARES = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


def self_blend(
    pixels: Pixels, points: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Pixels, Mask]:
    """A self-blended copy of a square crop, and where it was replaced.

    `points` are the mesh's in the crop; the result depends on the arguments alone.
    """
    changed = _changed(pixels, rng)
    source, target = (changed, pixels) if rng.random() < 0.5 else (pixels, changed)
    mask = hull_mask(points, pixels.shape[0], rng)
    move = _small_move(pixels.shape[0], rng)
    size = (pixels.shape[1], pixels.shape[0])
    source = _moved(source, move, size, cv2.BORDER_REPLICATE)
    mask = soft(_moved(mask, move, size, cv2.BORDER_CONSTANT), rng)
    if rng.random() < 0.5:
        source = _generated_look(source, rng)
    mask = (mask * rng.choice(BLEND_SHARES)).astype(np.float32)
    return blend(target, source, mask), mask


def blend(target: Pixels, source: Pixels, mask: Mask) -> Pixels:
    """`source` where the mask is 1, `target` where it is 0, mixed in between."""
    share = mask[..., None].astype(np.float32)
    mixed = source.astype(np.float32) * share + target.astype(np.float32) * (1 - share)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def hull_mask(points: NDArray[np.float32], side: int, rng: np.random.Generator) -> Mask:
    """0 or 1 inside the bent hull of a random part of the face; side x side."""
    places = _within_face(points)
    (top, bottom), (left, right) = REGIONS[rng.choice(len(REGIONS), p=REGION_SHARES)]
    down, across = places[:, 1], places[:, 0]
    inside = (down >= top) & (down <= bottom) & (across >= left) & (across <= right)
    chosen = points[inside]
    if rng.random() < 0.5:
        chosen = chosen[rng.random(len(chosen)) < 0.25]
    if len(chosen) < 3:
        chosen = points
    mask = np.zeros((side, side), np.uint8)
    hull = cv2.convexHull(np.round(chosen).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return _bent(mask.astype(np.float32), rng)


def soft(mask: Mask, rng: np.random.Generator) -> Mask:
    """The mask with a seam of random softness, inside its outline about half the time."""
    first, second = rng.uniform(*BLUR_RANGE, 2)
    blurred = _blurred(mask, first)
    threshold = rng.choice([0.1, 0.5, 0.9])
    return _blurred((blurred > threshold).astype(np.float32), second)


def _within_face(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points as shares of the face's width and of its height."""
    origin, down = points[FOREHEAD], points[CHIN] - points[FOREHEAD]
    across = points[RIGHT_EDGE] - points[LEFT_EDGE]
    height = np.maximum(down @ down, 1)
    width = np.maximum(across @ across, 1)
    return np.stack(
        [(points - points[LEFT_EDGE]) @ across / width, (points - origin) @ down / height], 1
    )


def _changed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    values = pixels.astype(np.float32)
    if rng.random() < 0.3:
        values = values + rng.uniform(-RGB_SHIFT, RGB_SHIFT, 3).astype(np.float32)
    if rng.random() < 0.7:
        values = _hsv_shifted(values, rng)
    if rng.random() < 0.7:
        contrast, brightness = rng.uniform(-BRIGHTNESS, BRIGHTNESS, 2)
        values = values * (1 + contrast) + 255 * brightness
    changed = np.clip(values, 0, 255).astype(np.uint8)
    return _coarser(changed, rng) if rng.random() < 0.5 else _sharper(changed, rng)


def _hsv_shifted(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    hsv = cv2.cvtColor(np.clip(values, 0, 255) / np.float32(255), cv2.COLOR_RGB2HSV)
    hue, saturation, value = rng.uniform(-HSV_SHIFT, HSV_SHIFT, 3)
    hsv[..., 0] = (hsv[..., 0] + hue * 30) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + saturation), 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] * (1 + value / 2), 0, 1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255, np.float32)


def _coarser(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    factor = rng.uniform(2, 4)
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_AREA
    small = cv2.resize(pixels, (round(width / factor), round(height / factor)), interpolation=how)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _sharper(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(1, 2.5))
    share = rng.uniform(0.2, 0.8)
    return np.asarray(cv2.addWeighted(pixels, 1 + share, blurred, -share, 0), np.uint8)


def _generated_look(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What networks that make faces leave: less texture, another noise, a compression."""
    kind = rng.integers(4)
    if kind == 0:
        return np.asarray(cv2.bilateralFilter(pixels, 5, rng.uniform(10, 40), 5), np.uint8)
    if kind == 1:
        noise = rng.normal(0, rng.uniform(1, 5), pixels.shape)
        return np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if kind == 2:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.6, 1.8)), np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], 1), np.uint8)


def _small_move(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    scale = rng.uniform(1 - SOURCE_SCALE, 1 / (1 - SOURCE_SCALE))
    shift = rng.uniform(-1, 1, 2) * (SOURCE_SHIFT_X, SOURCE_SHIFT_Y) * side
    middle = side / 2 * (1 - scale)
    return np.array([[scale, 0, middle + shift[0]], [0, scale, middle + shift[1]]])


def _moved(values: Any, move: NDArray[np.float64], size: tuple[int, int], border: int) -> Any:
    return cv2.warpAffine(values, move, size, flags=cv2.INTER_LINEAR, borderMode=border)


def _bent(mask: Mask, rng: np.random.Generator) -> Mask:
    side = mask.shape[0]
    coarse = rng.normal(0, ELASTIC_STRENGTH / 2, (2, ELASTIC_GRID, ELASTIC_GRID))
    fields = [
        cv2.resize(field.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        for field in coarse
    ]
    rows, columns = np.indices((side, side), np.float32)
    return np.asarray(
        cv2.remap(mask, columns + fields[0], rows + fields[1], cv2.INTER_LINEAR), np.float32
    )


def _blurred(mask: Mask, sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)
