"""Put the parts together: settings, workers, record, reports. The only place that knows all."""

from __future__ import annotations

import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tidewaiter import errors
from tidewaiter.casework.batch import RECORD_FOLDER, Summary, examine_batch, keep_apart
from tidewaiter.casework.examination import examine_file
from tidewaiter.casework.outcome import outcome_of, outcome_of_error, reports_of, summary_rows
from tidewaiter.casework.plan import Plan, plan_for
from tidewaiter.casework.ports import Outcome
from tidewaiter.casework.selftest import Step, prove
from tidewaiter.casework.site_calibration import (
    Item,
    fit_site,
    score_item,
    site_items,
    site_name,
    superseded,
)
from tidewaiter.errors import (
    ConfigurationError,
    ExaminationError,
    InputError,
    LimitExceeded,
    TidewaiterError,
)
from tidewaiter.jobs.queue import Queue, Task
from tidewaiter.jobs.supervisor import run
from tidewaiter.report.index import index_page
from tidewaiter.settings import Limits, Settings
from tidewaiter.storage.reports import FolderOfReports, read_texts, remove_files, write_whole
from tidewaiter.vocabulary import Report, Text, tr

HANDLER = "tidewaiter.wiring:examine_task"
SCORE_HANDLER = "tidewaiter.wiring:score_task"
SETTINGS_FILE = "tidewaiter.toml"
"""Below the --out of a fit: what is being worked on, and a network that was not accepted."""


def read_settings(path: Path | None = None) -> Settings:
    """Settings from `path`, else $TIDEWAITER_SETTINGS, else ./tidewaiter.toml, else defaults."""
    named = path or (
        Path(os.environ["TIDEWAITER_SETTINGS"]) if "TIDEWAITER_SETTINGS" in os.environ else None
    )
    chosen = named or Path(SETTINGS_FILE)
    if named is None and not chosen.exists():
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(chosen.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(
            f"the settings file {chosen.name!r} cannot be read ({error.strerror})"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the settings file {chosen.name!r} is not TOML: {error}"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"the settings file {chosen.name!r} says something unusable at {place!r}: "
            f"{first['msg']}; docs/reference/settings.md lists all settings"
        ) from error


def examine(
    path: str | os.PathLike[str], *, stability: bool = True, settings: Settings | None = None
) -> Report:
    """Examine one file in a worker and return its report.

    Raises UnsupportedMedia, CorruptMedia, LimitExceeded, UnknownExhibit and the other
    errors of `tidewaiter.errors`.
    """
    plan = plan_for(settings or read_settings(), stability=stability)
    with tempfile.TemporaryDirectory(prefix="tidewaiter-") as folder:
        out = Path(folder)
        summary = run_batch([Path(path)], plan, out=out, workers=1)
        outcome = summary.outcomes[0]
        if outcome.error:
            raise error_named(*outcome.error)
        text = (out / str(outcome.json_file)).read_text(encoding="utf-8")
        return Report.model_validate_json(text)


def run_batch(  # noqa: PLR0913 - one keyword per choice of a run
    paths: Sequence[Path],
    plan: Plan,
    *,
    out: Path,
    workers: int,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda _total, _done: None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Summary:
    """Examine paths with killable workers; reports and the record of the run go to `out`."""
    keep_apart(paths, out)
    crew = QueueCrew(out, workers=workers, limits=plan.limits)
    try:
        summary = examine_batch(
            paths, plan, crew, resume=resume, out=out, on_start=on_start, on_outcome=on_outcome
        )
        write_whole(out / "index.html", index_page(summary_rows(summary), plan.language))
        return summary
    finally:
        crew.close()


def examine_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does with one task: examine, write both reports, say how it went."""
    plan = Plan.model_validate(payload["plan"])
    examination = examine_file(Path(payload["path"]), plan, name=payload["name"])
    as_json, as_html = reports_of(examination, plan.language)
    store = FolderOfReports(Path(payload["out"]))
    exhibit = examination.report.exhibit
    files = store.save(exhibit.name, exhibit.sha256, as_json=as_json, as_html=as_html)
    return outcome_of(examination.report, plan.language, files)


def calibrate_site(
    genuine: Path,
    altered: Path | None,
    settings: Settings,
    *,
    out: Path,
    detectors: tuple[str, ...] = (),
    workers: int = 1,
) -> Iterator[Text]:
    """Score a site's items in workers, fit, and write what is better than before to `out`."""
    plan = plan_for(settings, only=detectors, stability=False)
    keep_apart([genuine, *([altered] if altered else [])], out)
    items = site_items(genuine, altered, out=out)
    with tempfile.TemporaryDirectory(prefix="tidewaiter-calibrate-") as folder:
        queue = Queue(Path(folder) / "queue.sqlite")
        queue.add((f"{n}", _score_payload(item, plan)) for n, item in enumerate(items))
        run(queue, SCORE_HANDLER, workers=workers, limits=plan.limits)
        tasks = list(queue.tasks())
        queue.close()
    for task in tasks:
        if task.error is not None:
            name = Path(task.payload["path"]).name
            yield tr("left out: {name}: {problem}", name=name, problem=task.error["message"])
    rows = [row for task in tasks for row in (task.result or {}).get("rows", ())]
    fitted = fit_site(rows, domain=site_name(out), face_network=settings.face_network)
    earlier = superseded(read_texts(out, ".json"), fitted)
    for name, content in fitted.files.items():
        write_whole(out / name, content)
    remove_files(out, earlier)
    yield from fitted.sentences
    if earlier:
        yield tr("{count} calibrations of an earlier run were replaced", count=len(earlier))
    yield tr("{count} calibrations written to {folder}", count=len(fitted.files), folder=out.name)


def score_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does for a site calibration: the raw scores of one item."""
    item = Item(Path(payload["path"]), payload["source"], payload["label"])
    return {"rows": score_item(item, Plan.model_validate(payload["plan"]))}


def _score_payload(item: Item, plan: Plan) -> dict[str, Any]:
    return {
        "path": os.path.abspath(item.path),  # noqa: PTH100
        "source": item.source,
        "label": item.label,
        "plan": plan.model_dump(mode="json"),
    }


class QueueCrew:
    """Workers of this machine over a queue in the folder of reports."""

    def __init__(self, out: Path, *, workers: int, limits: Limits) -> None:
        self.out, self.workers, self.limits = out, workers, limits
        folder = made_folder(out / RECORD_FOLDER)
        self._lock = locked(folder / "lock")
        self.queue = Queue(folder / "queue.sqlite")

    def close(self) -> None:
        """Release the record for other runs."""
        self.queue.close()
        self._lock.close()

    def fingerprint(self) -> str | None:
        """The plan the record was filled for."""
        return self.queue.fact("fingerprint")

    def start_over(self, fingerprint: str) -> None:
        """Forget all tasks and remember the plan."""
        self.queue.forget()
        self.queue.set_fact("fingerprint", fingerprint)

    def take_on(self, tasks: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        """Record tasks. What was done or refused for good is not tried again.

        Open tasks of an earlier run that are not asked for now are forgotten.
        """
        self.queue.release()
        keys = {key for key, _ in tasks}
        known = [task for task in self.queue.tasks() if task.key in keys or not _is_settled(task)]
        settled = [task for task in known if _is_settled(task) and self._has_its_reports(task)]
        kept = {task.key for task in settled}
        self.queue.forget(task.key for task in known if task.key not in kept)
        self.queue.add(tasks)
        return [_outcome(task) for task in settled]

    def work(self, on_outcome: Callable[[Outcome], None]) -> None:
        """Run the workers until nothing is open."""
        run(
            self.queue,
            HANDLER,
            workers=self.workers,
            limits=self.limits,
            on_finished=lambda task: on_outcome(_outcome(task)),
        )

    def outcomes(self, keys: Sequence[str]) -> list[Outcome]:
        """Outcomes of finished tasks, in the order of `keys`."""
        by_key = {task.key: _outcome(task) for task in self.queue.tasks()}
        return [by_key[key] for key in keys if key in by_key]

    def _has_its_reports(self, task: Task) -> bool:
        """Whether both reports of a task that is done are still in the folder."""
        names = [(task.result or {}).get(form) for form in ("json_file", "html_file")]
        return task.error is not None or all(n and (self.out / n).is_file() for n in names)


def error_named(kind: str, message: str) -> TidewaiterError:
    """The error a worker reported, as an exception of its class."""
    found = getattr(errors, kind, None)
    known = isinstance(found, type) and issubclass(found, TidewaiterError)
    return found(message) if known else ExaminationError(message)  # type: ignore[misc]


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files by name into a folder, each whole or not at all, in the order given.

    Raises StorageError where one cannot be written.
    """
    for name, content in texts.items():
        write_whole(folder / name, content)


def keep_standard_input(folder: Path, limits: Limits) -> Path:
    """Standard input as a file, refused beyond the byte limit."""
    path = folder / "standard-input"
    left = limits.max_bytes
    try:
        with path.open("wb") as file:
            while chunk := sys.stdin.buffer.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise LimitExceeded(
                        f"standard input is longer than {limits.max_bytes} bytes, the limit "
                        "max_bytes; raise the limit or examine a shorter file"
                    )
                file.write(chunk)
    except OSError as error:
        raise errors.StorageError(
            f"standard input could not be kept in the folder for temporary files "
            f"({error.strerror}); free space there, or name a file"
        ) from error
    return path


def selftest(settings: Settings | None = None) -> Iterator[Step]:
    """Prove this installation; see `tidewaiter.casework.selftest`."""
    settings = settings or read_settings()
    return prove(
        lambda path: examine(path, settings=settings), settings.calibrations, settings.face_network
    )


def _is_settled(task: Task) -> bool:
    """A file refused for what it is stays refused; a failure of the machine may pass."""
    if task.error is not None:
        return error_named(**_named(task)).exit_code == InputError.exit_code
    return task.state == "done"


def _named(task: Task) -> dict[str, str]:
    error = task.error or {}
    return {"kind": error["type"], "message": error["message"]}


def _outcome(task: Task) -> Outcome:
    name, path = task.payload["name"], task.payload["path"]
    if task.error is not None:
        return outcome_of_error(task.key, name, path, task.error)
    result = task.result or {}
    return Outcome(key=task.key, path=path, **result)


def made_folder(folder: Path) -> Path:
    """The folder, made if need be; raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.StorageError(
            f"the folder {folder.parent.name!r} cannot be made ({error.strerror}); "
            "choose another --out"
        ) from error
    return folder


def locked(path: Path) -> Any:
    """Hold the folder of reports for one run at a time, for as long as the process lives."""
    try:
        file = path.open("w")
    except OSError as error:
        raise errors.StorageError(
            f"the --out folder cannot be written to ({error.strerror}); choose another"
        ) from error
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ModuleNotFoundError:  # not on Windows: there the database's own lock remains
        return file
    except BlockingIOError as error:
        file.close()
        raise errors.StorageError(
            "another run is writing to this --out folder; wait for it or choose another folder"
        ) from error
    except OSError as error:
        file.close()
        raise errors.StorageError(
            f"the --out folder cannot be locked for this run ({error.strerror}); "
            "choose a folder on another disk"
        ) from error
    return file
