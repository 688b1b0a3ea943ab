"""Noise levels come out right, and a part with other noise is the oddest window."""

import numpy as np
import pytest

from tests.traces.pixel_samples import grey, picture_of
from tidewaiter.traces.base import Untaken
from tidewaiter.traces.noise import NoiseTrace


def measured(rgb):
    return NoiseTrace().measure(picture_of(rgb), None)


def noisy(sigma, seed=0, height=512, width=768):
    rng = np.random.default_rng(seed)
    bright = (
        120 + 40 * np.sin(np.arange(width) / 40)[None] * np.sin(np.arange(height) / 30)[:, None]
    )
    return bright + rng.normal(0, 1, bright.shape) * sigma


@pytest.mark.parametrize("sigma", [1.5, 4.0, 8.0])
def test_the_level_is_the_standard_deviation_of_the_noise(sigma):
    taken = measured(grey(noisy(sigma)))
    assert np.nanmedian(taken.level) == pytest.approx(sigma, rel=0.08)
    assert taken.dead_share < 0.01


@pytest.mark.parametrize(("inside", "side"), [(1.5, "quieter"), (6.0, "noisier")])
def test_a_part_with_other_noise_is_found_with_its_place(inside, side):
    sigma = np.full((512, 768), 3.0)
    sigma[160:352, 400:592] = inside
    odd = measured(grey(noisy(sigma))).odd
    assert odd.side == side
    assert odd.log10_nfa < -10
    assert 300 < odd.left < 560
    assert 60 < odd.top < 330


def test_even_noise_has_no_window_beyond_chance():
    nfas = [measured(grey(noisy(3.0, seed))).odd.log10_nfa for seed in range(20)]
    # An expected number of false alarms below 1 a picture: windows under NFA 0.01 are rare.
    assert sum(nfa < -2 for nfa in nfas) <= 2


def test_clipped_places_are_masked():
    luma = noisy(3.0)
    luma[:, :400] = 255
    taken = measured(grey(luma))
    assert np.isnan(taken.level[:, :24]).all()
    assert taken.usable_share == pytest.approx(0.48, abs=0.03)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_nothing_to_compare(level):
    taken = measured(np.full((200, 300, 3), level, np.uint8))
    assert taken.compared == 0
    assert taken.odd is None


def test_too_small_says_found_and_needed():
    taken = measured(np.zeros((1, 1, 3), np.uint8))
    assert isinstance(taken, Untaken)
    assert "1 x 1 pixels; at least 128" in str(taken.reason)
