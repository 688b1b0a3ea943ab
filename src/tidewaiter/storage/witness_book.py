"""What a witness remembers, in one SQLite file that must never be lost or set back.

Guarantee: a confirmation leaves only after the state it rests on is on disk, and two requests
are never judged by the same state. Mechanism: compare and replace in one write transaction, with
a sync at its commit, both settings read back. The hole that remains: a witness whose file is set
back to an older copy may confirm a fork; a log notices, because the size the witness then states
is smaller than its own receipts.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from tidewaiter.custody.witness import Remembered, Suspect, WitnessAnswer
from tidewaiter.errors import ConfigurationError, IntegrityError, StorageError, TidewaiterError
from tidewaiter.storage.durable import appear
from tidewaiter.storage.sqlite_files import connected

BOOK_SCHEMA = """
CREATE TABLE witness (one INTEGER PRIMARY KEY CHECK (one = 1), keys TEXT NOT NULL);
CREATE TABLE log (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
                  note BLOB NOT NULL, time_s INTEGER NOT NULL);
CREATE TABLE kept (i INTEGER PRIMARY KEY, origin TEXT NOT NULL, time_s INTEGER NOT NULL,
                   reason TEXT NOT NULL, request BLOB NOT NULL, known BLOB);
"""
MOST_KEPT = 1000
"""Requests kept for one log and reason; a thief of its key must not fill the witness's disk."""


class SqliteWitnessBook:
    """A WitnessBook in one SQLite file; several processes may hold it at once."""

    def __init__(self, path: Path, keys: str) -> None:
        """Open the book of the witness with these verifier keys, one a line.

        Raises ConfigurationError where there is no such file: a witness that forgot must not
        start by itself. Raises IntegrityError where the book is another witness's.
        """
        if not path.is_file():
            raise ConfigurationError(
                f"there is no witness book {path.name!r}. A witness without its memory could "
                "confirm a fork: put the file back. Only for a new witness with a new key, make "
                "one with `tidewaiter custody witness init`"
            )
        self.path = path
        # One connection, so one request at a time; other processes wait for the transaction.
        self._lock = threading.Lock()
        self._database = connected(path)
        with self._guarded():
            rows = self._database.execute("SELECT keys FROM witness").fetchall()
        if rows != [(keys,)]:
            self.close()
            raise IntegrityError(
                f"the book {path.name!r} belongs to a witness with another key; each witness "
                "needs its own book"
            )

    @classmethod
    def create(cls, path: Path, keys: str) -> SqliteWitnessBook:
        """Make an empty book for a new witness. Raises ConfigurationError where one exists."""
        if path.exists():
            raise ConfigurationError(f"{path.name!r} exists; a witness's memory is never emptied")
        beside = path.with_name(f".{path.name}.{os.getpid()}.making")
        try:
            beside.touch(0o600, exist_ok=False)
            with contextlib.closing(connected(beside)) as database:
                database.executescript(f"BEGIN IMMEDIATE;{BOOK_SCHEMA}")
                database.execute("INSERT INTO witness VALUES (1, ?)", (keys,))
                database.execute("COMMIT")
        except (sqlite3.Error, OSError, TidewaiterError) as error:
            beside.unlink(missing_ok=True)
            raise StorageError(f"{path.name!r} could not be written ({error})") from error
        appear(beside, path)
        return cls(path, keys)

    def last(self, origin: str) -> Remembered | None:
        """What was last confirmed for this log; None before the first time."""
        with self._guarded():
            return self._last(origin)

    def step(
        self, origin: str, judge: Callable[[Remembered | None], WitnessAnswer]
    ) -> WitnessAnswer:
        """Judge by the state and store what the answer remembers, in one transaction."""
        with self._guarded():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                last = self._last(origin)
                answer = judge(last)
                if answer.remember is not None:
                    self._replace(origin, last, answer.remember)
                self._database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
        return answer

    def keep(self, origin: str, time_s: int, suspect: Suspect) -> None:
        """Keep what may prove a fork, once, beside what was confirmed when it was judged.

        What proves one by itself has a place of its own: the rest cannot take it.
        """
        row = (origin, time_s, suspect.reason, suspect.request, suspect.known)
        with self._guarded():
            self._database.execute(
                "INSERT INTO kept (origin, time_s, reason, request, known) SELECT ?, ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM kept WHERE origin = ? AND reason = ?) < ? "
                "AND NOT EXISTS (SELECT 1 FROM kept WHERE origin = ? AND request = ?)",
                (*row, origin, suspect.reason, MOST_KEPT, origin, suspect.request),
            )

    def kept(self) -> list[tuple[str, int, str, bytes, bytes | None]]:
        """Origin, time, reason, request, and the note confirmed then, of every kept request."""
        with self._guarded():
            return self._database.execute(
                "SELECT origin, time_s, reason, request, known FROM kept ORDER BY i"
            ).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last(self, origin: str) -> Remembered | None:
        row = self._database.execute(
            "SELECT size, root, note, time_s FROM log WHERE origin = ?", (origin,)
        ).fetchone()
        return Remembered(*row) if row else None

    def _replace(self, origin: str, last: Remembered | None, now: Remembered) -> None:
        values = (now.size, now.root, now.note, now.time_s, origin)
        if last is None:
            self._database.execute(
                "INSERT INTO log (size, root, note, time_s, origin) VALUES (?, ?, ?, ?, ?)", values
            )
            return
        changed = self._database.execute(
            "UPDATE log SET size = ?, root = ?, note = ?, time_s = ? "
            "WHERE origin = ? AND size = ? AND root = ?",
            (*values, last.size, last.root),
        ).rowcount
        if changed != 1:
            raise IntegrityError(f"the state of {origin} changed while a request was judged by it")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise StorageError(
                f"the witness book {self.path.name!r} could not be read or written ({error}); "
                "nothing was confirmed"
            ) from error
