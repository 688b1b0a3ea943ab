"""JPEG ghosts: how little each part of a picture changes when it is saved again.

After Farid, "Exposing digital forgeries from JPEG ghosts", 2009: saved again at the quality
of an earlier saving, a part changes least. The re-saving is done on the luma coefficients
of the file's own grid, which equals the pixel difference by Parseval's theorem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.block_dct import BLOCK, Frequency, block_coefficients
from tidewaiter.traces.jpeg_coefficients import JpegCoefficients
from tidewaiter.vocabulary import Status, tr

Maps = NDArray[np.float32]

# Farid 2009 tries this span; step 1.
QUALITIES = tuple(range(40, 96))

# Fifteen low frequencies hold nearly all of the energy that re-saving takes away.
FREQUENCIES: tuple[Frequency, ...] = (
    *((v, u) for v in range(5) for u in range(5 - v) if v + u > 0),
    (0, 0),
)

# ITU-T T.81 table K.1, upper left corner.
BASE_STEPS = np.array(
    [
        [16, 11, 10, 16, 24],
        [12, 12, 14, 19, 26],
        [14, 13, 16, 24, 40],
        [14, 17, 22, 29, 51],
        [18, 22, 37, 56, 68],
    ]
)

LEVEL_SHIFT = 128.0 * BLOCK

# Differences are averaged over squares of this many blocks a side.
SQUARE_BLOCKS = 2

# Squares whose AC energy is lower imitate ghosts (mean square of a coefficient).
MIN_ENERGY = 25.0

# A ghost closer to the file's own quality cannot be told from the file's own saving.
OWN_QUALITY_MARGIN = 5

MIN_SQUARES = 64


@dataclass(frozen=True)
class JpegGhosts:
    """The ghost picture and the curve behind it.

    `difference` is, for each of QUALITIES, the mean normalised difference of textured
    squares (0 least, 1 most of each square's own range). `ghost_quality` is the quality
    at which squares differ most among each other, after the picture's mean curve is taken
    away; `ghost_map` holds that difference there (low = changes least = saved at this
    quality before; NaN-free, 1 in flat squares). `spread` is its standard deviation.
    """

    difference: tuple[float, ...]
    ghost_quality: int
    spread: float
    ghost_map: Maps
    textured_share: float
    quality: int
    quality_label: str


class JpegGhostsTrace(PictureTrace):
    """Saves the luma of a JPEG again at 56 qualities and compares."""

    name: ClassVar[str] = "jpeg.ghosts"
    after: ClassVar[tuple[str, ...]] = ("jpeg.coefficients",)

    def measure(self, picture: Picture, earlier: Traces) -> JpegGhosts | Untaken:  # noqa: ARG002
        """The ghosts; `Untaken` without coefficients, below quality 46 or without texture."""
        stored = earlier["jpeg.coefficients"]
        if isinstance(stored, Untaken):
            return stored
        if stored.quality <= QUALITIES[0] + OWN_QUALITY_MARGIN:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr(
                    "JPEG quality {found}; more than {needed} is needed to see an earlier one",
                    found=stored.quality_label,
                    needed=QUALITIES[0] + OWN_QUALITY_MARGIN,
                ),
            )
        coefficients = block_coefficients(stored.luma, FREQUENCIES)
        textured = _textured(coefficients)
        if textured.sum() < MIN_SQUARES:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr(
                    "{found} textured squares of 16 x 16 pixels; {needed} are needed",
                    found=int(textured.sum()),
                    needed=MIN_SQUARES,
                ),
            )
        return ghosts_of(stored, coefficients, textured)


def ghosts_of(
    stored: JpegCoefficients, coefficients: Maps, textured: NDArray[np.bool_]
) -> JpegGhosts:
    """Normalise each square's curve, find the quality at which squares disagree most."""
    coefficients = coefficients.copy()
    coefficients[-1] -= LEVEL_SHIFT
    curves = np.stack([_difference(coefficients, quality) for quality in QUALITIES])
    low, high = curves.min(axis=0), curves.max(axis=0)
    curves = (curves - low) / np.maximum(high - low, np.float32(1e-6))
    usable = [i for i, q in enumerate(QUALITIES) if q <= stored.quality - OWN_QUALITY_MARGIN]
    spreads = [float(np.std(curves[i][textured])) for i in usable]
    at = usable[int(np.argmax(spreads))]
    return JpegGhosts(
        difference=tuple(float(curve[textured].mean()) for curve in curves),
        ghost_quality=QUALITIES[at],
        spread=max(spreads),
        ghost_map=np.where(textured, curves[at], np.float32(1)),
        textured_share=float(textured.mean()),
        quality=stored.quality,
        quality_label=stored.quality_label,
    )


def _difference(coefficients: Maps, quality: int) -> Maps:
    """Mean squared change of every square when saved again at this quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps = np.maximum(1, (BASE_STEPS * scale + 50) // 100)
    changed = np.zeros(coefficients.shape[1:], np.float32)
    for plane, frequency in zip(coefficients, FREQUENCIES, strict=True):
        step = np.float32(steps[frequency])
        left = plane / step
        left -= np.rint(left)
        left *= step
        changed += left * left
    return _by_square(changed) / np.float32(len(FREQUENCIES))


def _textured(coefficients: Maps) -> NDArray[np.bool_]:
    energy = np.square(coefficients[:-1]).mean(axis=0)
    return np.asarray(_by_square(energy) >= MIN_ENERGY)


def _by_square(values: Maps) -> Maps:
    """Means over squares of 2 x 2 blocks; an odd last row or column is left out."""
    rows, columns = (side // SQUARE_BLOCKS for side in values.shape)
    cut = values[: rows * SQUARE_BLOCKS, : columns * SQUARE_BLOCKS]
    squares = cut.reshape(rows, SQUARE_BLOCKS, columns, SQUARE_BLOCKS)
    return np.asarray(squares.mean(axis=(1, 3)), dtype=np.float32)
