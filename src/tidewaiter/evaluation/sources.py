"""Independent sources: how many there are, what an item of each weighs, how to split by them.

A source is a camera, a generator, a person or a trader. Items of one source resemble each
other, so evidence is counted in sources and never in files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def codes(sources: Sequence[str] | NDArray[np.str_] | IntArray) -> IntArray:
    """A number from 0 for every item's source, in sorted order of the sources."""
    return np.unique(np.asarray(sources), return_inverse=True)[1].astype(np.int64)


def source_weights(labels: BoolArray, source_codes: IntArray) -> FloatArray:
    """Item weights that give each source weight 1 within each class it appears in.

    Their sum over a class is the number of independent sources of that class.
    """
    cells = source_codes * 2 + labels
    sizes = np.bincount(cells)
    return np.asarray(1.0 / sizes[cells], dtype=np.float64)


def count_sources(source_codes: IntArray, chosen: BoolArray) -> int:
    """How many different sources the chosen items come from."""
    return int(np.unique(source_codes[chosen]).size)


def draw_sources(
    labels: BoolArray, source_codes: IntArray, draws: int, rng: np.random.Generator
) -> IntArray:
    """Bootstrap over sources: how often each source was drawn, shape (draws, sources).

    Drawn separately among sources with genuine items only, with manipulated items only
    and with both, so that no draw loses a class.
    """
    count = int(source_codes.max()) + 1 if source_codes.size else 0
    has_manipulated = np.bincount(source_codes[labels], minlength=count) > 0
    has_genuine = np.bincount(source_codes[~labels], minlength=count) > 0
    drawn = np.zeros((draws, count), dtype=np.int64)
    for stratum in (
        has_manipulated & has_genuine,
        has_manipulated & ~has_genuine,
        ~has_manipulated & has_genuine,
    ):
        members = np.flatnonzero(stratum)
        if members.size:
            even = np.full(members.size, 1.0 / members.size)
            drawn[:, members] = rng.multinomial(members.size, even, size=draws)
    return drawn


def fold_by_source(
    labels: BoolArray, source_codes: IntArray, folds: int, rng: np.random.Generator
) -> IntArray:
    """The fold (0 … folds − 1) of every item; a source lies wholly in one fold.

    Sources with manipulated items and sources without are dealt out in turn, each kind
    in random order, so that both classes reach every fold where there are enough sources.
    """
    count = int(source_codes.max()) + 1
    has_manipulated = np.bincount(source_codes[labels], minlength=count) > 0
    fold_of = np.zeros(count, dtype=np.int64)
    for members in (np.flatnonzero(has_manipulated), np.flatnonzero(~has_manipulated)):
        fold_of[rng.permutation(members)] = np.arange(members.size) % folds
    return np.asarray(fold_of[source_codes], dtype=np.int64)
