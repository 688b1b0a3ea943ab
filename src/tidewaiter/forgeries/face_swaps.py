"""Swaps: the donor's face in the host's picture, in the host's pose, expression and light."""

from __future__ import annotations

import numpy as np

from tidewaiter.forgeries.face_blending import (
    blended,
    coloured,
    drawn_mask,
    extent_of,
    feathered,
    must_be_visible,
    poisson,
)
from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels, Plane
from tidewaiter.forgeries.face_pairs import Surroundings, on_host, shifted, surroundings

# The networks of 2018 to 2021 gave inner faces of 64 to 128 pixels; larger faces show it.
LOWRES_SIDES = (56, 128)
# Standard deviation of the misplacement, as a share of the face's extent.
USUAL_MISPLACEMENT = 0.006


def swap_poisson(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:
    """The donor's face cloned seamlessly (Pérez et al. 2003) over the host's."""
    around, over, mask = _donor_over(host, donor, rng)
    if rng.random() < 0.5:
        over = coloured(over, around.pixels, mask, rng)
    altered = poisson(around.pixels, over, mask)
    # A generator that clones mostly softens the seam, too.
    soft = feathered((mask > 0.5).astype(np.float32), extent_of(around.points) * 0.006)
    if rng.random() < 0.5:
        altered = blended(around.pixels, altered, soft)
    return around.put_back(host, altered, np.maximum(soft, mask > 0.5))


def swap_feather(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:
    """The donor's face in the host's colours, laid over it with a soft edge."""
    around, over, mask = _donor_over(host, donor, rng)
    over = coloured(over, around.pixels, mask, rng)
    return around.put_back(host, blended(around.pixels, over, mask), mask)


def swap_lowres(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:
    """A swap with the smooth, coarse texture that small autoencoders leave."""
    around, over, mask = _donor_over(host, donor, rng)
    over = coloured(over, around.pixels, mask, rng)
    over = as_generated(over, extent_of(around.points), rng)
    return around.put_back(host, blended(around.pixels, over, mask), mask)


def as_generated(pixels: Pixels, extent: float, rng: np.random.Generator) -> Pixels:
    """Pixels with the detail of a generator that gave a face only so many pixels wide."""
    import cv2

    height, width = pixels.shape[:2]
    side = float(np.exp(rng.uniform(*np.log(LOWRES_SIDES))))
    scale = min(side / extent, 0.9)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    averaged = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = _smoothed(averaged, rng)
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
    large = cv2.resize(small, (width, height), interpolation=int(rng.choice(ways)))
    return _sharpened(np.asarray(large), rng) if rng.random() < 0.4 else np.asarray(large)


def _donor_over(
    host: Face, donor: Face, rng: np.random.Generator
) -> tuple[Surroundings, Pixels, Plane]:
    """The host's surroundings, the donor drawn into its shape, and a mask drawn by chance."""
    around = surroundings(host)
    extent = extent_of(around.points)
    goal = shifted(around.points, extent * USUAL_MISPLACEMENT, rng)
    over = on_host(donor, host, goal, around.pixels.shape)
    mask = drawn_mask(around.points, around.pixels.shape, rng)
    must_be_visible(over, mask)
    return around, over, mask


def _smoothed(small: Pixels, rng: np.random.Generator) -> Pixels:
    import cv2

    way = rng.integers(3)
    if way == 0:
        return np.asarray(cv2.medianBlur(small, 3))
    if way == 1:
        tolerance = float(rng.uniform(10, 35))
        return np.asarray(cv2.bilateralFilter(small, 5, tolerance, 2.0))
    return np.asarray(cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.4, 0.8))))


def _sharpened(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    import cv2

    soft = cv2.GaussianBlur(pixels, (0, 0), 1.5)
    amount = np.float32(rng.uniform(0.3, 0.9))
    sharp = pixels * (1 + amount) - soft * amount
    return np.clip(np.round(sharp), 0, 255).astype(np.uint8)
