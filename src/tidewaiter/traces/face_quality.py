"""What a face must be like for the manipulation network to be asked about it."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from tidewaiter.media.material import Pixels
from tidewaiter.traces.face_crop import FACE_MARGIN, NETWORK_SIDE, outside_share
from tidewaiter.traces.face_geometry import Corners, Points, head_pose

# Chosen on validation faces (benchmarks/detection/face_network, gates.json): beyond them the
# network ranks little better than chance, and blurred or small faces make most false alarms.
LEAST_FACE_PIXELS = 80.0
LEAST_SHARPNESS = 0.09
LEAST_CONTRAST = 12.0
BRIGHTNESS = (25.0, 235.0)
LARGEST_YAW_DEGREES = 30.0
LARGEST_PITCH_DEGREES = 40.0
LEAST_PRESENCE = 0.8
# Crops of faces that others made tightly, as most collections hold them, reach this.
LARGEST_OUTSIDE_SHARE = 0.4

# The crop's margin is left out where the face itself is measured.
INNER = slice(
    round(NETWORK_SIDE * (1 - 1 / FACE_MARGIN) / 2), round(NETWORK_SIDE * (1 + 1 / FACE_MARGIN) / 2)
)


@dataclass(frozen=True)
class FaceQuality:
    """One face as far as it bears on the network's answer.

    `pixels` is the longer extent of the mesh in the picture. `sharpness` is the spread of
    the Laplacian of the luma in the network's crop over the spread of the luma itself
    (about 0.05 blurred, 0.3 sharp); `contrast` and `brightness` are spread and mean of the
    luma, 0 to 255. `presence` (0 to 1) is how surely the mesh lies on a face: it falls when
    something covers it. `outside` is the share of the crop beyond the picture's edge.
    """

    pixels: float
    sharpness: float
    contrast: float
    brightness: float
    yaw: float
    pitch: float
    presence: float
    outside: float

    def as_row(self) -> tuple[float, ...]:
        """All measures in the order of the fields."""
        return astuple(self)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Names of the measures outside the range the network was validated in."""
        passed = {
            "pixels": self.pixels >= LEAST_FACE_PIXELS,
            "sharpness": self.sharpness >= LEAST_SHARPNESS,
            "contrast": self.contrast >= LEAST_CONTRAST,
            "brightness": BRIGHTNESS[0] <= self.brightness <= BRIGHTNESS[1],
            "yaw": abs(self.yaw) <= LARGEST_YAW_DEGREES,
            "pitch": abs(self.pitch) <= LARGEST_PITCH_DEGREES,
            "presence": self.presence >= LEAST_PRESENCE,
            "outside": self.outside <= LARGEST_OUTSIDE_SHARE,
        }
        return tuple(name for name, holds in passed.items() if not holds)

    @property
    def usable(self) -> bool:
        """Whether the network's answer about this face may count."""
        return not self.lacking


QUALITY_COLUMNS = tuple(FaceQuality.__dataclass_fields__)


def quality_of(
    crop: Pixels, corners: Corners, points: Points, presence: float, within: tuple[int, int]
) -> FaceQuality:
    """Measure the network's crop of a face, cut at `corners`, whose mesh is `points`.

    `within` is width and height of the picture.
    """
    import cv2

    luma = cv2.cvtColor(crop[INNER, INNER], cv2.COLOR_RGB2GRAY).astype(np.float32)
    contrast = float(luma.std())
    edges = cv2.Laplacian(luma, cv2.CV_32F)
    yaw, pitch, _ = head_pose(points)
    return FaceQuality(
        pixels=float(np.linalg.norm(corners[1] - corners[0])) / FACE_MARGIN,
        sharpness=float(edges.std()) / max(contrast, 1.0),
        contrast=contrast,
        brightness=float(luma.mean()),
        yaw=yaw,
        pitch=pitch,
        presence=presence,
        outside=outside_share(corners, *within),
    )
