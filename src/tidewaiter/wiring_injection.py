"""Put an injected audit together: the audit, a browser with a virtual camera, both results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidewaiter.errors import InputError
from tidewaiter.face_audit.driver import Ending
from tidewaiter.face_audit.injection import (
    Beside,
    Injected,
    Method,
    beside,
    explained,
    labels_of,
    method_named,
    through_camera,
)
from tidewaiter.face_audit.results import AuditResults, Rate
from tidewaiter.outlets.browser import browser_version, find_browser
from tidewaiter.outlets.gate_page import browser_camera
from tidewaiter.storage.kept import FolderOfBytes
from tidewaiter.storage.reports import write_whole
from tidewaiter.wiring_audit import LEDGER, MADE, Bench, audit_results, run_audit, write_report

RECORD = "injection.json"


@dataclass(frozen=True)
class Injection:
    """What an injected audit came to, beside the direct one where that was run."""

    ending: Ending
    results: AuditResults
    beside: tuple[Beside, ...]
    labels: dict[str, int]
    """Names that the page saw of its camera, and how often."""


def inject(
    bench: Bench,
    way: str,
    browser: Path | None,
    language: str,
    *,
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Injection:
    """Begin or go on, then write the reports into a folder of the method's within the audit's.

    Raises ConfigurationError without a browser or for an unknown way of injecting,
    ExaminationError where the browser brings no picture.
    """
    method, found = method_named(way), find_browser(browser)
    injected = replace(
        bench, audit=through_camera(bench.audit, method), folder=bench.folder / method.name
    )
    store = FolderOfBytes(injected.folder / MADE)
    with browser_camera(found, method.ending) as camera:
        ending, _ = run_audit(
            injected,
            on_progress,
            workers=workers,
            through=lambda show: Injected(show, bench.material.view, camera, store, method).show,
        )
    version = browser_version(found)
    results = write_report(injected, language, lambda record: explained(record, method, version))
    rows = tuple(beside(_direct(bench), results))
    labels = dict(labels_of(_notes(injected, method)))
    _write_record(injected.folder, method, version, rows, labels)
    return Injection(ending, results, rows, labels)


def _direct(bench: Bench) -> AuditResults | None:
    """What the same audit came to without a camera; None where it was not run."""
    if not (bench.folder / LEDGER).is_file():
        return None
    try:
        return audit_results(bench)
    except InputError:
        return None


def _notes(bench: Bench, method: Method) -> Iterator[bytes]:
    for path in sorted((bench.folder / MADE).glob(f"{method.name}-*.json")):
        yield path.read_bytes()


def _write_record(
    folder: Path, method: Method, browser: str, rows: tuple[Beside, ...], labels: dict[str, int]
) -> None:
    record: dict[str, Any] = {
        "method": method.name,
        "browser": browser,
        "names_of_the_camera": labels,
        "rows": [
            {
                "threshold": row.threshold,
                "species": row.species,
                "pair": row.pair,
                "as_file": _brief(row.as_file),
                "injected": _brief(row.injected),
            }
            for row in rows
        ],
    }
    write_whole(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def _brief(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    ends = [round(end, 4) for end in (rate.clustered.lower, rate.clustered.upper)]
    return {"events": rate.events, "trials": rate.trials, "interval_95": ends}
