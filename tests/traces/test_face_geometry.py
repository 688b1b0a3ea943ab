"""Crops, poses, openings and boxes on points whose truth is drawn."""

import numpy as np
import pytest

from tidewaiter.traces import face_geometry as geometry
from tidewaiter.traces.face_eyes import eye_square, opening_of


def standing_face(yaw_degrees=0.0, roll_degrees=0.0):
    """468 points of which only the ones that pose and crops read are meaningful."""
    points = np.zeros((468, 3), np.float64)
    points[33], points[263] = (-50, 0, 0), (50, 0, 0)
    points[10], points[152] = (0, -70, 0), (0, 90, 0)
    points[13], points[14], points[78], points[308] = (
        (0, 45, 0),
        (0, 55, 0),
        (-20, 50, 0),
        (20, 50, 0),
    )
    yaw, roll = np.radians(yaw_degrees), np.radians(roll_degrees)
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.float32(points @ turn.T @ tilt.T)


@pytest.mark.parametrize("yaw", [-40, 0, 25])
def test_yaw_is_read_with_its_sign(yaw):
    assert geometry.head_pose(standing_face(yaw_degrees=yaw))[0] == pytest.approx(yaw, abs=0.01)


def test_roll_is_the_fall_of_the_eye_line():
    assert geometry.head_pose(standing_face(roll_degrees=12))[2] == pytest.approx(12, abs=0.01)


def test_mouth_opening_is_height_over_width():
    assert geometry.mouth_opening(standing_face()) == pytest.approx(0.25)


def test_the_next_crop_levels_the_eyes_and_keeps_a_margin():
    points = standing_face(roll_degrees=20) + np.float32([300, 200, 0])
    corners = geometry.mesh_square(points)
    along = corners[1] - corners[0]
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(20, abs=0.1)
    assert np.linalg.norm(along) == pytest.approx(1.5 * 160, rel=0.01)


def test_points_of_a_crop_return_to_the_picture():
    corners = geometry.level_square(np.float32([50, 40]), 20, 0.3)
    ends = geometry.from_crop(np.float32([[0, 0], [99, 0], [0, 99]]), corners, 100)
    assert np.allclose(ends, corners, atol=1e-4)


def test_a_large_face_is_averaged_not_sampled():
    """A checkerboard of single pixels becomes grey instead of black or white."""
    board = np.indices((600, 600)).sum(0) % 2 * 255
    pixels = np.repeat(board[..., None].astype(np.uint8), 3, axis=2)
    corners = geometry.level_square(np.float32([300, 300]), 575, 0.0)
    crop = geometry.square_crop(lambda *where: geometry.cut(pixels, *where), corners, 192)
    assert abs(float(crop[40:-40, 40:-40].mean()) - 127.5) < 2
    assert float(crop[40:-40, 40:-40].std()) < 60


def test_overlap_of_boxes():
    box = np.float32([0, 0, 10, 10])
    assert geometry.overlap(box, box) == 1
    assert geometry.overlap(box, np.float32([5, 0, 10, 10])) == pytest.approx(1 / 3)
    assert geometry.overlap(box, np.float32([20, 0, 5, 5])) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_on_the_upright_picture_is_found_on_the_stored_one(orientation):
    from types import SimpleNamespace

    from tidewaiter.media import Picture

    stored = np.zeros((30, 50, 3), np.uint8)
    stored[4:9, 20:40] = 255
    picture = Picture(SimpleNamespace(), b"", "PNG", stored, orientation)
    rows, columns = np.nonzero(picture.upright[..., 0])
    box = np.float32([columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1])
    assert geometry.as_stored(box, orientation, 50, 30) == (20, 4, 20, 5)


def test_skin_regions_lie_apart():
    grid = np.random.default_rng(0).uniform(20, 170, (468, 3)).astype(np.float32)
    rectangle, masks = geometry.skin_masks(grid, 192)
    assert masks.shape == (3, 192, 192)
    assert rectangle.shape == (3, 2)
    assert masks.any(0).any(0)[[0, -1]].all()
    assert masks.any(0).any(1)[[0, -1]].all()
    assert all(set(np.unique(mask)) == {0, 255} for mask in masks)


def contour(opening):
    """An eye 40 wide whose lids are `opening` x width apart on average."""
    points = np.zeros((71, 2), np.float32)
    points[:9, 0] = np.linspace(0, 40, 9)
    points[9:16, 0] = np.linspace(5, 35, 7)
    points[9:16, 1] = -40 * opening
    return points


def test_opening_is_lid_distance_over_width():
    assert opening_of(contour(0.2)) == pytest.approx(0.2)
    assert opening_of(contour(0.0)) == 0


def test_the_eye_crop_is_level_whichever_corner_comes_first():
    a, b = np.float32([10, 20]), np.float32([40, 24])
    assert np.allclose(eye_square(a, b), eye_square(b, a))
    assert np.linalg.norm(eye_square(a, b)[1] - eye_square(a, b)[0]) == pytest.approx(
        2.3 * np.hypot(30, 4), rel=1e-5
    )
