"""Periods of 2 and 4 pixels are seen where they are, and JPEG quality is read from the file."""

import numpy as np
import pytest

from tests.traces.pixel_samples import picture_of, scene
from tidewaiter.forgeries.pictures import decoded, jpeg_bytes
from tidewaiter.traces.base import Untaken
from tidewaiter.traces.spectrum import SpectrumTrace


def measured(rgb, **kwargs):
    return SpectrumTrace().measure(picture_of(rgb, **kwargs), None)


def test_an_untouched_scene_has_no_peaks():
    assert all(abs(peak) < 0.15 for peak in measured(scene(1)).peaks)


@pytest.mark.parametrize(("period", "index"), [(2, 0), (4, 1)])
def test_enlarging_by_a_power_of_two_shows_at_its_own_period(period, index):
    import cv2

    small = scene(2, 480 // period, 640 // period, noise=6.0)
    enlarged = cv2.resize(small, (640, 480), interpolation=cv2.INTER_LINEAR)
    assert measured(enlarged).peaks[index] > 0.3


def test_the_compression_is_read_from_the_file():
    data = jpeg_bytes(scene(3), 83)
    taken = measured(decoded(data), data=data, file_format="JPEG").compression
    assert (taken.quality, taken.lossless, taken.at_least(80), taken.at_least(90)) == (
        83,
        False,
        True,
        False,
    )
    assert measured(scene(3)).compression.at_least(100)
    assert not measured(scene(3), file_format="WEBP").compression.at_least(50)


def test_a_flat_picture_has_no_live_tile():
    taken = measured(np.full((300, 300, 3), 77, np.uint8))
    assert taken.live_share == 0
    assert np.isfinite(taken.radial).all()


def test_too_small_says_found_and_needed():
    taken = measured(np.zeros((64, 64, 3), np.uint8))
    assert isinstance(taken, Untaken)
    assert "64 x 64 pixels; at least 128" in str(taken.reason)
