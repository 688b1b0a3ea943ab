"""Compare recordings: manifests and pictures are taken by killable workers of this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tidewaiter.casework.manifests import bare_manifest, take_manifest
from tidewaiter.custody.manifest import MAGIC, Manifest, decode, is_manifest
from tidewaiter.errors import ExaminationError, LimitExceeded, StorageError, UnknownExhibit
from tidewaiter.jobs.queue import Queue
from tidewaiter.jobs.supervisor import run
from tidewaiter.settings import Limits, Settings
from tidewaiter.wiring import error_named

MANIFEST_HANDLER = "tidewaiter.wiring_compare:manifest_task"
MANIFEST_SUFFIX = ".twm"
"""What a manifest's file is called after the recording's name."""


def make_manifest(path: Path, settings: Settings, *, name: str | None = None) -> Manifest:
    """The manifest of a file, taken in a worker.

    A recording that breaks its decoder or a limit gets a manifest without fingerprints that
    says so: custody takes in what is handed in. Raises UnknownExhibit or InputError where
    there is no such file.
    """
    with tempfile.TemporaryDirectory(prefix="tidewaiter-manifest-") as folder:
        out = Path(folder) / "manifest"
        payload = {
            "path": os.path.abspath(path),  # noqa: PTH100
            "name": name or path.name,
            "out": str(out),
            "limits": settings.limits.model_dump(mode="json"),
        }
        try:
            _work(MANIFEST_HANDLER, payload, settings.limits, Path(folder))
            return decode(out.read_bytes())
        except (LimitExceeded, ExaminationError) as error:
            return bare_manifest(path, settings.limits, str(error), name=name)


def manifest_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: play the recording once and write its manifest."""
    limits = Limits.model_validate(payload["limits"])
    manifest = take_manifest(Path(payload["path"]), limits, name=payload["name"])
    Path(payload["out"]).write_bytes(manifest.encode())
    return {}


def manifest_of(path: Path, settings: Settings) -> Manifest:
    """The manifest in a manifest file, or the one of a recording."""
    try:
        with path.open("rb") as file:
            if not is_manifest(file.read(len(MAGIC))):
                return make_manifest(path, settings)
            file.seek(0)
            return decode(file.read())
    except FileNotFoundError as error:
        raise UnknownExhibit(f"{path.name}: no such file. Check the path.") from error
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest whole or not at all. Raises StorageError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(manifest.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(
            f"the manifest could not be written ({error.strerror}); free disk space or choose "
            "another --out"
        ) from error


def _work(handler: str, payload: dict[str, Any], limits: Limits, folder: Path) -> dict[str, Any]:
    """Run one task in a worker; its error becomes ours."""
    queue = Queue(folder / "queue.sqlite")
    try:
        queue.add([("task", payload)])
        run(queue, handler, workers=1, limits=limits)
        task = next(iter(queue.tasks()))
    finally:
        queue.close()
    if task.error is not None:
        raise error_named(task.error["type"], task.error["message"])
    return task.result or {}
