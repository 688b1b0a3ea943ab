"""White-box attacks: FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018), L-infinity."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from benchmarks.detection.attacks.views import Objective, Pixels, as_pixels, as_tensor

STEPS = 20
# Madry et al. 2018: steps that could cross the ball two and a half times.
STEP_SHARE = 2.5


class Goal(IntEnum):
    """Which way an attacker wants the score to go."""

    HIDE = -1
    """A forgery is to look as issued."""
    DISCREDIT = 1
    """A genuine picture is to look manipulated."""


def fgsm(objective: Objective, pixels: Pixels, epsilon: int, goal: Goal) -> Pixels:
    """One step of `epsilon` (of 255) along the sign of the gradient."""
    start = as_tensor(pixels)
    return as_pixels(_bounded(start + epsilon * _direction(objective, start, goal), start, epsilon))


def pgd(
    objective: Objective,
    pixels: Pixels,
    epsilon: int,
    goal: Goal,
    rng: np.random.Generator,
    *,
    steps: int = STEPS,
) -> Pixels:
    """`steps` steps from a random start within `epsilon` (of 255) of the picture.

    Only pixels on which the objective depends are changed. Rounding to 8 bits at the end
    keeps the bound, because `epsilon` is whole.
    """
    origin = as_tensor(pixels)
    matters = _direction(objective, origin, goal) != 0
    noise = rng.uniform(-epsilon, epsilon, tuple(origin.shape)).astype(np.float32)
    picture = _bounded(origin + torch.from_numpy(noise) * matters, origin, epsilon)
    step = STEP_SHARE * epsilon / steps
    for _ in range(steps):
        moved = picture + step * _direction(objective, picture, goal)
        picture = _bounded(moved, origin, epsilon)
    return as_pixels(picture)


def _direction(objective: Objective, picture: Tensor, goal: Goal) -> Tensor:
    given = picture.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(given), given)
    return int(goal) * gradient.sign()


def _bounded(picture: Tensor, origin: Tensor, epsilon: int) -> Tensor:
    return torch.clamp(picture, origin - epsilon, origin + epsilon).clamp(0, 255)
