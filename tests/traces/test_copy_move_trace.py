"""Copies are found with place and transform; repeated goods do not agree in their noise."""

import numpy as np
import pytest

from tests.traces.pixel_samples import grey, picture_of, scene
from tidewaiter.forgeries.goods import copy_unit, render_wall
from tidewaiter.forgeries.pictures import decoded, jpeg_bytes
from tidewaiter.traces.base import Untaken
from tidewaiter.traces.copy_candidates import candidates_of
from tidewaiter.traces.copy_move import CopyMoveTrace
from tidewaiter.traces.likeness import structure_of
from tidewaiter.vocabulary import Status


def measured(rgb):
    import cv2

    cv2.setNumThreads(1)
    return CopyMoveTrace().measure(picture_of(rgb), None)


@pytest.fixture
def copied():
    rgb = scene(1)
    rgb[280:400, 400:560] = rgb[60:180, 80:240]
    return rgb


def test_a_copy_is_found_with_its_shift(copied):
    best = measured(copied).regions[0]
    across, down = np.subtract(best.copy[:2], best.origin[:2])
    assert (abs(across), abs(down)) == (320, 220)
    assert np.sign(across) == np.sign(down)
    assert best.score > 1
    assert best.area_px > 10_000


def test_a_copy_survives_a_jpeg_out_of_step(copied):
    assert measured(decoded(jpeg_bytes(copied, 85))).regions[0].score > 0.5


def test_an_untouched_scene_has_no_agreeing_places():
    taken = measured(scene(2))
    assert all(region.score < 0.1 for region in taken.regions)
    assert taken.map.shape == (60, 80)


def smooth_with_a_copy():
    rng = np.random.default_rng(4)
    luma = 120 + np.linspace(0, 30, 512)[None] + rng.normal(0, 2, (400, 512))
    luma[250:350, 300:420] = luma[40:140, 60:180]
    return luma.astype(np.float32)


def test_a_smooth_copy_is_found_by_its_noise():
    best = measured(grey(smooth_with_a_copy())).regions[0]
    assert np.allclose(np.abs(np.subtract(best.copy[:2], best.origin[:2])), (240, 210))
    assert best.score > 0.5


def test_fine_structure_alone_names_the_shift_where_there_are_no_keypoints():
    fine = structure_of(smooth_with_a_copy()).fine
    candidates, keypoints = candidates_of(np.full_like(fine, 128), fine)
    assert keypoints == 0
    assert candidates[0].found_by == "fine structure"
    # The correlation is circular: 210 of 400 rows down is 190 rows up.
    assert candidates[0].shift in {(240, 210), (-240, 190)}


def test_a_turned_and_scaled_copy_is_found():
    import cv2

    rgb = scene(5, noise=1.0)
    turn = cv2.getRotationMatrix2D((160, 120), 15, 1.15)
    turn[:, 2] += (300, 200)
    moved = cv2.warpAffine(rgb, turn, (640, 480), flags=cv2.INTER_CUBIC)
    inside = np.zeros((480, 640), np.uint8)
    cv2.circle(inside, (460, 320), 90, 1, -1)
    rgb[inside > 0] = moved[inside > 0]
    best = measured(rgb).regions[0]
    a, b = best.transform[0], best.transform[3]
    scale = float(np.hypot(a, b))
    assert best.score > 0.5
    assert min(abs(scale - 1.15), abs(1 / scale - 1.15)) < 0.02


@pytest.mark.parametrize("goods", ["cartons", "labels"])
def test_a_wall_of_identical_goods_looks_alike_but_does_not_agree(goods):
    wall = render_wall(goods, np.random.default_rng(0), height=480, width=640)
    genuine = measured(wall.rgb)
    assert genuine.looked_alike > 3
    assert all(region.score < 0.4 for region in genuine.regions)


def test_a_carton_copied_among_identical_cartons_stands_out():
    wall = render_wall("cartons", np.random.default_rng(1), height=480, width=640)
    copied = copy_unit(wall, np.random.default_rng(2))
    assert measured(copied.rgb).regions[0].score > 1


def test_the_same_pixels_give_the_same_numbers(copied):
    first, again = measured(copied), measured(copied)
    assert first.regions == again.regions
    assert np.array_equal(first.map, again.map)


@pytest.mark.parametrize("size", [(1, 1), (127, 4000), (4000, 2)])
def test_too_small_says_found_and_needed(size):
    taken = measured(np.full((*size, 3), 90, np.uint8))
    assert isinstance(taken, Untaken)
    assert taken.status is Status.NOT_APPLICABLE
    assert f"{size[1]} x {size[0]}" in str(taken.reason)
    assert "128" in str(taken.reason)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_is_measured_and_has_nothing_live(level):
    taken = measured(np.full((200, 300, 3), level, np.uint8))
    assert taken.live_share == 0
    assert taken.regions == ()
