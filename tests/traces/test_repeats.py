import numpy as np
import pytest

from tidewaiter.testing.scenes import (
    ArrayVideo,
    camera_pan,
    conveyor_belt,
    moving_shapes,
    still_scene,
)
from tidewaiter.traces import repeats as module
from tidewaiter.traces.base import collect_video

CLIP = moving_shapes(200, seed=1)


def search(clip, fps=25.0):
    return collect_video(ArrayVideo(clip, fps=fps), {"repeats"})["repeats"]


def noisy(clip, seed, sigma=2.0):
    """What an encoder does to a copy: it is alike, no longer equal."""
    rng = np.random.default_rng(seed)
    return [
        np.clip(p + rng.normal(scale=sigma, size=p.shape), 0, 255).astype(np.uint8) for p in clip
    ]


def test_a_copied_stretch_is_found_to_the_frame():
    found = search(CLIP[:150] + CLIP[40:90] + CLIP[150:])
    assert [(run.start, run.end, run.lag) for run in found.exact] == [(150, 200, 110)]
    assert found.exact[0].edged
    best = found.runs[0]
    assert (best.start, best.end, best.lag) == (150, 200, 110)
    assert best.likeness > 0.99
    assert best.outside < 0.3


def test_a_copy_changed_by_coding_is_still_found():
    found = search(CLIP[:150] + noisy(CLIP[40:90], 5) + CLIP[150:])
    assert not found.exact
    best = found.runs[0]
    assert best.lag == 110
    assert abs(best.start - 150) <= 3
    assert abs(best.end - 200) <= 3
    assert np.arctanh(best.likeness) > found.background_high + 3 * found.background_decade


def test_genuine_motion_does_not_repeat():
    found = search(CLIP)
    assert not found.exact
    assert not found.runs
    assert found.moving_windows > 10


def test_a_loop_is_found_at_its_period():
    found = search(CLIP[:80] + CLIP[30:80] * 3)
    assert (found.exact[0].start, found.exact[0].end, found.exact[0].lag) == (80, 230, 50)


def test_periodic_scenery_has_no_edge():
    found = search(conveyor_belt(200, seed=1))
    assert found.runs
    assert all(np.isnan(run.outside) or run.outside > 0.5 for run in found.runs[:1])
    assert not found.exact


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_still_scenes_have_no_moving_window(noise):
    found = search(still_scene(100, seed=1, noise=noise))
    assert found.moving_windows == 0
    assert not found.runs


def test_a_pan_is_no_repetition():
    assert not search(camera_pan(150, seed=1)).runs


@pytest.mark.parametrize("frames", [1, 2, 8, 20])
def test_short_videos_are_searched_without_harm(frames):
    assert search(CLIP[:frames]).moving_windows == 0


def test_long_videos_are_searched_in_wider_steps(monkeypatch):
    monkeypatch.setattr(module, "MOST_COMPARISONS", 20_000)
    found = search(CLIP[:150] + CLIP[40:90] + CLIP[150:])
    assert found.spacing > 1
    assert found.exact[0].lag == 110


def test_low_frame_rates_keep_a_usable_window():
    assert module.window_length(1.0) == module.SHORTEST_WINDOW
    assert module.window_length(1 / 120) == module.LONGEST_WINDOW
