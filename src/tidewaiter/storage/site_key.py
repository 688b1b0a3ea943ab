"""The secret with which a site opens what cameras sealed for it, in a file only its owner reads."""

from __future__ import annotations

import os
from pathlib import Path

from tidewaiter.errors import ConfigurationError
from tidewaiter.storage.durable import make_folder, write_new
from tidewaiter.storage.key_file import read_private

SITE_KEY_FILE = "cameras.site-key"
SITE_SECRET_LENGTH = 32
LARGEST_SITE_KEY = 1024


def read_site_key(folder: Path) -> bytes | None:
    """The secret kept in a folder of keys; None where none was made. Raises ConfigurationError."""
    path = folder / SITE_KEY_FILE
    if not os.path.lexists(path):
        return None
    text = read_private(path, LARGEST_SITE_KEY)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SITE_SECRET_LENGTH:
        raise ConfigurationError(
            f"{path.name!r} holds no secret of {SITE_SECRET_LENGTH} bytes in hexadecimal: restore "
            "it from its backup; what cameras sealed for it opens with nothing else"
        )
    return secret


def make_site_key(folder: Path, secret: bytes) -> None:
    """Keep a new secret, durably. Raises ConfigurationError where there is one already."""
    path = folder / SITE_KEY_FILE
    try:
        make_folder(folder)
        write_new(path, f"{secret.hex()}\n".encode("ascii"))
    except OSError as error:
        raise ConfigurationError(
            f"{path.name!r} could not be made ({error.strerror}); a secret is never overwritten"
        ) from error
