"""Turn stored pixels the way a person should see them: the eight EXIF orientations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AS_STORED = 1
QUARTER_TURNED = frozenset({5, 6, 7, 8})
"""Orientations that exchange width and height."""

CLOCKWISE_DEGREES = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
"""By how much each orientation turns the stored picture clockwise (after any mirroring)."""


def turned(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`stored` (H x W or H x W x 3) as it should be seen, contiguous."""
    if orientation == AS_STORED:
        return stored
    if orientation in (2, 4, 5, 7):
        stored = stored[:, ::-1]
    quarters = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(stored, quarters))


def upright_to_stored(orientation: int, width: int, height: int) -> NDArray[np.float64]:
    """3 x 3: from upright (column, row, 1) to stored ones; `width`, `height` as stored."""
    right, bottom = width - 1, height - 1
    column, row = {
        1: ((1, 0, 0), (0, 1, 0)),
        2: ((-1, 0, right), (0, 1, 0)),
        3: ((-1, 0, right), (0, -1, bottom)),
        4: ((1, 0, 0), (0, -1, bottom)),
        5: ((0, 1, 0), (1, 0, 0)),
        6: ((0, 1, 0), (-1, 0, bottom)),
        7: ((0, -1, right), (-1, 0, bottom)),
        8: ((0, -1, right), (1, 0, 0)),
    }[orientation]
    return np.array([column, row, (0, 0, 1)], np.float64)


def orientation_of_matrix(display_matrix: bytes) -> int | None:
    """The orientation that a display matrix (nine int32) asks for; None if it is oblique.

    The matrix takes stored (x, y) to (a x + c y, b x + d y) (ISO/IEC 14496-12, 6.2.2).
    """
    values = np.frombuffer(display_matrix[:36], np.int32).astype(np.float64)
    if values.size < 9:
        return AS_STORED
    part = values[[0, 1, 3, 4]]
    size = np.abs(part).max()
    if size == 0:
        return AS_STORED
    return _BY_SIGNS.get(tuple(np.rint(part / size).astype(int).tolist()))


_BY_SIGNS: dict[tuple[int, ...], int] = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
