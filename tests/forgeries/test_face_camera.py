"""Films for a virtual camera: well-formed, the same every time, marked, and near the picture."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from tidewaiter.forgeries.face_camera import CLIP_FRAMES, clip, still

WIDTH, HEIGHT = 640, 480
FRAME_BYTES = WIDTH * HEIGHT * 3 // 2


def picture(height: int = 250, width: int = 200) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    blue = np.full((height, width), 90)
    return np.stack([40 + rows * 150 // height, 60 + columns * 120 // width, blue], -1).astype(
        np.uint8
    )


def jpegs(film: bytes) -> list[bytes]:
    return [b"\xff\xd8\xff" + part for part in film.split(b"\xff\xd8\xff")[1:]]


def test_a_still_is_two_whole_frames_after_a_header_that_says_who_made_it():
    head, _, rest = still(picture()).partition(b"\n")
    assert head == b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420 Xmade-by-Tidewaiter-for-tests"
    assert len(rest) == 2 * (FRAME_BYTES + len(b"FRAME\n"))
    assert rest[: len(rest) // 2] == rest[len(rest) // 2 :]


def test_a_still_shows_the_whole_picture_in_the_middle():
    luma = np.frombuffer(still(picture())[-FRAME_BYTES:], np.uint8)[: WIDTH * HEIGHT]
    luma = luma.reshape(HEIGHT, WIDTH).astype(float)
    centre = luma[:, WIDTH // 2]
    assert centre[-1] - centre[0] > 20, "the gradient runs over the whole height"
    assert np.ptp(luma[100, :120]) <= 1, "what is left beside it continues its edge"


@pytest.mark.parametrize("size", [(10, 400), (400, 10), (1, 1), (2000, 1500)])
def test_any_shape_fits_the_camera(size):
    assert len(still(picture(*size)).partition(b"\n")[2]) == 2 * (FRAME_BYTES + len(b"FRAME\n"))


def test_a_clip_is_marked_pictures_that_move_a_little_around_the_picture():
    found = jpegs(clip(picture(), 3))
    assert len(found) == CLIP_FRAMES
    assert all(b"made by Tidewaiter for tests; injected clip, seed 3" in one for one in found)
    frames = np.stack([np.asarray(Image.open(io.BytesIO(one)), float) for one in found])
    assert frames.shape == (CLIP_FRAMES, HEIGHT, WIDTH, 3)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert np.all(steps > 1)
    assert np.all(steps < 10)


def test_a_clip_is_narrowed_to_the_range_of_video():
    white = np.full((300, 400, 3), 255, np.uint8)
    frame = np.asarray(Image.open(io.BytesIO(jpegs(clip(white, 0))[0])), float)
    assert frame[HEIGHT // 2].mean() == pytest.approx(235, abs=4)


def test_the_same_picture_and_seed_give_the_same_film():
    for film in (lambda seed: still(picture()), lambda seed: clip(picture(), seed)):
        assert digest(film(1)) == digest(film(1))
    assert digest(clip(picture(), 1)) != digest(clip(picture(), 2))


def digest(film: bytes) -> str:
    return hashlib.sha256(film).hexdigest()
