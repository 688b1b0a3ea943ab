"""Reports as files in a folder, written whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tidewaiter.errors import StorageError

MAX_STEM = 80


class FolderOfReports:
    """One JSON and one HTML file per exhibit, named after the exhibit and its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, sha256: str, *, as_json: str, as_html: str) -> tuple[str, str]:
        """Write both forms; the JSON file last, so that its presence means completion."""
        stem = f"{safe_stem(name)}-{sha256[:12]}"
        write_whole(self.folder / f"{stem}.html", as_html)
        write_whole(self.folder / f"{stem}.json", as_json)
        return f"{stem}.json", f"{stem}.html"


def safe_stem(name: str) -> str:
    """A file name any system accepts: letters and digits of any script, dot, dash, underscore."""
    cleaned = re.sub(r"[^\w.-]+", "_", name, flags=re.UNICODE).strip("._")
    kept = cleaned.encode("utf-8", "ignore")[:MAX_STEM].decode("utf-8", "ignore")
    return kept or "exhibit"


def write_whole(path: Path, content: str) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(content, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(
            f"{path.name!r} could not be written ({error.strerror}); "
            "check free disk space and that the folder is writable"
        ) from error
