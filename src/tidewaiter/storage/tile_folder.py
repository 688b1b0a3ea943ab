"""A folder of tiles: the log as files that a web server, a stick or a mirror carries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import LARGEST_NOTE_BYTES
from tidewaiter.custody.record import MOST_LEAF_BYTES
from tidewaiter.custody.tiles import (
    CHECKPOINT_FILE,
    TILE_WIDTH,
    TileName,
    bundle_bytes,
    bundle_entries,
    tile_bytes,
    tile_hashes,
    tiles_of,
)
from tidewaiter.errors import InputError, IntegrityError, StorageError
from tidewaiter.storage.durable import make_folder, sync_folder
from tidewaiter.storage.plain_file import opened_plain

# The largest file of a log: 256 entries of the greatest length.
_LARGEST_TILE_FILE = TILE_WIDTH * (MOST_LEAF_BYTES + 2)


class TileFolder:
    """The tiles of one log below a folder; files appear whole and never change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        tree: Tree,
        entries: Callable[[int, int], Iterable[bytes]],
        note: bytes,
        *,
        known_size: int = 0,
    ) -> int:
        """Write the tiles that a folder of `known_size` entries lacks, the checkpoint last.

        `entries(start, stop)` gives entries by index; each must hash to its leaf in the tree.
        Returns how many files were written. Raises StorageError, or IntegrityError for an entry
        that is not the one in the tree; the folder then still shows its former checkpoint.
        """
        written = 0
        for name in tiles_of(tree.size, known_size):
            data = (
                tile_bytes(tree, name) if name.level is not None else _bundle(tree, name, entries)
            )
            self._put(name.path, data)
            written += 1
        self._put(CHECKPOINT_FILE, note)
        return written + 1

    def has_checkpoint(self) -> bool:
        """Whether anything was written here before."""
        return (self.folder / CHECKPOINT_FILE).exists()

    def checkpoint(self) -> bytes:
        """The checkpoint note, unchecked. Raises InputError where there is none."""
        return self._read(CHECKPOINT_FILE, LARGEST_NOTE_BYTES)

    def leaf_hashes(self, size: int) -> Iterator[bytes]:
        """The leaf hashes that its level 0 states, unchecked. Raises InputError, MalformedText."""
        for name in tiles_of(size):
            if name.level == 0:
                yield from tile_hashes(self._read(name.path, _LARGEST_TILE_FILE), name)

    def entries(self, start: int, stop: int, *, size: int) -> Iterator[bytes]:
        """The entries `start` up to before `stop` of a log of `size` entries, unchecked."""
        for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            name = TileName(None, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
            found = bundle_entries(self._read(name.path, _LARGEST_TILE_FILE), name)
            yield from found[max(start - name.first, 0) : stop - name.first]

    def _put(self, path: str, data: bytes) -> None:
        target = self.folder / path
        beside = target.with_name(f".{target.name}.{os.getpid()}.new")
        try:
            make_folder(target.parent)
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise StorageError(
                f"the tile {path!r} could not be written ({error.strerror}); free disk space and "
                "try again"
            ) from error

    def _read(self, path: str, limit: int) -> bytes:
        """A carried folder is foreign: only plain files are read, and only so far."""
        try:
            with opened_plain(self.folder / path) as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise InputError(
                f"{path!r} in {self.folder.name!r} cannot be read ({error.strerror}); carry the "
                "whole folder"
            ) from error
        if len(data) > limit:
            raise InputError(f"{path!r} in {self.folder.name!r} is longer than any such file")
        return data


def _bundle(tree: Tree, name: TileName, entries: Callable[[int, int], Iterable[bytes]]) -> bytes:
    found = list(entries(name.first, name.first + name.width))
    hashes = b"".join(map(leaf_hash, found))
    if hashes != tree.nodes(0, name.first, name.first + name.width):
        raise IntegrityError(
            f"the entries from {name.first} on are not those whose hashes are in the tree: one "
            "was changed after it was logged"
        )
    return bundle_bytes(found)
