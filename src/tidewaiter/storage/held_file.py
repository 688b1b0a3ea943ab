"""A file that one process holds for as long as it lives."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from tidewaiter.errors import TidewaiterError


def held(
    path: Path, *, unopened: Callable[[str], TidewaiterError], busy: TidewaiterError
) -> FileIO:
    """Open a file, made if it is absent, and lock it; closing it, or dying, gives it back.

    Raises what `unopened` makes of the reason, or `busy`. Guarantee: no two processes of one
    machine hold it. The hole that remains is a network file system that does not carry locks.
    """
    try:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except OSError as error:
        raise unopened(str(error.strerror)) from error
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ModuleNotFoundError:  # not on Windows, where an open file cannot be replaced either
        return file
    except OSError as error:
        file.close()
        raise busy from error
    return file
