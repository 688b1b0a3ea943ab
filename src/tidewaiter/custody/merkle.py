"""The Merkle tree of the custody log, and its proofs of inclusion and of consistency.

Tree and proofs are those of RFC 6962 (2.1), the two verifiers those of RFC 9162 (2.1.3.2 and
2.1.4.2). Only complete nodes are stored: node `index` of level `l` covers the leaves from
`index * 2^l` on, `2^l` of them; everything else folds from at most log2(size) of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from tidewaiter.errors import BrokenProof

HASH_LENGTH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the log that holds nothing."""
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """The hash by which a log entry of these bytes stands in the tree."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node above these two."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


class Tree:
    """An append-only Merkle tree over leaf hashes; one byte array for each level.

    64 bytes a leaf in all. Sizes asked for may be any from 0 to `size`, so that proofs against
    an earlier checkpoint need no earlier copy of the tree.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaf_hashes)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_LENGTH

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash; returns its index."""
        _must_be_hash(leaf)
        index = self.size
        self._levels[0] += leaf
        # Every trailing 1 bit of the index is a left sibling waiting: its parent is now whole.
        level, remaining = 0, index
        while remaining & 1:
            pair = self._levels[level][-2 * HASH_LENGTH :]
            level, remaining = level + 1, remaining >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += hashlib.sha256(NODE_PREFIX + pair).digest()
        return index

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add many leaf hashes at once, level by level: faster than one by one."""
        hashes = list(leaf_hashes)
        for leaf in hashes:
            _must_be_hash(leaf)
        self._levels[0] += b"".join(hashes)
        level = 0
        while self._raise_level(level):
            level += 1

    def leaf(self, index: int) -> bytes:
        """The leaf hash at this index."""
        _must_be_leaf_of(index, self.size)
        return self._node(0, index)

    def nodes(self, level: int, start: int, stop: int) -> bytes:
        """The hashes of the complete nodes `start` up to before `stop` of a level, joined."""
        known = self._levels[level] if level < len(self._levels) else bytearray()
        reached = len(known) // HASH_LENGTH
        if not 0 <= start <= stop <= reached:
            raise BrokenProof(f"level {level} has {reached} complete nodes; {stop} were asked for")
        return bytes(known[HASH_LENGTH * start : HASH_LENGTH * stop])

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves; over all of them by default."""
        chosen = self._chosen(size)
        return self._fold(0, chosen) if chosen else EMPTY_ROOT

    def peaks(self, size: int | None = None) -> list[tuple[int, bytes]]:
        """Level and hash of the complete subtrees of the first `size` leaves, largest first."""
        remaining, found, start = self._chosen(size), [], 0
        while remaining:
            level = remaining.bit_length() - 1
            found.append((level, self._node(level, start >> level)))
            start, remaining = start + (1 << level), remaining - (1 << level)
        return found

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes, sibling first, that lead from leaf `index` to the root over `size` leaves."""
        end = self._chosen(size)
        _must_be_leaf_of(index, end)
        path, start = [], 0
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._fold(middle, end))
                end = middle
            else:
                path.append(self._fold(start, middle))
                start = middle
        path.reverse()
        return path

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The hashes that show that the first `old` of `new` leaves have not been changed."""
        end = self._chosen(new)
        _must_be_reached(old, end)
        path: list[bytes] = []
        start, whole = 0, True
        while 0 < old < end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._fold(middle, end))
                end = middle
            else:
                path.append(self._fold(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._fold(start, end))
        path.reverse()
        return path

    def _raise_level(self, level: int) -> bool:
        """Hash the new pairs of a level into the next; says whether there were any."""
        nodes = self._levels[level]
        above = self._levels[level + 1] if level + 1 < len(self._levels) else bytearray()
        first, last = 2 * len(above), len(nodes) // (2 * HASH_LENGTH) * 2 * HASH_LENGTH
        if first >= last:
            return False
        pairs = bytes(nodes[first:last])
        sha256, prefix, width = hashlib.sha256, NODE_PREFIX, 2 * HASH_LENGTH
        above += b"".join(
            [sha256(prefix + pairs[at : at + width]).digest() for at in range(0, len(pairs), width)]
        )
        if level + 1 == len(self._levels):
            self._levels.append(above)
        return True

    def _chosen(self, size: int | None) -> int:
        if size is None:
            return self.size
        _must_be_reached(size, self.size)
        return size

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][HASH_LENGTH * index : HASH_LENGTH * (index + 1)])

    def _fold(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end); `start` is a multiple of a power of two ≥ the span."""
        span, folded = end - start, b""
        while span:
            level = (span & -span).bit_length() - 1
            peak = self._node(level, ((start + span) >> level) - 1)
            folded = node_hash(peak, folded) if folded else peak
            span &= span - 1
        return folded


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Accept that `leaf` is the hash at `index` under `root` over `size` leaves, or raise.

    Raises BrokenProof.
    """
    _must_be_leaf_of(index, size)
    _must_be_path(path)
    first, last, folded = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BrokenProof(
                f"the proof for leaf {index} of {size} has {len(path)} hashes: too many"
            )
        if first & 1 or first == last:
            folded = node_hash(sibling, folded)
            first, last = _past_right_edge(first, last)
        else:
            folded = node_hash(folded, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise BrokenProof(f"the proof for leaf {index} of {size} has {len(path)} hashes: too few")
    if folded != root:
        raise BrokenProof(
            f"the proof for leaf {index} of {size} leads to another root than the checkpoint's: "
            "the entry is not the one that was logged there, or the proof was altered"
        )


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Accept that the tree of `old` leaves is the beginning of that of `new` leaves, or raise.

    Raises BrokenProof.
    """
    if not 0 <= old <= new:
        raise BrokenProof(f"a tree of {old} leaves cannot be the beginning of one of {new}")
    _must_be_path(path)
    if old in {0, new}:
        _verify_trivial(old, new, old_root, new_root, path)
        return
    if not path:
        raise BrokenProof(f"no hashes were given to lead from {old} leaves to {new}")
    first, last = _past_complete_subtrees(old - 1, new - 1)
    hashes = iter(path)
    seed = old_root if old & (old - 1) == 0 else next(hashes)
    old_folded = new_folded = seed
    for sibling in hashes:
        if last == 0:
            raise BrokenProof(f"the proof from {old} leaves to {new} has too many hashes")
        if first & 1 or first == last:
            old_folded, new_folded = node_hash(sibling, old_folded), node_hash(sibling, new_folded)
            first, last = _past_right_edge(first, last)
        else:
            new_folded = node_hash(new_folded, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise BrokenProof(f"the proof from {old} leaves to {new} has too few hashes")
    if old_folded != old_root or new_folded != new_root:
        raise BrokenProof(
            f"the log of {new} leaves does not continue the log of {old}: "
            "history was rewritten, or the proof was altered"
        )


def _split(span: int) -> int:
    """The largest power of two smaller than the span."""
    return 1 << ((span - 1).bit_length() - 1)


def _past_right_edge(first: int, last: int) -> tuple[int, int]:
    while first & 1 == 0 and first != 0:
        first, last = first >> 1, last >> 1
    return first, last


def _past_complete_subtrees(first: int, last: int) -> tuple[int, int]:
    while first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _verify_trivial(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    if path:
        raise BrokenProof(f"the proof from {old} leaves to {new} has hashes where none belong")
    if old == new and old_root != new_root:
        raise BrokenProof(f"two different roots over the same {new} leaves: the log was forked")
    if old == 0 and old_root != EMPTY_ROOT:
        raise BrokenProof("the root given for the empty log is not the root of an empty tree")


def _must_be_hash(leaf: bytes) -> None:
    if len(leaf) != HASH_LENGTH:
        raise BrokenProof(f"a leaf hash of {len(leaf)} bytes; {HASH_LENGTH} needed")


def _must_be_leaf_of(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise BrokenProof(f"leaf {index} of {size}: there is no such leaf in that tree")


def _must_be_reached(size: int, reached: int) -> None:
    if not 0 <= size <= reached:
        raise BrokenProof(f"a tree of {size} leaves was asked for; the log has {reached}")


def _must_be_path(path: Sequence[bytes]) -> None:
    for sibling in path:
        if len(sibling) != HASH_LENGTH:
            raise BrokenProof(f"a proof hash of {len(sibling)} bytes; {HASH_LENGTH} needed")
