"""Examine many exhibits: find them, hand them out, keep what is done, sum up.

The work itself is done by a `Crew` of killable workers and kept in a `Record`; both are
ports, so that the same use case runs on one laptop or on an administration's engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.casework.plan import Plan
from tidewaiter.casework.ports import Crew, Outcome
from tidewaiter.errors import InputError, UnknownExhibit
from tidewaiter.vocabulary import Verdict

RECORD_FOLDER = ".tidewaiter"
"""Folder below --out that holds the record of what was examined."""


@dataclass(frozen=True)
class Summary:
    """What became of a whole run."""

    outcomes: tuple[Outcome, ...]
    earlier: int

    @property
    def errors(self) -> tuple[Outcome, ...]:
        """Exhibits that could not be examined."""
        return tuple(outcome for outcome in self.outcomes if outcome.error)

    @property
    def supports_manipulated(self) -> tuple[Outcome, ...]:
        """Exhibits with at least one opinion that supports manipulation."""
        return tuple(
            o for o in self.outcomes if Verdict.SUPPORTS_MANIPULATED in o.verdicts.values()
        )


def examine_batch(  # noqa: PLR0913 - one keyword per choice of a run
    paths: Iterable[Path],
    plan: Plan,
    crew: Crew,
    *,
    resume: bool = False,
    out: Path,
    on_start: Callable[[int, int], None] = lambda _total, _done: None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Summary:
    """Examine every file at or below `paths`; each at most once per content and plan.

    With `resume`, what an earlier run over the same folder finished with the same plan
    and versions is taken from its record. `on_start` gets (all, already done). Raises
    UnknownExhibit where there is no file at all.
    """
    exhibits = [*find_exhibits(paths, leave_out=out)]
    keys = {task_key(path): path for path in exhibits}
    if not keys:
        raise UnknownExhibit(
            "there is nothing to examine: the folder holds no files, or only hidden ones; "
            "check the path, and that the medium is there"
        )
    fingerprint = plan.fingerprint()
    if not resume or crew.fingerprint() != fingerprint:
        crew.start_over(fingerprint)
    tasks = [(key, _payload(path, plan, out)) for key, path in keys.items()]
    earlier = crew.take_on(tasks)
    on_start(len(keys), len(earlier))
    for outcome in earlier:
        on_outcome(outcome)
    crew.work(on_outcome)
    return Summary(tuple(crew.outcomes(list(keys))), len(earlier))


def keep_apart(paths: Iterable[Path], out: Path) -> None:
    """Raise InputError where reports would be written among the exhibits of a folder."""
    for path in paths:
        if _is_folder(path) and path.resolve() == out.resolve():
            raise InputError(
                f"{path.resolve().name!r} is to be examined and is the --out folder as well; "
                "reports are never written among exhibits: choose another --out folder"
            )


def find_exhibits(paths: Iterable[Path], *, leave_out: Path) -> Iterator[Path]:
    """The files themselves, and every file below folders, sorted, hidden ones left out.

    A path that does not exist, and a folder that cannot be listed, is passed on: its
    examination says so. The folder of reports is never examined.
    """
    seen: set[str] = set()
    barred = leave_out.resolve()
    for path in paths:
        for file in _files_below(path, barred) if _is_folder(path) else [path]:
            if os.fspath(file) not in seen:
                seen.add(os.fspath(file))
                yield file


def task_key(path: Path) -> str:
    """Names a file and its state on disk, so that a changed file is examined again.

    Plain ASCII, and different for different paths, also for names that are not UTF-8.
    """
    absolute = ascii(os.path.abspath(path))  # noqa: PTH100 - a link is examined under its own name
    try:
        state = path.stat()
    except (OSError, ValueError):
        return f"{absolute}\0missing"
    return f"{absolute}\0{state.st_size}\0{state.st_mtime_ns}"


def _is_folder(path: Path) -> bool:
    """Whether it is known to be one; `Path.is_dir` raises where a name is too long to exist."""
    return os.path.isdir(path)  # noqa: PTH112


def _files_below(folder: Path, barred: Path) -> Iterator[Path]:
    unlisted: list[Path] = []
    for parent, folders, files in os.walk(
        folder, followlinks=False, onerror=lambda error: unlisted.append(Path(error.filename))
    ):
        yield from unlisted
        unlisted.clear()
        here = Path(parent)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != barred
        )
        yield from (here / name for name in sorted(files) if not name.startswith("."))
    yield from unlisted


def _payload(path: Path, plan: Plan, out: Path) -> dict[str, Any]:
    return {
        "path": os.path.abspath(path),  # noqa: PTH100 - the worker runs in the same place
        "name": path.name,
        "plan": plan.model_dump(mode="json"),
        "out": os.path.abspath(out),  # noqa: PTH100
    }
