"""How far one face's eyes are open, from frame to frame.

The 468-point mesh does not follow the lids: on genuine video its eye aspect ratio stays
at 0.24 through blinks in which the contour of the iris network falls from 0.18 to 0.03
(benchmarks/detection/face, "what sees a blink"). So openings are read from that contour.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from tidewaiter.media.material import Frame
from tidewaiter.traces.face_geometry import (
    EYE_MARGIN,
    Corners,
    Points,
    level_square,
)
from tidewaiter.traces.face_models import IRIS_SIZE, eye_contour

# Often enough for a blink of 0.15 s (benchmarks/detection/face, "blinks by sampling rate").
LOOKS_PER_S = 12.0
# Once the eye in view closes by so much, the other is looked at as well.
CLOSING_SHARE = 0.75
# How slowly the usual opening forgets, per look.
FORGETTING = 0.995
# The contour's corners, and pairs of points on the lower and upper lid.
CORNERS = (0, 8)
LOWER_LID = (2, 3, 4, 5, 6)
UPPER_LID = (10, 11, 12, 13, 14)


@dataclass
class EyeWatch:
    """Openings of both eyes by time; the farther eye less often.

    `openings` holds left and right for every entry of `time_s`, NaN where not looked at.
    The eye nearer to the camera is looked at 12 times a second, the other with every second
    mesh and whenever the first is closing: that is when their difference matters.
    """

    time_s: array[float] = field(default_factory=lambda: array("d"))
    openings: array[float] = field(default_factory=lambda: array("f"))
    _squares: list[Corners] = field(default_factory=list)
    _usual: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _next_s: float = 0.0
    _nearer: int = 0
    _other_due: bool = False
    _meshes: int = 0
    _closing: bool = False

    def place(self, eye_corners: Points, yaw_degrees: float) -> None:
        """Take the eyes' places (2 x 2 x 2: eye, corner, x y) from a new mesh."""
        self._squares = [eye_square(*corners) for corners in eye_corners]
        self._nearer = 0 if yaw_degrees >= 0 else 1
        self._meshes += 1
        self._other_due |= self._meshes % 2 == 1

    def lose(self) -> None:
        """Forget where the eyes are, until the next mesh."""
        self._squares = []

    def look(self, frame: Frame) -> None:
        """Measure what is due in this frame."""
        if not self._squares or frame.time_s < self._next_s - 1e-6:
            return
        self._next_s = max(self._next_s + 1 / LOOKS_PER_S, frame.time_s)
        openings = [float("nan"), float("nan")]
        openings[self._nearer] = self._opening(frame, self._nearer)
        if self._other_due or self._closing:
            other = 1 - self._nearer
            openings[other] = self._opening(frame, other)
        self._other_due = False
        self._closing = openings[self._nearer] < CLOSING_SHARE * self._usual[self._nearer]
        self.time_s.append(frame.time_s)
        self.openings.extend(openings)

    def _opening(self, frame: Frame, side: int) -> float:
        square = self._squares[side]
        crop = frame.crop(square, IRIS_SIZE, IRIS_SIZE)
        contour = eye_contour(crop, square, mirrored=side == 1)
        self._squares[side] = eye_square(*contour[list(CORNERS)])
        value = opening_of(contour)
        self._usual[side] = max(value, FORGETTING * self._usual[side])
        return value


def eye_square(corner: Points, other: Points) -> Corners:
    """The crop for the iris network round an eye with these corners, eye level."""
    left, right = sorted((corner[:2], other[:2]), key=lambda point: float(point[0]))
    width = float(np.linalg.norm(right - left))
    angle = float(np.arctan2(*(right - left)[::-1]))
    return level_square((left + right) / 2, EYE_MARGIN * width, angle)


def opening_of(contour: Points) -> float:
    """Eye aspect ratio of a contour: mean distance of the lids over the eye's width."""
    gaps = np.linalg.norm(contour[list(UPPER_LID)] - contour[list(LOWER_LID)], axis=1)
    width = np.linalg.norm(contour[CORNERS[1]] - contour[CORNERS[0]])
    return float(gaps.mean() / max(float(width), 1e-6))
