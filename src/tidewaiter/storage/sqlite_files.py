"""How this software opens its SQLite files: synced at every commit, and with distrust.

Guarantee: what a transaction returned from is on disk. Mechanism: journal and sync level are set
and read back. The hole that remains: a disk that confirms a sync it did not carry out.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tidewaiter.errors import ConfigurationError, StorageError

BUSY_S = 30.0
# No record, note or checkpoint comes near it.
LARGEST_CELL = 4 * 1024 * 1024
# By journal. With "delete" a commit is the journal's removal, which FULL (2) leaves to the file
# system: after a power cut the journal may be back, and undo what was confirmed. EXTRA (3) syncs
# the folder (sqlite.org/pragma.html#pragma_synchronous).
SYNC_LEVELS = {"wal": 2, "delete": 3}


def connected(path: Path, *, journal: str = "wal") -> sqlite3.Connection:
    """A connection that syncs at every commit; the settings are read back, not believed."""
    try:
        database = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        mode = database.execute(f"PRAGMA journal_mode = {journal}").fetchone()[0]
        database.execute(f"PRAGMA synchronous = {SYNC_LEVELS[journal]}")
        sync = database.execute("PRAGMA synchronous").fetchone()[0]
        _distrust(database)
    except sqlite3.Error as error:
        raise _not_opened(path, error) from error
    wanted = SYNC_LEVELS[journal]
    if (mode, sync) != (journal, wanted):
        database.close()
        raise ConfigurationError(
            f"{path.name!r} works with journal mode {mode!r} and sync level {sync}; {journal!r} "
            f"and {wanted} are needed, or a power cut loses acknowledged records: use a local disk"
        )
    return database


def connected_to_read(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing: not to the file, and where it may not, not beside it."""
    has_pages_beside = path.with_name(path.name + "-wal").exists()
    # Without pages beside it, a file on a read-only disk is read as it is.
    modes = ["mode=ro"] if has_pages_beside else ["mode=ro", "mode=ro&immutable=1"]
    failed: sqlite3.Error | None = None
    for mode in modes:
        try:
            database = sqlite3.connect(
                f"{path.absolute().as_uri()}?{mode}",
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _distrust(database)
        except sqlite3.Error as error:
            failed = error
        else:
            return database
    raise _not_opened(path, failed)


def _distrust(database: sqlite3.Connection) -> None:
    """Whoever may write the file may have put functions into its schema, and huge cells."""
    database.execute("PRAGMA trusted_schema = OFF")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_CELL)


def _not_opened(path: Path, error: sqlite3.Error | None) -> StorageError:
    return StorageError(
        f"the database {path.name!r} cannot be opened ({error}); check the file and its folder"
    )


def make_for_its_owner(path: Path) -> None:
    """Make an empty file; SQLite would let everybody read one that it makes itself.

    Raises OSError, FileExistsError among them.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


class ErasingFile:
    """A file whose deleted rows are overwritten; `what` names it in errors.

    The journal of each transaction is removed, so that nothing deleted stays in it.
    """

    def __init__(self, path: Path, what: str, schema: str) -> None:
        """Raises ConfigurationError where this SQLite does not overwrite, else StorageError."""
        self.path, self._what = path, what
        with self.failing_named():
            self._database = connected(path, journal="delete")
            (overwrites,) = self._database.execute("PRAGMA secure_delete = ON").fetchone()
            if not overwrites:
                raise ConfigurationError(
                    "this SQLite does not overwrite what is deleted; erasure would leave keys on "
                    "the disk: use a Python whose SQLite supports secure_delete"
                )
            self._database.executescript(schema)

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query gives. Raises StorageError."""
        with self.failing_named():
            return self._database.execute(query, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        """One statement of a transaction."""
        self._database.execute(statement, values)

    def execute_each(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """One statement of a transaction for each of these rows."""
        self._database.executemany(statement, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it is kept, or nothing. Raises StorageError."""
        with self.failing_named():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                # After some failures SQLite has rolled back by itself.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @contextlib.contextmanager
    def failing_named(self) -> Iterator[None]:
        """What goes wrong within it is told as this file's."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"{self._what} {self.path.name!r} could not be read or written ({error}); check "
                "free disk space and the file"
            ) from error
