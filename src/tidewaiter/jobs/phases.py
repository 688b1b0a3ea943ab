"""Work that comes in phases, each over one durable record, so that a stop loses little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tidewaiter.errors import InputError, TidewaiterError
from tidewaiter.jobs.queue import Queue, Task
from tidewaiter.jobs.supervisor import run
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Text

OnProgress = Callable[[Text, int, int], None]
"""Phase, how many of its tasks are done, how many there are."""


class Phases:
    """Tasks of one piece of work in `folder`; those done by an earlier run stay done.

    `handler` is what workers call, `named` turns an error's class name and message into it.
    Raises InputError where the folder's record belongs to other work.
    """

    def __init__(  # noqa: PLR0913 - one keyword per choice of a run
        self,
        folder: Path,
        handler: str,
        *,
        fingerprint: str,
        workers: int,
        limits: Limits,
        named: Callable[[str, str], TidewaiterError],
        on_progress: OnProgress = lambda _phase, _done, _total: None,
    ) -> None:
        self.folder, self._handler = folder, handler
        self._workers, self._limits = workers, limits
        self._named, self._on_progress = named, on_progress
        self._queue = Queue(folder / "queue.sqlite")
        begun_for = self._queue.fact("fingerprint")
        if begun_for not in (None, fingerprint):
            self._queue.close()
            raise InputError(
                f"{folder.parent.name!r} holds work that was begun with other files or options; "
                "repeat them as they were, choose another --out folder, or remove its folder "
                f"{folder.name!r}"
            )
        self._queue.set_fact("fingerprint", fingerprint)
        self._queue.release()

    def close(self) -> None:
        """Release the record."""
        self._queue.close()

    def do(
        self, phase: Text, tasks: Sequence[tuple[str, dict[str, Any]]], *, side_by_side: bool
    ) -> list[dict[str, Any] | TidewaiterError]:
        """Finish every task, with all workers or in their order; results or errors in order."""
        keys = [key for key, _ in tasks]
        self._queue.add(tasks)
        done = sum(task.state in {"done", "failed"} for task in self._of(keys))
        self._on_progress(phase, done, len(keys))

        def finished(_task: Task) -> None:
            nonlocal done
            done += 1
            self._on_progress(phase, done, len(keys))

        run(
            self._queue,
            self._handler,
            workers=self._workers if side_by_side else 1,
            limits=self._limits,
            on_finished=finished,
        )
        return [self._result(task) for task in self._of(keys)]

    def _of(self, keys: Sequence[str]) -> list[Task]:
        by_key = {task.key: task for task in self._queue.tasks()}
        return [by_key[key] for key in keys]

    def _result(self, task: Task) -> dict[str, Any] | TidewaiterError:
        if task.error is not None:
            return self._named(task.error["type"], task.error["message"])
        return task.result or {}
