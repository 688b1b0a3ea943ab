"""What erasure destroys: salts with values, and wrapped data keys, in a file of their own.

Guarantee: after `forget` no file of this store holds the bytes. Mechanism: SQLite's secure
deletion writes zeros over them, and the journal of the deletion is removed. The hole that
remains: a copy made earlier (a backup, a flash disk's spare blocks) still has them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tidewaiter.custody.commitments import Opening
from tidewaiter.custody.record import canonical, parse_canonical
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.durable import make_folder
from tidewaiter.storage.sqlite_files import ErasingFile, make_for_its_owner

PAGE = 1000
"""Wrapped keys in memory while a class gets a new key."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS opening (record TEXT NOT NULL, field TEXT NOT NULL,
    salt BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (record, field));
CREATE TABLE IF NOT EXISTS wrapped_key (recording TEXT PRIMARY KEY, class TEXT NOT NULL,
    bytes BLOB NOT NULL);
"""


class SqliteSecrets:
    """A SecretStore in one SQLite file."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Raises ConfigurationError where the file is absent, unless it is to be made."""
        self.path = path
        if create:
            _make(path)
        elif not path.is_file():
            raise ConfigurationError(
                f"the keys and salts in {path.name!r} are not there; without them nothing taken in "
                "can be opened: connect their disk, or restore the file from its copy"
            )
        self._file = ErasingFile(path, "the keys and salts in", SCHEMA)

    def keep_openings(self, openings: Sequence[Opening]) -> None:
        """Keep what is behind the commitments of records."""
        rows = [(one.record, one.field, one.salt, canonical(one.value)) for one in openings]
        with self._file.transaction():
            self._file.execute_each("INSERT OR REPLACE INTO opening VALUES (?, ?, ?, ?)", rows)

    def openings(self, record: str) -> list[Opening]:
        """What is behind the commitments of a record, by its digest; empty once forgotten."""
        query = "SELECT field, salt, value FROM opening WHERE record = ? ORDER BY field"
        rows = self._file.rows(query, record)
        return [Opening(record, field, salt, parse_canonical(value)) for field, salt, value in rows]

    def keep_key(self, recording: str, retention: str, wrapped: bytes) -> None:
        """Keep the wrapped data key of a recording."""
        row = (recording, retention, wrapped)
        with self._file.transaction():
            self._file.execute("INSERT OR REPLACE INTO wrapped_key VALUES (?, ?, ?)", *row)

    def wrapped_key(self, recording: str) -> tuple[str, bytes] | None:
        """Retention class and wrapped key of a recording; None once forgotten."""
        query = "SELECT class, bytes FROM wrapped_key WHERE recording = ?"
        rows = self._file.rows(query, recording)
        return (str(rows[0][0]), bytes(rows[0][1])) if rows else None

    def wrap_anew(self, retention: str, anew: Callable[[str, bytes], bytes]) -> int:
        """Replace every wrapped key of a class in one transaction; gives how many there are.

        `anew` gets recording and wrapped key. Where it raises, nothing was changed.
        """
        count, last = 0, ""
        query = (
            "SELECT recording, bytes FROM wrapped_key WHERE class = ? AND recording > ? "
            "ORDER BY recording LIMIT ?"
        )
        with self._file.transaction():
            while rows := self._file.rows(query, retention, last, PAGE):
                made = [(anew(recording, bytes(old)), recording, old) for recording, old in rows]
                changed = [(new, recording) for new, recording, old in made if new != old]
                change = "UPDATE wrapped_key SET bytes = ? WHERE recording = ?"
                self._file.execute_each(change, changed)
                count, last = count + len(rows), rows[-1][0]
        return count

    def forget(self, recording: str, records: Sequence[str]) -> None:
        """Destroy the key of a recording and all openings of these records, by digest."""
        with self._file.transaction():
            self._file.execute("DELETE FROM wrapped_key WHERE recording = ?", recording)
            rows = [(record,) for record in records]
            self._file.execute_each("DELETE FROM opening WHERE record = ?", rows)

    def close(self) -> None:
        """Let go of the store."""
        self._file.close()


def _make(path: Path) -> None:
    """Make the file where it is not; a founding that was interrupted left an empty one."""
    try:
        make_folder(path.parent)
        with contextlib.suppress(FileExistsError):
            make_for_its_owner(path)
    except OSError as error:
        raise StorageError(
            f"{path.name!r} or its folder cannot be made ({error.strerror}); choose another"
        ) from error
