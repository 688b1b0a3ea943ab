"""The network sees the same square in training and in use, black beyond the picture."""

from functools import partial

import numpy as np
import pytest

from tidewaiter.traces import face_crop
from tidewaiter.traces.face_geometry import cut, from_crop

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


def repeating(pixels):
    """Crops as `Frame.crop` makes them: beyond the frame its border is repeated."""

    def crop(corners, width, height):
        import cv2

        goal = np.float32([[0, 0], [width - 1, 0], [0, height - 1]])
        matrix = cv2.getAffineTransform(np.float32(corners), goal)
        return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return crop


def test_the_square_is_a_quarter_wider_than_the_mesh_and_level_with_the_eyes():
    corners = face_crop.face_square(face_at(160, 120, roll_degrees=15))
    along = corners[1] - corners[0]
    assert np.linalg.norm(along) == pytest.approx(1.25 * 80, rel=1e-3)
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("roll", [0, -20])
def test_the_square_within_a_wide_crop_is_the_square_in_the_picture(roll):
    points = face_at(150, 110, roll_degrees=roll)
    wide = face_crop.wide_square(points)
    back = from_crop(face_crop.square_in_wide(), wide, face_crop.WIDE_SIDE)
    assert np.allclose(back, face_crop.face_square(points), atol=1e-3)


def test_the_crop_shows_what_lies_in_its_square(pixels):
    crop, corners = face_crop.face_view(partial(cut, pixels), face_at(150, 110, roll_degrees=10))
    assert crop.shape == (face_crop.NETWORK_SIDE, face_crop.NETWORK_SIDE, 3)
    direct = cut(pixels, corners, face_crop.NETWORK_SIDE, face_crop.NETWORK_SIDE)
    assert np.abs(crop.astype(int) - direct).max() <= 3


def test_a_crop_of_a_stored_wide_crop_is_the_same_to_the_pixel(pixels):
    points = face_at(150, 110, roll_degrees=10)
    wide = face_crop.wide_square(points)
    stored = face_crop.square_crop(partial(cut, pixels), wide, face_crop.WIDE_SIDE)
    trained = face_crop.network_crop(partial(cut, stored), face_crop.square_in_wide())
    used, _ = face_crop.face_view(partial(cut, pixels), points)
    assert np.array_equal(trained, used)


def test_beyond_the_picture_it_is_black_whether_or_not_the_border_is_repeated(pixels):
    points = face_at(20, 120)
    from_picture, corners = face_crop.face_view(partial(cut, pixels), points)
    from_frame, _ = face_crop.face_view(repeating(pixels), points, within=(WIDTH, HEIGHT))
    difference = np.abs(from_picture.astype(int) - from_frame)
    assert from_frame[:, :40].max() == 0
    assert (difference.max(-1) > 2).mean() < 0.02
    assert face_crop.outside_share(corners, WIDTH, HEIGHT) == pytest.approx(0.3, abs=0.01)


def test_a_square_within_the_picture_has_nothing_outside():
    corners = face_crop.face_square(face_at(160, 120))
    assert face_crop.outside_share(corners, WIDTH, HEIGHT) == 0
