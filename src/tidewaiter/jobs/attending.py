"""The confined process of an attendant: hears a question, answers, until its input ends.

Started as `python -m tidewaiter.jobs.attending HANDLER MEMORY`. HANDLER is
`module:function` (bytes -> result dict). Libraries that print, print into nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from tidewaiter.errors import TidewaiterError
from tidewaiter.jobs.attendant import read_message, write_message
from tidewaiter.jobs.worker import confine

Handler = Callable[[bytes], dict[str, Any]]


def main(arguments: list[str]) -> None:
    """Confine this process, load the handler, say so, then answer until nobody asks."""
    handler_name, max_memory = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _taken_over(sys.stdout.fileno())
    confine(int(max_memory))
    module_name, _, function_name = handler_name.partition(":")
    handler: Handler = getattr(importlib.import_module(module_name), function_name)
    write_message(answers, b"{}")
    questions: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(questions,), daemon=True).start()
    while True:
        write_message(answers, json.dumps(answered(handler, questions.get())).encode())


def answered(handler: Handler, question: bytes) -> dict[str, Any]:
    """The handler's answer, or the error in place of one."""
    try:
        return handler(question)
    except MemoryError:
        return _error("LimitExceeded", "reading this file needs more memory than it may have")
    except TidewaiterError as error:
        return _error(type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001 - the next question is to be answered all the same
        return _error("ExaminationError", f"reading this file broke off ({type(error).__name__})")


def _hear(questions: queue.SimpleQueue[bytes]) -> None:
    """Take in questions; end this process with its input, also in the midst of one."""
    while (question := read_message(sys.stdin.buffer)) is not None:
        questions.put(question)
    os._exit(1)


def _taken_over(descriptor: int) -> IO[bytes]:
    """The pipe of answers, for this module alone: whatever else is printed goes nowhere."""
    answers = os.fdopen(os.dup(descriptor), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return answers


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


if __name__ == "__main__":
    os.umask(0o077)
    main(sys.argv[1:])
