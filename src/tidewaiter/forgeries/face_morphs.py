"""Morphs: one face between two people, for a document that both can use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.face_blending import (
    EROSION_PER_FACE,
    FEATHER_PER_FACE,
    blended,
    colour_moved,
    extent_of,
    feathered,
    hull_mask,
    must_be_visible,
)
from tidewaiter.forgeries.face_edges import continued, outside_of
from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels, Plane, Points
from tidewaiter.forgeries.face_mesh import MOVED, OVAL, laid_on, moved_by
from tidewaiter.forgeries.face_pairs import Surroundings, sized_to, surroundings
from tidewaiter.forgeries.face_warping import drawn, field, picture_field

# The donor's share; outside this range a morph serves one of the two only.
SHARES = (0.3, 0.7)
# More than any picture is larger than a face in it.
WHOLE_PICTURE = 1e4


@dataclass(frozen=True)
class Between:
    """Both faces in the shape between them, and that shape (468 x 2)."""

    share: float
    points: Points
    host: Pixels
    donor: Pixels


def morph_complete(
    host: Face, donor: Face, rng: np.random.Generator, share: float | None = None
) -> Forgery:
    """Both whole pictures brought to the shape between and dissolved into each other."""
    donor = replace(donor, pixels=continued(donor.pixels, outside_of(donor.pixels)))
    donor = sized_to(donor, host.eye_distance, margin=WHOLE_PICTURE)
    between = _between(host, donor, _share(rng, share), whole=True)
    pixels = _dissolved(between.host, between.donor, between.share)
    return Forgery(pixels, np.ones(pixels.shape[:2], np.float32))


def morph_splice(
    host: Face, donor: Face, rng: np.random.Generator, share: float | None = None
) -> Forgery:
    """The morphed face brought back to the host's shape and laid into its photograph."""
    around, between = _around_and_between(host, donor, rng, share)
    chosen = list(MOVED)
    morphed = _dissolved(between.host, between.donor, between.share)
    back = field(around.points[chosen], between.points[chosen], around.pixels.shape)
    mask = _face_mask(around.points, around.pixels.shape, rng)
    must_be_visible(between.donor, mask)
    face = drawn(morphed, back)
    face = colour_moved(face, around.pixels, mask)
    return around.put_back(host, blended(around.pixels, face, mask), mask)


def morph_combined(
    host: Face, donor: Face, rng: np.random.Generator, share: float | None = None
) -> Forgery:
    """The morphed face and shape in the host's own hair and background, without ghosts."""
    around, between = _around_and_between(host, donor, rng, share)
    mask = _face_mask(between.points, around.pixels.shape, rng)
    must_be_visible(between.donor, mask)
    other = colour_moved(between.donor, between.host, mask, strength=float(rng.uniform(0.3, 1)))
    morphed = _dissolved(between.host, other, between.share)
    altered = blended(between.host, morphed, mask)
    bent = (altered != around.pixels).any(2)
    return around.put_back(host, altered, np.maximum(mask, _closed(bent)))


def _around_and_between(
    host: Face, donor: Face, rng: np.random.Generator, share: float | None
) -> tuple[Surroundings, Between]:
    around = surroundings(host)
    here = Face(around.pixels, around.points)
    return around, _between(here, sized_to(donor, host.eye_distance), _share(rng, share))


def _share(rng: np.random.Generator, wanted: float | None) -> float:
    """The share asked for, else one drawn; drawn in any case, so that all other draws stay."""
    drawn = float(rng.uniform(*SHARES))
    return drawn if wanted is None else wanted


def _between(host: Face, donor: Face, share: float, *, whole: bool = False) -> Between:
    """Both faces in the shape that is `share` of the way from the host's to the donor's."""
    laid = moved_by(laid_on(donor.points, host.points), donor.points)
    points = np.asarray((1 - share) * host.points + share * laid, np.float32)
    chosen, shape = list(MOVED), host.pixels.shape
    spread = picture_field if whole else field
    rest = laid_on(host.points, donor.points)
    return Between(
        share,
        points,
        host=drawn(host.pixels, spread(points[chosen], host.points[chosen], shape)),
        donor=drawn(donor.pixels, spread(points[chosen], donor.points[chosen], shape, rest)),
    )


def _dissolved(first: Pixels, second: Pixels, share: float) -> Pixels:
    part = np.float32(share)
    return np.asarray(first * (1 - part) + second * part + np.float32(0.5)).astype(np.uint8)


def _face_mask(points: Points, shape: tuple[int, ...], rng: np.random.Generator) -> Plane:
    extent = extent_of(points)
    factor = float(rng.uniform(0.6, 1.5))
    hard = hull_mask([points[list(OVAL)]], shape, extent * EROSION_PER_FACE * factor)
    return feathered(hard, extent * FEATHER_PER_FACE * factor)


def _closed(changed: NDArray[np.bool_]) -> Plane:
    import cv2

    kernel = np.ones((7, 7), np.uint8)
    closed = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(closed, np.float32)
