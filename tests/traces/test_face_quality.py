"""A face is refused for the reason for which it is unfit."""

import numpy as np
import pytest

from tidewaiter.traces.face_crop import FACE_MARGIN, NETWORK_SIDE
from tidewaiter.traces.face_geometry import level_square
from tidewaiter.traces.face_quality import QUALITY_COLUMNS, FaceQuality, quality_of

GOOD = FaceQuality(150, 0.3, 45, 120, 5, -5, 0.99, 0.0)


def measured(crop, centre=(500, 400), extent=200.0, presence=0.99):
    points = np.zeros((468, 3), np.float32)
    points[33], points[263] = (-50, 0, 0), (50, 0, 0)
    points[10], points[152] = (0, -70, 0), (0, 90, 0)
    corners = level_square(np.float32(centre), FACE_MARGIN * extent, 0.0)
    return quality_of(crop, corners, points, presence, (1000, 800))


@pytest.fixture
def textured():
    rng = np.random.default_rng(1)
    return rng.integers(60, 200, (NETWORK_SIDE, NETWORK_SIDE, 3)).astype(np.uint8)


def test_a_good_face_lacks_nothing(textured):
    quality = measured(textured)
    assert quality.usable
    assert quality.pixels == pytest.approx(200)
    assert quality.outside == 0


def test_blur_alone_is_told_by_sharpness():
    wave = 128 + 60 * np.sin(np.arange(NETWORK_SIDE) / 14)
    crop = np.broadcast_to(wave[:, None, None], (NETWORK_SIDE, NETWORK_SIDE, 3))
    assert measured(crop.astype(np.uint8)).lacking == ("sharpness",)


@pytest.mark.parametrize("level", [0, 255])
def test_a_plain_crop_lacks_contrast_and_light(level):
    crop = np.full((NETWORK_SIDE, NETWORK_SIDE, 3), level, np.uint8)
    assert set(measured(crop).lacking) == {"sharpness", "contrast", "brightness"}


def test_a_small_and_a_cut_face_are_told_apart(textured):
    assert measured(textured, extent=30).lacking == ("pixels",)
    assert measured(textured, centre=(0, 400)).lacking == ("outside",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pixels", 20.0),
        ("sharpness", 0.01),
        ("contrast", 3.0),
        ("brightness", 250.0),
        ("yaw", -80.0),
        ("pitch", 70.0),
        ("presence", 0.3),
        ("outside", 0.9),
    ],
)
def test_each_condition_is_held_alone(field, value):
    values = dict(zip(QUALITY_COLUMNS, GOOD.as_row(), strict=True)) | {field: value}
    assert FaceQuality(**values).lacking == (field,)
    assert GOOD.usable
