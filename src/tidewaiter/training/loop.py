"""Train the face network on pairs: seeded, resumable, with a log of loss and validation."""

from __future__ import annotations

import csv
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from tidewaiter.training.network import AnyNetwork, FaceNetwork
from tidewaiter.training.pairs import Pair, Pairs

STATE_FILE, LOG_FILE = "state.pt", "log.csv"
WATCH_EVERY_S = 1.0

Validate = Callable[[AnyNetwork], Mapping[str, float]]


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast: `pairs` in all, `batch` pairs a step, peak `rate`.

    The stem and the first `frozen` blocks keep their weights. The averaged network forgets
    over about 1 / (1 - `averaging`) steps. A checkpoint is kept every `keep_every` steps.
    """

    pairs: int
    batch: int = 16
    rate: float = 6e-4
    weight_decay: float = 0.02
    frozen: int = 3
    mask_share: float = 0.3
    averaging: float = 0.998
    warm_up: float = 0.05
    keep_every: int = 400
    workers: int = 1
    threads: int = 1
    seed: int = 0

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.pairs // self.batch


def train(
    network: AnyNetwork,
    pairs: Pairs,
    plan: TrainingPlan,
    folder: Path,
    validate: Validate | None = None,
    *,
    until: int | None = None,
) -> AnyNetwork:
    """The averaged network after `plan.steps` steps, going on from `folder` where it stopped.

    `folder` receives the state and log.csv with a row per checkpoint: pairs seen, mean loss,
    rate and whatever `validate` returns for the averaged network. With `until` it stops at
    that step, to be gone on with later; the result is the same as in one go.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(network, plan, folder)
    random = run.resume()
    last = plan.steps if until is None else min(until, plan.steps)
    losses: list[float] = []
    batches = _batches(pairs, plan, run.step, last)
    if random is not None:
        # After the loader was made, which draws once itself.
        torch.set_rng_state(random)
    for batch in batches:
        losses.append(run.learn(batch))
        if run.step % plan.keep_every == 0 or run.step == last:
            figures = validate(run.averaged.eval()) if validate else {}
            run.keep(float(np.mean(losses)), figures)
            losses.clear()
    return run.averaged.eval()


def averaged_network(state_file: Path) -> FaceNetwork:
    """The averaged network of another training's checkpoint, to go on from."""
    network = FaceNetwork()
    network.load_state_dict(torch.load(state_file, weights_only=True)["averaged"])
    return network


class _Run:
    """Network, average and optimiser of one training, at a step."""

    def __init__(self, network: AnyNetwork, plan: TrainingPlan, folder: Path) -> None:
        # Depthwise convolutions run faster with the channels last.
        self.network: AnyNetwork = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged: AnyNetwork = deepcopy(self.network).eval()
        self.plan, self.folder, self.step = plan, folder, 0
        for fixed in network.frozen_parts(plan.frozen):
            fixed.requires_grad_(requires_grad=False)
        learned = [value for value in network.parameters() if value.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in learned if p.ndim > 1], "weight_decay": plan.weight_decay},
                {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=plan.rate,
        )

    def resume(self) -> Tensor | None:
        """Go on from the last checkpoint, if there is one; the state of dropout's draws."""
        path = self.folder / STATE_FILE
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.step = int(state["step"])
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        return state.get("random")

    def learn(self, batch: tuple[Tensor, Tensor, Tensor]) -> float:
        """One step on a batch of pairs; its loss."""
        crops, masks, known = batch
        self._set_rate()
        self._set_modes()
        crops = crops.float().contiguous(memory_format=torch.channels_last)
        score, mask = self.network.forward_from(crops, self.plan.frozen)
        count = len(crops) // 2
        truth = torch.cat([torch.zeros(count), torch.ones(count)])
        loss = functional.binary_cross_entropy_with_logits(score, truth)
        places = functional.binary_cross_entropy_with_logits(
            mask[:, 0], torch.cat([torch.zeros_like(masks), masks]), reduction="none"
        ).mean((1, 2))
        counted = torch.cat([torch.ones(count), known])
        loss = loss + self.plan.mask_share * (places * counted).sum() / counted.sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    def keep(self, loss: float, figures: Mapping[str, float]) -> None:
        """Write the state, replaced whole, and a row of the log."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
        }
        partial = self.folder / (STATE_FILE + ".partial")
        torch.save(state, partial)
        row = {
            "pairs": self.step * self.plan.batch,
            "loss": round(loss, 5),
            "rate": self.optimiser.param_groups[0]["lr"],
            **{name: round(value, 5) for name, value in figures.items()},
        }
        log = self.folder / LOG_FILE
        new = not log.exists()
        with log.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        partial.replace(self.folder / STATE_FILE)

    def _set_rate(self) -> None:
        done = self.step / max(self.plan.steps, 1)
        warm = min(done / self.plan.warm_up, 1.0) if self.plan.warm_up else 1.0
        rate = self.plan.rate * warm * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))) + 1e-6
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _set_modes(self) -> None:
        """Frozen blocks keep the statistics of their batch norms too."""
        self.network.train()
        for fixed in self.network.frozen_parts(self.plan.frozen):
            fixed.eval()

    @torch.no_grad()
    def _average(self) -> None:
        # Short memory at first, so that the beginning is soon forgotten.
        keep = min(self.plan.averaging, (1 + self.step) / (10 + self.step))
        ours, theirs = self.averaged.state_dict(), self.network.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])


class _Numbered(Dataset[Pair]):
    def __init__(self, pairs: Pairs, first: int, last: int) -> None:
        self._pairs, self._first, self._last = pairs, first, last

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, index: int) -> Pair:
        return self._pairs[self._first + index]


def _batches(
    pairs: Pairs, plan: TrainingPlan, first: int, last: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of these steps: genuine then forged crops, masks, which masks are known."""
    if plan.workers:
        # A process forked while OpenCV holds threads would wait for them for ever.
        _one_opencv_thread()
    data = _Numbered(pairs, first * plan.batch, max(first, last) * plan.batch)
    loader = iter(
        DataLoader(
            data,
            plan.batch,
            num_workers=plan.workers,
            prefetch_factor=6 if plan.workers else None,
            collate_fn=_collated,
            worker_init_fn=_one_thread if plan.workers else None,
        )
    )
    return (_tensors(*arrays) for arrays in loader)


def _tensors(
    crops: NDArray[Any], masks: NDArray[Any], known: NDArray[Any]
) -> tuple[Tensor, Tensor, Tensor]:
    shown = torch.from_numpy(crops).permute(0, 3, 1, 2)
    return shown, torch.from_numpy(masks), torch.from_numpy(known)


def _one_thread(worker: int) -> None:  # noqa: ARG001
    _one_opencv_thread()
    os.nice(5)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process soon after the training was killed.

    torch's own watch ends the loop, but then waits to hand over pairs that nobody takes.
    """
    while os.getppid() == parent:
        time.sleep(WATCH_EVERY_S)
    os._exit(1)


def _one_opencv_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _collated(pairs: list[Pair]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """As arrays: tensors would pass from process to process by sockets, which a worker lacks."""
    crops = np.stack([p.genuine for p in pairs] + [p.forged for p in pairs])
    nowhere = np.zeros_like(next((p.mask for p in pairs if p.mask is not None), np.zeros((10, 10))))
    masks = np.stack([nowhere if p.mask is None else p.mask for p in pairs]).astype(np.float32)
    known = np.array([p.mask is not None for p in pairs], np.float32)
    return crops, masks, known
