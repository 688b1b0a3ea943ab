import numpy as np
import pytest

from tidewaiter.errors import InputError
from tidewaiter.forgeries.videos import (
    ALTERATIONS,
    Encoding,
    alter_video,
    copy_cut,
    copy_drop,
    make_plan,
    read_excerpt,
    remux,
)
from tidewaiter.testing.scenes import moving_shapes, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = moving_shapes(160, seed=1, noise=1.0)
    return write_clip(path, frames, fps=20.0, options={"g": "20", "preset": "ultrafast"})


def luma(path):
    frames, _ = read_excerpt(path, 0.0, 1e9)
    return [frame.to_ndarray()[: frame.height].astype(np.int16) for frame in frames]


@pytest.mark.parametrize("alteration", sorted(ALTERATIONS))
def test_plans_are_seeded_and_their_truth_is_inside(alteration):
    plan = make_plan(alteration, 300, 25.0, seed=7)
    assert plan == make_plan(alteration, 300, 25.0, seed=7)
    assert plan != make_plan(alteration, 300, 25.0, seed=8)
    for start, end in plan.altered:
        assert 0 < start <= end < len(plan.steps)
    if plan.copied_from:
        source = plan.steps[slice(*plan.copied_from)]
        copy = plan.steps[slice(*plan.altered[0])]
        assert copy[: len(source)] == source


def test_short_clips_still_get_a_plan():
    for alteration in ALTERATIONS:
        for seed in range(20):
            assert make_plan(alteration, 60, 10.0, seed=seed).steps


def test_a_copied_stretch_shows_the_same_pictures(clip, tmp_path):
    made = alter_video(clip, tmp_path / "a.mp4", "duplicate", seed=3, encoding=Encoding(crf=18))
    pictures = luma(made.path)
    assert len(pictures) == made.frames
    (start, end), source = made.altered[0], made.copied_from
    middle = (end - start) // 2
    same = np.abs(pictures[start + middle] - pictures[source[0] + middle]).mean()
    other = np.abs(pictures[start + middle] - pictures[source[0] + middle + 12]).mean()
    assert same < other / 2


def test_an_insert_takes_another_clip_scaled_to_fit(clip, tmp_path):
    other = write_clip(tmp_path / "o.mp4", [np.full((60, 80), 250, np.uint8)] * 100, fps=20.0)
    made = alter_video(clip, tmp_path / "a.mp4", "insert", seed=3, other=other)
    pictures = luma(made.path)
    start, end = made.altered[0]
    assert pictures[(start + end) // 2].mean() > 200 > pictures[start - 2].mean()


def test_a_benign_copy_keeps_every_frame(clip, tmp_path):
    made = alter_video(clip, tmp_path / "a.mp4", "none", seed=0, encoding=Encoding(height=44))
    assert made.frames == 160
    assert made.altered == ()
    assert luma(made.path)[0].shape == (44, 78)


def test_copying_packets_cuts_without_re_encoding(clip, tmp_path):
    whole = luma(clip)
    assert len(luma(remux(clip, tmp_path / "r.mkv"))) == len(whole)
    path, at_s = copy_cut(clip, tmp_path / "c.mp4", seed=1)
    kept = luma(path)
    place = round(at_s * 20)
    assert len(kept) == len(whole) - 20
    assert np.array_equal(kept[place + 5], whole[place + 25])


def test_dropping_packets_leaves_a_gap_in_time(clip, tmp_path):
    import av

    path, at_s = copy_drop(clip, tmp_path / "d.mp4", seed=1)
    with av.open(str(path)) as container:
        times = sorted(float(f.time) for f in container.decode(video=0))
    steps = np.diff(times)
    assert steps.max() == pytest.approx(21 * 0.05, abs=0.01)
    assert times[int(np.argmax(steps)) + 1] == pytest.approx(at_s + 1.0, abs=0.11)


def test_too_short_and_unknown_are_refused(clip, tmp_path):
    with pytest.raises(InputError, match=r"2.0 s of video found; 6 s needed"):
        alter_video(clip, tmp_path / "a.mp4", "cut", seed=1, excerpt=(0.0, 2.0))
    with pytest.raises(InputError, match="no alteration 'melt'"):
        alter_video(clip, tmp_path / "a.mp4", "melt", seed=1)
    one = write_clip(tmp_path / "one.mp4", moving_shapes(5, seed=1))
    with pytest.raises(InputError, match="1 key frames found; 4 needed"):
        copy_cut(one, tmp_path / "x.mp4", seed=1)
