"""The 8 x 8 discrete cosine transform of JPEG, on blocks of any grid origin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

BLOCK = 8

# Rows of blocks transformed at a time, so that memory does not grow with the picture.
STRIP_BLOCKS = 32

Frequency = tuple[int, int]
"""(vertical, horizontal) index in the block, (0, 0) being the mean."""


def basis() -> NDArray[np.float64]:
    """The orthonormal DCT-II matrix: row k is the cosine of frequency k."""
    k, n = np.mgrid[0:BLOCK, 0:BLOCK]
    matrix = np.cos((2 * n + 1) * k * np.pi / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix)


def block_coefficients(
    plane: Plane, frequencies: Sequence[Frequency], *, origin: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """The DCT of all whole blocks of the grid with this origin: (frequency, row, column).

    A plane without a whole block gives an array without elements.
    """
    top, left = origin
    rows = max(0, (plane.shape[0] - top) // BLOCK)
    columns = max(0, (plane.shape[1] - left) // BLOCK)
    result = np.empty((len(frequencies), rows, columns), np.float32)
    if result.size == 0:
        return result
    matrix = basis().astype(np.float32)
    highest = 1 + np.max(np.asarray(frequencies), axis=0)
    for start in range(0, rows, STRIP_BLOCKS):
        stop = min(rows, start + STRIP_BLOCKS)
        strip = plane[top + start * BLOCK : top + stop * BLOCK, left : left + columns * BLOCK]
        blocks = np.ascontiguousarray(strip).reshape(stop - start, BLOCK, columns * BLOCK)
        upright = (matrix[: highest[0]] @ blocks).reshape(stop - start, highest[0], columns, BLOCK)
        both = upright @ np.ascontiguousarray(matrix[: highest[1]].T)
        for index, (v, u) in enumerate(frequencies):
            result[index, start:stop] = both[:, v, :, u]
    return result


def plane_from_coefficients(
    quantised: NDArray[np.int16], table: NDArray[np.int32], size: tuple[int, int]
) -> Plane:
    """The luma plane that a decoder makes: dequantised, inverted, rounded, 0..255.

    `quantised` is (rows, columns, 8, 8); the plane is cut to `size` (height, width).
    """
    rows, columns = quantised.shape[:2]
    plane = np.empty((rows * BLOCK, columns * BLOCK), np.float32)
    matrix = basis().astype(np.float32)
    for start in range(0, rows, STRIP_BLOCKS):
        part = quantised[start : start + STRIP_BLOCKS].astype(np.float32) * table
        pixels = matrix.T @ (part @ matrix)
        strip = pixels.transpose(0, 2, 1, 3).reshape(-1, columns * BLOCK)
        plane[start * BLOCK : start * BLOCK + strip.shape[0]] = np.rint(strip + 128)
    return np.clip(plane, 0, 255, out=plane)[: size[0], : size[1]]
