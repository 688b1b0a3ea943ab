"""Blackness beyond a picture's edge, as crops and aligned collections have it, kept as it is.

A forgery that bent, dissolved or lifted that black would tell itself by its frame alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_forgery import Forgery, Pixels

# A warp fills with 0; a JPEG of it strays by so much.
DARKEST = 2
# What is thinner, in pixels, is shadow; and so far pixels mix with the frame.
THINNEST = 3
# Less is shadow, not a frame.
SMALLEST_SHARE = 0.002
# More frame than that, and there is no picture left.
LARGEST_SHARE = 0.9

Outside = NDArray[np.bool_]


def outside_of(pixels: Pixels) -> Outside | None:
    """The black areas (H x W) that touch the picture's edge; None where there are none."""
    import cv2

    if not any((side.max(1) <= DARKEST).any() for side in _sides(pixels)):
        return None
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    black = (brightest <= DARKEST).astype(np.uint8)
    kernel = np.ones((THINNEST, THINNEST), np.uint8)
    black = np.asarray(cv2.erode(black, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)
    _, numbers = cv2.connectedComponents(black, connectivity=4)
    touching = np.zeros(int(numbers.max()) + 1, np.uint8)
    touching[np.concatenate(_sides(numbers))] = 1
    touching[0] = 0
    found = touching[numbers]
    # Back to its width, and over the pixels into which a warp mixed the frame.
    outside = np.asarray(cv2.dilate(found, kernel, iterations=2)) > 0
    share = float(outside.mean())
    if share > LARGEST_SHARE:
        raise UnfitFaces(
            f"{share:.0%} of the picture is black; at most {LARGEST_SHARE:.0%} may be; take "
            "another picture"
        )
    return outside if share > SMALLEST_SHARE else None


def continued(pixels: Pixels, outside: Outside | None) -> Pixels:
    """The picture with its nearest pixels drawn on over what is outside."""
    import cv2

    if outside is None:
        return pixels
    _, numbers = cv2.distanceTransformWithLabels(
        outside.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(int(numbers.max()) + 1, np.int64)
    inside = np.flatnonzero(~outside)
    places[numbers.ravel()[inside]] = inside
    return np.ascontiguousarray(pixels.reshape(-1, 3)[places[numbers]])


def restored(forgery: Forgery, host: Pixels, outside: Outside | None) -> Forgery:
    """The forgery with the host's black edge as it was."""
    if outside is None:
        return forgery
    pixels = np.where(outside[..., None], host, forgery.pixels)
    return Forgery(pixels, np.where(outside, np.float32(0), forgery.mask))


def _sides(array: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return array[0], array[-1], array[:, 0], array[:, -1]
