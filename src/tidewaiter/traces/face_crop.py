"""The view of a face that the manipulation network gets, in training and in use alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tidewaiter.media.material import Pixels
from tidewaiter.traces.face_geometry import (
    Corners,
    Points,
    cut_repeating,
    eyes_level_square,
    square_crop,
)

NETWORK_SIDE = 160
"""Side of the square crop that the network reads, in pixels."""
FACE_MARGIN = 1.15
"""Side of that crop over the longer extent of the mesh."""
WIDE_SIDE = 256
"""Side of the crop from which the network's crop is cut, in pixels."""
WIDE_MARGIN = 1.45
"""Side of the wide crop over the longer extent of the mesh."""
# What lies outside the picture is counted at this many places across and down.
SHARE_STEPS = 48

Cut = Callable[[Corners, int, int], Pixels]
"""Corners, width, height to RGB: `Frame.crop`, or `face_geometry.cut_repeating` of a picture."""


def face_square(points: Points) -> Corners:
    """Where the network's crop lies: eyes level, FACE_MARGIN times the mesh's extent."""
    return eyes_level_square(points, FACE_MARGIN)


def wide_square(points: Points) -> Corners:
    """Where the wide crop lies: the same square, WIDE_MARGIN times the mesh's extent."""
    return eyes_level_square(points, WIDE_MARGIN)


def network_crop(crop: Cut, corners: Corners) -> Pixels:
    """The square `corners` as NETWORK_SIDE x NETWORK_SIDE RGB.

    `crop` repeats the picture's border outside it: black corners would be what stands out
    most in a tight picture.
    """
    return square_crop(crop, corners, NETWORK_SIDE)


def face_view(crop: Cut, points: Points) -> tuple[Pixels, Corners]:
    """The network's crop of a face, and where it lies in the picture.

    Training cuts its crops out of wide ones stored on disk. Resampling leaves traces of its
    own, so that the same two steps are taken here.
    """
    wide = square_crop(crop, wide_square(points), WIDE_SIDE)
    return network_crop(partial(cut_repeating, wide), square_in_wide()), face_square(points)


def square_in_wide() -> Corners:
    """Where the network's square lies in a wide crop, in its pixels."""
    side = (WIDE_SIDE - 1) * FACE_MARGIN / WIDE_MARGIN
    low = (WIDE_SIDE - 1 - side) / 2
    return np.array([[low, low], [low + side, low], [low, low + side]], np.float32)


def outside_share(corners: Corners, width: int, height: int) -> float:
    """The share of a square that lies outside a picture of that size, 0 to 1, to 2 %."""
    steps = (np.arange(SHARE_STEPS, dtype=np.float32) + 0.5) / SHARE_STEPS
    across, down = corners[1] - corners[0], corners[2] - corners[0]
    place = corners[0] + steps[None, :, None] * across + steps[:, None, None] * down
    inside = ((place >= 0) & (place <= (width - 1, height - 1))).all(-1)
    return float(1 - inside.mean())
