"""Ask the manipulation network about one crop of a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.traces.face_crop import NETWORK_SIDE
from tidewaiter.traces.face_geometry import Corners
from tidewaiter.weights.engine import own_network
from tidewaiter.weights.own import OwnNetwork

FACE_NETWORK = "face_network"
"""The option that names the network to use in place of the shipped one: an `OwnNetwork`."""
SHAPE = (1, 3, NETWORK_SIDE, NETWORK_SIDE)
# Changes made for the first look alone seldom outlive a compression; those made with the second
# one in mind do (docs/explanation/attacks.md). The mean is as accurate as with a plain mirror
# image (benchmarks/detection/face_network/steadiness.py).
SECOND_LOOK_QUALITY = 75
# The map is enlarged so many times, smoothly, before it is laid over the picture.
FINER = 16
# Long side of a map laid over the picture, in its own cells.
HEAT_SIDE = 256


@dataclass(frozen=True)
class Answer:
    """What the network says: a logit, larger for manipulated, and a 10 x 10 map of logits."""

    score: float
    mask: NDArray[np.float32]


def ask(crop: Pixels, own: OwnNetwork, *, mirrored: bool = False) -> Answer:
    """One run on a NETWORK_SIDE-square crop, shown as it is or `mirrored`."""
    shown = crop[:, ::-1] if mirrored else crop
    values = shown.transpose(2, 0, 1)[None].astype(np.float32)
    score, mask = own_network(own, SHAPE).run(values)
    across = mask[0, 0]
    return Answer(float(score[0]), across[:, ::-1].copy() if mirrored else across)


def ask_twice(crop: Pixels, own: OwnNetwork) -> tuple[Answer, float]:
    """The mean of two answers, and by how much the first score lies above the second.

    The network sees the crop as it is, then mirrored and compressed anew.
    """
    first, second = ask(crop, own), ask(compressed(crop), own, mirrored=True)
    mask: NDArray[np.float32] = (first.mask + second.mask) / np.float32(2)
    return Answer((first.score + second.score) / 2, mask), first.score - second.score


def compressed(crop: Pixels) -> Pixels:
    """The crop after JPEG of SECOND_LOOK_QUALITY."""
    import cv2

    settings = [cv2.IMWRITE_JPEG_QUALITY, SECOND_LOOK_QUALITY]
    data = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), settings)[1]
    back = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)


def heat_over(
    placed: list[tuple[NDArray[np.float32], Corners]], box: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The maps of faces laid over the rectangle `box` (left, top, width, height).

    Values are shares of alteration, 0 to 1; NaN beside the faces; the larger one where
    two overlap. The long side has HEAT_SIDE cells.
    """
    import cv2

    left, top, width, height = (float(value) for value in box)
    scale = HEAT_SIDE / max(width, height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    heat = np.full(size[::-1], np.nan, np.float32)
    for mask, corners in placed:
        side = mask.shape[0] * FINER
        fine = cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR)
        share = (1 / (1 + np.exp(-np.clip(fine, -30, 30)))).astype(np.float32)
        here = ((corners - (left, top)) * scale).astype(np.float32)
        edge = np.array([[-0.5, -0.5], [side - 0.5, -0.5], [-0.5, side - 0.5]], np.float32)
        matrix = cv2.getAffineTransform(edge, here)
        laid = cv2.warpAffine(
            share, matrix, size, flags=cv2.INTER_NEAREST, borderValue=(float("nan"),) * 4
        )
        heat = np.fmax(heat, laid)
    return heat
