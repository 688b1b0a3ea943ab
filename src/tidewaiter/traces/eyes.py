"""The two eyes of the largest face of a picture: gaze, pupils, corneal highlights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.media.material import Pixels
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.face_eyes import CORNERS, eye_square, opening_of
from tidewaiter.traces.face_geometry import (
    EYE_CORNERS,
    Points,
    as_stored,
    box_of,
    cut,
    level_square,
    square_crop,
)
from tidewaiter.traces.face_models import IRIS_SIZE, eye
from tidewaiter.traces.faces import PictureFace, PictureFaces
from tidewaiter.vocabulary import Box, Status, tr

Mask = NDArray[np.bool_]
Numbers = NDArray[np.floating[Any]]

# Both irises are read from discs resampled to this many pixels across.
DISC_SIZE = 96
# The rim belongs to the white of the eye and the lashes.
DISC_SHARE = 0.92
# A highlight stands out from the iris by so many grey levels and half its own height.
LEAST_HIGHLIGHT_LEVELS = 40.0
HIGHLIGHT_SHARE = 0.5
# Highlights may lie this share of the iris apart before their overlap is taken.
LARGEST_HIGHLIGHT_SHIFT = 0.12
# A pupil is darker than the iris round it by so many grey levels, and of plausible size.
LEAST_PUPIL_LEVELS = 10.0
PUPIL_AREA_SHARE = (0.03, 0.5)
PUPIL_SEARCH_SHARE = 0.7


@dataclass(frozen=True)
class OneEye:
    """One eye: iris centre and diameter in pixels, its place in the eye, its pupil.

    `offset` is iris centre minus the middle of the eye's corners, along and across the
    line of the corners, over the eye's width. `pupil_residual` is 1 − overlap of the pupil
    with its best ellipse (NaN where no pupil stands out). `luma` and `seen` are the iris
    disc (96 x 96) and which of its pixels lie between the lids.
    """

    centre: Points
    diameter: float
    opening: float
    offset: Points
    pupil_residual: float
    luma: Numbers
    seen: Mask
    stored: Box


@dataclass(frozen=True)
class EyePair:
    """Both eyes of the largest face (left and right of the image) and their differences.

    `divergence` (x, y) is the difference of the irises' offsets, left − right.
    `highlight_overlap` is the intersection over union of the corneal highlights after the
    best small shift (NaN unless both irises show one).
    """

    left: OneEye
    right: OneEye
    divergence: Points
    highlight_overlap: float
    face_width: float
    pose: tuple[float, float, float]
    face: Box
    faces: int


class EyesInPicture(PictureTrace):
    """Outlines both eyes of the largest face and reads what lies in the irises."""

    name = "eyes"
    after = ("faces",)

    def measure(self, picture: Picture, earlier: Traces) -> EyePair | Untaken:
        """The pair of eyes; `Untaken` where the picture shows no face."""
        found = earlier["faces"]
        if isinstance(found, Untaken):
            return found
        faces: PictureFaces = found
        if not faces.faces:
            return Untaken(Status.NOT_APPLICABLE, tr("no face was found in the picture"))
        face = faces.faces[0]
        left, right = (one_eye(picture, face, side) for side in (0, 1))
        return EyePair(
            left=left,
            right=right,
            divergence=left.offset - right.offset,
            highlight_overlap=highlight_overlap(left, right),
            face_width=float(face.box[2]),
            pose=face.pose,
            face=face.stored,
            faces=len(faces.faces),
        )


def one_eye(picture: Picture, face: PictureFace, side: int) -> OneEye:
    """Outline and measure one eye: side 0 is the image's left, 1 its right."""
    pixels = picture.upright
    square = eye_square(*(face.points[corner] for corner in EYE_CORNERS[side]))
    for _ in range(2):
        crop = square_crop(lambda *where: cut(pixels, *where), square, IRIS_SIZE)
        contour, iris = eye(crop, square, mirrored=side == 1)
        square = eye_square(*contour[list(CORNERS)])
    diameter = 2 * float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    luma, seen = iris_disc(pixels, iris[0], diameter, contour[:16])
    height, width = picture.rgb.shape[:2]
    left, top, wide, high = as_stored(box_of(contour[:16]), picture.orientation, width, height)
    return OneEye(
        centre=iris[0],
        diameter=diameter,
        opening=opening_of(contour),
        offset=_offset(iris[0], contour[list(CORNERS)]),
        pupil_residual=pupil_residual(luma, seen),
        luma=luma,
        seen=seen,
        stored=Box(left=left, top=top, width=wide, height=high),
    )


def iris_disc(
    pixels: Pixels, centre: Points, diameter: float, outline: Points
) -> tuple[Numbers, Mask]:
    """The iris resampled to a 96 x 96 square, and which pixels are iris between the lids."""
    import cv2

    corners = level_square(centre, diameter, 0.0)
    crop = square_crop(lambda *where: cut(pixels, *where), corners, DISC_SIZE)
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    lids = np.zeros(luma.shape, np.uint8)
    inside = (outline - corners[0]) * ((DISC_SIZE - 1) / max(diameter, 1e-6))
    cv2.fillConvexPoly(lids, cv2.convexHull(np.round(inside).astype(np.int32)), 1)
    return luma, (lids > 0) & (_radius() <= DISC_SHARE)


def highlight_overlap(left: OneEye, right: OneEye) -> float:
    """Largest intersection over union of both irises' highlights under small shifts."""
    from scipy.signal import correlate

    marks = [highlights(side.luma, side.seen) for side in (left, right)]
    if not all(mark.any() for mark in marks):
        return float("nan")
    first, second = (mark.astype(np.float64) for mark in marks)
    shared = correlate(first, second, mode="same", method="fft")
    reach = round(LARGEST_HIGHLIGHT_SHIFT * DISC_SIZE)
    middle = DISC_SIZE // 2
    near = shared[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    most = float(near.max())
    return most / max(float(first.sum() + second.sum()) - most, 1.0)


def highlights(luma: Numbers, seen: Mask) -> Mask:
    """Pixels of the iris that mirror a light; none where nothing stands out."""
    if not seen.any():
        return np.zeros_like(seen)
    usual, brightest = float(np.median(luma[seen])), float(luma[seen].max())
    if brightest - usual < LEAST_HIGHLIGHT_LEVELS:
        return np.zeros_like(seen)
    return np.asarray(seen & (luma >= usual + HIGHLIGHT_SHARE * (brightest - usual)))


def pupil_residual(luma: Numbers, seen: Mask) -> float:
    """1 − overlap of the pupil with the ellipse fitted to it; NaN where none stands out."""
    import cv2

    inner = seen & (_radius() <= PUPIL_SEARCH_SHARE) & ~highlights(luma, seen)
    if inner.sum() < 50:
        return float("nan")
    levels: Numbers = cv2.GaussianBlur(luma, (5, 5), 0).astype(np.float32)
    level = _between_levels(levels[inner])
    dark = (inner & (levels < level)).astype(np.uint8)
    light = inner & (dark == 0)
    if not (dark.any() and light.any()):
        return float("nan")
    contrast = float(levels[light].mean() - levels[dark > 0].mean())
    if contrast < LEAST_PUPIL_LEVELS:
        return float("nan")
    return _ellipse_residual(dark)


def _between_levels(values: Numbers) -> float:
    """Otsu's threshold between dark and light values."""
    import cv2

    grey = np.clip(values, 0, 255).astype(np.uint8).reshape(-1, 1)
    return float(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]) + 0.5


def _ellipse_residual(dark: NDArray[np.uint8]) -> float:
    import cv2

    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or len(outline) < 5:
        return float("nan")
    share = cv2.contourArea(outline) / (np.pi / 4 * DISC_SIZE**2)
    if not PUPIL_AREA_SHARE[0] <= share <= PUPIL_AREA_SHARE[1]:
        return float("nan")
    pupil, ellipse = np.zeros_like(dark), np.zeros_like(dark)
    cv2.drawContours(pupil, [outline], -1, 1, -1)
    cv2.ellipse(ellipse, cv2.fitEllipse(outline), 1, -1)
    return 1 - float((pupil & ellipse).sum()) / max(float((pupil | ellipse).sum()), 1.0)


def _offset(centre: Points, corners: Points) -> Points:
    left, right = sorted(corners, key=lambda corner: float(corner[0]))
    along = (right - left) / max(float(np.linalg.norm(right - left)) ** 2, 1e-6)
    away = centre - (left + right) / 2
    return np.array([away @ along, away @ np.array([-along[1], along[0]])])


def _radius() -> Numbers:
    """Distance of every pixel of the disc from its centre, over its radius."""
    step = (np.arange(DISC_SIZE) - (DISC_SIZE - 1) / 2) / (DISC_SIZE / 2)
    return np.asarray(np.hypot(step[:, None], step[None, :]))
