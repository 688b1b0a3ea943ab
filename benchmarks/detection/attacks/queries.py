"""Black-box attacks: only the score of a whole examination is seen, at most so many times.

Square (Andriushchenko et al. 2020) searches at random; NES (Ilyas et al. 2018) estimates the
gradient from score differences along Gaussian directions and their opposites. Both act
within the rectangle of the face, which anybody can see, and on 8-bit pixels, because only a
file can be submitted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.attacks.gradients import Goal
from benchmarks.detection.attacks.views import Pixels

Score = Callable[[Pixels], float | None]
"""The score of a picture; None where the detector declines."""
Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

# Andriushchenko et al. 2020, section 4: the share of pixels changed at first, and after how
# many of 10,000 queries it is halved.
FIRST_SHARE = 0.05
HALVED_AFTER = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
SCHEDULE_QUERIES = 10_000

# NES with few queries: one gradient from so many opposite pairs, directions constant over
# cells of so many pixels (Ilyas et al. 2019 call this tiling), probes of half the bound.
PAIRS = 20
CELL = 4
PROBE_SHARE = 0.5
NES_STEP_SHARE = 0.25
MOMENTUM = 0.5


@dataclass
class Asked:
    """A score that counts its queries and turns them so that larger suits the attacker.

    Where the detector declines, the answer is the worst for the attacker: these attacks want
    an answer, not silence. The best picture asked about is kept; an answer that reaches
    `enough` (a score) ends the attack.
    """

    score: Score
    goal: Goal
    budget: int
    enough: float | None = None
    used: int = field(default=0, init=False)
    best: float = field(default=-np.inf, init=False)
    picture: Pixels | None = field(default=None, init=False)

    @property
    def left(self) -> int:
        """Queries that remain."""
        satisfied = self.enough is not None and self.best >= int(self.goal) * self.enough
        return 0 if satisfied else self.budget - self.used

    def __call__(self, pixels: Pixels) -> float:
        """The score as the attacker counts it."""
        self.used += 1
        answer = self.score(pixels)
        suits = -np.inf if answer is None else int(self.goal) * answer
        if suits > self.best:
            self.best, self.picture = suits, pixels
        return suits

    def kept(self, otherwise: Pixels) -> Pixels:
        """The picture with the best answer; `otherwise` where every answer was silence."""
        return otherwise if self.picture is None else self.picture


def square(
    asked: Asked, pixels: Pixels, epsilon: int, within: Rectangle, rng: np.random.Generator
) -> Pixels:
    """Keep each random square of +-`epsilon` that improves the score, until none is left to ask."""
    left, top, right, bottom = within
    size = (bottom - top, right - left)
    stripes = epsilon * rng.choice([-1, 1], (1, size[1], 3)).repeat(size[0], axis=0)
    change = stripes.astype(np.int16)
    best = asked(_changed(pixels, change, within))
    while asked.left > 0:
        side = _square_side(asked.used, asked.budget, size)
        row, column = (int(rng.integers(0, extent - side + 1)) for extent in size)
        tried = change.copy()
        tried[row : row + side, column : column + side] = epsilon * rng.choice([-1, 1], 3)
        if (tried == change).all():
            continue
        answer = asked(_changed(pixels, tried, within))
        if answer > best:
            best, change = answer, tried
    return asked.kept(pixels)


def nes(
    asked: Asked, pixels: Pixels, epsilon: int, within: Rectangle, rng: np.random.Generator
) -> Pixels:
    """Signed steps along estimated gradients, while a whole estimate can still be paid for."""
    left, top, right, bottom = within
    change = np.zeros((bottom - top, right - left, 3))
    slope = np.zeros_like(change)
    while asked.left > 2 * PAIRS:
        slope = MOMENTUM * slope + _gradient(asked, pixels, change, epsilon, within, rng)
        moved = change + NES_STEP_SHARE * epsilon * np.sign(slope)
        change = np.clip(moved, -epsilon, epsilon)
        asked(_changed(pixels, change, within))
    return asked.kept(pixels)


def _gradient(
    asked: Asked,
    pixels: Pixels,
    change: NDArray[np.float64],
    epsilon: int,
    within: Rectangle,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """The mean of score differences times their directions, scaled to length one."""
    total = np.zeros_like(change)
    for _ in range(PAIRS):
        direction = _smooth_direction(change.shape[:2], rng)
        probe = PROBE_SHARE * epsilon * direction
        ahead, behind = (
            asked(_changed(pixels, np.clip(change + sign * probe, -epsilon, epsilon), within))
            for sign in (1, -1)
        )
        if np.isfinite(ahead) and np.isfinite(behind):
            total += (ahead - behind) * direction
    return total / max(float(np.abs(total).mean()), 1e-12)


def _smooth_direction(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    cells = rng.standard_normal((*(-(-extent // CELL) for extent in size), 3))
    tiled = cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
    return np.asarray(tiled[: size[0], : size[1]])


def _square_side(used: int, budget: int, size: tuple[int, int]) -> int:
    """Side of the next square, by the published schedule compressed to the budget."""
    at = used * SCHEDULE_QUERIES / budget
    share = FIRST_SHARE / 2 ** sum(at > step for step in HALVED_AFTER)
    return int(np.clip(round(float(np.sqrt(share * size[0] * size[1]))), 1, min(size)))


def _changed(
    pixels: Pixels, change: NDArray[np.int16] | NDArray[np.float64], within: Rectangle
) -> Pixels:
    left, top, right, bottom = within
    result = pixels.copy()
    place = result[top:bottom, left:right].astype(np.int16)
    changed = place + np.round(change).astype(np.int16)
    result[top:bottom, left:right] = np.clip(changed, 0, 255).astype(np.uint8)
    return result
