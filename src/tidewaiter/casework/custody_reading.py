"""One pass over a log: every body hashed, every entry judged, media noted.

The store's own hashes are compared with those taken here, and used for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import EMPTY_ROOT, Tree, leaf_hash
from tidewaiter.custody.quick_judging import QuickJudge
from tidewaiter.custody.quick_records import QuickEntry
from tidewaiter.custody.record import Record
from tidewaiter.custody.signers import candidate_keys
from tidewaiter.custody.store import Head, LogStore, StoredLeaf

Keys = dict[tuple[str, int], tuple[bytes, ...]]
"""By signer and epoch, the keys that may be theirs."""

Verified = tuple[list[StoredLeaf], dict[int, bytes]]
"""Leaves, and by index the keys that were found to have signed them."""

Verify = Callable[[Iterable[list[StoredLeaf]], Callable[[], Keys]], Iterable[Verified]]

AT_ONCE = 1024
MOST_AT_ONCE = 4 * 1024 * 1024
# How canonical JSON spells the medium that a record names.
BLOB = re.compile(rb'"blob":"([0-9a-f]{64})"')
MEDIA_FIELDS = frozenset({"blob", "manifest_blob"})


@dataclass
class Reading:
    """The store as one pass over it finds it."""

    tree: Tree = field(default_factory=Tree)
    head: Head = field(default=Head(0, EMPTY_ROOT))
    edited: list[int] = field(default_factory=list)
    claimed: list[bytes] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    judged: list[Discrepancy] = field(default_factory=list)
    media: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """By digest: the entry that names it, its device and its recording."""
    recordings: dict[str, tuple[int, str]] = field(default_factory=dict)
    latest_ms: int = 0


def read(store: LogStore, judge: Judge | None, verify: Verify) -> Reading:
    """Read all leaves in order; `verify` may know who signed them before the judge asks."""
    reading, due = Reading(), 0
    quick = QuickJudge(judge) if judge is not None else None
    for leaves in _signed_by(store, judge, verify):
        hashes = []
        for leaf in leaves:
            if leaf.index > due:
                reading.gaps.append((due, leaf.index - 1))
            hashes.append(_hashed(leaf, reading))
            if quick is not None:
                _judge(leaf, reading, quick)
            elif blob := BLOB.search(leaf.body):
                reading.media.setdefault(blob[1].decode(), (leaf.index, "", ""))
            due = leaf.index + 1
        reading.tree.extend(hashes)
    return reading


def verify_later(
    parts: Iterable[list[StoredLeaf]], _keys: Callable[[], Keys]
) -> Iterable[Verified]:
    """Find out nothing beforehand: the judge verifies each signature when it comes to it."""
    return ((leaves, {}) for leaves in parts)


def _signed_by(store: LogStore, judge: Judge | None, verify: Verify) -> Iterator[list[StoredLeaf]]:
    """The leaves some at a time; the judge knows by then which keys signed them."""
    parts = _parts(store.leaves())
    if judge is None or not judge.check_signatures:
        yield from parts
        return
    for leaves, judge.verified in verify(parts, lambda: candidate_keys(store.leaves())):
        yield leaves


def _parts(leaves: Iterable[StoredLeaf]) -> Iterator[list[StoredLeaf]]:
    """Some leaves at a time, few enough that large ones do not fill the memory."""
    part: list[StoredLeaf] = []
    size = 0
    for leaf in leaves:
        part.append(leaf)
        size += len(leaf.body)
        if len(part) == AT_ONCE or size > MOST_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _hashed(leaf: StoredLeaf, reading: Reading) -> bytes:
    found = leaf_hash(leaf.body)
    if found != leaf.leaf_hash:
        reading.edited.append(leaf.index)
        reading.claimed.append(leaf.leaf_hash)
    return found


def _judge(leaf: StoredLeaf, reading: Reading, judge: QuickJudge) -> None:
    found, entry = judge.feed(leaf.index, leaf.body)
    if found:
        reading.judged += found
    if isinstance(entry, QuickEntry):
        claimed_ms = int(entry.claimed_ms)
        reading.latest_ms = max(reading.latest_ms, claimed_ms)
        if entry.blob is not None:
            _note_quick_media(leaf.index, entry, reading)
    elif entry is not None:
        reading.latest_ms = max(reading.latest_ms, entry.claimed_ms)
        _note_media(leaf.index, entry, reading)


def _note_quick_media(index: int, entry: QuickEntry, reading: Reading) -> None:
    recording, device = entry.recording or "", entry.device
    for digest in (entry.blob, entry.manifest_blob):
        if digest is not None:
            reading.media.setdefault(digest, (index, device, recording))
    reading.recordings.setdefault(recording, (index, device))


def _note_media(index: int, record: Record, reading: Reading) -> None:
    recording = str(record.fields.get("result", record.recording))
    for name in MEDIA_FIELDS & record.fields.keys():
        reading.media.setdefault(record.fields[name], (index, record.device, recording))
    if "blob" in record.fields:
        reading.recordings.setdefault(recording, (index, record.device))
