import numpy as np
import pytest

from tidewaiter.media import Packet
from tidewaiter.testing.scenes import (
    ArrayVideo,
    camera_pan,
    conveyor_belt,
    flash,
    moving_shapes,
    still_scene,
    write_clip,
)


@pytest.mark.parametrize("make", [moving_shapes, still_scene, conveyor_belt, camera_pan])
def test_scenes_are_seeded(make):
    first, again, other = make(3, seed=1), make(3, seed=1), make(3, seed=2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_noiseless_belt_repeats_with_its_period():
    clip = conveyor_belt(60, seed=1, period=20, noise=0.0)
    assert np.array_equal(clip[10], clip[30])
    assert not np.array_equal(clip[10], clip[20])


def test_a_flash_lights_one_frame():
    clip = flash(5, seed=1, at=2)
    means = [picture.mean() for picture in clip]
    assert means[2] > max(means[1], means[3]) + 50


def test_playing_gives_packets_and_frames_in_turn():
    items = list(ArrayVideo(moving_shapes(3, seed=1)).play())
    assert [isinstance(item, Packet) for item in items] == [True, False] * 3
    frame = items[1]
    assert frame.thumbnail().shape == (90, 160, 3)
    assert frame.luma_thumbnail(45).shape == (45, 80)
    corners = np.array([[10, 20], [29, 20], [10, 39]], np.float32)
    assert np.array_equal(frame.crop(corners, 20, 20)[..., 0], frame.luma[20:40, 10:30])


@pytest.mark.parametrize(
    ("codec", "name"), [("libx264", "a.mp4"), ("mjpeg", "a.avi"), ("mpeg4", "a.mkv")]
)
def test_clips_are_written_in_several_codecs(tmp_path, codec, name):
    import av

    path = write_clip(tmp_path / name, moving_shapes(12, seed=1), codec=codec)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


def test_a_variable_rate_keeps_its_times(tmp_path):
    import av

    times = [0.0, 0.04, 0.3, 0.34, 1.0]
    path = write_clip(tmp_path / "v.mkv", moving_shapes(5, seed=1), times_s=times)
    with av.open(str(path)) as container:
        found = [float(frame.time) for frame in container.decode(video=0)]
    assert found == pytest.approx(times, abs=0.002)
