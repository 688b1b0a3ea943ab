"""A threshold that nobody or everybody passes is refused before anything is sent."""

from __future__ import annotations

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.protocol import Target
from tidewaiter.face_audit.thresholds import check_reachable


@pytest.mark.parametrize(
    ("adapter", "score", "given"),
    [
        ("dlib", "distance", -0.6),
        ("dlib", "distance", 0.0),
        ("dlib", "similarity", 0.6),
        ("azure", "similarity", 80.0),
        ("compreface", "similarity", -0.1),
        ("rekognition", "similarity", 101.0),
        ("rest", "similarity", float("inf")),
        ("rest", "distance", -3.0),
        ("dlib", "distance", 2.5),
    ],
)
def test_one_that_cannot_be_meant_is_refused_with_its_scale(adapter, score, given):
    target = Target(adapter=adapter, score=score)
    similarity = -given if score == "distance" else given
    with pytest.raises(ConfigurationError, match=f"given is .*{given:g}"):
        check_reachable(target, similarity)


@pytest.mark.parametrize(
    ("adapter", "score", "given"),
    [
        ("dlib", "distance", 0.6),
        ("faceres", "similarity", -0.2),
        ("azure", "similarity", 1.0),
        ("rekognition", "similarity", 80.0),
        ("rest", "similarity", 3000.0),
        ("exec", "distance", 70.0),
    ],
)
def test_one_on_the_services_scale_is_taken(adapter, score, given):
    target = Target(adapter=adapter, score=score)
    check_reachable(target, -given if score == "distance" else given)


def test_none_is_the_services_own():
    check_reachable(Target(adapter="azure"), None)
