"""An enlarged part shows its period; an untouched picture and a JPEG lattice do not."""

import numpy as np
import pytest

from tests.traces.pixel_samples import grey, picture_of
from tidewaiter.traces.base import Untaken
from tidewaiter.traces.resampling import ResamplingTrace, scale_factors


def measured(rgb):
    return ResamplingTrace().measure(picture_of(rgb), None)


def grain(seed, height=768, width=1024):
    rng = np.random.default_rng(seed)
    import cv2

    luma = 128 + rng.normal(0, 12, (height, width)).astype(np.float32)
    return cv2.GaussianBlur(luma, (0, 0), 0.7)


def enlarged(luma, factor):
    import cv2

    return cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("factor", [1.3, 1.7])
def test_an_enlarged_part_is_the_strongest_window_and_tells_its_factor(factor):
    luma = grain(1)
    luma[256:640, 384:768] = enlarged(grain(2), factor)[100:484, 100:484]
    taken = measured(grey(luma))
    row, column = np.unravel_index(taken.strength.argmax(), taken.strength.shape)
    tops, lefts = taken.positions
    assert taken.strength.max() > 45
    assert 190 <= tops[row] <= 450
    assert 320 <= lefts[column] <= 580
    factors = scale_factors(float(taken.frequency[row, column]))
    assert min(abs(found - factor) for found in factors) < 0.05


def test_an_untouched_picture_has_no_strong_period():
    strengths = [measured(grey(grain(seed))).strength.max() for seed in range(5)]
    assert max(strengths) < 40


def test_a_wholly_enlarged_picture_has_no_window_of_its_own():
    taken = measured(grey(enlarged(grain(3), 1.7)[:768, :1024]))
    assert taken.overall_peak > 20
    assert min(abs(f - 1.7) for f in scale_factors(taken.overall_frequency)) < 0.03
    assert taken.strength.max() < 60


def test_the_jpeg_lattice_is_left_out():
    luma = grain(4)
    luma[::8] += 20
    luma[:, ::8] += 20
    assert measured(grey(luma)).strength.max() < 40


@pytest.mark.parametrize("level", [0, 255])
def test_a_flat_picture_has_no_live_window(level):
    taken = measured(np.full((400, 500, 3), level, np.uint8))
    assert taken.live_share == 0
    assert taken.strength.max() == 0


def test_too_small_says_found_and_needed():
    taken = measured(np.zeros((255, 9000, 3), np.uint8))
    assert isinstance(taken, Untaken)
    assert "9000 x 255 pixels; at least 256" in str(taken.reason)
