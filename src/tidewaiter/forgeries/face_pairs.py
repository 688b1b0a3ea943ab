"""Two faces brought together: the host's surroundings and the donor drawn into its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import MOVED, laid_on
from tidewaiter.forgeries.face_warping import Window, drawn, field, window_around

# A donor finer than this is averaged down first, or sampling it would alias.
FINEST_RATIO = 1.4
# A donor so much coarser than the host is a smear, not a face.
COARSEST_RATIO = 0.2


@dataclass(frozen=True)
class Surroundings:
    """The host's face and what is around it; `points` (468 x 2) are in its pixels."""

    window: Window
    pixels: Pixels
    points: Points

    def put_back(self, host: Face, altered: Pixels, mask: Plane) -> Forgery:
        """The whole picture with the altered window, and the mask in its size."""
        pixels = host.pixels.copy()
        self.window.of(pixels)[:] = altered
        whole = np.zeros(host.pixels.shape[:2], np.float32)
        self.window.of(whole)[:] = mask
        return Forgery(pixels, whole)


def surroundings(host: Face, margin: float = 0.4) -> Surroundings:
    """A copy of the part of the host's picture that a forgery of its face can touch."""
    window = window_around(host.points, host.pixels.shape, margin)
    points = np.asarray(host.points - window.corner, np.float32)
    return Surroundings(window, window.of(host.pixels).copy(), points)


def sized_to(donor: Face, eye_distance: float, margin: float = 0.5) -> Face:
    """The donor's face cut out, and averaged down where it is finer than needed."""
    import cv2

    ratio = donor.eye_distance / eye_distance
    if ratio < COARSEST_RATIO:
        raise UnfitFaces(
            f"the donor's face is {ratio:.2f} times as large as the host's; {COARSEST_RATIO} "
            "needed; take a larger donor"
        )
    window = window_around(donor.points, donor.pixels.shape, margin)
    pixels, points = window.of(donor.pixels), donor.points - window.corner
    if ratio > FINEST_RATIO:
        size = tuple(max(round(side / ratio), 16) for side in (window.width, window.height))
        scale = np.array(size, np.float32) / (window.width, window.height)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        points = (points + 0.5) * scale - 0.5
    return Face(pixels, np.asarray(points, np.float32))


def on_host(donor: Face, host: Face, goal: Points, shape: tuple[int, ...]) -> Pixels:
    """The donor's face drawn into the shape `goal` (468 x 2) of a picture of `shape`.

    Raises UnfitFaces where a mesh folds or the donor is far too small.
    """
    donor = sized_to(donor, host.eye_distance)
    chosen = list(MOVED)
    rest = laid_on(goal, donor.points)
    where = field(goal[chosen], donor.points[chosen], shape, rest)
    return drawn(donor.pixels, where)


def shifted(points: Points, sigma: float, rng: np.random.Generator) -> Points:
    """Points out of place by a common, random shift of about `sigma` pixels."""
    return np.asarray(points + rng.normal(0, sigma, 2), np.float32)
