from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
from scipy.stats import norm, rankdata

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes, jpeg_history, splice
from tidewaiter.media import Picture
from tidewaiter.traces.base import Untaken, collect_picture
from tidewaiter.traces.jpeg_double import (
    JpegDouble,
    clipped_blocks,
    double_probabilities,
    single_probabilities,
)
from tidewaiter.vocabulary import Exhibit, MediaKind


def scene(seed: int, side: int = 320) -> np.ndarray:
    """Structure at all scales, as photographs have it."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)).astype(np.float32), (0, 0), s) * s
        for s in (0.7, 1.5, 4, 12)
    ]
    return np.clip(128 + 45 * sum(layers), 0, 255).astype(np.uint8)


def taken(data: bytes) -> JpegDouble | Untaken:
    digest = hashlib.sha256(data).hexdigest()
    exhibit = Exhibit(
        sha256=digest,
        byte_length=len(data),
        name="x",
        kind=MediaKind.PICTURE,
        media_type="image/jpeg",
    )
    return collect_picture(Picture(exhibit, data, "JPEG", decoded(data)), ["jpeg.double"])[
        "jpeg.double"
    ]


def spliced(first: int, last: int, seed: int = 1, subsampling: int = 2):
    host, donor = scene(seed), scene(seed + 100)
    made = splice(
        jpeg_history(host, [first], subsampling=subsampling),
        donor,
        np.random.default_rng(seed),
        share=0.1,
    )
    blocks = made.mask.reshape(40, 8, 40, 8).mean((1, 3)) > 0.5
    return taken(jpeg_bytes(made.rgb, last, subsampling=subsampling)), blocks


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    ranks = rankdata(score.ravel())
    ones = truth.sum()
    return (ranks[truth.ravel()].sum() - ones * (ones + 1) / 2) / (ones * (truth.size - ones))


@pytest.mark.parametrize(("first", "last"), [(60, 90), (75, 90), (70, 95)])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_part_without_the_first_compression_is_mapped(first, last, subsampling):
    found, blocks = spliced(first, last, subsampling=subsampling)
    assert found.step_ratio >= 1.6
    assert found.mean_gain >= 0.1
    assert auc(found.inserted_map, blocks) > 0.97
    row, column = found.peak_at
    assert blocks[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5].any()


def test_the_first_steps_are_recovered():
    found = taken(jpeg_bytes(jpeg_history(scene(3), [70]), 92))
    truth = taken(jpeg_bytes(scene(3), 70))
    wanted = {fit.frequency: fit.second_step for fit in truth.fits}
    near = [abs(fit.first_step - wanted[fit.frequency]) <= 1 for fit in found.fits if fit.used]
    assert len(near) >= 7
    assert np.mean(near) >= 0.85


@pytest.mark.parametrize("quality", [60, 75, 90, 98])
def test_equal_tables_and_single_compression_gain_nothing(quality):
    for data in (
        jpeg_bytes(jpeg_history(scene(5), [quality]), quality),
        jpeg_bytes(scene(5), quality),
    ):
        found = taken(data)
        assert found.mean_gain < 0.05 or found.step_ratio < 1.6


def test_a_clean_twice_saved_picture_scores_below_a_spliced_one():
    clean = taken(jpeg_bytes(jpeg_history(scene(7), [70]), 90))
    forged, _ = spliced(70, 90, seed=7)
    assert clean.peak < 0 < forged.peak


def test_probabilities_equal_simulation():
    rng = np.random.default_rng(0)
    samples = rng.laplace(0, 9, 400_000)
    single = single_probabilities(samples, 5, 8)
    double = double_probabilities(samples, 12, 5, 8)
    rounded = np.clip(np.rint(samples / 5), -8, 8)
    twice = np.rint((12 * np.rint(samples / 12) + rng.normal(0, 0.6, samples.size)) / 5)
    for k in range(-7, 8):
        assert single[k + 8] == pytest.approx((rounded == k).mean(), abs=2e-3)
        assert double[k + 8] == pytest.approx((np.clip(twice, -8, 8) == k).mean(), abs=2e-3)
    assert single.sum() == pytest.approx(1)
    assert double.sum() == pytest.approx(1)


def test_a_gaussian_tail_ends_in_the_last_bin():
    samples = np.random.default_rng(1).normal(0, 10, 100_000)
    shares = single_probabilities(samples, 4, 3)
    assert shares[-1] == pytest.approx(norm.sf(10 / 10), abs=5e-3)


@pytest.mark.parametrize("size", [(1, 1), (70, 3000), (120, 120)])
def test_small_pictures_are_not_applicable(size):
    found = taken(jpeg_bytes(np.full((*size, 3), 90, np.uint8), 90))
    assert isinstance(found, Untaken)
    assert "blocks" in str(found.reason)


@pytest.mark.parametrize("grey", [False, True])
def test_flat_pictures_and_odd_sizes_end_in_numbers(grey):
    flat = np.full((201, 203), 77, np.uint8)
    found = taken(jpeg_bytes(flat if grey else np.dstack([flat] * 3), 90))
    assert np.isfinite(found.inserted_map).all()
    assert found.used == 0
    assert found.peak == 0


def test_clipping_is_not_taken_for_a_pasted_part():
    """Half of the picture blown out between two savings: no block of it may stand out."""
    bright = scene(9).astype(np.int16)
    bright[:, 160:] += 125
    bright = np.clip(bright, 0, 255).astype(np.uint8)
    found = taken(jpeg_bytes(jpeg_history(bright, [65]), 92))
    assert 0.3 < found.usable_share < 0.95
    assert found.peak < 1


def test_clipped_blocks_are_those_with_clipped_luma():
    rgb = np.full((24, 32, 3), 128, np.uint8)
    rgb[:8, :8] = 255
    rgb[8:16, 8:16, 2] = 0
    rgb[16:18, 16:18] = 0
    clipped = clipped_blocks(rgb)
    assert clipped.tolist() == [
        [True, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
    ]
    assert clipped_blocks(rgb[:5]).size == 0
