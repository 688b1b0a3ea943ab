"""The colour scale: even in lightness, ordered for the colour-blind, honest in its legend."""

from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.report import scale

# Machado, Oliveira & Fernandes 2009, severity 1.0, for linear RGB.
COLOUR_BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}


def linear(rgb: np.ndarray) -> np.ndarray:
    share = rgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lightness(rgb: np.ndarray, kind: str = "none") -> np.ndarray:
    seen = np.clip(linear(np.asarray(rgb, float)) @ np.array(COLOUR_BLIND[kind]).T, 0, 1)
    y = seen @ [0.2126, 0.7152, 0.0722]
    return 116 * np.where(y > 216 / 24389, np.cbrt(y), y * 24389 / 27 / 116 + 4 / 29) - 16


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_steps_grow_lighter_for_every_eye(kind: str) -> None:
    steps = np.diff(lightness(np.array(scale.STEPS), kind))
    assert steps.min() > 2.5


def test_steps_are_even() -> None:
    steps = np.diff(lightness(np.array(scale.STEPS)))
    assert steps.max() / steps.min() < 1.3


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_the_legend_is_ordered_over_the_picture_too(kind: str) -> None:
    colours = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in scale.legend()]
    assert np.diff(lightness(np.array(colours), kind)).min() > 1.5


def test_the_legend_shows_colours_of_the_palette() -> None:
    middle = scale.palette()[scale.GREYS // 2]
    assert scale.legend()[0] == "#{:02x}{:02x}{:02x}".format(*middle)
    assert len(set(scale.legend())) == len(scale.STEPS)


def test_indices_stay_inside_the_palette() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 50))
    values[0, :3] = np.nan, np.inf, -np.inf
    grey = rng.integers(0, 256, (50, 50)).astype(np.uint8)
    drawn = scale.indices(values, grey, -1.0, 1.0)
    assert drawn[0, 0] >= scale.BARE
    assert drawn[0, 1] >= (len(scale.STEPS) - 1) * scale.GREYS
    assert drawn[0, 2] < scale.GREYS
    assert drawn.max() < scale.BLACK


def test_a_scale_without_width_does_not_divide_by_zero() -> None:
    drawn = scale.indices(np.ones((2, 2)), np.zeros((2, 2), np.uint8), 1.0, 1.0)
    assert (drawn == 0).all()
