"""Files handed in to a custody site: found, put in order, fingerprinted in a killable worker."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidewaiter.casework.custody_taking import HandedIn, camera_number
from tidewaiter.casework.manifests import bare_manifest
from tidewaiter.custody.manifest import Manifest, decode
from tidewaiter.errors import ExaminationError, InputError, LimitExceeded, UnknownExhibit
from tidewaiter.jobs.queue import Queue
from tidewaiter.jobs.supervisor import run
from tidewaiter.settings import Settings
from tidewaiter.storage.plain_file import opened_plain
from tidewaiter.wiring import error_named
from tidewaiter.wiring_compare import MANIFEST_HANDLER
from tidewaiter.wiring_inputs import inputs_of

MILLION = 1_000_000
LARGEST_HANDED_OVER = 1 << 20
"""Bytes of a proof, a policy, a request or an answer at most; all are some kilobytes."""


def listed_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and all those in folders named; links on a card are not followed.

    Raises UnknownExhibit where there is no such file or folder, InputError where none is there.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
            found += sorted(one for one in inside if not one.name.startswith("."))
        elif path.is_file():
            found.append(path)
        else:
            raise UnknownExhibit(f"{path.name}: no such file or folder. Check the path.")
    if not found:
        raise InputError("there is no file to take in; name files or a folder that has some")
    return found


def handed_in(paths: Sequence[Path], settings: Settings) -> list[HandedIn]:
    """Files with their fingerprints and the signatures they bring along.

    Both are taken in workers; hostile media get bare fingerprints. Raises InputError for the first
    file that is empty or cannot be read.
    """
    files, refused = readable(paths, settings)
    if refused:
        raise refused[0]
    return files


def readable(paths: Sequence[Path], settings: Settings) -> tuple[list[HandedIn], list[InputError]]:
    """As `handed_in`, and apart from them why each other file cannot be taken in.

    One empty or unreadable file keeps no other on a card from custody. Raises the first reason
    where no file is left.
    """
    manifests = _manifests(paths, settings)
    refused = [one for one in manifests if isinstance(one, InputError)]
    both = [
        (path, one) for path, one in zip(paths, manifests, strict=True) if isinstance(one, Manifest)
    ]
    if refused and not both:
        raise refused[0]
    whole = [path for path, _ in both]
    inputs = inputs_of(whole, [manifest for _, manifest in both], settings)
    files = [
        _handed_in(path, manifest, signatures.names)
        for (path, manifest), signatures in zip(both, inputs, strict=True)
    ]
    return files, refused


def read_handed_over(path: Path, most: int = LARGEST_HANDED_OVER) -> bytes:
    """The bytes of a file that somebody hands over.

    Raises UnknownExhibit where it cannot be read, InputError where it is longer than such a file
    can be.
    """
    try:
        with opened_plain(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error
    if len(data) > most:
        raise InputError(
            f"{path.name} has more than {most} bytes, which no such file needs: check that it is "
            "the right one, or hand it over in parts"
        )
    return data


def docking_order(path: Path, *, pattern: str) -> tuple[int, int, str]:
    """Where a file comes in its card: by the camera's own number, then by time and name."""
    number = camera_number(path.name, pattern)
    return (-1 if number is None else number, path.stat().st_mtime_ns, path.name)


def _manifests(paths: Sequence[Path], settings: Settings) -> list[Manifest | InputError]:
    """The manifest of every file; one that breaks the worker or a limit gets a bare one.

    A file that cannot be read gets the reason.
    """
    with tempfile.TemporaryDirectory(prefix="tidewaiter-manifests-") as folder:
        outs = [Path(folder) / str(number) for number in range(len(paths))]
        payloads = [_payload(*both, settings) for both in zip(paths, outs, strict=True)]
        queue = Queue(Path(folder) / "queue.sqlite")
        try:
            queue.add([(str(number), payload) for number, payload in enumerate(payloads)])
            run(queue, MANIFEST_HANDLER, workers=1, limits=settings.limits)
            failed = {task.key: task.error for task in queue.tasks() if task.error is not None}
        finally:
            queue.close()
        return [
            _bare(path, failed[str(number)], settings)
            if str(number) in failed
            else decode(out.read_bytes())
            for number, (path, out) in enumerate(zip(paths, outs, strict=True))
        ]


def _payload(path: Path, out: Path, settings: Settings) -> dict[str, Any]:
    return {
        "path": str(path.absolute()),
        "name": path.name,
        "out": str(out),
        "clock": [],
        "limits": settings.limits.model_dump(mode="json"),
    }


def _bare(path: Path, failure: Mapping[str, str], settings: Settings) -> Manifest | InputError:
    error = error_named(failure["type"], failure["message"])
    if not isinstance(error, LimitExceeded | ExaminationError):
        if isinstance(error, InputError):
            return error
        raise error
    try:
        return bare_manifest(path, settings.limits, str(error))
    except InputError as unread:
        return unread


def _handed_in(path: Path, manifest: Manifest, signatures: tuple[str, ...]) -> HandedIn:
    end_ms = path.stat().st_mtime_ns // MILLION
    length_ms = _duration_ms(manifest)
    return HandedIn(
        name=path.name,
        sha256=manifest.sha256,
        media_type=manifest.media_type,
        manifest=manifest.encode(),
        opened=lambda: path.open("rb"),
        start_ms=None if length_ms is None else end_ms - length_ms,
        end_ms=None if length_ms is None else end_ms,
        signatures=signatures,
        without_prints=manifest.reason,
    )


def _duration_ms(manifest: Manifest) -> int | None:
    """How long a recording plays; None where it does not play."""
    if manifest.prints is None or not len(manifest.prints.frame_time):
        return None
    last_us = int(manifest.prints.frame_time.max())
    return last_us // 1000 + round(1000 / manifest.fps if manifest.fps else 0)
