"""The custody log in one SQLite file, and what erasure destroys in another.

Guarantee: what `append` returned from is on disk, whole, and in order. Mechanism: write-ahead log
with a sync at every commit, both settings read back; one transaction for leaves, checkpoint and
head; a lock file. The hole that remains: a disk that confirms a sync it did not carry out.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from tidewaiter.custody.merkle import EMPTY_ROOT
from tidewaiter.custody.store import Head, StoredCheckpoint, StoredLeaf
from tidewaiter.errors import (
    ConfigurationError,
    IntegrityError,
    SecondWriter,
    StorageError,
    UncertainCommit,
)
from tidewaiter.storage.custody_lock import hold
from tidewaiter.storage.durable import appear
from tidewaiter.storage.sqlite_files import connected, connected_to_read

# The triggers are a seat belt against mistakes: whoever may write the file may drop them.
SCHEMA = """
CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL,
                   root BLOB NOT NULL);
CREATE TABLE leaf (i INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note BLOB NOT NULL);
CREATE TABLE cosignature (size INTEGER NOT NULL, witness TEXT NOT NULL, line BLOB NOT NULL,
                          PRIMARY KEY (size, witness));
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf
    BEGIN SELECT RAISE(ABORT, 'leaves are never deleted'); END;
CREATE TRIGGER leaf_kept BEFORE UPDATE ON leaf
    BEGIN SELECT RAISE(ABORT, 'leaves are never changed'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
CREATE TRIGGER checkpoint_kept BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
"""
# Which records hold which words: derived from the records, filled with them, never evidence.
PLACES = """
DROP TABLE IF EXISTS place;
DROP TABLE IF EXISTS placed;
CREATE TABLE place (word BLOB NOT NULL, i INTEGER NOT NULL, PRIMARY KEY (word, i)) WITHOUT ROWID;
CREATE TABLE placed (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL);
INSERT INTO placed VALUES (1, 0);
"""
ROWS_AT_ONCE = 4096
# SQLite takes at least 999 values in one statement.
HASHES_AT_ONCE = 512
LARGEST = 2**63 - 1
# More places than these under one word are somebody's doing; they are hints, not evidence.
MOST_PLACES = 64


class SqliteLog:
    """A LogStore in one SQLite file, held by this process alone while it is open to write."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Raises ConfigurationError where there is no log, SecondWriter where one is held."""
        if not path.is_file():
            raise ConfigurationError(
                f"there is no custody log {path.name!r}; `tidewaiter custody init` makes one"
            )
        self.path = path
        self._lock = None if read_only else hold(path.with_name(path.name + ".lock"))
        try:
            self._database = connected_to_read(path) if read_only else connected(path)
            with _reading(path):
                rows = self._database.execute("SELECT origin FROM log").fetchall()
            self.origin = str(rows[0][0]) if rows else ""
            self._has_places = self._find_places(may_make=not read_only)
        except BaseException:
            self._let_go()
            raise

    @classmethod
    def create(cls, path: Path, origin: str) -> SqliteLog:
        """Make a new, empty log. Raises ConfigurationError where the file exists."""
        if path.exists():
            raise ConfigurationError(
                f"{path.name!r} exists; a new log needs a new file, an old one is never emptied"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.new")
        with contextlib.closing(connected(beside)) as database, _writing(path):
            database.executescript("BEGIN IMMEDIATE;" + SCHEMA + PLACES)
            database.execute("INSERT INTO log VALUES (1, ?)", (origin,))
            database.execute("INSERT INTO head VALUES (1, 0, ?)", (EMPTY_ROOT,))
            database.execute("COMMIT")
        # Under its name it is whole: a crash half-way leaves no log that is none.
        appear(beside, path)
        return cls(path)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it everything read is of one moment, though another process appends."""
        with _reading(self.path):
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._roll_back()

    def head(self) -> Head:
        """The size and root that the last commit stored."""
        with _reading(self.path):
            return self._head()

    def append(
        self,
        before: Head,
        leaves: Sequence[StoredLeaf],
        checkpoint: StoredCheckpoint,
        words: Sequence[tuple[bytes, int]] = (),
    ) -> None:
        """Commit leaves and their checkpoint, if the stored head is still `before`."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            found = self._head()
            if found != before:
                refuse_head(found, before)
            self._database.executemany(
                "INSERT INTO leaf (i, hash, body) VALUES (?, ?, ?)",
                [(leaf.index, leaf.leaf_hash, leaf.body) for leaf in leaves],
            )
            row = (checkpoint.size, checkpoint.root, checkpoint.note)
            self._database.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", row)
            self._database.execute("UPDATE head SET size = ?, root = ?", row[:2])
            self._place(before.size, checkpoint.size, words)
        except sqlite3.Error as error:
            self._roll_back()
            raise _not_stored(self.path, error) from error
        except BaseException:
            self._roll_back()
            raise
        self._commit()

    def leaf_hashes(self) -> Iterator[bytes]:
        """The stored leaf hashes in order of index."""
        for (found,) in self._rows("SELECT hash FROM leaf ORDER BY i"):
            yield _bytes(found)

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[StoredLeaf]:
        """The stored leaves from `start` up to before `stop`, in order of index."""
        rows = self._rows(
            "SELECT i, body, hash FROM leaf WHERE i >= ? AND i < ? ORDER BY i",
            start,
            LARGEST if stop is None else stop,
        )
        return map(_leaf, rows)

    def leaves_with(self, marks: Sequence[bytes]) -> Iterator[StoredLeaf]:
        """The stored leaves that hold any of these bytes, in order of index."""
        holds = " OR ".join(["instr(CAST(body AS BLOB), ?)"] * len(marks))
        query = f"SELECT i, body, hash FROM leaf WHERE {holds} ORDER BY i"  # noqa: S608 (marks only)
        return map(_leaf, self._rows(query, *marks))

    def places(self, word: bytes) -> list[int]:
        """Indices at which a record may hold the word, by the index that is kept beside them."""
        if not self._has_places:
            return []
        query = "SELECT i FROM place WHERE word = ? ORDER BY i LIMIT ?"
        return [i for (i,) in self._rows(query, word, MOST_PLACES) if isinstance(i, int)]

    def placed(self) -> int:
        """How many records, from the first, that index says it covers."""
        sizes = list(self._rows("SELECT size FROM placed")) if self._has_places else []
        return sizes[0][0] if sizes and isinstance(sizes[0][0], int) else 0

    def place(self, start: int, stop: int, words: Sequence[tuple[bytes, int]]) -> None:
        """Add to that index the words of the records `start` up to before `stop`."""
        with _writing(self.path):
            try:
                self._database.execute("BEGIN IMMEDIATE")
                self._place(start, stop, words)
                self._database.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def misplace(self) -> None:
        """Empty that index, to be made anew."""
        with _writing(self.path):
            try:
                self._database.executescript("BEGIN IMMEDIATE;" + PLACES + "COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def indices_of(self, leaf_hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Where leaves of these hashes stand, for those that are there."""
        found: dict[bytes, int] = {}
        for start in range(0, len(leaf_hashes), HASHES_AT_ONCE):
            some = leaf_hashes[start : start + HASHES_AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT hash, i FROM leaf WHERE hash IN ({marks})"  # noqa: S608 (marks only)
            found.update(self._rows(query, *some))
        return found

    def checkpoints(self, start: int = 0, stop: int | None = None) -> Iterator[StoredCheckpoint]:
        """The checkpoints of a size from `start` up to before `stop`, smallest first."""
        rows = self._rows(
            "SELECT size, root, note FROM checkpoint WHERE size >= ? AND size < ? ORDER BY size",
            start,
            LARGEST if stop is None else stop,
        )
        for size, root, note in rows:
            yield StoredCheckpoint(_count(size), _bytes(root), _bytes(note))

    def cosign(self, size: int, witness: str, line: bytes) -> None:
        """Keep a witness's cosignature line of the checkpoint of that size."""
        with _writing(self.path):
            self._database.execute(
                "INSERT OR REPLACE INTO cosignature VALUES (?, ?, ?)", (size, witness, line)
            )

    def cosignatures(self, size: int) -> dict[str, bytes]:
        """The cosignature lines of a checkpoint by witness."""
        rows = self._rows("SELECT witness, line FROM cosignature WHERE size = ?", size)
        return {str(witness): _bytes(line) for witness, line in sorted(rows, key=str)}

    def cosigned_sizes(self) -> list[int]:
        """The sizes of the checkpoints that have a cosignature, smallest first."""
        rows = self._rows("SELECT DISTINCT size FROM cosignature ORDER BY size")
        return [_count(size) for (size,) in rows]

    def close(self) -> None:
        """Let another process write."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _head(self) -> Head:
        rows = self._database.execute("SELECT size, root FROM head").fetchall()
        if len(rows) != 1:
            raise StorageError(f"the log {self.path.name!r} has no head; run `custody audit`")
        size, root = rows[0]
        return Head(_count(size), _bytes(root))

    def _find_places(self, *, may_make: bool) -> bool:
        """Whether the file has the index of words; an older one gets it."""
        query = "SELECT count(*) FROM sqlite_master WHERE name IN ('place', 'placed')"
        has = self._database.execute(query).fetchone()[0] == 2
        if not has and may_make:
            self.misplace()
        return has or may_make

    def _place(self, start: int, stop: int, words: Sequence[tuple[bytes, int]]) -> None:
        if self._has_places:
            self._database.executemany("INSERT OR IGNORE INTO place VALUES (?, ?)", words)
            row = (stop, start)
            self._database.execute("UPDATE placed SET size = ? WHERE size = ?", row)

    def _rows(self, query: str, *values: object) -> Iterator[Any]:
        with _reading(self.path):
            cursor = self._database.execute(query, values)
        while True:
            with _reading(self.path):
                rows = cursor.fetchmany(ROWS_AT_ONCE)
            if not rows:
                return
            yield from rows

    def _commit(self) -> None:
        try:
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            # A failed sync says nothing about what is on the disk, and the page cache may lie:
            # this process reads nothing back and writes nothing more.
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            raise UncertainCommit(
                f"the log {self.path.name!r} failed while committing ({error}); nothing of this "
                "batch was acknowledged; free the disk or replace it, then start again"
            ) from error

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _let_go(self) -> None:
        if self._lock is not None:
            # Whatever closing says, the descriptor and with it the lock are gone.
            with contextlib.suppress(OSError):
                self._lock.close()


def refuse_head(found: Head, before: Head) -> NoReturn:
    """Say that the head found is not the one that this process left."""
    raise SecondWriter(
        f"the stored log has {found.size} records and root {found.root.hex()[:16]}…, this process "
        f"left it at {before.size} and {before.root.hex()[:16]}…: somebody else wrote to it; "
        "nothing was added; stop the other writer and run `custody audit`"
    )


def _not_stored(path: Path, error: sqlite3.Error) -> StorageError:
    return StorageError(
        f"the log {path.name!r} did not take the records ({error}); none of this batch was "
        "stored or acknowledged; free disk space or check the file, then hand them in again"
    )


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, TypeError) as error:
        raise StorageError(
            f"the log {path.name!r} cannot be read ({error}); keep the file as it is, and run "
            "`tidewaiter custody audit` on vigilance's copy to see what that still has"
        ) from error


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _not_stored(path, error) from error


def _leaf(row: tuple[object, object, object]) -> StoredLeaf:
    index, body, found = row
    if type(index) is int and index >= 0 and type(body) is bytes and type(found) is bytes:
        return StoredLeaf(index, body, found)
    return StoredLeaf(_count(index), _bytes(body), _bytes(found))


def _bytes(value: object) -> bytes:
    """A column as bytes: in SQLite whoever writes past this program may store any type."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise IntegrityError(
            f"the log holds {str(value)[:40]!r} where the number of a record belongs: somebody "
            "wrote to it past this program"
        )
    return value
