"""The right edge of a growing Merkle tree, and what single act explains another root than due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidewaiter.custody.merkle import EMPTY_ROOT, node_hash

# Hashes that one search may take: about half a second.
MOST_HASHES = 500_000


class Frontier:
    """The complete subtrees of a tree, largest first: enough to grow it and to know its root."""

    def __init__(self, peaks: Sequence[tuple[int, bytes]] = ()) -> None:
        self._peaks = list(peaks)

    def grown(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """Another frontier, with these leaves added."""
        other = Frontier(self._peaks)
        for leaf in leaf_hashes:
            other._add(leaf)
        return other

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        folded = b""
        for _, peak in reversed(self._peaks):
            folded = node_hash(peak, folded) if folded else peak
        return folded or EMPTY_ROOT

    def _add(self, leaf: bytes) -> None:
        level, peak = 0, leaf
        while self._peaks and self._peaks[-1][0] == level:
            _, left = self._peaks.pop()
            level, peak = level + 1, node_hash(left, peak)
        self._peaks.append((level, peak))


def inserted_run(
    before: Frontier, window: Sequence[bytes], surplus: int, root: bytes
) -> tuple[int, int] | None:
    """Where `surplus` leaves in a row stand that were not there when the root was confirmed.

    `window` begins after `before` and holds `surplus` leaves more than the root covers. First and
    last place within the window; None where no single run explains it, or it is too long to try.
    """
    length = len(window) - surplus
    if surplus <= 0 or length < 0 or length * (length + 1) > MOST_HASHES:
        return None
    growing = before
    for start in range(length + 1):
        if growing.grown(window[start + surplus :]).root == root:
            return start, start + surplus - 1
        if start < length:
            growing = growing.grown(window[start : start + 1])
    return None


def swapped_pair(before: Frontier, window: Sequence[bytes], root: bytes) -> tuple[int, int] | None:
    """Two leaves of the window that stand in each other's place; None where no pair explains it."""
    if len(window) ** 3 // 3 > MOST_HASHES:
        return _swapped_neighbours(before, window, root)
    growing = before
    for first in range(len(window)):
        for second in range(first + 1, len(window)):
            if growing.grown(_swapped(window, first, second)).root == root:
                return first, second
        growing = growing.grown(window[first : first + 1])
    return None


def _swapped_neighbours(
    before: Frontier, window: Sequence[bytes], root: bytes
) -> tuple[int, int] | None:
    if len(window) ** 2 > MOST_HASHES:
        return None
    growing = before
    for first in range(len(window) - 1):
        if growing.grown(_swapped(window, first, first + 1)).root == root:
            return first, first + 1
        growing = growing.grown(window[first : first + 1])
    return None


def _swapped(window: Sequence[bytes], first: int, second: int) -> list[bytes]:
    """The leaves from `first` on, with these two exchanged."""
    leaves = list(window[first:])
    leaves[0], leaves[second - first] = leaves[second - first], leaves[0]
    return leaves
