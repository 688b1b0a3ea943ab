"""Pairs of a genuine and a forged face from one source, shipped alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Face, Forgery
from tidewaiter.media.material import Pixels
from tidewaiter.training.blending import self_blend
from tidewaiter.training.crops import Crops
from tidewaiter.training.network import MASK_SIDE
from tidewaiter.training.shipping import Step, captured, shipped, view

LABELLED, SELF_BLEND, OWN_FORGERY = "labelled", "self-blend", "own forgery"
MOST_TRIES = 8
# Donors asked until one looks the same way as the host.
MOST_DONORS = 12
# Retouching is common in honest pictures, so it is shown seldom. Of a replay the whole picture
# is another; it is no altered face.
FAMILY_SHARES = {"swap": 0.42, "morph": 0.26, "reenactment": 0.24, "retouch": 0.08}
GATE_FAMILY_SHARES = {
    "swap": 0.38,
    "recapture": 0.3,
    "morph": 0.17,
    "reenactment": 0.15,
}
"""What a gate learns: replays too, and nothing of retouching, which impersonates nobody."""
# A labelled forgery's face laid over its genuine partner: the generator's texture stays, the
# seam and the surroundings are others.
TRANSPLANTING = ("swap-feather", "swap-poisson")


@dataclass(frozen=True)
class Mixture:
    """How often each kind of pair is drawn, and from which sets genuine faces come.

    `groups` are the shares of sets that genuine faces are drawn from, `couples` those that
    labelled pairs are; a set that is not named has share 1. `transplanted` is the share of
    labelled forgeries of which only the face is taken, laid over the genuine partner.
    `families` are the shares of own forgeries. With `one_camera` both members of a pair are
    shipped as by the camera that took them, else in any way that pictures go. `left_out`
    names families or species of own forgeries that are never made; "self-blend" and
    "labelled" leave out those. Shares need not add up to 1.
    """

    kinds: Mapping[str, float] = field(
        default_factory=lambda: {LABELLED: 0.42, SELF_BLEND: 0.34, OWN_FORGERY: 0.24}
    )
    groups: Mapping[str, float] = field(default_factory=dict)
    couples: Mapping[str, float] = field(default_factory=dict)
    transplanted: float = 0.0
    families: Mapping[str, float] = field(default_factory=lambda: FAMILY_SHARES)
    one_camera: bool = False
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pair:
    """Two 160 x 160 RGB views and where the forged one was replaced (10 x 10, 0 to 1).

    `mask` is None where the place is not known.
    """

    genuine: Pixels
    forged: Pixels
    mask: NDArray[np.float32] | None


class Pairs:
    """Endless pairs: the one of a number depends on crops, mixture, seed and number alone."""

    def __init__(self, crops: Crops, mixture: Mixture, seed: int) -> None:
        self._crops = crops
        self._seed = seed
        self._genuine: dict[str, list[int]] = defaultdict(list)
        self._labelled: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for index, item in enumerate(crops.items):
            self._labelled[item.pair][item.forged].append(index)
            if not item.forged:
                self._genuine[item.group].append(index)
        couples = [both for _, both in sorted(self._labelled.items()) if all(both)]
        self._couples: dict[str, list[tuple[list[int], list[int]]]] = defaultdict(list)
        for both in couples:
            self._couples[crops.items[both[0][0]].group].append(both)
        self._species = _learned(mixture)
        self._families, self._family_shares = _shares(
            {family: mixture.families[family] for family in self._species}
        )
        # Laying a face over another one is a swap, too.
        ways = () if "swap" in mixture.left_out else TRANSPLANTING
        self._transplanting = [name for name in ways if name not in mixture.left_out]
        self._transplanted = mixture.transplanted if self._transplanting else 0.0
        self._ship = captured if mixture.one_camera else shipped
        self._kinds, self._kind_shares = self._drawn(mixture)
        groups = {name: mixture.groups.get(name, 1.0) for name in sorted(self._genuine)}
        self._groups, self._group_shares = _shares(groups)
        paired = {name: mixture.couples.get(name, 1.0) for name in sorted(self._couples)}
        self._paired, self._paired_shares = _shares(paired)

    def __getitem__(self, number: int) -> Pair:
        """The pair of that number, 0 or more."""
        rng = np.random.default_rng([self._seed, number])
        for _ in range(MOST_TRIES):
            kind = self._kinds[rng.choice(len(self._kinds), p=self._kind_shares)]
            made = self._made(kind, rng)
            if made is not None:
                return _shipped_pair(*made, rng, self._ship)
        first = self._picked(self._any_group(rng), rng)
        forged = self_blend(first.pixels, first.points, rng)
        return _shipped_pair(first.pixels, *forged, rng, self._ship)

    def _drawn(self, mixture: Mixture) -> tuple[Sequence[str], NDArray[np.float64]]:
        kinds = {k: share for k, share in mixture.kinds.items() if k not in mixture.left_out}
        if not self._couples:
            kinds.pop(LABELLED, None)
        if not self._species:
            kinds.pop(OWN_FORGERY, None)
        return _shares(kinds)

    def _made(
        self, kind: str, rng: np.random.Generator
    ) -> tuple[Pixels, Pixels, NDArray[np.float32] | None] | None:
        """Genuine, forged and mask at the stored size; None where a forgery was refused."""
        if kind == LABELLED:
            genuine, forged = (self._face(rng.choice(side)) for side in self._any_couple(rng))
            if self._transplanted and rng.random() < self._transplanted:
                moved = _transplanted(genuine, forged, self._transplanting, rng)
                return None if moved is None else (genuine.pixels, moved.pixels, moved.mask)
            return genuine.pixels, forged.pixels, None
        group = self._any_group(rng)
        host = self._picked(group, rng)
        if kind == SELF_BLEND:
            return host.pixels, *self_blend(host.pixels, host.points, rng)
        forgery = self._forged(host, group, rng)
        return None if forgery is None else (host.pixels, forgery.pixels, forgery.mask)

    def _forged(self, host: Face, group: str, rng: np.random.Generator) -> Forgery | None:
        family = self._families[rng.choice(len(self._families), p=self._family_shares)]
        names = self._species[family]
        species = SPECIES[names[rng.integers(len(names))]]
        for _ in range(MOST_DONORS if species.uses_donor else 1):
            with suppress(UnfitFaces):
                return species.make(host, self._picked(group, rng), rng)
        return None

    def _any_couple(self, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        group = self._paired[0]
        if len(self._paired) > 1:
            group = self._paired[rng.choice(len(self._paired), p=self._paired_shares)]
        return self._couples[group][rng.integers(len(self._couples[group]))]

    def _any_group(self, rng: np.random.Generator) -> str:
        return self._groups[rng.choice(len(self._groups), p=self._group_shares)]

    def _picked(self, group: str, rng: np.random.Generator) -> Face:
        return self._face(rng.choice(self._genuine[group]))

    def _face(self, index: int) -> Face:
        return Face(np.array(self._crops.pixels[index]), self._crops.points[index])


def _transplanted(
    genuine: Face, forged: Face, ways: Sequence[str], rng: np.random.Generator
) -> Forgery | None:
    """The forged face in the picture of its genuine partner; None where they do not fit."""
    with suppress(UnfitFaces):
        return SPECIES[ways[int(rng.integers(len(ways)))]].make(genuine, forged, rng)
    return None


def _learned(mixture: Mixture) -> dict[str, list[str]]:
    """The species of each family that are made, by the family's name."""
    species: dict[str, list[str]] = defaultdict(list)
    for name, kind in sorted(SPECIES.items()):
        if kind.family in mixture.families and not {name, kind.family} & mixture.left_out:
            species[kind.family].append(name)
    return dict(sorted(species.items()))


def _shares(weights: Mapping[str, float]) -> tuple[list[str], NDArray[np.float64]]:
    values = np.array(list(weights.values()), np.float64)
    return list(weights), values / max(values.sum(), np.finfo(np.float64).tiny)


def _shipped_pair(
    genuine: Pixels,
    forged: Pixels,
    mask: NDArray[np.float32] | None,
    rng: np.random.Generator,
    ship: Step,
) -> Pair:
    """Both members moved, turned and shipped by the same draws."""
    seed = int(rng.integers(2**62))
    placed = np.zeros(genuine.shape[:2], np.float32) if mask is None else mask
    first, _ = view(genuine, placed, np.random.default_rng(seed))
    second, seen = view(forged, placed, np.random.default_rng(seed))
    way = int(rng.integers(2**62))
    coarse = cv2.resize(seen, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
    return Pair(
        genuine=ship(first, np.random.default_rng(way)),
        forged=ship(second, np.random.default_rng(way)),
        mask=None if mask is None else np.asarray(coarse, np.float32),
    )
