"""Levels of sound do not depend on how a container cuts it into packets."""

import numpy as np
import pytest

from tidewaiter.traces.sound_bands import BANDS, SoundBands

RATE = 11_025


def bands(samples, chunk, *, gap_after=None):
    taken = SoundBands(RATE)
    for start in range(0, len(samples), chunk):
        late_s = 1.5 if gap_after is not None and start >= gap_after else 0.0
        taken.feed(samples[start : start + chunk], 0.25 + start / RATE + late_s)
    return taken.result()


@pytest.fixture(scope="module")
def samples():
    random = np.random.default_rng(3)
    loud = np.repeat(random.uniform(0.01, 0.5, 20), RATE // 4)
    return (random.normal(0, 1, len(loud)) * loud).astype(np.float32)


@pytest.mark.parametrize("chunk", [160, 1024, 30_000])
def test_rows_do_not_depend_on_packets(samples, chunk):
    rows, start_s = bands(samples, chunk)
    whole, _ = bands(samples, len(samples))
    assert np.array_equal(rows, whole)
    assert start_s == 0.25
    assert rows.shape == (int((len(samples) / RATE - 0.08) / 0.04) + 1, BANDS)


def test_a_hole_in_the_times_is_silence(samples):
    rows, _ = bands(samples, 1000, gap_after=20_000)
    plain, _ = bands(samples, 1000)
    assert len(rows) - len(plain) in (37, 38)
    first = int(20_000 / RATE / 0.04)
    assert rows[first + 2 : first + 30].max() == 0
    assert np.array_equal(rows[: first - 2], plain[: first - 2])


def test_a_row_is_the_level_of_its_band():
    time = np.arange(RATE) / RATE
    loud = bands((0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), 1024)[0]
    quiet = bands((0.05 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), 1024)[0]
    band = int(loud[5].argmax())
    assert loud[5, band] - quiet[5, band] == 40


def test_less_than_one_row_is_none():
    rows, start_s = bands(np.zeros(100, np.float32), 100)
    assert rows.shape == (0, BANDS)
    assert start_s == 0.25
