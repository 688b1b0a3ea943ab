"""Compare recordings: manifests and pictures are taken by killable workers of this machine."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidewaiter.casework.manifests import bare_manifest, take_manifest
from tidewaiter.casework.places import pictures_at, pictures_in, wanted_times
from tidewaiter.custody.differences import Comparison, Place, comparison_of
from tidewaiter.custody.locate import clock_place, compare
from tidewaiter.custody.manifest import (
    LONGEST_BEGINNING,
    MAGIC,
    Facts,
    Manifest,
    decode,
    facts_of,
    is_manifest,
)
from tidewaiter.custody.masks import Mask
from tidewaiter.errors import (
    ExaminationError,
    InputError,
    LimitExceeded,
    TidewaiterError,
    UnknownExhibit,
)
from tidewaiter.jobs.queue import Queue
from tidewaiter.jobs.supervisor import run
from tidewaiter.report.comparison_page import NO_PICTURES, Seen, comparison_page
from tidewaiter.settings import Limits, Settings
from tidewaiter.storage.reports import write_whole
from tidewaiter.traces.fingerprints import SHARE_UNITS, ClockBox
from tidewaiter.wiring import error_named

MANIFEST_HANDLER = "tidewaiter.wiring_compare:manifest_task"
COMPARE_HANDLER = "tidewaiter.wiring_compare:compare_task"
PICTURES_HANDLER = "tidewaiter.wiring_compare:pictures_task"
MANIFEST_SUFFIX = ".twm"
"""What a manifest's file is called after the recording's name."""

# benchmarks/custody/comparing.py: the worker's peak over hours of made manifests, and a margin.
COMPARE_BASE_BYTES, COMPARE_FRAME_BYTES = 300 * 2**20, 7_000
"""Memory that comparing takes at most: in any case, and for each picture of the longer one."""


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
        _take_manifest(path, out, settings, name=name, clock=clock)
        return decode(out.read_bytes())


def _take_manifest(
    path: Path, out: Path, settings: Settings, *, name: str | None = None, clock: ClockBox = ()
) -> None:
    payload = {
        "path": os.path.abspath(path),  # noqa: PTH100
        "name": name or path.name,
        "out": str(out),
        "clock": list(clock),
        "limits": settings.limits.model_dump(mode="json"),
    }
    try:
        _work(MANIFEST_HANDLER, payload, settings.limits)
    except (LimitExceeded, ExaminationError) as error:
        out.write_bytes(bare_manifest(path, settings.limits, str(error), name=name).encode())


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


@dataclass(frozen=True)
class Compared:
    """A comparison, the facts it rests on (without fingerprints) and the files it compared."""

    comparison: Comparison
    facts: tuple[Manifest, Manifest]
    paths: tuple[Path, Path]


def compare_files(
    original: Path, copy: Path, settings: Settings, *, masks: Sequence[Mask] = ()
) -> Compared:
    """Compare a copy with an original, each a recording or its manifest, in workers.

    The copy's clock is looked at where the original's is. Raises UnknownExhibit where there is
    no such file, MalformedText for a broken manifest, InputError where the copy's manifest was
    taken with the clock elsewhere, LimitExceeded where comparing needs more memory or time than
    the limits allow.
    """
    with tempfile.TemporaryDirectory(prefix="tidewaiter-compare-") as folder:
        ours = _manifest_file(original, Path(folder) / "original", settings)
        first = _facts(ours)
        theirs = _manifest_file(copy, Path(folder) / "copy", settings, clock=first.manifest.clock)
        second = _facts(theirs)
        if first.manifest.clock != second.manifest.clock and second.rows.get("clock"):
            raise InputError(
                f"{copy.name}: its manifest was taken with the clock elsewhere; compare the "
                "recording itself"
            )
        _must_fit(first, second, settings.limits)
        out = Path(folder) / "comparison"
        payload = {
            "original": str(ours),
            "copy": str(theirs),
            "masks": [vars(mask) for mask in masks],
            "out": str(out),
        }
        _work(COMPARE_HANDLER, payload, settings.limits)
        found = comparison_of(json.loads(out.read_text(encoding="utf-8")))
    return Compared(found, (first.manifest, second.manifest), (original, copy))


def compare_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: compare two manifests and write down what was found."""
    ours, theirs = (decode(Path(payload[name]).read_bytes()) for name in ("original", "copy"))
    found = compare(ours, theirs, masks=[Mask(**mask) for mask in payload["masks"]])
    Path(payload["out"]).write_text(json.dumps(found.as_json()), encoding="utf-8")
    return {}


def _manifest_file(path: Path, out: Path, settings: Settings, *, clock: ClockBox = ()) -> Path:
    """The file itself where it is a manifest; else the one of the recording, taken into `out`."""
    if _is_manifest(path):
        return path.absolute()
    _take_manifest(path, out, settings, clock=clock)
    return out


def _is_manifest(path: Path) -> bool:
    return is_manifest(_beginning(path, len(MAGIC)))


def _facts(manifest: Path) -> Facts:
    return facts_of(_beginning(manifest, LONGEST_BEGINNING))


def _beginning(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(length)
    except FileNotFoundError as error:
        raise UnknownExhibit(f"{path.name}: no such file. Check the path.") from error
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error


def _must_fit(first: Facts, second: Facts, limits: Limits) -> None:
    """Refuse before the work what would be killed in the middle of it."""
    if first.manifest.sha256 == second.manifest.sha256:
        return
    frames = max(facts.rows.get("small", 0) for facts in (first, second))
    needed = COMPARE_BASE_BYTES + COMPARE_FRAME_BYTES * frames
    if needed > limits.max_memory_bytes:
        raise LimitExceeded(
            f"comparing recordings of {frames} pictures takes up to {needed >> 20} MiB; "
            f"limits.max_memory_bytes allows {limits.max_memory_bytes >> 20} MiB. Raise it in the "
            "settings, or compare shorter parts"
        )


def comparison_files(found: Compared, settings: Settings, language: str) -> dict[str, str]:
    """The page and the JSON of a comparison, by file name."""
    names = (found.facts[0].name, found.facts[1].name)
    comparison, pictures = _seen(found, settings)
    document = comparison.as_json() | {"original": names[0], "copy": names[1]}
    return {
        "comparison.html": comparison_page(comparison, names, pictures, language),
        "comparison.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
    }


def pictures_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: pictures of a recording at given times, into a folder.

    Of a manifest they are its small ones.
    """
    path, limits = Path(payload["path"]), Limits.model_validate(payload["limits"])
    times = {int(index): time for index, time in payload["times"].items()}
    places: dict[int, Place | None] = {
        int(i): Place(**place) for i, place in payload["places"].items()
    }
    if _is_manifest(path):
        found = pictures_in(decode(path.read_bytes()), times, places)
    else:
        found = pictures_at(path, times, places, limits)
    for index, picture in found.items():
        (Path(payload["out"]) / f"{index}.jpg").write_bytes(picture)
    return {}


def _seen(found: Compared, settings: Settings) -> tuple[Comparison, dict[int, Seen]]:
    """Pictures of the first differences: of the original (or its small pictures) and the copy.

    The comparison stands without them, and then notes that they are not there.
    """
    taken = [_side(found, place, settings, of_copy=bool(place)) for place in range(2)]
    comparison = found.comparison
    if None in taken:
        comparison = replace(comparison, notes=(*comparison.notes, NO_PICTURES))
    ours, theirs = (side or {} for side in taken)
    shown = sorted(set(ours) | set(theirs))
    return comparison, {
        index: Seen(ours.get(index, b""), theirs.get(index, b"")) for index in shown
    }


def _side(
    found: Compared, place: int, settings: Settings, *, of_copy: bool
) -> dict[int, bytes] | None:
    """Pictures of one of the files by the place of their difference; None where that failed."""
    differences = found.comparison.differences
    times = wanted_times(differences, of_copy=of_copy)
    if not times:
        return {}
    clock = clock_place(found.facts[0].clock)
    boxes = {
        index: differences[index].place or clock
        for index in times
        if differences[index].kind == "painted"
    }
    with tempfile.TemporaryDirectory(prefix="tidewaiter-places-") as folder:
        payload = {
            "path": os.path.abspath(found.paths[place]),  # noqa: PTH100
            "times": {str(index): time for index, time in times.items()},
            "places": {str(index): vars(box) for index, box in boxes.items() if box is not None},
            "out": folder,
            "limits": settings.limits.model_dump(mode="json"),
        }
        try:
            _work(PICTURES_HANDLER, payload, settings.limits)
        except TidewaiterError:
            return None
        return {
            index: file.read_bytes()
            for index in times
            if (file := Path(folder) / f"{index}.jpg").exists()
        }


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest whole or not at all. Raises StorageError."""
    write_whole(path, manifest.encode())


def _work(handler: str, payload: dict[str, Any], limits: Limits) -> None:
    """Run one task in a worker; its error becomes ours."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-task-") as folder:
        queue = Queue(Path(folder) / "queue.sqlite")
        try:
            queue.add([("task", payload)])
            run(queue, handler, workers=1, limits=limits)
            task = next(iter(queue.tasks()))
        finally:
            queue.close()
    if task.error is not None:
        raise error_named(task.error["type"], task.error["message"])
