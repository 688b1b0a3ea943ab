"""The ledger of an audit as a file of JSON lines: each on disk before the next call is sent."""

from __future__ import annotations

import contextlib
import os
from io import FileIO
from pathlib import Path
from typing import Self

from tidewaiter.errors import InputError, StorageError
from tidewaiter.face_audit.ledger import Opening, Row, read_opening, read_row, same_audit
from tidewaiter.storage.durable import make_folder, sync_folder
from tidewaiter.storage.held_file import held


class LedgerFile:
    """A ledger held by this process alone.

    A last line that a crash cut short is dropped, `torn` says so; any other line that
    cannot be read raises IntegrityError. Rows are never changed. Each row is on disk before
    `append` returns, or, where nothing can be billed, each `together`-th with those before.
    """

    def __init__(self, path: Path, opening: Opening, *, together: int = 1) -> None:
        self.path, self.torn = path, False
        self._together, self._waiting = together, 0
        self._file = _held(path)
        try:
            lines = self._whole_lines()
            if not lines:
                self._write(opening.model_dump_json())
                self._name_on_disk()
                lines = [opening.model_dump_json()]
            self.opening = read_opening(lines[0], path.name)
            same_audit(self.opening, opening)
            self.rows = [read_row(line, n, path.name) for n, line in enumerate(lines[1:], start=2)]
        except BaseException:
            self.close()
            raise

    def append(self, row: Row) -> None:
        """Write one row; the system has it at once, the disk as said above."""
        self._write(row.model_dump_json(exclude_defaults=True))
        self.rows.append(row)

    def close(self) -> None:
        """Let other processes have the ledger."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _name_on_disk(self) -> None:
        """A file whose folder is not on disk is lost in a power cut, with every row in it."""
        try:
            os.fsync(self._file.fileno())
            sync_folder(self.path.parent)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _whole_lines(self) -> list[str]:
        """All lines that end, with the file cut back to them."""
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self.torn = True
            self._file.truncate(len(whole))
        self._file.seek(0, os.SEEK_END)
        return _lines(whole)

    def _write(self, line: str) -> None:
        content = line.encode("utf-8") + b"\n"
        before = self._file.tell()
        try:
            left = content
            while left:  # a disk that is nearly full takes part of it and refuses the rest
                left = left[self._file.write(left) or 0 :]
            self._waiting += 1
            if self._waiting >= self._together:
                os.fsync(self._file.fileno())
                self._waiting = 0
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            raise _unwritable(self.path, error) from error


def read_ledger(path: Path) -> tuple[Opening, list[Row]]:
    """What a ledger says, without holding it; a line still being written is left out.

    Raises InputError where there is none, IntegrityError where it is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"there is no ledger {path.name!r} to read ({error.strerror}); "
            "`tidewaiter audit run` begins one"
        ) from error
    lines = _lines(content[: content.rfind(b"\n") + 1])
    if not lines:
        raise InputError(f"the ledger {path.name!r} is empty; `tidewaiter audit run` fills it")
    rows = [read_row(line, number, path.name) for number, line in enumerate(lines[1:], start=2)]
    return read_opening(lines[0], path.name), rows


def _lines(content: bytes) -> list[str]:
    return [line.decode("utf-8", "replace") for line in content.split(b"\n")[:-1]]


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the ledger {path.name!r} could not be written ({error.strerror}); nothing more was sent; "
        "free disk space and run again"
    )


def _held(path: Path) -> FileIO:
    """The file, opened and locked for as long as this process lives."""

    def unopened(reason: str) -> StorageError:
        return StorageError(
            f"the ledger {path.name!r} cannot be opened ({reason}); choose another folder"
        )

    busy = StorageError(
        "another process is running this audit; wait for it, or stop it, then run again"
    )
    try:
        make_folder(path.parent)
    except OSError as error:
        raise unopened(str(error.strerror)) from error
    return held(path, unopened=unopened, busy=busy)
