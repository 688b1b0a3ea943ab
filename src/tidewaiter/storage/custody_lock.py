"""The lock file beside a custody log: one writer at a time."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from tidewaiter.errors import SecondWriter, StorageError
from tidewaiter.storage.held_file import held


def hold(path: Path) -> FileIO:
    """Take the lock, or say who has it; closing the file, or dying, gives it back.

    Where a network file system does not carry locks only the comparison of heads stops a second
    writer.
    """
    return held(
        path,
        unopened=lambda reason: StorageError(
            f"the lock file {path.name!r} cannot be opened ({reason}); make its folder writable"
        ),
        busy=SecondWriter(
            f"another process writes to the log beside {path.name!r}; a log has one writer: stop "
            "that process, or hand the records to it"
        ),
    )
