"""Reports as files in a folder, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from tidewaiter.errors import StorageError
from tidewaiter.storage.durable import make_folder, sync_folder

MAX_STEM = 80
DIGEST_CHARACTERS = 32
"""128 bits: twelve characters were few enough to craft two files whose reports collide."""
NAME_CHARACTERS = 8


class FolderOfReports:
    """One JSON and one HTML file per exhibit, named after the exhibit and its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, sha256: str, *, as_json: str, as_html: str) -> tuple[str, str]:
        """Write both forms; the JSON file last, so that its presence means completion."""
        stem = report_stem(name, sha256)
        write_whole(self.folder / f"{stem}.html", as_html)
        write_whole(self.folder / f"{stem}.json", as_json)
        return f"{stem}.json", f"{stem}.html"


def report_stem(name: str, sha256: str) -> str:
    """What the files of a report are called: another stem for other bytes or another name."""
    stem = f"{safe_stem(name)}-{sha256[:DIGEST_CHARACTERS]}"
    if safe_stem(name) == name:
        return stem
    return f"{stem}-{hashlib.sha256(name.encode()).hexdigest()[:NAME_CHARACTERS]}"


def safe_stem(name: str) -> str:
    """A file name any system accepts: letters and digits of any script, dot, dash, underscore."""
    cleaned = re.sub(r"[^\w.-]+", "_", name, flags=re.UNICODE).strip("._")
    kept = cleaned.encode("utf-8", "ignore")[:MAX_STEM].decode("utf-8", "ignore")
    return kept or "exhibit"


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all, and name it. Raises StorageError."""
    return write_parts(path, [content.encode() if isinstance(content, str) else content])


def write_parts(path: Path, parts: Iterable[bytes]) -> Path:
    """Write beside and rename, so that a reader sees the old file or the new one, and name it.

    Raises StorageError, or what making the parts raises; then the old file stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        make_folder(path.parent)
        beside.unlink(missing_ok=True)
        # Never through a link that somebody else laid there.
        with beside.open("xb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            # Else a power cut may leave an empty file under the final name.
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_name(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path.name!r} could not be written ({error.strerror}); "
            "check free disk space and that the folder is writable"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def _sync_name(folder: Path) -> None:
    """Sync a folder where its file system does that; some of those on a network do not."""
    try:
        sync_folder(folder)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise


def read_texts(folder: Path, suffix: str) -> dict[str, str]:
    """The content by name of the files in a folder that end so; none where there is no folder."""
    if not folder.is_dir():
        return {}
    try:
        files = [path for path in folder.iterdir() if path.name.endswith(suffix)]
        return {path.name: path.read_text(encoding="utf-8") for path in files}
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"the folder {folder.name!r} holds a file that cannot be read ({error}); "
            "remove it or choose another --out folder"
        ) from error


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Remove files by name; those that are gone already do not matter."""
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"an earlier file in {folder.name!r} could not be removed ({error.strerror}); "
            "remove it by hand: it would still be used"
        ) from error
