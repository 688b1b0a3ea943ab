from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.fft import dctn

from tidewaiter.forgeries.pictures import jpeg_history, splice
from tidewaiter.traces.jpeg_grid import (
    NO_VOTE,
    ZERO_BELOW,
    cell_votes,
    grid_of,
    grid_votes,
    log10_nfa,
    zero_counts,
)


def luma(rgb: np.ndarray) -> np.ndarray:
    return np.rint(rgb.astype(np.float32) @ np.float32([0.299, 0.587, 0.114]))


def scene(seed: int, side: int = 384) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (side, side, 3)
    rough = cv2.GaussianBlur(rng.normal(128, 200, shape).astype(np.float32), (0, 0), 3)
    return np.clip(rough + rng.normal(0, 3, shape), 0, 255).astype(np.uint8)


def naive(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Zero counts and votes, block by block, in double precision."""
    height, width = plane.shape
    zeros = np.zeros((height - 7, width - 7), int)
    constant = np.zeros(zeros.shape, bool)
    for y, x in np.ndindex(zeros.shape):
        block = plane[y : y + 8, x : x + 8].astype(float)
        transformed = np.abs(dctn(block, norm="ortho"))
        transformed[0, 0] = np.inf
        zeros[y, x] = (transformed < ZERO_BELOW).sum()
        constant[y, x] = (block == block[0]).all() or (block == block[:, :1]).all()
    votes = np.full((height, width), NO_VOTE)
    for y, x in np.ndindex(height - 14, width - 14):
        window = zeros[y : y + 8, x : x + 8]
        best = np.argwhere(window == window.max()) + np.array([y, x])
        if len(best) == 1 and not constant[tuple(best[0])]:
            votes[y + 7, x + 7] = 8 * (best[0][0] % 8) + best[0][1] % 8
    return zeros, votes


@pytest.mark.parametrize("shape", [(90, 75), (71, 140)])
def test_votes_equal_the_naive_definition(shape):
    rng = np.random.default_rng(7)
    plane = cv2.GaussianBlur(rng.normal(128, 60, shape).astype(np.float32), (0, 0), 2)
    plane = np.rint(plane)
    plane[20:40, 30:60] = 100
    plane[50:66, 10:30] = np.arange(20)
    plane[:, 64:] = np.rint(plane[:, 64:] / 8) * 8
    zeros, votes = naive(plane)
    found = zero_counts(plane)
    # Single precision can move a coefficient over the limit, one in ten thousand blocks.
    assert (found != zeros).mean() < 1e-3
    assert np.abs(found.astype(int) - zeros).max() <= 1
    assert (grid_votes(plane) != votes).mean() < 1e-3


def test_constant_pictures_and_the_margin_vote_for_none():
    assert (grid_votes(np.full((80, 90), 7, np.float32)) == NO_VOTE).all()
    votes = grid_votes(luma(jpeg_history(scene(1, 128), [80])))
    inner = votes[7:-7, 7:-7]
    assert (inner != NO_VOTE).sum() == (votes != NO_VOTE).sum() > 0


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (14, 14), (15, 15)])
def test_tiny_pictures_are_counted_without_error(shape):
    assert grid_votes(np.zeros(shape, np.float32)).shape == shape


def test_cells_count_every_pixel_once():
    votes = grid_votes(luma(scene(2, 100)))
    cells = cell_votes(votes)
    assert cells.shape == (65, 13, 13)
    assert cells.sum() == votes.size
    assert cells[int(votes[50, 60]), 6, 7] == (votes[48:56, 56:64] == votes[50, 60]).sum()


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 5), (7, 1)])
def test_the_main_grid_is_found_where_the_crop_puts_it(top, left):
    grid = grid_of(luma(jpeg_history(scene(3), [80])[top:, left:]))
    assert grid.main_origin == (-top % 8, -left % 8)
    assert grid.main_log10_nfa < -20


def test_a_spliced_part_with_another_grid_is_found_in_its_place():
    rng = np.random.default_rng(11)
    host, donor = jpeg_history(scene(4), [85]), jpeg_history(scene(5), [80])
    # An ellipse from a random place; its grid agrees with the host's once in 64 times.
    rgb, mask = splice(host, donor, rng, share=0.1)
    grid = grid_of(luma(rgb))
    found = cv2.resize(grid.region_map, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert grid.best_log10_nfa < -5
    assert (found & mask).sum() / (found | mask).sum() > 0.6


def test_an_untouched_jpeg_has_no_second_grid():
    for seed in range(6, 12):
        grid = grid_of(luma(jpeg_history(scene(seed), [75 + seed])))
        assert grid.main_origin == (0, 0)
        assert grid.best_log10_nfa >= 0
        assert not grid.region_map.any()


@pytest.mark.parametrize("sigma", [0, 1.0, 2.5])
def test_chance_regions_in_noise_are_fewer_than_one_a_picture(sigma):
    """The a-contrario guarantee, on 40 seeded pictures of plain or correlated noise."""
    found = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(128, 25, (160, 160)).astype(np.float32)
        if sigma:
            noise = 128 + (cv2.GaussianBlur(noise, (0, 0), sigma) - 128) * 2 * sigma
        grid = grid_of(np.clip(np.rint(noise), 0, 255))
        found += sum(region.log10_nfa < 0 for region in grid.regions)
        found += grid.main_origin is not None
    assert found / 40 <= 1
    assert found <= 4


def test_nfa_is_finite_and_falls_with_votes():
    values = [log10_nfa(512 * 512, votes, (512, 512)) for votes in (0, 4096, 20000, 512 * 512)]
    assert np.isfinite(values).all()
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(np.log10(64) + 4 * np.log10(512))


def test_the_bound_in_place_of_an_underflowing_tail_is_an_upper_bound():
    from scipy.stats import binom

    from tidewaiter.traces.jpeg_grid import _divergence

    for trials, hits in [(100, 10), (400, 60), (1000, 200)]:
        bound = -trials * _divergence(hits / trials, 1 / 64)
        assert bound >= binom.logsf(hits - 1, trials, 1 / 64)
