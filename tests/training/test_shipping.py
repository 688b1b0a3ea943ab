"""Both members of a pair travel alike: the same draws do the same to the same pixels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tests.forgeries.drawn_faces import face
from tidewaiter.traces.face_crop import FACE_MARGIN, WIDE_MARGIN
from tidewaiter.training import shipping
from tidewaiter.training.shipping import shipped, view

PIXELS = face(2, 256).pixels
EMPTY = np.zeros((256, 256), np.float32)
VIEW_SIDE = round(256 * FACE_MARGIN / WIDE_MARGIN)
SEEDS = range(25)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_members_arrive_equal(seed):
    seen, _ = view(PIXELS, EMPTY, rng(seed))
    again, _ = view(PIXELS.copy(), EMPTY, rng(seed))
    assert seen.tobytes() == again.tobytes()
    assert shipped(seen, rng(seed)).tobytes() == shipped(again, rng(seed)).tobytes()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_arrives_is_what_the_network_reads(seed):
    seen, _ = view(PIXELS, EMPTY, rng(seed))
    arrived = shipped(seen, rng(seed))
    assert seen.shape == (VIEW_SIDE, VIEW_SIDE, 3)
    assert arrived.shape == (160, 160, 3)
    assert arrived.dtype == np.uint8


def test_a_picture_is_never_written_to():
    before = PIXELS.copy()
    for seed in SEEDS:
        shipped(view(PIXELS, EMPTY, rng(seed))[0], rng(seed))
    assert (before == PIXELS).all()


def test_ways_differ():
    seen, _ = view(PIXELS, EMPTY, rng(0))
    assert len({shipped(seen, rng(seed)).tobytes() for seed in SEEDS}) == len(SEEDS)


def test_the_mask_moves_with_the_picture():
    """A white patch and its mask are found in the same place after the view was taken."""
    pixels, mask = np.zeros((256, 256, 3), np.uint8), EMPTY.copy()
    pixels[90:150, 70:180], mask[90:150, 70:180] = 255, 1
    for seed in range(10):
        seen, moved = view(pixels, mask, rng(seed))
        assert np.abs(seen[..., 0] / 255 - moved).mean() < 0.01
        assert moved.mean() > 0.05


@pytest.mark.parametrize("way", range(len(shipping._WAYS)))
def test_every_way_keeps_size_and_face(way, monkeypatch):
    seen, _ = view(PIXELS, EMPTY, rng(1))
    now, numbers = seen, rng(way)
    for step in shipping._WAYS[way]:
        now = step(now, numbers)
    resized = shipping._sized(now, seen.shape[0])
    alike = np.corrcoef(resized.ravel(), seen.ravel())[0, 1]
    assert alike > 0.9


def test_shares_of_ways_add_up():
    assert sum(shipping._WAY_SHARES) == pytest.approx(1)
    assert len(shipping._WAY_SHARES) == len(shipping._WAYS)
