"""A self-blend changes what its mask covers and nothing else, and repeats from its seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forgeries.drawn_faces import face
from tidewaiter.training.blending import blend, hull_mask, self_blend, soft

SIDE = 256
FACE = face(1, SIDE)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one.astype(int) - other).max(-1)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_gives_the_same_bytes(seed):
    first, first_mask = self_blend(FACE.pixels, FACE.points, rng(seed))
    second, second_mask = self_blend(FACE.pixels, FACE.points, rng(seed))
    assert first.tobytes() == second.tobytes()
    assert first_mask.tobytes() == second_mask.tobytes()


def test_other_seeds_give_other_blends():
    blends = {self_blend(FACE.pixels, FACE.points, rng(seed))[0].tobytes() for seed in range(8)}
    assert len(blends) == 8


@pytest.mark.parametrize("seed", range(6))
def test_genuine_pixels_are_never_written_to(seed):
    before = FACE.pixels.copy(), FACE.points.copy()
    self_blend(FACE.pixels, FACE.points, rng(seed))
    assert (FACE.pixels == before[0]).all()
    assert (FACE.points == before[1]).all()


@pytest.mark.parametrize("seed", range(12))
def test_the_mask_lies_on_the_face_and_within_its_range(seed):
    _, mask = self_blend(FACE.pixels, FACE.points, rng(seed))
    assert mask.shape == (SIDE, SIDE)
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert 0.1 < mask.max() <= 1 + 1e-5
    low, high = FACE.points.min(0) - 45, FACE.points.max(0) + 45
    rows, columns = np.nonzero(mask > 0.05)
    assert columns.min() >= low[0]
    assert columns.max() <= high[0]
    assert rows.min() >= low[1]
    assert rows.max() <= high[1]


def test_where_the_mask_is_0_or_1_a_blend_is_one_of_its_members():
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[80:160, 80:160] = 1
    mask[160:180, 80:160] = 0.5
    source = 255 - FACE.pixels
    mixed = blend(FACE.pixels, source, mask)
    assert (mixed[mask == 1] == source[mask == 1]).all()
    assert (mixed[mask == 0] == FACE.pixels[mask == 0]).all()
    between = mixed[mask == 0.5].astype(int)
    assert np.abs(between - 127.5).max() <= 0.5 + 1e-6


def test_outside_the_mask_one_of_both_halves_remains_as_it_was():
    """Half the time the untouched picture is around the seam: nothing there has changed."""
    untouched = 0
    for seed in range(12):
        blended, mask = self_blend(FACE.pixels, FACE.points, rng(seed))
        untouched += not difference(blended, FACE.pixels)[mask == 0].any()
    assert 2 <= untouched <= 10


def test_a_hull_is_0_or_1_away_from_its_bent_edge():
    mask = hull_mask(FACE.points, SIDE, rng(3))
    assert ((mask < 0.01) | (mask > 0.99)).mean() > 0.95


def test_a_softened_mask_has_values_in_between():
    hard = np.zeros((SIDE, SIDE), np.float32)
    hard[64:192, 64:192] = 1
    softened = soft(hard, rng(5))
    assert ((softened > 0.1) & (softened < 0.9)).sum() > 200
    assert softened.max() <= 1 + 1e-5


def test_the_luma_of_the_blended_part_stays_a_face():
    """The change is small: a self-blend is no picture of something else."""
    for seed in range(8):
        blended, mask = self_blend(FACE.pixels, FACE.points, rng(seed))
        inside = mask > 0.5
        if inside.any():
            assert difference(blended, FACE.pixels)[inside].mean() < 90
