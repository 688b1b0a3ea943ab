"""Find one record of the log by the index of words, and where that fails by reading the log.

Guarantee: what is found is a record of the log that says what was asked for, and nothing is
called absent before every record was read. Mechanism: each hit is read and compared; no hit, or
none that fits, leads to a reading of the whole log. The hole that remains: where two records fit,
who alters the index chooses which is found; what must know all of them does not ask the index.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from tidewaiter.custody.record import Record, parse_record
from tidewaiter.custody.store import LogStore, StoredLeaf
from tidewaiter.custody.words import content_word, digest_word, link_word, words_of
from tidewaiter.errors import MalformedText, StorageError

# Records whose words are added to the index in one transaction.
AT_ONCE = 8192
_NAMING = ("blob", "manifest_blob", "exhibit", "report")

_Fits = Callable[[Record], bool]


@dataclass(frozen=True)
class Found:
    """A record and where it stands; `notice` is not empty where the index should have had it."""

    index: int
    record: Record
    notice: str = ""


def find_content(store: LogStore, recording: str) -> Found | None:
    """A record that brings in the content of a recording, or of a redacted copy."""

    def fits(record: Record) -> bool:
        fields = record.fields
        return "blob" in fields and fields.get("result", record.recording) == recording

    return _find(store, content_word(recording), f'":"{recording}"'.encode(), fits)


def find_digest(store: LogStore, digest: str) -> Found | None:
    """A record that names this SHA-256: of a sealed medium or manifest, an exhibit or a report."""

    def fits(record: Record) -> bool:
        return any(record.fields.get(name) == digest for name in _NAMING)

    return _find(store, digest_word(digest), f'":"{digest}"'.encode(), fits)


def find_link(store: LogStore, device: str, seq: int) -> Found | None:
    """The record with this number in a device's chain."""

    def fits(record: Record) -> bool:
        return (record.device, record.seq) == (device, seq)

    return _find(store, link_word(device, seq), f'"seq":{seq},'.encode(), fits)


def bring_up(store: LogStore) -> int:
    """Add to the index the words of records it has not; gives how many there were.

    An older log gets its index so. Raises StorageError.
    """
    start, size = store.placed(), store.head().size
    if not 0 <= start <= size:
        store.misplace()
        start = 0
    for first in range(start, size, AT_ONCE):
        stop = min(first + AT_ONCE, size)
        words = [
            (word, leaf.index) for leaf in store.leaves(first, stop) for word in words_of(leaf.body)
        ]
        store.place(first, stop, words)
    return size - start


def _find(store: LogStore, word: bytes, mark: bytes, fits: _Fits) -> Found | None:
    hits: list[int] = []
    # An index that cannot be read is none.
    with contextlib.suppress(StorageError):
        hits = store.places(word)
    for hit in hits:
        for leaf in store.leaves(hit, hit + 1):
            if (record := _fitting(leaf, fits)) is not None:
                return Found(leaf.index, record)
    for leaf in store.leaves_with([mark]):
        if (record := _fitting(leaf, fits)) is not None:
            return Found(leaf.index, record, _notice(store, leaf, word))
    return None


def _fitting(leaf: StoredLeaf, fits: _Fits) -> Record | None:
    with contextlib.suppress(MalformedText):
        record = parse_record(leaf.body)
        return record if fits(record) else None
    return None


def _notice(store: LogStore, leaf: StoredLeaf, word: bytes) -> str:
    """Why the index did not have a record, where it says that it has."""
    covered = 0
    with contextlib.suppress(StorageError):
        covered = store.placed()
    if leaf.index >= covered or word not in words_of(leaf.body):
        return ""
    return (
        f"the log's index of words has not entry {leaf.index}, which the log has: somebody wrote "
        "to it past this program. The entry was found by reading the log; run `tidewaiter custody "
        "audit`"
    )
