"""Which of the 468 mesh points forgeries move, and when two meshes fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.face_forgery import Points

# Numbering of the 468-point mesh: Kartynnik et al. 2019, "Real-time facial surface geometry".
# Clockwise on the image from the middle of the forehead.
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
        109)  # fmt: skip
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
LEFT_BROW = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
RIGHT_BROW = (276, 283, 282, 295, 285, 300, 293, 334, 296, 336)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39,
              40, 185)  # fmt: skip
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81,
              80, 191)  # fmt: skip
NOSE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 48, 64, 278, 294, 129, 358)
CHEEKS = (50, 280, 117, 346, 118, 347, 205, 425, 187, 411, 36, 266, 101, 330, 123, 352, 147, 376,
          213, 433, 192, 416, 206, 426, 216, 436, 212, 432)  # fmt: skip
FOREHEAD = (9, 151, 108, 337, 69, 299)
CHIN = (199, 200, 18, 83, 313, 204, 424, 169, 394, 210, 430)

MOVED = (*OVAL, *LEFT_EYE, *RIGHT_EYE, *LEFT_BROW, *RIGHT_BROW, *OUTER_LIPS, *INNER_LIPS,
         *NOSE, *CHEEKS, *FOREHEAD, *CHIN)  # fmt: skip
"""The points a warp is spanned by; all 468 lie so close that noise folds them."""

STEADY = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 2, 98, 327, 127, 356, 234, 454)
"""Points that a change of expression hardly moves; pictures are laid on each other by them."""

INNER_FACE = (*LEFT_BROW, *RIGHT_BROW, 50, 280, 187, 411, 214, 434, 210, 430, 199, 208, 428)
"""Brows to chin, without the cheeks' edge."""
EYES_AND_NOSE = (*LEFT_BROW, *RIGHT_BROW, *LEFT_EYE, *RIGHT_EYE, 98, 327, 2, 129, 358, 118, 347)
MOUTH = (*OUTER_LIPS, 164, 18, 83, 313, 57, 287, 186, 410, 43, 273, 106, 335)

# Nose, and the face's edge beside it, by which a turned head shows.
NOSE_TIP = 4
LEFT_EDGE, RIGHT_EDGE = 234, 454

# Half the span: a frontal face has 0, a profile 1. Chosen on contact sheets.
LARGEST_TURN = 0.62
LARGEST_TURN_BETWEEN = 0.4
# Distance of two meshes laid on each other, in distances between the outer eye corners.
LARGEST_DISTANCE = 0.13


def turn(points: Points) -> float:
    """How far a head is turned: -1 (left) to 1 (right), 0 is frontal."""
    axis = points[RIGHT_EDGE] - points[LEFT_EDGE]
    along = float(axis @ axis)
    return 2 * float((points[NOSE_TIP] - points[LEFT_EDGE]) @ axis) / max(along, 1e-6) - 1


def laid_on(points: Points, goal: Points, steady: tuple[int, ...] = STEADY) -> NDArray[np.float64]:
    """The similarity (2 x 3) that lays the steady points of one mesh on another's (Umeyama)."""
    chosen = list(steady)
    return similarity(points[chosen], goal[chosen])


def similarity(source: Points, goal: Points) -> NDArray[np.float64]:
    """Turn, scale and shift (2 x 3) that take `source` nearest to `goal`."""
    here, there = source.astype(np.float64), goal.astype(np.float64)
    middle, target = here.mean(0), there.mean(0)
    (x, y), (u, v) = (here - middle).T, (there - target).T
    spread = max(float((x * x + y * y).sum()), 1e-9)
    along = float((x * u + y * v).sum()) / spread
    across = float((x * v - y * u).sum()) / spread
    turned = np.array([[along, -across], [across, along]])
    shift = target - turned[:, 0] * middle[0] - turned[:, 1] * middle[1]
    return np.concatenate([turned, shift[:, None]], axis=1)


def moved_by(matrix: NDArray[Any], points: NDArray[Any]) -> NDArray[np.float64]:
    """Points (N x 2) after an affine map (2 x 3), in double precision.

    Written out, because a linear algebra library may round otherwise on another processor.
    """
    x, y = points[:, :1].astype(np.float64), points[:, 1:2].astype(np.float64)
    return np.asarray(x * matrix[:, 0] + y * matrix[:, 1] + matrix[:, 2], np.float64)


def must_fit(host: Points, donor: Points) -> None:
    """Raises UnfitFaces where poses or shapes are too different for a likely forgery."""
    turns = turn(host), turn(donor)
    if max(map(abs, turns)) > LARGEST_TURN or abs(turns[0] - turns[1]) > LARGEST_TURN_BETWEEN:
        raise UnfitFaces(
            f"heads turned {turns[0]:.2f} and {turns[1]:.2f}; at most {LARGEST_TURN} each and "
            f"{LARGEST_TURN_BETWEEN} apart needed; take a donor that looks the same way"
        )
    scale = max(float(np.linalg.norm(host[263] - host[33])), 1e-6)
    laid = moved_by(laid_on(donor, host), donor)
    chosen = list(MOVED)
    distance = float(np.sqrt(((laid - host)[chosen] ** 2).sum(1).mean())) / scale
    if distance > LARGEST_DISTANCE:
        raise UnfitFaces(
            f"meshes {distance:.2f} eye distances apart; at most {LARGEST_DISTANCE} needed; "
            "take a donor of similar pose and shape"
        )
