"""Bulk material in a folder, each file under the SHA-256 of its bytes.

Guarantee: a digest that `put` returned names bytes that are on the disk. Mechanism: an exclusive
temporary file in the same folder, written and synced, made read-only, renamed, the folder synced.
The hole that remains: whoever may write the folder may change a file; the audit finds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tidewaiter.errors import IntegrityError, MissingMedium, StorageError
from tidewaiter.storage.durable import make_folder, sync_folder
from tidewaiter.storage.plain_file import opened_plain

CHUNK = 1024 * 1024
DIGEST = re.compile(r"[0-9a-f]{64}")
# Read by all, written by none: a mistake then fails at the first write.
KEPT_MODE = 0o444


class FolderOfBlobs:
    """A BlobStore of plain files, 256 folders by the first byte of the digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, source: BinaryIO) -> str:
        """Keep all bytes of a stream durably; returns their SHA-256 in hex."""
        try:
            make_folder(self.folder)
            part = self.folder / f".{secrets.token_hex(8)}.part"
            try:
                return self._kept(part, source)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"a medium could not be kept ({error.strerror}); nothing that names it was "
                "logged; free disk space, then hand it in again"
            ) from error

    def open(self, digest: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """The bytes under a digest. Raises MissingMedium where there are none."""
        try:
            return opened_plain(self._path(digest))
        except FileNotFoundError as error:
            raise missing(digest) from error
        except OSError as error:
            raise StorageError(
                f"the medium {digest} cannot be read ({error.strerror}); check the disk"
            ) from error

    def digests(self) -> Iterator[str]:
        """All digests that something is kept under, in order."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(name for name in _names_in(folder) if DIGEST.fullmatch(name))

    def discard(self, digest: str) -> bool:
        """Free the space of an erased medium; a folder has no locks, so it always can."""
        path = self._path(digest)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise StorageError(
                f"the medium {digest} could not be removed ({error.strerror}); its key is gone, "
                "so that nobody reads it: free the space by hand"
            ) from error
        return True

    def _kept(self, part: Path, source: BinaryIO) -> str:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(part, flags, 0o600), "wb") as file:  # noqa: PTH123
            digest = _copy(source, file)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(KEPT_MODE)
        path = self._path(digest)
        make_folder(path.parent)
        if path.exists():
            self._must_hold(path, digest)
        else:
            part.rename(path)
        sync_folder(path.parent)
        return digest

    def _must_hold(self, path: Path, digest: str) -> None:
        """Other bytes under this name are a finding, not something to write over."""
        with opened_plain(path) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise IntegrityError(
                    f"other bytes stand under the digest {digest}; they were left as they are: "
                    "run `tidewaiter custody audit`"
                )
            # It may be there from a run that was killed before its folder was synced.
            os.fsync(file.fileno())

    def _path(self, digest: str) -> Path:
        must_be_digest(digest)
        return self.folder / digest[:2] / digest


def must_be_digest(digest: str) -> None:
    """Raise IntegrityError unless these are 64 hexadecimal digits; nothing else is a name here."""
    if not DIGEST.fullmatch(digest):
        raise IntegrityError(f"{digest[:80]!r} is no SHA-256 in lower-case hex")


def missing(digest: str) -> MissingMedium:
    """The error for bytes that should be there."""
    return MissingMedium(
        f"nothing is kept under the digest {digest}; look for a copy, at vigilance for instance"
    )


def _names_in(folder: Path) -> list[str]:
    """The names in a folder; none where somebody put something else in its place."""
    try:
        return [one.name for one in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise StorageError(
            f"the folder {folder.name!r} of media cannot be listed ({error.strerror}); check the "
            "disk and who may read it"
        ) from error


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    state = hashlib.sha256()
    while chunk := source.read(CHUNK):
        state.update(chunk)
        target.write(chunk)
    return state.hexdigest()
