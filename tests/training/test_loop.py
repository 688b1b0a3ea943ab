"""Training learns, stops and goes on as if it had not stopped."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tests.training.drawn_crops import crops  # noqa: E402
from tidewaiter.training.loop import LOG_FILE, STATE_FILE, TrainingPlan, train  # noqa: E402
from tidewaiter.training.network import imagenet_network  # noqa: E402
from tidewaiter.training.pairs import LABELLED, SELF_BLEND, Mixture, Pairs  # noqa: E402

ROOT = Path(__file__).parents[2]
PLAN = TrainingPlan(
    pairs=40, batch=2, rate=2e-3, frozen=10, keep_every=5, workers=0, averaging=0.5, warm_up=0.1
)


@pytest.fixture(scope="module")
def pairs():
    """Easily told apart, made once: twenty steps must be enough to learn them."""
    mixture = Mixture(kinds={LABELLED: 1.0})
    made = Pairs(crops(3, forged=3), mixture, 1)
    return [made[number] for number in range(PLAN.pairs)]


def start():
    torch.manual_seed(9)
    return imagenet_network()


def rows(folder):
    with (folder / LOG_FILE).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def straight(pairs, tmp_path_factory):
    """Twenty steps in one go: the network and its folder."""
    folder = tmp_path_factory.mktemp("straight")
    return train(start(), pairs, PLAN, folder), folder


def test_twenty_steps_lower_the_loss(straight):
    losses = [float(row["loss"]) for row in rows(straight[1])]
    assert len(losses) == 4
    assert losses[-1] < 0.7 * losses[0]


def test_the_average_tells_the_pairs_apart_afterwards(straight, pairs):
    views = np.stack([view for pair in pairs[:8] for view in (pair.genuine, pair.forged)])
    with torch.no_grad():
        scores, _ = straight[0](torch.from_numpy(views).permute(0, 3, 1, 2).float())
    assert (scores[1::2] > scores[0::2]).float().mean() > 0.8


def test_a_training_that_stopped_goes_on_as_if_it_had_not(straight, pairs, tmp_path):
    train(start(), pairs, PLAN, tmp_path, until=10)
    resumed = train(start(), pairs, PLAN, tmp_path)
    wanted = straight[0].state_dict()
    for name, value in resumed.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    assert rows(tmp_path) == rows(straight[1])


def test_a_finished_training_is_only_read_back(straight, pairs):
    before = (straight[1] / STATE_FILE).read_bytes()
    again = train(start(), pairs, PLAN, straight[1])
    assert (straight[1] / STATE_FILE).read_bytes() == before
    assert torch.equal(again.score.weight, straight[0].score.weight)


def test_frozen_blocks_stay_as_they_were(straight):
    before = start().state_dict()
    after = straight[0].state_dict()
    for name, value in before.items():
        if name.startswith(("stem", *(f"blocks.{index}." for index in range(PLAN.frozen)))):
            assert torch.equal(after[name], value), name
    assert not torch.equal(
        after["blocks.15.steps.0.conv.weight"], before["blocks.15.steps.0.conv.weight"]
    )


def test_what_validation_says_is_in_the_log(pairs, tmp_path):
    asked = []

    def validate(network):
        asked.append(network.training)
        return {"auc": 0.75}

    train(start(), pairs, replace(PLAN, pairs=10), tmp_path, validate)
    assert asked == [False]
    assert rows(tmp_path)[-1]["auc"] == "0.75"
    assert int(rows(tmp_path)[-1]["pairs"]) == 10


def test_a_process_that_makes_pairs_changes_nothing(pairs, tmp_path):
    made = Pairs(crops(3), Mixture(kinds={SELF_BLEND: 1.0}), 1)
    short = replace(PLAN, pairs=6)
    alone = train(start(), made, short, tmp_path / "alone")
    helped = train(start(), made, replace(short, workers=1), tmp_path / "helped")
    assert torch.equal(alone.score.weight, helped.score.weight)


ENDLESS = """
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, ".")
from tests.training.drawn_crops import crops
from tidewaiter.training.loop import TrainingPlan, _batches
from tidewaiter.training.pairs import Mixture, Pairs, SELF_BLEND
pairs = Pairs(crops(2), Mixture(kinds={SELF_BLEND: 1.0}), 1)
batches = _batches(pairs, TrainingPlan(pairs=16_000, workers=1), 0, 1000)
next(batches)
import psutil
print(*(child.pid for child in psutil.Process().children()), flush=True)
import time; time.sleep(600)
"""


@pytest.mark.slow
def test_no_process_outlives_a_training_that_was_killed():
    """Its pairs lie in a pipe that nobody empties any more."""
    training = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    (helper,) = map(int, training.stdout.readline().split())
    training.kill()
    training.wait()
    training.stdout.close()
    for _ in range(300):
        if not psutil.pid_exists(helper):
            return
        time.sleep(0.1)
    psutil.Process(helper).kill()
    raise AssertionError("the process that makes pairs is still there after half a minute")
