"""The engine is deterministic, keeps to f32 and needs no network."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tidewaiter.errors import MissingWeights
from tidewaiter.weights.engine import EVIDENCE_SETTINGS, network


@pytest.fixture
def noise():
    return np.random.default_rng(1).random((1, 192, 192, 3), np.float32)


def test_the_same_input_gives_the_same_bytes(noise):
    first = network("face_mesh").run(noise)
    network("face_mesh").run(np.zeros_like(noise))
    again = network("face_mesh").run(noise)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_results_do_not_change_under_a_later_run(noise):
    kept = network("face_mesh").run(noise)[0]
    before = kept.copy()
    network("face_mesh").run(np.zeros_like(noise))
    assert np.array_equal(kept, before)


def test_a_network_is_loaded_once():
    assert network("iris") is network("iris")


def test_one_output_alone_has_the_same_values():
    eye = np.random.default_rng(2).random((1, 64, 64, 3), np.float32)
    whole = network("iris").run(eye)
    alone = network("iris", only_output=0).run(eye)
    assert len(alone) == 1
    assert np.abs(alone[0] - whole[0]).max() < 1e-4


def test_precision_is_pinned():
    assert EVIDENCE_SETTINGS["INFERENCE_PRECISION_HINT"] == "f32"
    assert EVIDENCE_SETTINGS["INFERENCE_NUM_THREADS"] == 1


def test_inference_is_bound_to_no_core():
    compiled = network("iris")._request.get_compiled_model()
    assert compiled.get_property("ENABLE_CPU_PINNING") is False


def test_an_absent_engine_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingWeights, match=r"pip install 'tidewaiter\[face\]'"):
        network("yunet", (1, 3, 64, 64))


WATCHED = """
import os, sys
def refuse(event, args):
    if event.startswith("socket.") and event != "socket.gethostname":
        os.close(os.open("called-home", os.O_CREAT | os.O_WRONLY))
        os._exit(9)
sys.addaudithook(refuse)
import numpy as np
from tidewaiter.weights.engine import network
assert network("iris").run(np.zeros((1, 64, 64, 3), np.float32))[1].size == 15
"""


def test_nothing_is_sent_and_nothing_is_left_behind(tmp_path):
    """The audit hook is inherited by children, through which telemetry would be sent."""
    quiet = {k: v for k, v in os.environ.items() if k not in {"CI", "GITHUB_ACTIONS"}}
    subprocess.run(
        [sys.executable, "-c", WATCHED],
        check=True,
        timeout=60,
        cwd=tmp_path,
        env={**quiet, "HOME": str(tmp_path)},
    )
    assert list(tmp_path.iterdir()) == []
