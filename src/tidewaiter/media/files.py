"""Read a file from outside: regular files only, never blocking, never more than allowed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tidewaiter.errors import CorruptMedia, InputError, LimitExceeded, UnknownExhibit
from tidewaiter.settings import Limits

CHUNK_BYTES = 1 << 20


@contextmanager
def opened_file(path: Path, limits: Limits, shown: str) -> Iterator[BinaryIO]:
    """The file at `path`, open for reading, after it was found regular, small enough, not empty.

    Raises UnknownExhibit, InputError, CorruptMedia (empty), LimitExceeded (max_bytes).
    """
    try:
        _refuse_unlisted(path, shown)
        _refuse_irregular(path.stat(), shown)
        # Between the two looks the path may have become a FIFO: do not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            _refuse_irregular(found, shown)
            _check_length(found.st_size, limits, shown)
            yield file
    except OSError as error:
        raise _explained(error, shown) from error
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise InputError(f"{shown}: the path holds a zero byte, which no file name can") from error


def read_all(file: BinaryIO, shown: str) -> bytes:
    """Everything from the start to the length the file had when it was opened."""
    length = os.fstat(file.fileno()).st_size
    file.seek(0)
    data = file.read(length + 1)
    _check_unchanged(len(data), length, shown)
    return data


def digest_of(file: BinaryIO, shown: str) -> str:
    """SHA-256 of the whole file in bounded memory."""
    length = os.fstat(file.fileno()).st_size
    file.seek(0)
    digest = hashlib.sha256()
    taken = 0
    while taken <= length and (chunk := file.read(CHUNK_BYTES)):
        digest.update(chunk)
        taken += len(chunk)
    _check_unchanged(taken, length, shown)
    return digest.hexdigest()


def state_of(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is replaced or written to; compare before and after."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _refuse_unlisted(folder: Path, shown: str) -> None:
    """Say of a folder that it is closed to this account, rather than that it is a folder."""
    if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):  # noqa: PTH112
        raise InputError(
            f"{shown}: this account may not list the folder; nothing in it was examined. "
            "Ask for the permission."
        )


def _refuse_irregular(found: os.stat_result, shown: str) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    what = next(
        (words for test, words in _IRREGULAR if test(found.st_mode)), "not an ordinary file"
    )
    raise InputError(f"{shown}: found {what}; needed a file. Name the picture or video itself.")


_IRREGULAR = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _check_length(length: int, limits: Limits, shown: str) -> None:
    if length == 0:
        raise CorruptMedia(
            f"{shown}: the file is empty (0 bytes). Ask for the file again from where it came."
        )
    if length > limits.max_bytes:
        raise LimitExceeded(
            f"{shown}: found {length} bytes; at most {limits.max_bytes} are allowed. "
            "Raise limits.max_bytes in the settings to examine it."
        )


def _check_unchanged(taken: int, length: int, shown: str) -> None:
    if taken != length:
        raise InputError(
            f"{shown}: the file changed while it was read ({length} bytes, then {taken}). "
            "Copy it to a place where nothing writes to it and examine the copy."
        )


def _explained(error: OSError, shown: str) -> InputError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnknownExhibit(f"{shown}: no such file. Check the path; it may have been moved.")
    if isinstance(error, PermissionError):
        return InputError(f"{shown}: this account may not read the file. Ask for the permission.")
    reason = error.strerror or type(error).__name__
    return InputError(f"{shown}: the file cannot be read ({reason}). Check the path or the medium.")
