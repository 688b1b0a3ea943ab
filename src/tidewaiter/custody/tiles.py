"""The log as static files, for mirrors and monitors, laid out as C2SP tlog-tiles has them.

A full tile holds 256 hashes. Level 0 holds leaf hashes, level L + 1 the root of each full tile of
level L; the last tile of a level may be partial, and its width is in its name. Entry bundles hold
the entries themselves. Files never change; only `checkpoint` does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidewaiter.custody.merkle import HASH_LENGTH, Tree
from tidewaiter.custody.record import MOST_LEAF_BYTES
from tidewaiter.errors import MalformedText

TILE_WIDTH = 256
TILE_HEIGHT = 8
"""A tile spans 8 levels of the tree."""
CHECKPOINT_FILE = "checkpoint"
ENTRIES = "entries"


@dataclass(frozen=True)
class TileName:
    """One tile, or one bundle of entries where `level` is None."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        kind = ENTRIES if self.level is None else str(self.level)
        part = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{'/'.join(groups)}{part}"

    @property
    def first(self) -> int:
        """Index, within its level, of its first hash or entry."""
        return self.index * TILE_WIDTH


def tiles_of(size: int, known_size: int = 0) -> Iterator[TileName]:
    """The tiles of a log of this size that a log of `known_size` did not have, bundles last."""
    level, width, known = 0, size, known_size
    while width:
        yield from _tiles_of_level(level, width, known)
        level, width, known = level + 1, width // TILE_WIDTH, known // TILE_WIDTH
    yield from _tiles_of_level(None, size, known_size)


def tile_bytes(tree: Tree, name: TileName) -> bytes:
    """The hashes of a tile. Raises BrokenProof where the tree does not reach so far."""
    height = TILE_HEIGHT * (name.level or 0)
    return tree.nodes(height, name.first, name.first + name.width)


def tile_hashes(data: bytes, name: TileName) -> list[bytes]:
    """The hashes in a tile's bytes. Raises MalformedText where the length is not its width's."""
    if len(data) != name.width * HASH_LENGTH:
        raise MalformedText(
            f"{name.path} has {len(data)} bytes; {name.width * HASH_LENGTH} are in such a tile"
        )
    return [data[at : at + HASH_LENGTH] for at in range(0, len(data), HASH_LENGTH)]


def bundle_bytes(entries: Sequence[bytes]) -> bytes:
    """A bundle of up to 256 entries, each with its length before it."""
    if not 0 < len(entries) <= TILE_WIDTH:
        raise MalformedText(f"{len(entries)} entries for one bundle; 1 to 256 belong into it")
    for entry in entries:
        if len(entry) > MOST_LEAF_BYTES:
            raise MalformedText(f"an entry of {len(entry)} bytes; {MOST_LEAF_BYTES} are the most")
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def bundle_entries(data: bytes, name: TileName) -> list[bytes]:
    """The entries in a bundle's bytes, as many as its width says. Raises MalformedText."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < name.width:
        if at + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at)
        at += 2 + length
        if at > len(data):
            break
        entries.append(data[at - length : at])
    if at != len(data) or len(entries) != name.width:
        raise MalformedText(
            f"{name.path} holds {len(entries)} whole entries in {len(data)} bytes; "
            f"exactly {name.width} belong into it"
        )
    return entries


def _tiles_of_level(level: int | None, width: int, known: int) -> Iterator[TileName]:
    if width == known:
        return
    for index in range(known // TILE_WIDTH, width // TILE_WIDTH):
        yield TileName(level, index)
    if width % TILE_WIDTH:
        yield TileName(level, width // TILE_WIDTH, width % TILE_WIDTH)
