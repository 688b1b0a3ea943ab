"""What is done to every attacked picture: one cell of the tables each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import nn

from benchmarks.detection.attacks.gradients import Goal, fgsm, pgd
from benchmarks.detection.attacks.laundering import LAUNDERINGS
from benchmarks.detection.attacks.product import rectangle_around, score_of
from benchmarks.detection.attacks.queries import Asked, nes, square
from benchmarks.detection.attacks.views import Pixels, aimed_at, expected_scores, scores
from recipes.face_laundering import png_bytes
from tidewaiter.casework.plan import Plan
from tidewaiter.forgeries.pictures import jpeg_bytes
from tidewaiter.traces.face_geometry import Corners

Means = Literal["none", "gradient", "transforms", "aimed", "transfer", "queries", "laundering"]
PNG, JPEG = "PNG", "JPEG 95"
JPEG_QUALITY = 95
# The strength at which dearer means are tried, and files saved with loss.
DEAR_EPSILON = 8
# Aiming at the score of a usual detected forgery needs less than driving it as far as it goes.
AIMED_EPSILON = 4
# Whole examinations are asked about these; the network about every file.
LEAST_EXAMINED_EPSILON = 4
LAUNDERINGS_EXAMINED = ("half size and back", "messenger", "screenshot")


@dataclass(frozen=True)
class Cell:
    """One attack: by what means, how strong (of 255; 0 where that has no meaning), how saved."""

    name: str
    means: Means
    epsilon: int = 0
    saved: str = PNG

    @property
    def label(self) -> str:
        """How the tables call it."""
        strength = f", {self.epsilon}/255" if self.epsilon else ""
        return f"{self.name}{strength}" + (f", {self.saved}" if self.saved == JPEG else "")

    @property
    def is_examined(self) -> bool:
        """Whether its files go through whole examinations."""
        if self.means == "laundering":
            return self.name in LAUNDERINGS_EXAMINED
        return self.name != "FGSM" and (not self.epsilon or self.epsilon >= LEAST_EXAMINED_EPSILON)


@dataclass(frozen=True)
class Target:
    """A picture under attack. `enough` is the score that an attacker is content with."""

    pixels: Pixels
    squares: tuple[Corners, ...]
    goal: Goal
    enough: float
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Holdings:
    """What an attacker holds: the network, another one, and the product to ask."""

    network: nn.Module
    other: nn.Module | None
    plan: Plan
    protocol: dict[str, Any]


@dataclass(frozen=True)
class Attacked:
    """The file an attack made, the pixels before saving, and the queries it took."""

    data: bytes
    pixels: Pixels | None = None
    queries: int = 0


def all_cells(goal: Goal, epsilons: Sequence[int], query_epsilon: int) -> Iterator[Cell]:
    """Every cell in the order of the tables, the unattacked controls first."""
    yield Cell("saved again", "none")
    yield Cell("saved again", "none", saved=JPEG)
    for name in ("FGSM", "PGD-20"):
        yield from (Cell(name, "gradient", epsilon) for epsilon in epsilons)
    yield Cell("PGD-20", "gradient", DEAR_EPSILON, JPEG)
    yield Cell("PGD-20 with transforms", "transforms", DEAR_EPSILON)
    yield Cell("PGD-20 with transforms", "transforms", DEAR_EPSILON, JPEG)
    if goal is Goal.DISCREDIT:
        yield Cell("PGD-20 with transforms, aimed", "aimed", AIMED_EPSILON)
    yield Cell("Square", "queries", query_epsilon)
    if goal is Goal.HIDE:
        yield Cell("NES", "queries", query_epsilon)
        yield Cell("PGD-20 on another network", "transfer", DEAR_EPSILON)
        yield from (Cell(name, "laundering", saved="") for name in LAUNDERINGS)


def attack_all(target: Target, cells: Iterable[Cell], held: Holdings) -> Iterator[Attacked]:
    """The attacked file of every cell; the same target and cells give the same bytes.

    What differs in the way of saving only is attacked once.
    """
    changed: dict[tuple[str, int], tuple[Pixels, int]] = {}
    for cell in cells:
        if cell.means == "laundering":
            yield Attacked(LAUNDERINGS[cell.name](target.pixels))
            continue
        key = (cell.name, cell.epsilon)
        if key not in changed:
            change = _queried if cell.means == "queries" else _moved
            changed[key] = change(target, cell, held)
        pixels, queries = changed[key]
        saved = png_bytes(pixels) if cell.saved == PNG else jpeg_bytes(pixels, JPEG_QUALITY)
        yield Attacked(saved, pixels, queries)


def _moved(target: Target, cell: Cell, held: Holdings) -> tuple[Pixels, int]:
    rng = np.random.default_rng([*target.seed, cell.epsilon])
    known = scores(held.network, target.squares)
    steps = int(held.protocol["gradients"]["steps"])
    draws = int(held.protocol["gradients"]["transforms_per_step"])
    if cell.means == "none":
        return target.pixels, 0
    if cell.name == "FGSM":
        return fgsm(known, target.pixels, cell.epsilon, target.goal), 0
    if cell.means in ("transforms", "aimed"):
        known = expected_scores(held.network, target.squares, rng, draws)
    if cell.means == "aimed":
        known = aimed_at(known, target.enough, target.goal)
    if cell.means == "transfer":
        if held.other is None:
            raise ValueError("no other network was given; name one with --other-network")
        known = expected_scores(held.other, target.squares, rng, draws)
    return pgd(known, target.pixels, cell.epsilon, target.goal, rng, steps=steps), 0


def _queried(target: Target, cell: Cell, held: Holdings) -> tuple[Pixels, int]:
    asked = Asked(
        lambda pixels: score_of(pixels, held.plan),
        target.goal,
        budget=int(held.protocol["queries"]["most"]),
        enough=target.enough,
    )
    method = {"Square": square, "NES": nes}[cell.name]
    within = rectangle_around(target.squares, target.pixels)
    rng = np.random.default_rng([*target.seed, len(cell.name)])
    return method(asked, target.pixels, cell.epsilon, within, rng), asked.used
