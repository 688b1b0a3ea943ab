"""A fit goes on after a stop, keeps what it must, and writes what the product runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tests.training.drawn_crops import crops  # noqa: E402
from tidewaiter.errors import FitRefused  # noqa: E402
from tidewaiter.training import fitting  # noqa: E402
from tidewaiter.training.crops import describe_shard  # noqa: E402
from tidewaiter.training.export import read_onnx, write_onnx  # noqa: E402
from tidewaiter.training.fitting import (  # noqa: E402
    TO_EXAMINE,
    Fit,
    learn_until,
    mixed,
    seconds_per_step,
    write_candidate,
)
from tidewaiter.training.network import FaceNetwork  # noqa: E402
from tidewaiter.weights.own import GATE  # noqa: E402


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    torch.manual_seed(4)
    path = tmp_path_factory.mktemp("base") / "base.onnx"
    write_onnx(FaceNetwork().eval(), path)
    return path


@pytest.fixture
def fit(base, tmp_path):
    made = crops(4, forged=2)
    stored = tmp_path / "crops"
    stored.mkdir()
    np.save(stored / "00000.pixels.npy", np.stack(made.pixels))
    np.save(stored / "00000.points.npy", np.stack(made.points))
    describe_shard(stored / "00000", made.items, made.side)
    return Fit(
        base=base,
        crops=stored,
        folder=tmp_path / "learned",
        left_out=("swap", "morph"),
        pairs=32,
        rate=1e-3,
        seed=1,
        workers=0,
    )


def weights(path):
    return read_onnx(path).state_dict()


def test_a_gate_learns_other_attacks_and_goes_the_whole_way(fit, base, tmp_path):
    gate = replace(fit, purpose=GATE, folder=tmp_path / "gate")
    assert gate.manner.learned_share == 1.0
    assert "recapture" in gate.manner.mixture.families
    assert "recapture" not in fit.manner.mixture.families
    write_candidate(fit, tmp_path / "face.onnx")
    write_candidate(gate, tmp_path / "gate.onnx")
    moved = [
        sum(
            float((weights(path)[name] - value).abs().sum())
            for name, value in weights(base).items()
        )
        for path in (tmp_path / "face.onnx", tmp_path / "gate.onnx")
    ]
    assert moved[1] > moved[0]


def test_a_fit_that_stopped_comes_to_the_same_network(fit, tmp_path):
    learn_until(fit, 2)
    write_candidate(fit, tmp_path / "straight.onnx")
    stopped = replace(fit, folder=tmp_path / "stopped")
    learn_until(stopped, 1)
    learn_until(stopped, 2)
    write_candidate(stopped, tmp_path / "stopped.onnx")
    assert (tmp_path / "straight.onnx").read_bytes() == (tmp_path / "stopped.onnx").read_bytes()


def test_a_candidate_differs_only_behind_the_frozen_blocks(fit, tmp_path):
    write_candidate(fit, tmp_path / "candidate.onnx")
    before, after = weights(fit.base), weights(tmp_path / "candidate.onnx")
    frozen = ("stem.", *(f"blocks.{index}." for index in range(TO_EXAMINE.frozen)))
    for name, value in before.items():
        if name.startswith(frozen):
            assert torch.equal(value, after[name]), name
    assert not torch.equal(before["score.weight"], after["score.weight"])


def test_a_training_that_ran_away_is_refused(fit, tmp_path, monkeypatch):
    spoilt = read_onnx(fit.base)
    spoilt.score.weight.data[0, 0] = float("nan")
    monkeypatch.setattr(fitting, "_train", lambda *_: spoilt)
    with pytest.raises(FitRefused, match="smaller --rate"):
        write_candidate(fit, tmp_path / "candidate.onnx")
    assert not (tmp_path / "candidate.onnx").exists()


def test_a_loss_is_told(fit):
    assert 0 < learn_until(fit, 1) < 10


def test_measuring_the_pace_leaves_nothing_behind(fit, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "PACE_STEPS", 1)
    monkeypatch.setattr(fitting, "PACE_WARM_UP", 1)
    assert seconds_per_step(fit) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops"]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_mixed_network_lies_between(base, share):
    torch.manual_seed(5)
    learned = FaceNetwork(folded=True).eval()
    wanted = {
        name: (1 - share) * value + share * learned.state_dict()[name]
        for name, value in weights(base).items()
    }
    for name, value in mixed(read_onnx(base), learned, share).state_dict().items():
        assert torch.allclose(value, wanted[name], atol=1e-6), name
