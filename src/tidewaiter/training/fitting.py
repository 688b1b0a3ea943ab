"""Refit a network that is in use to a site's own faces: small steps, stops and goes on."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tidewaiter.errors import FitRefused
from tidewaiter.training.crops import read_crops
from tidewaiter.training.export import read_onnx, write_onnx
from tidewaiter.training.loop import LOG_FILE, TrainingPlan, train
from tidewaiter.training.network import AnyNetwork
from tidewaiter.training.pairs import (
    GATE_FAMILY_SHARES,
    LABELLED,
    OWN_FORGERY,
    SELF_BLEND,
    Mixture,
    Pairs,
)
from tidewaiter.weights.own import EXAMINE, GATE

PACE_STEPS, PACE_WARM_UP = 12, 4


@dataclass(frozen=True)
class Manner:
    """How a network is refitted.

    `frozen` blocks keep their weights, the averaged network forgets over about
    1 / (1 - `averaging`) steps, and the result lies `learned_share` of the way between what
    was in use and what was learned.
    """

    mixture: Mixture
    frozen: int
    averaging: float
    learned_share: float


# The stem and the first blocks see edges and grain, which no site changes; frozen they also
# halve the time of a step (handbook of examination, 3.14). A short memory: a fit has few steps.
# Half the way: what a site never shows is forgotten less (Wortsman et al. 2022, arXiv
# 2109.01903).
TO_EXAMINE = Manner(
    Mixture(kinds={LABELLED: 0.4, SELF_BLEND: 0.35, OWN_FORGERY: 0.25}), 5, 0.99, 0.5
)
# A gate stands behind one camera and meets attacks on it, replays among them: it may forget
# the rest. The grain by which a screen shows is seen by the first blocks.
AS_GATE = Manner(
    Mixture(
        kinds={LABELLED: 0.3, SELF_BLEND: 0.06, OWN_FORGERY: 0.64},
        families=GATE_FAMILY_SHARES,
        one_camera=True,
    ),
    3,
    0.995,
    1.0,
)
MANNERS: Mapping[str, Manner] = {EXAMINE: TO_EXAMINE, GATE: AS_GATE}
"""By what a network is for."""


@dataclass(frozen=True)
class Fit:
    """What is fitted to what: network, folder of crops, families never shown, length, rate."""

    base: Path
    crops: Path
    folder: Path
    left_out: tuple[str, ...]
    pairs: int
    rate: float
    seed: int
    purpose: str = EXAMINE
    workers: int = 1

    @property
    def manner(self) -> Manner:
        """How it is refitted."""
        return MANNERS[self.purpose]

    @property
    def plan(self) -> TrainingPlan:
        """The training this comes to."""
        return TrainingPlan(
            pairs=self.pairs,
            rate=self.rate,
            frozen=self.manner.frozen,
            averaging=self.manner.averaging,
            keep_every=10**9,
            workers=self.workers,
            seed=self.seed,
        )


def learn_until(fit: Fit, step: int) -> float:
    """Train up to that step, going on where an earlier call stopped; the mean loss on the way."""
    _train(fit, fit.folder, step)
    with (fit.folder / LOG_FILE).open(newline="", encoding="utf-8") as lines:
        *_, last = csv.DictReader(lines)
    return float(last["loss"])


def seconds_per_step(fit: Fit) -> float:
    """How long a step takes here, from a few that are thrown away."""
    scratch = fit.folder.with_name("pace")
    shutil.rmtree(scratch, ignore_errors=True)
    _train(fit, scratch, PACE_WARM_UP)
    begun = time.perf_counter()
    _train(fit, scratch, PACE_WARM_UP + PACE_STEPS)
    taken = time.perf_counter() - begun
    shutil.rmtree(scratch, ignore_errors=True)
    return taken / PACE_STEPS


def write_candidate(fit: Fit, path: Path) -> None:
    """Write the network between the one in use and the one learned, as ONNX.

    Raises FitRefused where the training ran away and the weights are no numbers any more.
    """
    learned = _train(fit, fit.folder, fit.plan.steps)
    if not all(torch.isfinite(value).all() for value in learned.state_dict().values()):
        raise FitRefused(
            f"refused: the training ran away at a rate of {fit.rate:g}, its weights are no "
            "numbers; choose a smaller --rate and another --out folder"
        )
    write_onnx(mixed(read_onnx(fit.base), learned, fit.manner.learned_share), path)


def mixed(base: AnyNetwork, learned: AnyNetwork, share: float) -> AnyNetwork:
    """A folded network whose weights lie `share` of the way from `base` to `learned`."""
    found = learned.state_dict()
    with torch.no_grad():
        for name, value in base.state_dict().items():
            value.lerp_(found[name], share)
    return base.eval()


def _train(fit: Fit, folder: Path, step: int) -> AnyNetwork:
    mixture = replace(fit.manner.mixture, left_out=frozenset(fit.left_out))
    pairs = Pairs(read_crops(fit.crops), mixture, fit.seed)
    return train(read_onnx(fit.base).float(), pairs, fit.plan, folder, until=step)
