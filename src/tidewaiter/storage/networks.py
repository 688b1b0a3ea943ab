"""A site's network as a folder: complete or not there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tidewaiter.errors import StorageError
from tidewaiter.storage.reports import write_whole


def install_network(folder: Path, network: Path, texts: Mapping[str, str]) -> None:
    """Put the network and its texts into `folder`; the last text completes it.

    Whoever reads the folder looks for that last one first, so that a power cut leaves no
    network that seems whole. Raises StorageError where a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{network.name}.part"
        shutil.copyfile(network, beside)
        beside.replace(folder / network.name)
    except OSError as error:
        raise StorageError(
            f"the network could not be written to {folder.name!r} ({error.strerror}); check free "
            "disk space and that the folder is writable, then run the same command again"
        ) from error
    for name, content in texts.items():
        write_whole(folder / name, content)


def keep_file(source: Path, target: Path) -> None:
    """Copy a file that is worth keeping, if it is there; raises StorageError."""
    if not source.is_file():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise StorageError(
            f"{target.name!r} could not be written ({error.strerror}); check free disk space"
        ) from error


def remove_folder(folder: Path) -> None:
    """Remove a folder with all it holds; raises StorageError where faces would stay behind."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"the folder {folder.name!r} could not be removed ({error.strerror}); remove it by "
            "hand: it holds faces cut out of your pictures"
        ) from error
