"""A witness that keeps a copy: every entry is taken in and hashed before it confirms anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.fork import FORK_SUFFIX, fork_between
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import Note, open_note
from tidewaiter.custody.witness import AddCheckpoint, Remembered
from tidewaiter.errors import BrokenProof, InputError, IntegrityError
from tidewaiter.storage.reports import write_whole
from tidewaiter.storage.tile_folder import TileFolder
from tidewaiter.wiring_witness import (
    WitnessFiles,
    confirmed_lines,
    known_logs,
    opened_witness,
)


@dataclass(frozen=True)
class Mirrored:
    """What a mirror took in: the log, from how many entries to how many, and its lines."""

    origin: str
    before: int
    now: int
    lines: str


def mirror(
    files: WitnessFiles, source: Path, copy: Path, *, now: Callable[[], float] = time.time
) -> Mirrored:
    """Take the new entries of a log's tiles into the copy, then confirm its checkpoint.

    The copy is durable before the checkpoint is confirmed. Raises IntegrityError where the
    entries do not give the root that the log signed, or do not continue what was mirrored; what
    proves a fork to others is then written beside the copy. Raises InputError where files lack.
    """
    taken, kept = TileFolder(source), TileFolder(copy)
    note = taken.checkpoint()
    checkpoint = _signed(note, known_logs(files.logs))
    with opened_witness(files) as (witness, book):
        last = book.last(checkpoint.origin)
        before = last.size if last else 0
        if checkpoint.size < before:
            raise InputError(
                f"{source.name!r} has {checkpoint.size} entries; {before} are mirrored already"
            )
        tree = _mirrored_tree(kept, last)
        new = taken.entries(before, checkpoint.size, size=checkpoint.size)
        tree.extend(map(leaf_hash, new))
        if tree.root() != checkpoint.root:
            raise IntegrityError(_why_not(taken, last, note, copy))
        kept.write(
            tree,
            lambda start, stop: taken.entries(start, stop, size=checkpoint.size),
            note,
            known_size=before,
        )
        path = tuple(tree.consistency_proof(before, checkpoint.size))
        request = AddCheckpoint(before, path, Note.parse(note)).encoded
        lines = confirmed_lines(witness.add_checkpoint(request, book, int(now())))
    return Mirrored(checkpoint.origin, before, checkpoint.size, lines)


def _signed(note: bytes, logs: dict[str, tuple[VerifierKey, ...]]) -> Checkpoint:
    parsed = Note.parse(note)
    checkpoint = Checkpoint.parse(parsed.text)
    if checkpoint.origin not in logs:
        raise InputError(f"the log {checkpoint.origin} is not one of this witness's")
    open_note(parsed, logs[checkpoint.origin])
    return checkpoint


def _mirrored_tree(kept: TileFolder, last: Remembered | None) -> Tree:
    """The tree over what the copy holds, from its entries, checked against what was confirmed."""
    if last is None:
        return Tree()
    tree = Tree(leaf_hash(entry) for entry in kept.entries(0, last.size, size=last.size))
    if tree.root() != last.root:
        raise IntegrityError(
            f"the copy in {kept.folder.name!r} is not what this mirror confirmed: restore it from "
            "a backup or from the log, and find out who changed it"
        )
    return tree


def _why_not(taken: TileFolder, last: Remembered | None, note: bytes, copy: Path) -> str:
    """Say whether the log forked or its files are damaged; keep the proof of a fork."""
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    entries = taken.entries(0, checkpoint.size, size=checkpoint.size)
    try:
        fork = fork_between(last.note, note, map(leaf_hash, entries)) if last else None
    except BrokenProof:
        fork = None
    if fork is None:
        return (
            f"the entries do not give the root over {checkpoint.size} that {checkpoint.origin} "
            "signed: one was changed after it was logged, or the files are damaged"
        )
    name = f"{copy.name}-{checkpoint.size}{FORK_SUFFIX}"
    write_whole(copy.with_name(name), fork.encoded)
    return (
        f"{checkpoint.origin} rewrote its history: its {checkpoint.size} entries do not begin "
        f"with those mirrored before; {name} proves it to anybody who knows the log's key"
    )
