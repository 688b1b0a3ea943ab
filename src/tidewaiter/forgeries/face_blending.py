"""Masks over a face, colours carried from one face to another, and blending them in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_forgery import Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import EYES_AND_NOSE, INNER_FACE, MOUTH, OVAL

# Handbook: 7 x 7 erosion and sigma 7 at a face of about 250 pixels.
EROSION_PER_FACE = 7 / 250
FEATHER_PER_FACE = 7 / 250
# A wider ratio makes a flat or noisy face explode into colours.
RATIO_LIMITS = (0.5, 2.0)
SMALLEST_SPREAD = 1e-3
# Pixels that count as black: nothing a camera sees is that dark all over.
BLACK = 4
LARGEST_BLACK_SHARE = 0.01
FEWEST_PIXELS = 60
# Mean difference of red and blue below which a picture is greyscale; JPEG adds some tenths.
GREYEST_COLOUR = 2.0

HULLS: dict[str, tuple[int, ...]] = {
    "full": OVAL,
    "inner": INNER_FACE,
    "eyes": EYES_AND_NOSE,
    "mouth": MOUTH,
}
"""Mesh points whose hull is replaced."""


def extent_of(points: Points) -> float:
    """Height or width of the points, whichever is longer, in pixels."""
    return float((points.max(0) - points.min(0)).max())


def hull_mask(outlines: Sequence[Points], shape: tuple[int, ...], erosion: float = 0.0) -> Plane:
    """1 inside the outlines' convex hulls, eroded by so many pixels, 0 at the picture's edge."""
    import cv2

    mask = np.zeros(shape[:2], np.uint8)
    for outline in outlines:
        cv2.fillConvexPoly(mask, np.round(cv2.convexHull(outline)).astype(np.int32), 1)
    mask[[0, 1, -2, -1]] = 0
    mask[:, [0, 1, -2, -1]] = 0
    size = 2 * round(erosion) + 1
    if size > 1:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        worn = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        mask = np.asarray(worn, np.uint8)
    if int(mask.sum()) < FEWEST_PIXELS:
        raise UnfitFaces(
            f"{int(mask.sum())} pixels to alter; {FEWEST_PIXELS} needed; take a larger face"
        )
    return mask.astype(np.float32)


def feathered(mask: Plane, sigma: float) -> Plane:
    """The mask with a soft edge of about `sigma` pixels, still 0 at the picture's edge."""
    import cv2

    if sigma < 0.3:
        return mask
    # OpenCV blurs 16-bit integers exactly, floats by the processor's own rounding.
    whole = np.round(mask * np.float32(65535)).astype(np.uint16)
    blurred = cv2.GaussianBlur(whole, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    soft = np.asarray(blurred, np.float32) / np.float32(65535)
    soft[soft < 0.004] = 0
    return soft


def drawn_mask(points: Points, shape: tuple[int, ...], rng: np.random.Generator) -> Plane:
    """One of the hulls, more often the larger ones, eroded and feathered by chance."""
    name = rng.choice(list(HULLS), p=(0.5, 0.3, 0.12, 0.08))
    hull = points[list(HULLS[str(name)])]
    extent = extent_of(points)
    erosion = extent * EROSION_PER_FACE * float(rng.uniform(0.0, 1.6))
    sigma = extent * FEATHER_PER_FACE * float(rng.uniform(0.25, 1.8))
    if name in ("eyes", "mouth"):
        erosion, sigma = erosion / 3, sigma / 2
    return feathered(hull_mask([hull], shape, erosion), sigma)


def must_be_visible(donor: Pixels, mask: Plane) -> None:
    """Raises UnfitFaces where the donor brings blackness of beyond its picture."""
    inside = mask > 0.5
    black = float((donor[inside].max(1) < BLACK).mean()) if inside.any() else 0.0
    if black > LARGEST_BLACK_SHARE:
        raise UnfitFaces(
            f"{black:.0%} of the donor's face is black; at most {LARGEST_BLACK_SHARE:.0%} may; "
            "take a donor whose face lies inside its picture"
        )


def greyed_like(donor: Pixels, host: Pixels) -> Pixels:
    """The donor without colour where the host has none; else as it is."""
    import cv2

    some = host[::4, ::4].astype(np.int16)
    if float(np.abs(some[..., 0] - some[..., 2]).mean()) >= GREYEST_COLOUR:
        return donor
    grey = cv2.cvtColor(donor, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def coloured(donor: Pixels, host: Pixels, mask: Plane, rng: np.random.Generator) -> Pixels:
    """The donor in the host's colours: in Lab, in RGB or by means only, strongly or weakly."""
    way = rng.choice(("lab", "rgb", "mean"), p=(0.6, 0.2, 0.2))
    strength = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.4, 1.0))
    return colour_moved(donor, host, mask, way=str(way), strength=strength)


def colour_moved(
    donor: Pixels, host: Pixels, mask: Plane, *, way: str = "lab", strength: float = 1.0
) -> Pixels:
    """The donor with the mean (and, except for `mean`, spread) of the host inside the mask."""
    import cv2

    inside = (mask > 0.5).astype(np.uint8)
    there, here = donor, host
    if way != "rgb":
        there, here = (
            np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.uint8)
            for picture in (donor, host)
        )
    gain, offset = _moments_moved(there, here, inside, only_mean=way == "mean")
    gain = 1 + strength * (gain - 1)
    tones = np.arange(256, dtype=np.float32)[:, None] * gain + offset * strength
    table = np.clip(np.round(tones), 0, 255).astype(np.uint8)
    whole = np.asarray(cv2.LUT(there, table[None]), np.uint8)
    return whole if way == "rgb" else np.asarray(cv2.cvtColor(whole, cv2.COLOR_LAB2RGB))


def blended(host: Pixels, over: Pixels, alpha: Plane) -> Pixels:
    """`over` laid on the host by alpha; exactly the host where alpha is 0."""
    mixed = host + (over.astype(np.float32) - host) * alpha[..., None]
    return np.asarray(mixed + np.float32(0.5)).astype(np.uint8)


def poisson(host: Pixels, over: Pixels, mask: Plane) -> Pixels:
    """`over` cloned seamlessly into the host where the mask is above one half."""
    import cv2

    inside = np.where(mask > 0.5, np.uint8(255), np.uint8(0))
    # The edge must stay free, or seamlessClone asserts (opencv #10498) or ghosts (#15294).
    inside[[0, 1, 2, -3, -2, -1]] = 0
    inside[:, [0, 1, 2, -3, -2, -1]] = 0
    left, top, width, height = cv2.boundingRect(inside)
    if min(width, height) < 8:
        raise UnfitFaces("less than 8 pixels to alter; 8 needed; take a larger face")
    centre = (left + width // 2, top + height // 2)
    # It writes into the mask it is given (#12053).
    cloned = cv2.seamlessClone(over, host, inside.copy(), centre, cv2.NORMAL_CLONE)
    return np.where(inside[..., None] > 0, cloned, host).astype(np.uint8)


def _moments_moved(
    there: Pixels, here: Pixels, inside: NDArray[np.uint8], *, only_mean: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and offset per channel that give one picture the other's moments inside."""
    import cv2

    count = int(inside.sum())
    if count < FEWEST_PIXELS:
        raise UnfitFaces(f"{count} pixels of skin; {FEWEST_PIXELS} needed; take a larger face")
    from_mean, from_spread = (value[:, 0] for value in cv2.meanStdDev(there, mask=inside))
    to_mean, to_spread = (value[:, 0] for value in cv2.meanStdDev(here, mask=inside))
    ratio = (to_spread + SMALLEST_SPREAD) / (from_spread + SMALLEST_SPREAD)
    gain = np.ones(3) if only_mean else np.clip(ratio, *RATIO_LIMITS)
    return gain.astype(np.float32), (to_mean - gain * from_mean).astype(np.float32)
