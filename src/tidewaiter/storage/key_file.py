"""Secret keys in a file that only its owner reads; one key a line."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from tidewaiter.custody.keys import SigningKey
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.durable import write_new

# Three ML-DSA-44 seeds and names are far shorter; a longer file is not one of keys.
LARGEST_KEY_FILE = 1 << 14


def write_keys(path: Path, keys: Sequence[SigningKey]) -> None:
    """Write keys into a new file. Raises ConfigurationError where it exists."""
    text = "".join(f"{key.secret_text()}\n" for key in keys)
    try:
        write_new(path, text.encode("utf-8"))
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path.name!r} exists; a key is never overwritten, choose another name"
        ) from error
    except OSError as error:
        raise StorageError(
            f"the key file {path.name!r} could not be written ({error.strerror})"
        ) from error


def read_keys(path: Path) -> tuple[SigningKey, ...]:
    """The keys of a file, one at least.

    Raises ConfigurationError where it cannot be read or others may read it, MalformedText where
    it holds no keys; quotes nothing of it.
    """
    data = read_private(path, LARGEST_KEY_FILE)
    lines = data.rstrip(b"\n").split(b"\n")
    return tuple(SigningKey.parse(line) for line in lines)


def read_private(path: Path, most: int) -> bytes:
    """At most so many bytes that nobody but the owner may read; else raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            shared = os.name != "nt" and os.fstat(file.fileno()).st_mode & (
                stat.S_IRWXG | stat.S_IRWXO
            )
            data = file.read(most + 1)
    except OSError as error:
        raise ConfigurationError(
            f"the key file {path.name!r} cannot be read ({error.strerror})"
        ) from error
    if shared:
        raise ConfigurationError(
            f"others than its owner may read the key file {path.name!r}: chmod 600 it, and "
            "replace the key if anybody may have read it"
        )
    if len(data) > most:
        raise ConfigurationError(f"{path.name!r} is too long for a file of keys")
    return data
