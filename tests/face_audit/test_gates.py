"""Detectors, opinions and programs as gates: a score, or the reason why there is none."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.protocol import Gate
from tidewaiter.face_audit.service import Picture
from tidewaiter.settings import Settings
from tidewaiter.weights.own import gate_network
from tidewaiter.wiring_gates import check_gate, gate_digest, gate_of


@pytest.fixture(scope="module")
def picture():
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    return Picture("noise.png", cv2.imencode(".png", pixels)[1].tobytes())


@pytest.fixture
def home(untrained_site, tmp_path):
    """A protocol's folder with a network for a gate in it."""
    network = shutil.copytree(untrained_site, tmp_path / "network")
    card = json.loads((network / "card.json").read_text(encoding="utf-8"))
    (network / "card.json").write_text(json.dumps({**card, "purpose": "gate"}), encoding="utf-8")
    return tmp_path


@pytest.mark.shared
def test_a_network_scores_every_face_and_declines_without_one(picture, home, shared_data):
    gate = gate_of(Gate(network="network"), Settings(), home)
    answer = gate(picture)
    assert answer.declined
    assert "no face" in answer.problem
    person = min((shared_data / "lfw_deepfunneled").iterdir())
    turned = cv2.imread(str(min(person.glob("*.jpg"))))
    blurred = cv2.GaussianBlur(turned, (0, 0), 2.5)
    for shown in (turned, blurred):
        face = Picture("face.png", cv2.imencode(".png", shown)[1].tobytes())
        assert gate(face).score is not None
    assert gate(Picture("broken.png", b"no picture")).score is None


def test_the_digest_of_a_network_tells_audits_apart(home):
    digest = gate_digest(Gate(network="network"), Settings(), home)
    assert digest == gate_network(home / "network").sha256
    assert gate_digest(Gate(detector="face.manipulation_network"), Settings(), home) is None
    assert gate_digest(None, Settings(), home) is None


def test_a_network_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gate\.network names 'nothing'"):
        gate_of(Gate(network="nothing"), Settings(), tmp_path)


def program(text: str) -> Gate:
    return Gate(program=(sys.executable, "-c", text), timeout_s=20)


def test_a_program_gives_a_score(picture):
    text = "import sys; print('{\"score\": %d}' % len(sys.stdin.buffer.read()))"
    assert gate_of(program(text), Settings(), Path())(picture).score == len(picture.content)


@pytest.mark.parametrize(
    "text",
    [
        "print('yes')",
        'print(\'{"score": "high"}\')',
        "print('{\"score\": NaN}')",
        "print('{\"score\": -Infinity}')",
        "1/0",
    ],
)
def test_a_program_that_fails_gives_a_reason_instead(picture, text):
    answer = gate_of(program(text), Settings(), Path())(picture)
    assert answer.score is None
    assert answer.problem


def test_a_program_that_does_not_start_is_met_before_the_run(picture):
    gate = Gate(program=("no-such-program-here",))
    with pytest.raises(ConfigurationError, match="does not start"):
        check_gate(gate, gate_of(gate, Settings(), Path()), picture)


def test_a_detector_gives_its_score_or_says_why_not(picture):
    answer = gate_of(Gate(detector="image.noise_inconsistency"), Settings(), Path())(picture)
    assert (answer.score is None) == bool(answer.problem)
    broken = Picture("broken.png", b"no picture at all")
    assert (
        gate_of(Gate(detector="image.noise_inconsistency"), Settings(), Path())(broken).score
        is None
    )


def test_an_opinion_gives_its_ratio_or_says_why_not(picture):
    answer = gate_of(Gate(opinion="image.altered"), Settings(), Path())(picture)
    assert (answer.score is None) == bool(answer.problem)


@pytest.mark.parametrize("gate", [Gate(detector="image.none"), Gate(opinion="image.none")])
def test_a_gate_that_does_not_exist_is_refused(gate):
    with pytest.raises(ConfigurationError, match="there is no"):
        gate_of(gate, Settings(), Path())
