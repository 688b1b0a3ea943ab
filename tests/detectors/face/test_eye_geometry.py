"""Eyes that differ score higher; small, turned or shut ones are declined."""

import numpy as np
import pytest

from tidewaiter.detectors.face.eye_geometry import EyeGeometry
from tidewaiter.traces.base import Traces
from tidewaiter.traces.eyes import EyePair, OneEye
from tidewaiter.vocabulary import Box, MediaKind, Regions, Status


def one(diameter=20.0, opening=0.25, residual=0.1):
    disc = np.zeros((96, 96))
    where = Box(left=10, top=10, width=30, height=12)
    return OneEye(np.zeros(2), diameter, opening, np.zeros(2), residual, disc, disc > 0, where)


def find(divergence=(-0.13, 0.0), width=260.0, pose=(2.0, 3.0, 0.0), overlap=0.8, **eye):
    face = Box(left=0, top=0, width=int(width), height=300)
    pair = EyePair(one(**eye), one(**eye), np.array(divergence), overlap, width, pose, face, 1)
    return EyeGeometry().find(Traces(MediaKind.PICTURE, {"eyes": pair}))


def test_a_squint_scores_higher_than_one_gaze():
    assert find().score < 0.5
    assert find(divergence=(0.1, 0.0)).score > find().score + 1
    assert find(divergence=(-0.13, 0.08)).score > find().score + 1


def test_highlights_count_only_in_large_irises():
    assert "highlight_loss" not in find(overlap=0.0).features
    assert find(overlap=0.0, diameter=50.0).score > find(overlap=0.9, diameter=50.0).score


def test_unseen_highlights_and_pupils_are_left_out():
    finding = find(overlap=float("nan"), diameter=50.0, residual=float("nan"))
    assert set(finding.features) == {"convergence", "height"}


def test_the_eyes_are_shown():
    assert isinstance(find().evidence[0], Regions)
    assert len(find().evidence[0].boxes) == 3


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"width": 120.0}, "a face 120 pixels wide; 200 needed"),
        ({"pose": (25.0, 0.0, 0.0)}, "turned by 25° sideways"),
        ({"diameter": 9.0}, "irises 9 pixels wide; 14 needed"),
        ({"opening": 0.05}, "open by 0.05 of their width; 0.12 needed"),
    ],
)
def test_outside_its_gate_it_declines_with_numbers(case, words):
    finding = find(**case)
    assert finding.status is Status.NOT_APPLICABLE
    assert words in str(finding.reason)
