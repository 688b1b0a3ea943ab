"""Compare coded pictures and packets of sound that were not encoded anew: exact, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.runs import Change


@dataclass(frozen=True)
class Block:
    """`length` items that stand at `ours` in the original and at `theirs` in the copy."""

    ours: int
    theirs: int
    length: int


def keys_of(hashes: NDArray[np.uint8]) -> list[bytes]:
    """Hashes as keys, whole: who makes both recordings can make a part of two hashes agree."""
    return [row.tobytes() for row in hashes]


def shared_share(original: Sequence[Hashable], copy: Sequence[Hashable]) -> float:
    """Share of the copy's items that the original holds; 0 for an empty copy."""
    known = set(original)
    return sum(item in known for item in copy) / len(copy) if copy else 0.0


def exact_changes(original: Sequence[Hashable], copy: Sequence[Hashable]) -> list[Change]:
    """Removed, inserted, repeated, moved and replaced items, in order of the copy.

    Every place at which the copy does not go on as the original does is an edge of one of them.
    """
    blocks = matching_blocks(original, copy)
    known = _Known(
        places=_places(original),
        kept={i for b in blocks for i in copy[b.theirs : b.theirs + b.length]},
        moved=_moved_items(original, copy, blocks),
    )
    found: list[Change] = []
    edges = [Block(0, 0, 0), *blocks, Block(len(original), len(copy), 0)]
    for before, after in pairwise(edges):
        gone = (before.ours + before.length, after.ours)
        come = (before.theirs + before.length, after.theirs)
        if gone[0] < gone[1] or come[0] < come[1]:
            found += _gap(original, copy, gone, come, known)
    return found


def matching_blocks(original: Sequence[Hashable], copy: Sequence[Hashable]) -> list[Block]:
    """Stretches that both hold in the same order, anchored on items that occur once in each.

    Items that repeat (a still scene coded without change) are matched outwards from there.
    """
    anchors = _increasing(_unique_pairs(original, copy))
    blocks: list[Block] = []
    at_ours = at_theirs = 0
    for ours, theirs in [*anchors, (len(original), len(copy))]:
        if ours < at_ours or theirs < at_theirs:
            continue
        head = _common(original, copy, at_ours, at_theirs, (ours, theirs))
        if head:
            blocks.append(Block(at_ours, at_theirs, head))
        tail = _common_before(original, copy, ours, theirs, (at_ours + head, at_theirs + head))
        length = tail
        if ours < len(original) and theirs < len(copy):
            length += _common(original, copy, ours, theirs, (len(original), len(copy)))
        if length:
            blocks.append(Block(ours - tail, theirs - tail, length))
        at_ours, at_theirs = ours - tail + length, theirs - tail + length
        if not length:
            at_ours, at_theirs = max(at_ours, ours), max(at_theirs, theirs)
    return _joined(blocks)


def _unique_pairs(original: Sequence[Hashable], copy: Sequence[Hashable]) -> list[tuple[int, int]]:
    ours, theirs = Counter(original), Counter(copy)
    place = {item: index for index, item in enumerate(original) if ours[item] == 1}
    return [
        (place[item], index)
        for index, item in enumerate(copy)
        if item in place and theirs[item] == 1
    ]


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs (in order of the copy) whose places in the original rise."""
    from bisect import bisect_left

    tops: list[int] = []
    last: list[int] = []
    link: list[int] = []
    for index, (ours, _) in enumerate(pairs):
        level = bisect_left(tops, ours)
        link.append(last[level - 1] if level else -1)
        if level == len(tops):
            tops.append(ours)
            last.append(index)
        else:
            tops[level], last[level] = ours, index
    chain = []
    at = last[-1] if last else -1
    while at >= 0:
        chain.append(pairs[at])
        at = link[at]
    return chain[::-1]


def _common(
    original: Sequence[Hashable],
    copy: Sequence[Hashable],
    ours: int,
    theirs: int,
    ends: tuple[int, int],
) -> int:
    length = 0
    while (
        ours + length < ends[0]
        and theirs + length < ends[1]
        and original[ours + length] == copy[theirs + length]
    ):
        length += 1
    return length


def _common_before(
    original: Sequence[Hashable],
    copy: Sequence[Hashable],
    ours: int,
    theirs: int,
    starts: tuple[int, int],
) -> int:
    length = 0
    while (
        ours - length > starts[0]
        and theirs - length > starts[1]
        and original[ours - length - 1] == copy[theirs - length - 1]
    ):
        length += 1
    return length


def _joined(blocks: list[Block]) -> list[Block]:
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if (
            last
            and last.ours + last.length == block.ours
            and last.theirs + last.length == block.theirs
        ):
            joined[-1] = Block(last.ours, last.theirs, last.length + block.length)
        else:
            joined.append(block)
    return joined


def _places(items: Sequence[Hashable]) -> dict[Hashable, int]:
    """The first place of each item."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        places.setdefault(item, index)
    return places


def _moved_items(
    original: Sequence[Hashable], copy: Sequence[Hashable], blocks: list[Block]
) -> set[Hashable]:
    """Items of the original that stand in the copy, but nowhere in their place."""
    ours, theirs = set(range(len(original))), set(range(len(copy)))
    for block in blocks:
        ours -= set(range(block.ours, block.ours + block.length))
        theirs -= set(range(block.theirs, block.theirs + block.length))
    return {original[index] for index in ours} & {copy[index] for index in theirs}


@dataclass(frozen=True)
class _Known:
    """Where items first stand in the original, which stayed in place and which moved."""

    places: dict[Hashable, int]
    kept: set[Hashable]
    moved: set[Hashable]


def _gap(
    original: Sequence[Hashable],
    copy: Sequence[Hashable],
    gone: tuple[int, int],
    come: tuple[int, int],
    known: _Known,
) -> list[Change]:
    """What happened between two matching blocks."""
    missing = [index for index in range(*gone) if original[index] not in known.moved]
    lost = (missing[0], missing[-1] + 1) if missing else None
    if come[0] == come[1]:
        # All that stood here is shown elsewhere: without this the break would have no name.
        return [Change("removed", come, lost) if lost else Change("moved_away", come, gone)]
    found: list[Change] = []
    for start, end, source in _sources(copy, come, known.places):
        if source is None:
            kind = "replaced" if lost else "inserted"
            found.append(Change(kind, (start, end), lost))
        else:
            again = any(item in known.kept for item in copy[start:end])
            kind = "replaced" if lost else "repeated" if again else "moved"
            found.append(Change(kind, (start, end), lost, (source, source + end - start)))
        lost = None
    return found


def _sources(
    copy: Sequence[Hashable], come: tuple[int, int], places: dict[Hashable, int]
) -> list[tuple[int, int, int | None]]:
    """The foreign and the known parts of a stretch of the copy, and where those stand."""
    parts: list[tuple[int, int, int | None]] = []
    for index in range(*come):
        source = places.get(copy[index])
        last = parts[-1] if parts else None
        follows = last is not None and (
            (source is None and last[2] is None)
            or (source is not None and last[2] is not None and source == last[2] + index - last[0])
        )
        if follows and last is not None:
            parts[-1] = (last[0], index + 1, last[2])
        else:
            parts.append((index, index + 1, source))
    return parts
