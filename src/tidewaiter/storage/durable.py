"""Files that are on the disk, whole and under their name, once a call returns."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tidewaiter.errors import ConfigurationError, StorageError


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    if os.name == "nt":  # Windows opens no folders; its file systems journal names
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, each durable in the one above. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path)
        sync_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads, durably.

    Raises FileExistsError where it is there, OSError; then nothing of it is left.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def appear(beside: Path, path: Path) -> None:
    """Give a finished file its name, never another file's.

    Raises ConfigurationError where the name is taken, StorageError where the disk refuses.
    """
    try:
        os.link(beside, path)
        beside.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise ConfigurationError(
            f"{path.name!r} appeared while it was being made; it was left as it is"
        ) from None
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StorageError(
            f"{path.name!r} could not be made ({error.strerror}); free disk space and try again"
        ) from error
