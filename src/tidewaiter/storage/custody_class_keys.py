"""The keys of retention classes, each in a file that only its owner reads, in one folder.

Guarantee: at every moment a class's key is in one of two files, whole; after an exchange no file
of the folder holds the old one. Mechanism: the next key is complete and durable beside the current
one before that is written over in place, and goes only afterwards.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidewaiter.custody.seal import KEY_LENGTH
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.durable import make_folder, sync_folder, write_new

SUFFIX = ".class-key"
NEXT = ".next"


class FolderOfClassKeys:
    """Class keys in files named after their classes, in hexadecimal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, retention: str) -> bytes:
        """The key of a class. Raises ConfigurationError where there is none."""
        path = self._path(retention)
        try:
            text = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path.name!r} of the site cannot be read ({error.strerror})"
            ) from error
        key = _parsed(text)
        if key is None:
            raise ConfigurationError(f"{path.name!r} holds no key of {KEY_LENGTH} bytes in hex")
        return key

    def current(self, retention: str) -> bytes | None:
        """The key of a class; None where there is none, or it was only half written over."""
        return _read(self._path(retention))

    def waiting(self, retention: str) -> bytes | None:
        """The key that is to come next, if one was made."""
        return _read(self._next(retention))

    def all_waiting(self) -> list[str]:
        """The classes that have a key that is to come next."""
        ending = SUFFIX + NEXT
        found = sorted(self.folder.rglob(f"*{ending}"))
        return [str(path.relative_to(self.folder)).removesuffix(ending) for path in found]

    def make(self, retention: str, key: bytes) -> None:
        """Keep the key of a new class. Raises ConfigurationError where it exists."""
        _write_new(self._path(retention), key)

    def prepare(self, retention: str, key: bytes) -> None:
        """Keep the key that is to come next, durably. Raises ConfigurationError if one is there."""
        path = self._next(retention)
        if path.exists() and self.waiting(retention) is None:
            path.unlink()  # begun by a process that died; nobody approved what was never whole
        _write_new(path, key)

    def exchange(self, retention: str) -> None:
        """Write the waiting key over the current one, durably; then none waits."""
        path, beside = self._path(retention), self._next(retention)
        try:
            text = beside.read_bytes()
            with path.open("r+b") as file:
                file.write(text)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            beside.unlink()
            sync_folder(beside.parent)
        except OSError as error:
            raise StorageError(
                f"the new key of the class {retention!r} could not be put in place "
                f"({error.strerror}); it is kept beside it, and opening the site tries again"
            ) from error

    def _path(self, retention: str) -> Path:
        return self._within(f"{retention}{SUFFIX}")

    def _next(self, retention: str) -> Path:
        return self._within(f"{retention}{SUFFIX}{NEXT}")

    def _within(self, name: str) -> Path:
        """A name of the log may hold slashes and dots; a key is never sought outside the folder."""
        path = self.folder / name
        if ".." in path.relative_to(self.folder).parts:
            raise ConfigurationError(f"{name!r} leads out of the folder of class keys")
        return path


def _read(path: Path) -> bytes | None:
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path.name!r} cannot be read ({error.strerror})") from error


def _parsed(text: bytes) -> bytes | None:
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        return None
    return key if len(key) == KEY_LENGTH else None


def _write_new(path: Path, key: bytes) -> None:
    try:
        make_folder(path.parent)
        write_new(path, f"{key.hex()}\n".encode("ascii"))
    except OSError as error:
        raise ConfigurationError(
            f"{path.name!r} could not be made ({error.strerror}); a secret is never overwritten"
        ) from error
