"""What a face forgery takes and gives: faces with their mesh, altered pixels and a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces

Pixels = NDArray[np.uint8]
"""H x W x 3, RGB."""
Plane = NDArray[np.float32]
"""H x W, 0..1."""
Points = NDArray[np.float32]
"""N x 2: x to the right, y down, in pixels."""

MESH_POINTS = 468
# Below this the mesh places points by guess, and a forgery would be a smear.
LEAST_EYE_DISTANCE = 12.0
OUTER_EYE_CORNERS = (33, 263)


@dataclass(frozen=True)
class Face:
    """A picture and the 468-point mesh of one face in it.

    `pixels` is H x W x 3 RGB uint8; `points` is 468 x 2 float32 in its pixels and may reach
    beyond the picture. Neither is ever written to.
    """

    pixels: Pixels
    points: Points

    @property
    def eye_distance(self) -> float:
        """Distance between the outer corners of the eyes, in pixels."""
        left, right = (self.points[i] for i in OUTER_EYE_CORNERS)
        return float(np.linalg.norm(right - left))


@dataclass(frozen=True)
class Forgery:
    """The altered picture, as large as the host's, and where it differs by design.

    `mask` is H x W float32: 0 where the host was left alone, 1 where it was replaced.
    """

    pixels: Pixels
    mask: Plane


def checked(face: Face) -> Face:
    """The face, if its arrays are what they should be; raises UnfitFaces otherwise."""
    pixels, points = face.pixels, face.points
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise UnfitFaces(
            f"a picture of shape {pixels.shape} and type {pixels.dtype}; height x width x 3 "
            "uint8 needed; convert it to RGB"
        )
    if points.shape != (MESH_POINTS, 2) or not np.isfinite(points).all():
        raise UnfitFaces(
            f"points of shape {points.shape}; 468 x 2 finite numbers needed; take them from "
            "the face mesh"
        )
    if face.eye_distance < LEAST_EYE_DISTANCE:
        raise UnfitFaces(
            f"{face.eye_distance:.0f} pixels between the eyes; {LEAST_EYE_DISTANCE:.0f} needed; "
            "take a larger face"
        )
    return face
