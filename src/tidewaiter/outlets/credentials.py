"""Read a key from the environment or from a file; its value goes nowhere but to the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import Secret

LONGEST_KEY = 4096
"""Bytes; a longer file is not a key."""


def secret(
    environment: Mapping[str, str], *, key_env: str = "", key_file: str = "", folder: Path
) -> Secret | None:
    """The key named by a variable or a file (relative to `folder`); None where none is named.

    Raises ConfigurationError naming the variable or file, never the value.
    """
    if key_env and key_file:
        raise ConfigurationError("key_env and key_file are both given; one of them is needed")
    if key_env:
        return _usable(environment.get(key_env, ""), f"the environment variable {key_env}")
    if key_file:
        return _usable(_content(folder / key_file), f"the key file {Path(key_file).name!r}")
    return None


def needed_secret(found: Secret | None, adapter: str) -> Secret:
    """The key, or a ConfigurationError that says how to name one."""
    if found is None:
        raise ConfigurationError(
            f"the adapter {adapter} needs a key; name the environment variable that holds it as "
            "key_env, or a file as key_file, in [target.options]"
        )
    return found


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_KEY + 1).decode("ascii")
    except OSError as error:
        raise ConfigurationError(
            f"the key file {path.name!r} cannot be read ({error.strerror})"
        ) from error
    except UnicodeDecodeError:
        # Not chained: the error would carry the file's bytes.
        raise ConfigurationError(
            f"the key file {path.name!r} is not plain text; it must hold the key alone"
        ) from None


def _usable(value: str, where: str) -> Secret:
    value = value.strip()
    if not value:
        raise ConfigurationError(f"{where} is empty or not set; put the service's key there")
    if len(value) > LONGEST_KEY or not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{where} does not hold a key: one line of plain text is needed")
    return Secret(value)
