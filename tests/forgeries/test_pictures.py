from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.forgeries.pictures import (
    SHAPES,
    copy_move,
    decoded,
    inpaint,
    jpeg_bytes,
    jpeg_history,
    local_blur,
    local_noise_change,
    random_mask,
    splice,
)


def noise(seed: int, height: int = 96, width: int = 120) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mask_has_about_the_share_that_was_asked_for(shape):
    shares = [
        random_mask((200, 300), np.random.default_rng(seed), share=0.1, shape=shape).mean()
        for seed in range(20)
    ]
    assert 0.085 < np.mean(shares) < 0.115
    assert 0.05 < min(shares) <= max(shares) < 0.15


@pytest.mark.parametrize("share", [0.0, 0.6, -1.0])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ConfigurationError, match="share"):
        random_mask((10, 10), np.random.default_rng(0), share=share)


def test_a_one_pixel_picture_can_be_masked():
    assert random_mask((1, 1), np.random.default_rng(0), share=0.5, shape="rectangle").all()


@pytest.mark.parametrize(
    "forge",
    [
        lambda host, rng: splice(host, noise(99), rng, share=0.1),
        lambda host, rng: splice(host, noise(99, 8, 9), rng, share=0.2, soft_px=2),
        lambda host, rng: copy_move(host, rng, share=0.05),
        lambda host, rng: copy_move(host, rng, share=0.05, scale=1.3, degrees=20),
        lambda host, rng: inpaint(host, rng, share=0.05),
        lambda host, rng: local_blur(host, rng, share=0.1),
        lambda host, rng: local_noise_change(host, rng, share=0.1),
    ],
)
def test_pixels_change_inside_the_mask_only_and_the_seed_decides(forge):
    host = noise(1)
    rgb, mask = forge(host, np.random.default_rng(5))
    again, _ = forge(host, np.random.default_rng(5))
    other, _ = forge(host, np.random.default_rng(6))
    changed = (rgb != host).any(axis=2)
    assert rgb.dtype == np.uint8
    assert rgb.shape == host.shape
    assert not changed[~mask].any()
    assert changed[mask].mean() > 0.5
    assert np.array_equal(rgb, again)
    assert not np.array_equal(rgb, other)
    assert np.array_equal(host, noise(1))


@pytest.mark.parametrize("seed", range(10))
def test_an_unscaled_copy_is_exact_and_apart_from_its_origin(seed):
    host = noise(seed)
    made = copy_move(host, np.random.default_rng(seed), share=0.03)
    assert not (made.mask & made.origin).any()
    assert made.mask.sum() == made.origin.sum()
    assert np.array_equal(made.rgb[made.mask], host[made.origin])


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_keeps_the_asked_sampling_and_tables(subsampling):
    data = jpeg_bytes(noise(3), 75, subsampling=subsampling)
    start = data.index(b"\xff\xc0")
    assert data[start + 11] == {0: 0x11, 1: 0x21, 2: 0x22}[subsampling]
    table = data.index(b"\xff\xdb")
    assert data[table + 5] == 8  # IJG quality 75: half of 16
    assert decoded(data).shape == noise(3).shape


def test_progressive_and_grey_pictures_are_written():
    assert b"\xff\xc2" in jpeg_bytes(noise(4), 80, progressive=True)
    grey = jpeg_bytes(noise(4)[..., 0], 80)
    assert grey[grey.index(b"\xff\xc0") + 9] == 1


def test_a_history_is_the_chain_of_its_steps():
    rgb = noise(7)
    chain = decoded(jpeg_bytes(decoded(jpeg_bytes(rgb, 60)), 90))
    assert np.array_equal(jpeg_history(rgb, [60, 90]), chain)
    assert np.array_equal(jpeg_history(rgb, []), rgb)
