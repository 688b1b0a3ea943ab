import numpy as np
import pytest

from tidewaiter.testing.scenes import (
    ArrayVideo,
    camera_pan,
    flash,
    moving_shapes,
    still_scene,
)
from tidewaiter.traces.base import Untaken, collect_video

CLIP = moving_shapes(220, seed=1)


def breaks_of(clip, **options):
    return collect_video(ArrayVideo(clip, **options), {"breaks"})["breaks"]


def test_genuine_motion_has_no_break():
    for clip in (CLIP[:150], camera_pan(120, seed=2)):
        found = breaks_of(clip)
        assert found.strength.max() < 6
        assert not len(found.scene_changes)
        assert not found.freezes


def test_missing_frames_make_one_jump():
    found = breaks_of(CLIP[:90] + CLIP[110:])
    assert int(np.argmax(found.strength)) == 90
    assert found.strength[90] > 8


def test_a_jump_explained_by_its_time_stamp_is_smaller():
    times = [index / 25 for index in range(220) if not 90 <= index < 110]
    silent = breaks_of(CLIP[:90] + CLIP[110:]).rise[90]
    told = breaks_of(CLIP[:90] + CLIP[110:], times_s=times).rise[90]
    assert told < silent - 1


def test_a_flash_is_neither_jump_nor_scene():
    found = breaks_of(flash(120, seed=1, at=60))
    assert found.flashes.tolist() == [60, 61]
    assert not len(found.scene_changes)
    assert found.strength.max() < 6


def test_a_change_of_scene_is_listed_and_not_scored():
    found = breaks_of(CLIP[:60] + moving_shapes(60, seed=9))
    assert found.scene_changes.tolist() == [60]
    assert found.strength[60] == 0.0


def test_held_frames_are_a_freeze_after_which_the_scene_has_gone_on():
    found = breaks_of(CLIP[:80] + [CLIP[80]] * 30 + CLIP[110:])
    freeze = found.freezes[0]
    assert abs(freeze.start - 81) <= 1
    assert abs(freeze.end - 110) <= 1
    assert freeze.equal_frames == 29
    assert freeze.depth > 2
    assert freeze.resumption > np.log(2)


def test_what_key_frames_always_add_is_taken_off():
    rng = np.random.default_rng(0)
    clip = moving_shapes(160, seed=3, noise=1.0)
    keys = tuple(range(0, 160, 20))
    for key in keys:
        coding = np.kron(rng.normal(scale=3.0, size=(9, 16)), np.ones((10, 10)))
        for index in range(key, key + 20):
            clip[index] = np.clip(clip[index] + coding, 0, 255).astype(np.uint8)
    with_keys = breaks_of(clip, keys=keys).strength[list(keys[1:])]
    without = breaks_of(clip).strength[list(keys[1:])]
    assert with_keys.max() < without.max() - 2


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 13])
def test_short_videos_have_no_break(frames):
    found = breaks_of(CLIP[:frames])
    assert len(found.strength) == frames
    assert not found.freezes


def test_still_scenes_do_not_move():
    assert breaks_of(still_scene(60, seed=1)).moving_share == 0.0


def test_no_frames_are_untaken():
    assert isinstance(breaks_of([]), Untaken)
