"""Compare recordings: manifests and pictures are taken by killable workers of this machine."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.casework.manifests import bare_manifest, take_manifest
from tidewaiter.casework.places import picture_of_print, pictures_at, wanted_times
from tidewaiter.custody.differences import Comparison, Place
from tidewaiter.custody.locate import clock_place, compare
from tidewaiter.custody.locate_pictures import Mask
from tidewaiter.custody.manifest import MAGIC, Manifest, decode, is_manifest
from tidewaiter.errors import (
    ExaminationError,
    InputError,
    LimitExceeded,
    TidewaiterError,
    UnknownExhibit,
)
from tidewaiter.jobs.queue import Queue
from tidewaiter.jobs.supervisor import run
from tidewaiter.report.comparison_page import Seen, comparison_page
from tidewaiter.settings import Limits, Settings
from tidewaiter.storage.reports import write_whole
from tidewaiter.traces.fingerprints import SHARE_UNITS, ClockBox
from tidewaiter.wiring import error_named

MANIFEST_HANDLER = "tidewaiter.wiring_compare:manifest_task"
PICTURES_HANDLER = "tidewaiter.wiring_compare:pictures_task"
MANIFEST_SUFFIX = ".twm"
"""What a manifest's file is called after the recording's name."""


def make_manifest(
    path: Path, settings: Settings, *, name: str | None = None, clock: ClockBox = ()
) -> Manifest:
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
            "clock": list(clock),
            "limits": settings.limits.model_dump(mode="json"),
        }
        try:
            _work(MANIFEST_HANDLER, payload, settings.limits, Path(folder))
            return decode(out.read_bytes())
        except (LimitExceeded, ExaminationError) as error:
            return bare_manifest(path, settings.limits, str(error), name=name)


def clock_box(words: str) -> ClockBox:
    """The box of a clock from four percentages. Raises InputError."""
    try:
        left, top, right, bottom = (float(part) / 100 for part in words.split(","))
    except ValueError as error:
        raise InputError(
            f"--clock {words!r}: four numbers are needed, such as 2,2,50,10 (left, top, right and "
            "bottom in percent)"
        ) from error
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InputError(
            f"--clock {words!r}: the box must lie in the picture (0 to 100), its left before its "
            "right and its top before its bottom"
        )
    return tuple(round(side * SHARE_UNITS) for side in (left, top, right, bottom))


def manifest_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: play the recording once and write its manifest."""
    limits = Limits.model_validate(payload["limits"])
    manifest = take_manifest(
        Path(payload["path"]), limits, name=payload["name"], clock=tuple(payload["clock"])
    )
    Path(payload["out"]).write_bytes(manifest.encode())
    return {}


def manifest_of(path: Path, settings: Settings, *, clock: ClockBox = ()) -> Manifest:
    """The manifest in a manifest file, or the one of a recording."""
    try:
        with path.open("rb") as file:
            if not is_manifest(file.read(len(MAGIC))):
                return make_manifest(path, settings, clock=clock)
            file.seek(0)
            return decode(file.read())
    except FileNotFoundError as error:
        raise UnknownExhibit(f"{path.name}: no such file. Check the path.") from error
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error


@dataclass(frozen=True)
class Compared:
    """A comparison with the manifests it rests on and the files they came from."""

    comparison: Comparison
    manifests: tuple[Manifest, Manifest]
    paths: tuple[Path, Path]


def compare_files(
    original: Path, copy: Path, settings: Settings, *, masks: Sequence[Mask] = ()
) -> Compared:
    """Compare a copy with an original recording or its manifest.

    The copy's clock is looked at where the original's is. Raises InputError where the copy is
    a manifest (a recording is needed), and the errors of `manifest_of`.
    """
    ours = manifest_of(original, settings)
    theirs = manifest_of(copy, settings, clock=ours.clock)
    if ours.clock != theirs.clock and theirs.prints is not None and len(theirs.prints.clock):
        raise InputError(
            f"{copy.name}: its manifest was taken with the clock elsewhere; compare the recording "
            "itself"
        )
    return Compared(compare(ours, theirs, masks=masks), (ours, theirs), (original, copy))


def comparison_files(found: Compared, settings: Settings, language: str) -> dict[str, str]:
    """The page and the JSON of a comparison, by file name."""
    names = (found.manifests[0].name, found.manifests[1].name)
    pictures = _seen(found, settings)
    document = found.comparison.as_json() | {"original": names[0], "copy": names[1]}
    return {
        "comparison.html": comparison_page(found.comparison, names, pictures, language),
        "comparison.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
    }


def pictures_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: pictures of a recording at given times, into a folder."""
    limits = Limits.model_validate(payload["limits"])
    times = {int(index): time for index, time in payload["times"].items()}
    places = {int(i): Place(**place) for i, place in payload["places"].items()}
    found = pictures_at(Path(payload["path"]), times, dict(places), limits)
    for index, picture in found.items():
        (Path(payload["out"]) / f"{index}.jpg").write_bytes(picture)
    return {}


def _seen(found: Compared, settings: Settings) -> dict[int, Seen]:
    """Pictures of the first differences: of the original (or its small pictures) and the copy."""
    sides = [_side(found, place, settings, of_copy=bool(place)) for place in range(2)]
    return {
        index: Seen(sides[0].get(index, b""), sides[1].get(index, b""))
        for index in sorted(set(sides[0]) | set(sides[1]))
    }


def _side(found: Compared, place: int, settings: Settings, *, of_copy: bool) -> dict[int, bytes]:
    differences = found.comparison.differences
    times = wanted_times(differences, of_copy=of_copy)
    if not times:
        return {}
    clock = clock_place(found.manifests[0].clock)
    boxes = {
        index: differences[index].place or clock
        for index in times
        if differences[index].kind == "painted"
    }
    places = {index: box for index, box in boxes.items() if box is not None}
    path, manifest = found.paths[place], found.manifests[place]
    with path.open("rb") as file:
        is_recording = not is_manifest(file.read(len(MAGIC)))
    if is_recording:
        return _from_recording(path, times, places, settings)
    prints = manifest.prints
    if prints is None:
        return {}
    shown = {
        index: int(abs(prints.frame_time - time * 1e6).argmin()) for index, time in times.items()
    }
    return {
        index: picture_of_print(prints.small[frame], places.get(index))
        for index, frame in shown.items()
    }


def _from_recording(
    path: Path, times: dict[int, float], places: dict[int, Place], settings: Settings
) -> dict[int, bytes]:
    with tempfile.TemporaryDirectory(prefix="tidewaiter-places-") as folder:
        payload = {
            "path": os.path.abspath(path),  # noqa: PTH100
            "times": {str(index): time for index, time in times.items()},
            "places": {str(index): vars(place) for index, place in places.items()},
            "out": folder,
            "limits": settings.limits.model_dump(mode="json"),
        }
        try:
            _work(PICTURES_HANDLER, payload, settings.limits, Path(folder))
        except TidewaiterError:
            # The comparison stands without pictures.
            return {}
        return {
            index: file.read_bytes()
            for index in times
            if (file := Path(folder) / f"{index}.jpg").exists()
        }


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest whole or not at all. Raises StorageError."""
    write_whole(path, manifest.encode())


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
