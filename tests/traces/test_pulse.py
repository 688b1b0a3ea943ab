"""The pulse of rendered skin is read; noise is not taken for one."""

import numpy as np
import pytest

from tidewaiter.testing.rendered import (
    SkinScript,
    face_track,
    one_face,
    skin_colours,
    skin_pictures,
)
from tidewaiter.traces.base import Traces
from tidewaiter.traces.pulse import (
    Pulse,
    PulseInVideo,
    band_passed,
    chrom_wave,
    measured,
    pos_wave,
    regions_agreement,
    spectrum_of,
)
from tidewaiter.vocabulary import MediaKind


def pulse_of(seed=0, **script):
    rng = np.random.default_rng(seed)
    return measured(face_track(skin=skin_colours(rng, SkinScript(**script))), 1)


@pytest.mark.parametrize("bpm", [48, 66, 97, 150])
def test_rate_is_read_within_one_beat(bpm):
    pulse = pulse_of(bpm=bpm, snr_db=10)
    assert pulse.pos.bpm == pytest.approx(bpm, abs=1)
    assert pulse.chrom.bpm == pytest.approx(bpm, abs=1)


def test_rate_survives_an_eight_bit_camera():
    rng = np.random.default_rng(1)
    skin = skin_pictures(rng, SkinScript(bpm=75, snr_db=12, duration_s=12))
    assert measured(face_track(skin=skin), 1).pos.bpm == pytest.approx(75, abs=1)


def test_light_that_changes_alike_in_all_colours_is_no_pulse():
    times = np.arange(0, 20, 1 / 30)
    flicker = 1 + 0.05 * np.sin(2 * np.pi * 1.3 * times)
    colour = np.array([200, 150, 120]) * flicker[:, None]
    assert np.abs(pos_wave(colour, 30)).max() < 1e-9
    assert np.abs(chrom_wave(colour, 30)).max() < 1e-3


def test_quality_falls_with_noise():
    assert pulse_of(snr_db=15).pos.snr_db > pulse_of(snr_db=0).pos.snr_db
    assert pulse_of(snr_db=-20).pos.snr_db < -3


def test_regions_in_step_agree_and_out_of_step_do_not():
    together = pulse_of(snr_db=15)
    apart = pulse_of(snr_db=15, phases_degrees=(0, 120, -120))
    assert together.agreement > 0.85
    assert apart.agreement < 0.35


def test_phase_of_a_region_is_measured():
    pulse = pulse_of(snr_db=20, phases_degrees=(0, 0, 60))
    assert pulse.region_phase_degrees[2] - pulse.region_phase_degrees[0] == pytest.approx(60, abs=8)


def test_agreement_of_equal_waves_is_one():
    wave = np.sin(2 * np.pi * 1.2 * np.arange(0, 15, 1 / 30))
    assert regions_agreement(np.stack([wave] * 3), 30, 1.2) == pytest.approx(1)


def test_snr_is_power_at_the_peaks_over_the_rest():
    times = np.arange(0, 30, 1 / 30)
    pure = spectrum_of(np.sin(2 * np.pi * 1.5 * times), 30)
    assert pure.bpm == pytest.approx(90, abs=0.5)
    assert pure.snr_db > 20


def test_frame_rate_may_vary():
    rng = np.random.default_rng(3)
    times, colour = skin_colours(rng, SkinScript(bpm=80, snr_db=12))
    kept = np.sort(rng.choice(times.size, int(times.size * 0.85), replace=False))
    pulse = measured(face_track(skin=(times[kept], colour[kept])), 1)
    assert pulse.pos.bpm == pytest.approx(80, abs=1)


def test_hidden_regions_and_gaps_cut_the_stretch():
    times, colour = skin_colours(np.random.default_rng(4), SkinScript(duration_s=20))
    colour[150:180, 1] = np.nan
    pulse = measured(face_track(skin=(times, colour)), 1)
    assert pulse.time_s[0] == pytest.approx(6.0, abs=0.05)


def test_a_short_face_is_a_reason():
    track = face_track(skin=skin_colours(np.random.default_rng(5), SkinScript(duration_s=3.2)))
    taken = PulseInVideo().result(Traces(MediaKind.VIDEO, {"faces": one_face(track)}))
    assert not isinstance(taken, Pulse)
    assert str(taken.reason) == "3.2 s of video with an unbroken face; 10 s needed"


@pytest.mark.parametrize("rate_hz", [8.0, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("size", [4, 16, 48, 900])
def test_the_band_pass_is_that_of_scipy(rate_hz, size):
    from scipy.signal import butter, sosfiltfilt

    wave = 5 + np.random.default_rng(size).normal(size=size).cumsum()
    band = [0.7, min(4.0, 0.45 * rate_hz)]
    sections = butter(2, band, btype="bandpass", fs=rate_hz, output="sos")
    expected = sosfiltfilt(sections, wave - wave.mean(), padlen=min(15, size - 1))
    assert band_passed(wave, rate_hz) == pytest.approx(expected, abs=1e-9)
