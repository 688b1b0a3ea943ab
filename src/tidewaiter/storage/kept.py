"""Bytes kept between runs as files of a folder, each written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tidewaiter.errors import StorageError


class FolderOfBytes:
    """One file per name; names are ours, never a user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> bytes | None:
        """What was put under that name; None before."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"{name!r} in the folder of the audit cannot be read ({error.strerror}); remove it"
            ) from error

    def put(self, name: str, content: bytes) -> None:
        """Keep bytes. Raises StorageError where the disk does not take them."""
        beside = self.folder / f".{name}.{os.getpid()}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise StorageError(
                f"a picture of the audit could not be kept ({error.strerror}); nothing more was "
                "sent; free disk space and run again"
            ) from error
