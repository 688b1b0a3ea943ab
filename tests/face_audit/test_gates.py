"""Detectors, opinions and programs as gates: a score, or the reason why there is none."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.protocol import Gate
from tidewaiter.face_audit.service import Picture
from tidewaiter.settings import Settings
from tidewaiter.wiring_gates import check_gate, gate_of


@pytest.fixture(scope="module")
def picture():
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    return Picture("noise.png", cv2.imencode(".png", pixels)[1].tobytes())


def program(text: str) -> Gate:
    return Gate(program=(sys.executable, "-c", text), timeout_s=20)


def test_a_program_gives_a_score(picture):
    text = "import sys; print('{\"score\": %d}' % len(sys.stdin.buffer.read()))"
    assert gate_of(program(text), Settings())(picture).score == len(picture.content)


@pytest.mark.parametrize("text", ["print('yes')", 'print(\'{"score": "high"}\')', "1/0"])
def test_a_program_that_fails_gives_a_reason_instead(picture, text):
    answer = gate_of(program(text), Settings())(picture)
    assert answer.score is None
    assert answer.problem


def test_a_program_that_does_not_start_is_met_before_the_run(picture):
    gate = Gate(program=("no-such-program-here",))
    with pytest.raises(ConfigurationError, match="does not start"):
        check_gate(gate, gate_of(gate, Settings()), picture)


def test_a_detector_gives_its_score_or_says_why_not(picture):
    answer = gate_of(Gate(detector="image.noise_inconsistency"), Settings())(picture)
    assert (answer.score is None) == bool(answer.problem)
    broken = Picture("broken.png", b"no picture at all")
    assert gate_of(Gate(detector="image.noise_inconsistency"), Settings())(broken).score is None


def test_an_opinion_gives_its_ratio_or_says_why_not(picture):
    answer = gate_of(Gate(opinion="image.altered"), Settings())(picture)
    assert (answer.score is None) == bool(answer.problem)


@pytest.mark.parametrize("gate", [Gate(detector="image.none"), Gate(opinion="image.none")])
def test_a_gate_that_does_not_exist_is_refused(gate):
    with pytest.raises(ConfigurationError, match="there is no"):
        gate_of(gate, Settings())
