"""A lock file that one process holds for as long as it lives."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

from tidewaiter.errors import SecondWriter, StorageError


def hold(path: Path) -> FileIO:
    """Take the lock, or say who has it; closing the file, or dying, gives it back.

    Guarantee: no two processes of one machine hold it. The hole that remains is a network file
    system that does not carry locks: there only the comparison of heads stops a second writer.
    """
    try:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except OSError as error:
        raise StorageError(
            f"the lock file {path.name!r} cannot be opened ({error.strerror}); "
            "make its folder writable"
        ) from error
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ModuleNotFoundError:  # not on Windows, where an open database cannot be replaced either
        return file
    except OSError as error:
        file.close()
        raise SecondWriter(
            f"another process writes to the log beside {path.name!r}; a log has one writer: stop "
            "that process, or hand the records to it"
        ) from error
    return file
