"""Keep workers running over a queue, within limits, whatever happens to them.

A file that crashes its reader costs one worker and becomes one failed task. A worker
killed from outside has its task taken again. A worker over its time or memory is killed
and its task fails with the limit's name.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from tidewaiter.errors import ExaminationError
from tidewaiter.jobs.queue import Queue, Task
from tidewaiter.settings import Limits

POLL_S = 0.05
KILLED_FROM_OUTSIDE = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"})
"""Signals that say nothing against the file a worker was examining."""

MAX_IDLE_DEATHS = 5
"""So many workers in a row that die without ever taking a task mean a broken installation."""

WORKER_ENVIRONMENT = {
    # Two spinning OpenMP threads beside another busy process are up to ten times slower
    # than one (handbook measurement); one thread also pins the order of float sums.
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Sharing out crops of a few thousand pixels costs more processor time than the crops.
    "OPENCV_FOR_THREADS_NUM": "1",
    "PYTHONHASHSEED": "0",
}


SECRET_NAMES = re.compile("KEY|SECRET|TOKEN|PASSW|CREDENTIAL", re.IGNORECASE)
"""Variables that say that they hold one: of a database, an object store, a service."""


@dataclass
class _Worker:
    owner: str
    process: subprocess.Popen[bytes]
    task_id: int | None = None
    task_since: float = 0.0
    worked: bool = False
    reason: dict[str, str] | None = field(default=None)


def run(
    queue: Queue,
    handler: str,
    *,
    workers: int,
    limits: Limits,
    on_finished: Callable[[Task], None] = lambda _task: None,
) -> None:
    """Work until every task is done or failed; `on_finished` is called once for each.

    Raises ExaminationError when workers cannot even start. On KeyboardInterrupt the
    workers are killed and held tasks are made ready again before it is passed on.
    """
    crew: list[_Worker] = []
    reported = queue.last_finished()
    idle_deaths = 0
    try:
        while True:
            for worker in [w for w in crew if w.process.poll() is not None]:
                crew.remove(worker)
                _bury(worker, queue)
                idle_deaths = (
                    0 if worker.worked or worker.process.returncode == 0 else idle_deaths + 1
                )
            if idle_deaths >= MAX_IDLE_DEATHS:
                raise ExaminationError(
                    "workers end before they take any work; run `tidewaiter selftest` to see why"
                )
            reported = _report(queue, reported, on_finished)
            waiting = queue.count("ready")
            if not waiting and not crew:
                return
            while len(crew) < min(workers, waiting + len(crew)) and waiting:
                crew.append(_start(queue, handler, limits))
                waiting -= 1
            for worker in crew:
                _watch(worker, queue, limits)
            time.sleep(POLL_S)
    finally:
        _dismiss(crew, queue)


def worker_environment() -> dict[str, str]:
    """What a process gets that opens hostile files: this one's environment without its secrets.

    The hole that remains: it runs as the same user, and could read that user's files.
    """
    kept = {name: value for name, value in os.environ.items() if not SECRET_NAMES.search(name)}
    return kept | WORKER_ENVIRONMENT


def resident_bytes(pid: int) -> int:
    """Memory a process holds at this moment; 0 where it cannot be asked."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _start(queue: Queue, handler: str, limits: Limits) -> _Worker:
    owner = uuid4().hex
    command = [sys.executable, "-m", "tidewaiter.jobs.worker"]
    arguments = [str(queue.path), owner, handler, str(limits.max_memory_bytes)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [*command, *arguments],
        stdin=subprocess.PIPE,  # ends when this process ends, however it does
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=worker_environment(),
    )
    return _Worker(owner, process)


def _watch(worker: _Worker, queue: Queue, limits: Limits) -> None:
    task = queue.held_by(worker.owner)
    if task is None:
        return
    if worker.task_id != task.id:
        worker.task_id, worker.task_since, worker.worked = task.id, time.monotonic(), True
    elapsed = time.monotonic() - worker.task_since
    if elapsed > limits.max_wall_s:
        _kill(worker, f"examining took over {limits.max_wall_s:g} s, the limit max_wall_s")
    elif resident_bytes(worker.process.pid) > limits.max_memory_bytes:
        mib = limits.max_memory_bytes // 2**20
        _kill(worker, f"examining needed more than {mib} MiB, the limit max_memory_bytes")


def _kill(worker: _Worker, refusal: str) -> None:
    message = f"{refusal}; raise the limit or examine a shorter or smaller copy"
    worker.reason = {"type": "LimitExceeded", "message": message}
    worker.process.kill()
    worker.process.wait()


def _bury(worker: _Worker, queue: Queue) -> None:
    """Decide what becomes of the task a dead worker still held."""
    _hang_up(worker)
    task = queue.held_by(worker.owner)
    if task is None:
        return
    worker.worked = True
    code = worker.process.returncode
    if worker.reason is not None:
        queue.fail(task.id, worker.owner, worker.reason)
    elif code < 0 and (name := _signal_name(-code)) not in KILLED_FROM_OUTSIDE:
        message = (
            f"the reader crashed on this file ({name}); the file is malformed or hostile and was "
            "not examined; ask for the original, and treat the file with care"
        )
        queue.fail(task.id, worker.owner, {"type": "CorruptMedia", "message": message})
    else:
        queue.release(worker.owner)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have no names of their own
        return f"signal {number}"


def _report(queue: Queue, reported: int, on_finished: Callable[[Task], None]) -> int:
    for task in queue.finished_after(reported):
        reported = task.finish_number or reported
        on_finished(task)
    return reported


def _dismiss(crew: list[_Worker], queue: Queue) -> None:
    for worker in crew:
        with contextlib.suppress(ProcessLookupError):
            worker.process.kill()
        worker.process.wait()
        _hang_up(worker)
        queue.release(worker.owner, blameless=True)


def _hang_up(worker: _Worker) -> None:
    if worker.process.stdin is not None:
        worker.process.stdin.close()
