"""Few blinks score high, usual ones low; outside its gate the detector declines."""

import numpy as np
import pytest

from tidewaiter.detectors.face.blink import Blink, rarity
from tidewaiter.testing.rendered import EyeScript, blinking_eyes, face_track, one_face
from tidewaiter.traces.base import Traces
from tidewaiter.traces.eyelids import read_eyelids
from tidewaiter.vocabulary import MAX_SERIES_POINTS, MediaKind, Series, Status


def find(seed=0, width=250.0, yaw=0.0, **script):
    eyes = blinking_eyes(np.random.default_rng(seed), EyeScript(**script))
    track = face_track(eyes=eyes, width=width, yaw_degrees=yaw)
    lids = read_eyelids(track, one_face(track))
    return Blink().find(Traces(MediaKind.VIDEO, {"eyelids": lids}))


def test_a_staring_face_scores_higher_than_a_blinking_one():
    staring, blinking = find(blinks_per_min=0, duration_s=60), find(duration_s=60)
    assert staring.score > 1.8
    assert blinking.score < 0.7


def test_rarity_falls_with_blinks_and_grows_with_time():
    assert rarity(0, 60) > rarity(1, 60) > rarity(10, 60) >= 0
    assert rarity(0, 120) > rarity(0, 30)


def test_rarity_is_the_share_of_simulated_people():
    rng = np.random.default_rng(7)
    counts = rng.poisson(rng.gamma(2.0, 17.0 / 2, 200_000) * 20 / 60)
    assert 10 ** -rarity(1, 20) == pytest.approx((counts <= 1).mean(), rel=0.02)


def test_blinks_are_marked_on_the_curve():
    finding = find(duration_s=40)
    curve = finding.evidence[0]
    assert isinstance(curve, Series)
    assert len(curve.marks) == finding.features["blinks"] > 3


def test_long_videos_fit_on_the_curve():
    assert len(find(duration_s=300).evidence[0].x) <= MAX_SERIES_POINTS


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"duration_s": 4}, "s of video with a face turned to the camera; 10 s needed"),
        ({"width": 60}, "60 pixels wide; 110 needed"),
        ({"looks_per_s": 6}, "6.0 pictures per second; 10 needed"),
        ({"yaw": 60}, "0.0 s of video"),
    ],
)
def test_outside_its_gate_it_declines_with_numbers(case, words):
    finding = find(**case)
    assert finding.status is Status.NOT_APPLICABLE
    assert words in str(finding.reason)
    assert any(not check.passed for check in finding.gate)
