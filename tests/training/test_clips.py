"""A clip of a still picture: short, moving, the same for the same seed."""

from __future__ import annotations

import io

import av
import numpy as np

from tests.forgeries.drawn_faces import face
from tidewaiter.training.clips import FRAMES, still_clip

PIXELS = face(1, 300).pixels


def frames(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_a_clip_shows_the_picture_and_it_moves():
    shown = frames(still_clip(PIXELS, 3))
    assert len(shown) == FRAMES
    assert shown[0].shape == (300, 300, 3)
    assert np.abs(shown[0].astype(int) - PIXELS).mean() < 15
    assert np.abs(shown[-1].astype(int) - shown[0]).mean() > 2


def test_the_same_seed_gives_the_same_clip():
    assert still_clip(PIXELS, 3) == still_clip(PIXELS, 3)
    assert still_clip(PIXELS, 3) != still_clip(PIXELS, 4)


def test_two_pictures_move_alike():
    """A forgery must not be told by how it wanders or how it is compressed."""
    one, other = (frames(still_clip(picture, 5)) for picture in (PIXELS, 255 - PIXELS))
    total = np.mean([a.astype(int) + b for a, b in zip(one, other, strict=True)])
    assert abs(total - 255) < 3


def test_large_and_odd_pictures_become_small_and_even():
    wide = np.zeros((301, 1601, 3), np.uint8)
    assert frames(still_clip(wide, 1))[0].shape == (90, 480, 3)
