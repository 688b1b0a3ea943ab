"""One killable worker process: takes tasks from a queue until none is ready.

Started by the supervisor as `python -m tidewaiter.jobs.worker QUEUE OWNER HANDLER LIMITS`,
with one thread per library. HANDLER is `module:function` (payload dict -> result dict).
Standard input is a pipe that nobody writes to: it ends when the supervisor ends.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidewaiter.errors import InputError, TidewaiterError
from tidewaiter.jobs.queue import Queue, Task

MEMORY_HEADROOM = 3
"""Address space may be this many times the memory limit: libraries map more than they use.
The supervisor watches resident memory itself; this is the backstop against sudden bombs."""

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def main(arguments: list[str]) -> None:
    """Confine this process, load the handler, work until the queue has nothing ready."""
    queue_path, owner, handler_name, max_memory = arguments
    end_with_supervisor()
    confine(int(max_memory))
    module_name, _, function_name = handler_name.partition(":")
    handler: Handler = getattr(importlib.import_module(module_name), function_name)
    queue = Queue(Path(queue_path))
    while (task := queue.claim(owner)) is not None:
        if not work_on(task, owner, queue, handler):
            return


def end_with_supervisor() -> None:
    """End this process when its supervisor is gone; leave Ctrl-C to the supervisor.

    Without its supervisor a worker has nobody who watches its time and memory, and would
    go on through the queue while a resumed run does the same work.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_input, daemon=True).start()


def work_on(task: Task, owner: str, queue: Queue, handler: Handler) -> bool:
    """Run one task and record its outcome; False when this process should not go on."""
    try:
        queue.complete(task.id, owner, handler(task.payload))
    except MemoryError:
        queue.fail(task.id, owner, _memory_refusal())
        return False
    except TidewaiterError as error:
        queue.fail(task.id, owner, {"type": type(error).__name__, "message": str(error)})
    except Exception as error:  # noqa: BLE001 - the batch goes on; the user gets one sentence
        message = (
            f"the examination broke off ({type(error).__name__}: {str(error)[:200]}); "
            "the file was not examined; please report this with the file, if you may"
        )
        queue.fail(task.id, owner, {"type": "ExaminationError", "message": message})
    return True


def confine(max_memory_bytes: int) -> None:
    """Limit address space and core dumps where the system can, and close the network."""
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows; the supervisor's watch remains
        pass
    else:
        ceiling = _ceiling(max_memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1])
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_no_network)


def _ceiling(max_memory_bytes: int, allowed: int) -> int:
    """Address space in bytes; never above what the system already allows (-1: everything)."""
    wanted = min(max_memory_bytes * MEMORY_HEADROOM, sys.maxsize)
    return wanted if allowed < 0 else min(wanted, allowed)


def _end_with_input() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def _no_network(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}:
        raise InputError("opening this file asked for the network; a worker has none")


def _memory_refusal() -> dict[str, Any]:
    return {
        "type": "LimitExceeded",
        "message": "examining this file needs more memory than max_memory_bytes allows; "
        "raise that limit or examine a smaller copy",
    }


if __name__ == "__main__":
    os.umask(0o077)
    try:
        main(sys.argv[1:])
    except TidewaiterError as failure:
        sys.exit(failure.exit_code)
