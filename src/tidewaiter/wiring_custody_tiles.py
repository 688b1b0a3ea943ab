"""Write a site's log as tiles: files that mirrors, monitors and other tools read."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.merkle import Tree
from tidewaiter.custody.note import Note, parse_signature_lines
from tidewaiter.custody.store import LogStore, StoredCheckpoint
from tidewaiter.errors import InputError, IntegrityError
from tidewaiter.storage.tile_folder import TileFolder
from tidewaiter.wiring_custody_site import SitePlace


@dataclass(frozen=True)
class Tiled:
    """What was written: entries in all, entries that are new, and files."""

    size: int
    new: int
    files: int


def write_tiles(place: SitePlace, folder: Path) -> Tiled:
    """Write what a folder of tiles lacks, and the newest checkpoint with its cosignatures.

    Raises InputError for an empty log, IntegrityError where the stored entries do not give the
    root that was signed, or the folder holds another history; the folder then stays as it was.
    """
    target = TileFolder(folder)
    with contextlib.closing(place.open_store(read_only=True)) as store:
        size = store.head().size
        tree = Tree(itertools.islice(store.leaf_hashes(), size))
        newest = _newest(store, size)
        if tree.root() != newest.root:
            raise IntegrityError(
                f"the {size} stored records do not give the root that was signed over them; "
                "`tidewaiter custody audit` names what is wrong"
            )
        known = _known_size(target, tree, Checkpoint.parse(Note.parse(newest.note).text))
        files = target.write(
            tree,
            lambda start, stop: (leaf.body for leaf in store.leaves(start, stop)),
            _cosigned(store, newest),
            known_size=known,
        )
    return Tiled(size, size - known, files)


def _newest(store: LogStore, size: int) -> StoredCheckpoint:
    for stored in store.checkpoints(size, size + 1):
        return stored
    raise InputError("the log has no entries yet, so there is nothing to export")


def _cosigned(store: LogStore, stored: StoredCheckpoint) -> bytes:
    lines = b"".join(store.cosignatures(stored.size).values())
    note = Note.parse(stored.note)
    return note.with_signatures(parse_signature_lines(lines)).encoded if lines else note.encoded


def _known_size(target: TileFolder, tree: Tree, newest: Checkpoint) -> int:
    """How many entries the folder has, once it is sure that they are of this history."""
    if not target.has_checkpoint():
        return 0
    known = Checkpoint.parse(Note.parse(target.checkpoint()).text)
    if known.origin != newest.origin or known.size > tree.size:
        raise IntegrityError(
            f"{target.folder.name!r} holds {known.size} entries of {known.origin}; the log is "
            f"{newest.origin} and has {tree.size}: export into another folder, and find out why"
        )
    if tree.root(known.size) != known.root:
        raise IntegrityError(
            f"{target.folder.name!r} holds another history of the first {known.size} entries than "
            "the log: keep it, it may prove who changed what"
        )
    return known.size
