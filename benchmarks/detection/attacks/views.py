"""The face network as somebody holds it who has the source: gradients down to the picture.

Every resampling between a picture and the network is linear in the pixels, so that what
`traces/face_crop.py` does with OpenCV is done again with torch. A test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes
from tidewaiter.traces.face_crop import NETWORK_SIDE, WIDE_SIDE, square_in_wide
from tidewaiter.traces.face_geometry import Corners
from tidewaiter.traces.face_network import compressed

Pixels = NDArray[np.uint8]
Objective = Callable[[Tensor], Tensor]
"""A picture (3 x H x W, 0 to 255) to what an attacker wants smaller or larger, a scalar."""

# `square_crop` samples at most so many times finer before it averages.
MOST_FINER = 3

# What a re-shipped copy may have gone through (handbook, 3.16); a draw takes one of each.
QUALITIES = (40, 95)
SCALES = (0.5, 2.0)
MOST_SHIFT = 0.04
MOST_ZOOM = 0.06
MOST_TURN_DEGREES = 2.0
# So many draws of ten go through JPEG, and so many through another size.
JPEG_SHARE = 0.7
RESIZED_SHARE = 0.5
MIRRORED_SHARE = 0.5


@dataclass(frozen=True)
class Transform:
    """One way a copy may be changed before it is examined; None leaves a step out.

    `turned` moves the face's square: 2 x 3, applied to coordinates around its centre in
    units of its side.
    """

    quality: int | None
    scale: float | None
    mirrored: bool
    turned: NDArray[np.float32]


def network_view(picture: Tensor, wide: Corners) -> Tensor:
    """1 x 3 x 160 x 160: the network's crop, through the wide square as `face_view` cuts it."""
    return _square(_square(picture, wide, WIDE_SIDE)[0], square_in_wide(), NETWORK_SIDE)


def scores(network: nn.Module, squares: Sequence[Corners]) -> Objective:
    """The sum of the scores of the faces in those wide squares.

    A score is the mean logit of a crop and of its mirror image compressed anew, as the
    product takes it; backward the compression counts as the identity.
    """

    def objective(picture: Tensor) -> Tensor:
        crops = [network_view(picture, square)[0] for square in squares]
        second = [_changed_to(crop, compressed(as_pixels(crop))).flip(-1) for crop in crops]
        logits: Tensor = network(torch.stack([*crops, *second]))[0]
        return logits.sum() / 2

    return objective


def expected_scores(
    network: nn.Module, squares: Sequence[Corners], rng: np.random.Generator, draws: int
) -> Objective:
    """The same sum averaged over `draws` fresh transforms at each call.

    Expectation over transformation (Athalye et al. 2018), JPEG by a straight-through
    gradient: forward it rounds, backward it counts as the identity.
    """

    def objective(picture: Tensor) -> Tensor:
        chosen = [draw_transform(rng) for _ in range(draws)]
        crops = [transformed_view(picture, s, t) for t in chosen for s in squares]
        logits: Tensor = network(torch.cat(crops))[0]
        return logits.sum() / draws

    return objective


def aimed_at(objective: Objective, score: float, goal: int) -> Objective:
    """What to push toward `goal` so that the objective comes to `score` and not beyond.

    A score more extreme than any untouched face has would give the attack away.
    """

    def closeness(picture: Tensor) -> Tensor:
        return -goal * (objective(picture) - score).abs()

    return closeness


def draw_transform(rng: np.random.Generator) -> Transform:
    """A random way of re-shipping."""
    low, high = (math.log(scale) for scale in SCALES)
    quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))
    scale = math.exp(rng.uniform(low, high))
    angle = math.radians(rng.uniform(-MOST_TURN_DEGREES, MOST_TURN_DEGREES))
    zoom = 1 + rng.uniform(-MOST_ZOOM, MOST_ZOOM)
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    shift = rng.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
    turned = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]], np.float32)
    return Transform(
        quality=quality if rng.random() < JPEG_SHARE else None,
        scale=scale if rng.random() < RESIZED_SHARE else None,
        mirrored=bool(rng.random() < MIRRORED_SHARE),
        turned=turned,
    )


def transformed_view(picture: Tensor, wide: Corners, transform: Transform) -> Tensor:
    """The network's crop of the re-shipped picture, differentiable to the picture."""
    if transform.scale is not None:
        picture = _there_and_back(picture, transform.scale)
    if transform.quality is not None:
        picture = _through_jpeg(picture, transform.quality)
    view = network_view(picture, _moved(wide, transform.turned))
    return view.flip(-1) if transform.mirrored else view


def as_tensor(pixels: Pixels) -> Tensor:
    """H x W x 3 to 3 x H x W in 32-bit floats."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()


def as_pixels(picture: Tensor) -> Pixels:
    """3 x H x W to the nearest H x W x 3 picture of 8 bits."""
    values = picture.detach().round().clamp(0, 255).to(torch.uint8).numpy()
    return np.ascontiguousarray(values.transpose(1, 2, 0))


def _square(picture: Tensor, corners: Corners, size: int) -> Tensor:
    """1 x 3 x size x size, sampled finer and averaged where `square_crop` does so."""
    along = float(np.linalg.norm(corners[1] - corners[0]))
    finer = int(np.clip(along // size, 1, MOST_FINER))
    sampled = _sampled(picture, corners, size * finer)
    return functional.avg_pool2d(sampled, finer) if finer > 1 else sampled


def _sampled(picture: Tensor, corners: Corners, size: int) -> Tensor:
    height, width = picture.shape[-2:]
    steps = torch.linspace(0, 1, size)
    first, across, down = (
        torch.from_numpy(np.asarray(vector, np.float32))
        for vector in (corners[0], corners[1] - corners[0], corners[2] - corners[0])
    )
    place = first + steps[None, :, None] * across + steps[:, None, None] * down
    extent = torch.tensor([max(width - 1, 1), max(height - 1, 1)], dtype=torch.float32)
    grid = (2 * place / extent - 1)[None]
    return functional.grid_sample(picture[None], grid, padding_mode="border", align_corners=True)


def _moved(wide: Corners, turned: NDArray[np.float32]) -> Corners:
    centre = (wide[1] + wide[2]) / 2
    side = float(np.linalg.norm(wide[1] - wide[0]))
    around = (wide - centre) / side
    moved = around @ turned[:, :2].T + turned[:, 2]
    return np.asarray(centre + moved * side, np.float32)


def _there_and_back(picture: Tensor, scale: float) -> Tensor:
    """Scaled and brought back, so that the squares stay where they are."""
    size = picture.shape[-2:]
    between = [max(16, round(side * scale)) for side in size]
    scaled = functional.interpolate(picture[None], between, mode="bilinear", antialias=True)
    return functional.interpolate(scaled, size, mode="bilinear", antialias=True)[0]


def _through_jpeg(picture: Tensor, quality: int) -> Tensor:
    return _changed_to(picture, decoded(jpeg_bytes(as_pixels(picture), quality)))


def _changed_to(picture: Tensor, changed: Pixels) -> Tensor:
    """The changed pixels forward, the picture backward (a straight-through gradient)."""
    return picture + (as_tensor(changed) - picture).detach()
