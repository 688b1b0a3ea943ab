import numpy as np
import pytest

from tidewaiter.testing.scenes import ArrayVideo, still_scene
from tidewaiter.traces.base import Untaken, collect_video
from tidewaiter.traces.packets import binomial_exponent, usual_key_interval

STILL = still_scene(1, seed=1)[0]


def packets_of(sizes, *, keys=(0,), times_s=None, names=("packets",)):
    video = ArrayVideo([STILL] * len(sizes), sizes=sizes, keys=keys, times_s=times_s)
    return collect_video(video, set(names))


def sizes_with_rhythm(frames, period, phase, *, seed, excess=0.6):
    sizes = np.random.default_rng(seed).gamma(40.0, 25.0, frames)
    sizes[phase::period] *= 1 + excess
    return [int(size) for size in sizes]


def test_the_table_holds_sizes_keys_and_times():
    table = packets_of([900, 100, 110, 120], keys=(0, 2))["packets"]
    assert table.size.tolist() == [900, 100, 110, 120]
    assert np.flatnonzero(table.key).tolist() == [0, 2]
    assert table.pts_s.tolist() == [0.0, 0.04, 0.08, 0.12]
    assert table.in_display_order
    assert usual_key_interval(table) == 2


def test_b_frames_are_put_in_display_order():
    table = packets_of([900, 300, 100, 110], times_s=[0.0, 0.12, 0.04, 0.08])["packets"]
    assert table.size.tolist() == [900, 100, 110, 300]


def test_missing_time_stamps_leave_file_order():
    table = packets_of([900, 300, 100], times_s=[0.0, None, 0.08])["packets"]
    assert not table.in_display_order
    assert table.size.tolist() == [900, 300, 100]
    assert np.isnan(table.pts_s[1])


def test_a_stream_without_packets_is_untaken():
    taken = packets_of([], names=("packets", "double_encoding"))
    assert isinstance(taken["packets"], Untaken)
    assert isinstance(taken["double_encoding"], Untaken)


@pytest.mark.parametrize(("period", "phase"), [(12, 5), (50, 20), (64, 3)])
def test_the_period_of_a_first_encoding_is_found(period, phase):
    sizes = sizes_with_rhythm(600, period, phase, seed=period)
    rhythm = packets_of(sizes, names=("double_encoding",))["double_encoding"]
    best = int(np.argmax(rhythm.strength))
    assert rhythm.period[best] % period == 0
    assert rhythm.phase[best] % period == phase
    assert rhythm.strength[best] > 2


def test_sizes_without_rhythm_are_weak():
    sizes = sizes_with_rhythm(600, 50, 0, seed=3, excess=0.0)
    rhythm = packets_of(sizes, names=("double_encoding",))["double_encoding"]
    assert rhythm.strength.max() < 1


def test_key_frames_do_not_enter_the_rhythm():
    sizes = sizes_with_rhythm(300, 50, 10, seed=3, excess=0.0)
    keys = tuple(range(0, 300, 25))
    for key in keys:
        sizes[key] = 20_000
    rhythm = packets_of(sizes, keys=keys, names=("double_encoding",))["double_encoding"]
    assert np.isnan(rhythm.excess[list(keys)]).all()
    assert np.isnan(rhythm.excess[[26, 24]]).all()
    assert rhythm.key_period == 25
    assert rhythm.strength.max() < 1


def test_chance_rhythms_are_as_rare_as_promised():
    strongest = []
    for seed in range(40):
        sizes = sizes_with_rhythm(300, 50, 0, seed=seed, excess=0.0)
        rhythm = packets_of(sizes, names=("double_encoding",))["double_encoding"]
        strongest.append(rhythm.strength.max())
    assert np.mean(np.array(strongest) > 0) <= 0.2
    assert np.mean(np.array(strongest) > 1) <= 0.05


@pytest.mark.parametrize("frames", [1, 2, 10])
def test_short_and_all_intra_streams_have_no_rhythm(frames):
    keys = tuple(range(frames))
    taken = packets_of([1000] * frames, keys=keys, names=("packets", "double_encoding"))
    assert not len(taken["double_encoding"].period)


def test_the_binomial_tail_is_exact():
    from scipy.stats import binom

    events, trials = np.array([0, 1, 7, 30]), np.array([5, 5, 40, 30])
    expected = -binom.logsf(events - 1, trials, 0.1) / np.log(10.0)
    assert binomial_exponent(events, trials, 0.1) == pytest.approx(expected, abs=1e-9)
    assert binomial_exponent(np.array([0]), np.array([0]), 0.5).tolist() == [0.0]
