"""What devices remember between two records, and the records that wait for witnesses.

One SQLite file for its owner only. A device's next state and its record are committed together;
a secret that is replaced or forgotten is overwritten on the disk.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

from tidewaiter.casework.custody_site import Waiting
from tidewaiter.custody.device import DeviceState
from tidewaiter.custody.seal import KEY_LENGTH
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.sqlite_files import ErasingFile, make_for_its_owner

SCHEMA = """
CREATE TABLE IF NOT EXISTS device (name TEXT PRIMARY KEY, state BLOB NOT NULL,
    secret BLOB NOT NULL, file_number TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, leaf BLOB NOT NULL,
    recording TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS taken (mark BLOB PRIMARY KEY, recording TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS own_key (one INTEGER PRIMARY KEY CHECK (one = 1), bytes BLOB NOT NULL);
"""


class SqliteAgent:
    """An Agent in one SQLite file."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Raises ConfigurationError where the file is absent, or present with `create`."""
        self.path = path
        if create == path.exists():
            found = "exists; a device's memory is never emptied" if create else "is not there"
            raise ConfigurationError(
                f"the memory of this site's devices, {path.name!r}, {found}: with an older one "
                "numbers would be used twice"
            )
        if create:
            _make(path)
        self._file = ErasingFile(path, "the memory of this site's devices,", SCHEMA)
        with self._file.transaction():
            key = secrets.token_bytes(KEY_LENGTH)
            self._file.execute("INSERT OR IGNORE INTO own_key VALUES (1, ?)", key)

    def state(self, device: str) -> DeviceState | None:
        """What the device's next record starts from; None for a device that is not known."""
        rows = self._file.rows("SELECT state, secret FROM device WHERE name = ?", device)
        return _state(*rows[0]) if rows else None

    def states(self) -> list[DeviceState]:
        """All devices in the order of their names."""
        rows = self._file.rows("SELECT state, secret FROM device ORDER BY name")
        return [_state(*row) for row in rows]

    def add(self, state: DeviceState, file_number: str = "") -> None:
        """Begin to sign for a device. Raises ConfigurationError where it is known already."""
        if self.state(state.device) is not None:
            raise ConfigurationError(
                f"this site signs for {state.device!r} already; a lost device gets a new name"
            )
        row = (state.device, state.format(), state.secret, file_number)
        with self._file.transaction():
            self._file.execute("INSERT INTO device VALUES (?, ?, ?, ?)", *row)

    def file_number(self, device: str) -> str:
        """The pattern by which the camera's own number is found in a file's name; may be empty."""
        rows = self._file.rows("SELECT file_number FROM device WHERE name = ?", device)
        return str(rows[0][0]) if rows else ""

    def step(
        self,
        state: DeviceState,
        waiting: Waiting,
        content: str = "",
        following: Sequence[Waiting] = (),
    ) -> None:
        """Make a device's next state, its record and those about it durable together."""
        # The key of a camera that cannot sign is its dock's, and stays in one place.
        secret = b"" if state.by else state.secret
        row = (state.format(), secret, state.device)
        with self._file.transaction():
            self._file.execute("UPDATE device SET state = ?, secret = ? WHERE name = ?", *row)
            self._insert(waiting, content)
            for one in following:
                self._insert(one, "")

    def keep(self, entries: Sequence[tuple[Waiting, str]]) -> None:
        """Make records that others signed durable together, each with its content's SHA-256."""
        with self._file.transaction():
            for waiting, content in entries:
                self._insert(waiting, content)

    def outbox(self) -> list[Waiting]:
        """The records that wait, oldest first."""
        rows = self._file.rows("SELECT leaf, recording FROM outbox ORDER BY n")
        return [Waiting(bytes(leaf), str(recording)) for leaf, recording in rows]

    def confirmed(self, leaves: Sequence[bytes]) -> None:
        """Take records out of the outbox."""
        with self._file.transaction():
            rows = [(leaf,) for leaf in leaves]
            self._file.execute_each("DELETE FROM outbox WHERE leaf = ?", rows)

    def taken(self, content: str) -> str:
        """The recording that has this plain SHA-256; empty where none has."""
        rows = self._file.rows("SELECT recording FROM taken WHERE mark = ?", self._mark(content))
        return str(rows[0][0]) if rows else ""

    def forget(self, recording: str) -> None:
        """Forget by which content a recording is known."""
        with self._file.transaction():
            self._file.execute("DELETE FROM taken WHERE recording = ?", recording)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _insert(self, waiting: Waiting, content: str) -> None:
        entry = (waiting.leaf, waiting.recording)
        self._file.execute("INSERT INTO outbox (leaf, recording) VALUES (?, ?)", *entry)
        if content:
            mark = (self._mark(content), waiting.recording)
            self._file.execute("INSERT OR IGNORE INTO taken VALUES (?, ?)", *mark)

    def _mark(self, content: str) -> bytes:
        """A plain digest would let anybody who has a recording find it here."""
        ((key,),) = self._file.rows("SELECT bytes FROM own_key")
        return hmac.digest(bytes(key), content.encode("ascii"), "sha256")


def _make(path: Path) -> None:
    try:
        make_for_its_owner(path)
    except OSError as error:
        raise StorageError(
            f"{path.name!r} cannot be made ({error.strerror}); check its folder"
        ) from error


def _state(text: bytes, secret: bytes) -> DeviceState:
    return DeviceState.parse(bytes(text), bytes(secret))
