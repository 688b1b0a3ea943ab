"""The colour scale of heat maps: equal steps of lightness, blue to yellow, laid over grey.

Blue and yellow are the pair that red-green-blind people (the common kinds) tell apart,
and lightness alone orders the steps, so that a grey print still reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = (
    (0, 32, 90),
    (41, 44, 91),
    (64, 57, 91),
    (83, 71, 92),
    (101, 85, 92),
    (118, 100, 91),
    (136, 115, 91),
    (152, 131, 89),
    (169, 147, 87),
    (186, 164, 84),
    (203, 181, 80),
    (220, 198, 75),
    (238, 215, 69),
    (255, 233, 60),
)
"""Equal steps in CIELAB from (0, 32, 90) to (255, 233, 60), low to high."""

GREYS = 16
"""Levels of the picture under the map; 14 × 16 blends and 16 greys fit a 256-colour PNG."""

OPACITY = 0.72
"""Share of the scale's colour in a blend; the rest is the picture, at half contrast."""

BARE = len(STEPS) * GREYS
"""First palette index of the bare picture: places that were not measured."""
BLACK = BARE + GREYS
WHITE = BLACK + 1


def palette() -> NDArray[np.uint8]:
    """256 x 3: blend of step s and grey g at s · GREYS + g, then bare greys, black, white."""
    table = np.zeros((256, 3), np.uint8)
    greys = np.linspace(0.0, 255.0, GREYS)
    softened = 128.0 + (greys - 128.0) * 0.5
    blends = OPACITY * np.array(STEPS)[:, None, :] + (1 - OPACITY) * softened[None, :, None]
    table[:BARE] = np.rint(blends).reshape(-1, 3)
    table[BARE:BLACK] = np.rint(greys)[:, None]
    table[WHITE] = 255
    return table


def legend() -> tuple[str, ...]:
    """The steps as they look over middle grey, `#rrggbb`, low to high."""
    middle = palette()[GREYS // 2 : BARE : GREYS]
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in middle)


def indices(
    values: NDArray[np.float64], grey: NDArray[np.uint8], low: float, high: float
) -> NDArray[np.uint8]:
    """Palette indices for `values` over `grey` (same shape); NaN shows the bare picture.

    Values beyond `low` or `high` take the end's colour.
    """
    level = (grey.astype(np.uint16) * GREYS // 256).astype(np.uint8)
    span = high - low if high > low else 1.0
    share = np.clip((np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / span, 0, 1)
    step = np.minimum((share * len(STEPS)).astype(np.uint8), len(STEPS) - 1)
    blended = step * np.uint8(GREYS) + level
    return np.where(np.isnan(values), np.uint8(BARE) + level, blended).astype(np.uint8)
