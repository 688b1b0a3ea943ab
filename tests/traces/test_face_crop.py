"""The network sees the same square in training and in use, the border repeated beyond it."""

from functools import partial

import numpy as np
import pytest

from tidewaiter.traces import face_crop
from tidewaiter.traces.face_geometry import cut_repeating, from_crop

WIDTH, HEIGHT = 320, 240


def face_at(x, y, extent=80.0, roll_degrees=0.0):
    """A mesh whose points fill a square of that extent around (x, y), turned by the roll."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 2))
    points[:4] = [[-0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [0.5, -0.5]]
    points[33], points[263] = (-0.3, -0.1), (0.3, -0.1)
    roll = np.radians(roll_degrees)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return np.float32(points * extent @ turn.T + (x, y))


@pytest.fixture
def pixels():
    """Smooth, so that resampling twice and once give nearly the same."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    colours = [120 + 60 * np.sin(columns / 25), 120 + 60 * np.cos(rows / 30), 60 + columns / 4]
    return np.stack(colours, axis=-1).astype(np.uint8)


def test_the_square_is_somewhat_wider_than_the_mesh_and_level_with_the_eyes():
    corners = face_crop.face_square(face_at(160, 120, roll_degrees=15))
    along = corners[1] - corners[0]
    assert np.linalg.norm(along) == pytest.approx(face_crop.FACE_MARGIN * 80, rel=1e-3)
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("roll", [0, -20])
def test_the_square_within_a_wide_crop_is_the_square_in_the_picture(roll):
    points = face_at(150, 110, roll_degrees=roll)
    wide = face_crop.wide_square(points)
    back = from_crop(face_crop.square_in_wide(), wide, face_crop.WIDE_SIDE)
    assert np.allclose(back, face_crop.face_square(points), atol=1e-3)


def test_the_crop_shows_what_lies_in_its_square(pixels):
    crop, corners = face_crop.face_view(
        partial(cut_repeating, pixels), face_at(150, 110, roll_degrees=10)
    )
    assert crop.shape == (face_crop.NETWORK_SIDE, face_crop.NETWORK_SIDE, 3)
    direct = cut_repeating(pixels, corners, face_crop.NETWORK_SIDE, face_crop.NETWORK_SIDE)
    assert np.abs(crop.astype(int) - direct).max() <= 3


def test_a_crop_of_a_stored_wide_crop_is_the_same_to_the_pixel(pixels):
    points = face_at(150, 110, roll_degrees=10)
    wide = face_crop.wide_square(points)
    stored = face_crop.square_crop(partial(cut_repeating, pixels), wide, face_crop.WIDE_SIDE)
    trained = face_crop.network_crop(partial(cut_repeating, stored), face_crop.square_in_wide())
    used, _ = face_crop.face_view(partial(cut_repeating, pixels), points)
    assert np.array_equal(trained, used)


def test_beyond_the_picture_its_border_is_repeated(pixels):
    crop, corners = face_crop.face_view(partial(cut_repeating, pixels), face_at(10, 120))
    beyond = crop[:, :40].astype(int)
    assert np.abs(beyond - beyond[:, :1]).max() <= 2
    half = 80 * face_crop.FACE_MARGIN / 2
    share = (half - 10) / (2 * half)
    assert face_crop.outside_share(corners, WIDTH, HEIGHT) == pytest.approx(share, abs=0.01)


def test_a_square_within_the_picture_has_nothing_outside():
    corners = face_crop.face_square(face_at(160, 120))
    assert face_crop.outside_share(corners, WIDTH, HEIGHT) == 0
