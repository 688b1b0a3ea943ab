"""What the log asks of a place that keeps records, and of a place that keeps media."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from tidewaiter.custody.commitments import Opening


@dataclass(frozen=True)
class Head:
    """How far the log has come: its number of leaves and the root over them."""

    size: int
    root: bytes


@dataclass(slots=True)
class StoredLeaf:
    """One record as stored; the hash is the store's claim, not evidence.

    Not frozen, since an audit makes millions of them and freezing doubles what each one takes.
    """

    index: int
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True)
class StoredCheckpoint:
    """One checkpoint as stored, with the note that was signed."""

    size: int
    root: bytes
    note: bytes


class LogStore(Protocol):
    """Keeps leaves and checkpoints; one writer.

    An append is one transaction and durable on return. Every method raises StorageError where
    the medium fails; an append that raised stored nothing, unless it raised UncertainCommit.
    """

    origin: str

    def snapshot(self) -> AbstractContextManager[None]:
        """Within it everything read is of one moment, though another process appends."""

    def head(self) -> Head:
        """The size and root that the last commit stored."""

    def append(
        self,
        before: Head,
        leaves: Sequence[StoredLeaf],
        checkpoint: StoredCheckpoint,
        words: Sequence[tuple[bytes, int]] = (),
    ) -> None:
        """Commit leaves and their checkpoint, if the stored head is still `before`.

        `words` go into the index of words. Raises SecondWriter where the head is another.
        """

    def leaf_hashes(self) -> Iterator[bytes]:
        """The stored leaf hashes in order of index."""

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[StoredLeaf]:
        """The stored leaves from `start` up to before `stop`, in order of index."""

    def leaves_with(self, marks: Sequence[bytes]) -> Iterator[StoredLeaf]:
        """The stored leaves that hold any of these bytes, in order of index: all are looked at."""

    def places(self, word: bytes) -> list[int]:
        """Indices at which a record may hold the word, by the index that is kept beside them.

        Hints only: that index is derived, and who administers the store may have altered it.
        """

    def placed(self) -> int:
        """How many records, from the first, that index says it covers; 0 where there is none."""

    def place(self, start: int, stop: int, words: Sequence[tuple[bytes, int]]) -> None:
        """Add to that index the words of the records `start` up to before `stop`."""

    def misplace(self) -> None:
        """Empty that index, to be made anew."""

    def indices_of(self, leaf_hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Where leaves of these hashes stand, for those that are there."""

    def checkpoints(self, start: int = 0, stop: int | None = None) -> Iterator[StoredCheckpoint]:
        """The checkpoints of a size from `start` up to before `stop`, smallest first."""

    def cosign(self, size: int, witness: str, line: bytes) -> None:
        """Keep a witness's cosignature line of the checkpoint of that size."""

    def cosignatures(self, size: int) -> dict[str, bytes]:
        """The cosignature lines of a checkpoint by witness."""

    def cosigned_sizes(self) -> list[int]:
        """The sizes of the checkpoints that have a cosignature, smallest first."""

    def close(self) -> None:
        """Let another process write."""


class SecretStore(Protocol):
    """Keeps what erasure destroys: salts with values, and wrapped data keys."""

    def keep_openings(self, openings: Sequence[Opening]) -> None:
        """Keep what is behind the commitments of records."""

    def openings(self, record: str) -> list[Opening]:
        """What is behind the commitments of a record, by its digest; empty once forgotten."""

    def keep_key(self, recording: str, retention: str, wrapped: bytes) -> None:
        """Keep the wrapped data key of a recording."""

    def wrapped_key(self, recording: str) -> tuple[str, bytes] | None:
        """Retention class and wrapped key of a recording; None once forgotten."""

    def wrap_anew(self, retention: str, anew: Callable[[str, bytes], bytes]) -> int:
        """Replace every wrapped key of a class in one transaction; gives how many there are.

        `anew` gets recording and wrapped key. Where it raises, nothing was changed.
        """

    def forget(self, recording: str, records: Sequence[str]) -> None:
        """Destroy the key of a recording and all openings of these records, by digest."""

    def close(self) -> None:
        """Let go of the store."""


class BlobStore(Protocol):
    """Keeps bulk material under the SHA-256 of its bytes; nothing is ever overwritten."""

    def put(self, source: BinaryIO) -> str:
        """Keep all bytes of a stream durably; returns their SHA-256 in hex.

        Raises IntegrityError where other bytes stand under that digest.
        """

    def open(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """The bytes under a digest. Raises MissingMedium where there are none."""

    def digests(self) -> Iterator[str]:
        """All digests that something is kept under, in order."""

    def discard(self, digest: str) -> bool:
        """Free the space of an erased medium; False where a lock on it does not allow that yet.

        Erasure does not rest on it: the key is destroyed. Nothing kept there is no error.
        """


@dataclass(frozen=True)
class Witnessed:
    """What one witness last confirmed, as it says now; None fields where it did not answer."""

    witness: str
    head: Head | None
    note: bytes = b""
    time_ms: int | None = None
    reason: str = ""


class Witness(Protocol):
    """Somebody elsewhere who remembers how far the log had come."""

    name: str

    def latest(self) -> Witnessed:
        """What it last confirmed, its signature checked."""
