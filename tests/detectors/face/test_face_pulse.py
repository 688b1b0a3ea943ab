"""The pulse detector declines on weak signals and never clears anybody."""

import numpy as np
import pytest

from tidewaiter.detectors.face.pulse import Pulse
from tidewaiter.testing.rendered import SkinScript, face_track, skin_colours
from tidewaiter.traces.base import Traces
from tidewaiter.traces.pulse import measured
from tidewaiter.vocabulary import Facts, MediaKind, Series, Status


def find(seed=0, faces=1, width=250.0, **script):
    skin = skin_colours(np.random.default_rng(seed), SkinScript(**{"snr_db": 15.0, **script}))
    pulse = measured(face_track(skin=skin, width=width), faces)
    return Pulse().find(Traces(MediaKind.VIDEO, {"pulse": pulse}))


def test_regions_out_of_step_score_higher():
    assert find(phases_degrees=(0, 120, -120), snr_db=20).score > find().score + 2


def test_a_forgery_with_a_pulse_is_not_cleared():
    """A driver's pulse, whole and in step, scores as low as a genuine one, and must not clear."""
    foreign = find(seed=9, bpm=91)
    assert foreign.status is Status.EXAMINED
    assert foreign.score < 0
    assert Pulse.may_clear is False
    assert Pulse.cap == 0.5
    assert any("never speaks for a video" in str(text) for text in foreign.limitations)


def test_evidence_shows_spectrum_wave_and_spread():
    kinds = [type(item) for item in find().evidence]
    assert kinds == [Series, Series, Facts]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"duration_s": 8.0}, "8.0 s of video with an unbroken face; 10 s needed"),
        ({"faces": 2}, "2 faces at once; one needed"),
        ({"width": 50.0}, "50 pixels wide; 80 needed"),
        ({"fps": 10.0}, "10.0 pictures per second; 12 needed"),
        ({"snr_db": -20.0}, "pulse signal is too weak"),
    ],
)
def test_outside_its_gate_it_declines_with_numbers(case, words):
    finding = find(**case)
    assert finding.status is Status.NOT_APPLICABLE
    assert words in str(finding.reason)
