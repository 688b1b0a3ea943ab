"""One confined process that answers question after question, for servers that cannot queue.

A question that crashes it, takes too long or needs too much costs that one question: the
process is killed and the next question begins another. Questions and answers go through
its standard input and output; an answer is JSON, so that a process that a hostile file has
taken over can say nothing that runs here.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, Self

from tidewaiter.errors import CorruptMedia, ExaminationError, LimitExceeded, TidewaiterError
from tidewaiter.jobs.supervisor import POLL_S, resident_bytes, worker_environment
from tidewaiter.settings import Limits

LENGTH_BYTES = 8
# An answer is a few numbers about one file; a longer one is no answer.
LONGEST_ANSWER = 4 * 1024 * 1024
LONGEST_START_S = 60.0


class Attendant:
    """Answers by `handler` ("module:function", bytes -> dict) in a process of its own.

    One question at a time: callers from several threads hold a lock of theirs. `named` turns
    an error's class name and message into it. `first` is a harmless question that is asked of
    each new process, so that loading models counts as starting, not as reading a file.
    """

    def __init__(
        self,
        handler: str,
        limits: Limits,
        named: Callable[[str, str], TidewaiterError],
        *,
        first: bytes = b"",
    ) -> None:
        self._handler, self._limits, self._named = handler, limits, named
        self._first = first
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dismiss()

    def start(self) -> None:
        """Begin the process where none is running.

        Raises ExaminationError where it ends at once, or what the handler raised for the
        first question.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self._dismiss()
        self._process = _started(self._handler, self._limits)
        if self._awaited(self._process, None, LONGEST_START_S) is None:
            self._dismiss()
            raise ExaminationError(
                "the process that opens files ends before it takes any; run `tidewaiter "
                "selftest` to see why"
            )
        self._answered(self._process, self._first, LONGEST_START_S)

    def ask(self, question: bytes) -> dict[str, Any]:
        """The handler's answer.

        Raises what the handler raised, CorruptMedia where the process died of the question,
        LimitExceeded where it took too long or too much, ExaminationError where it cannot
        be started.
        """
        self.start()
        assert self._process is not None
        return self._answered(self._process, question, self._limits.max_wall_s)

    def _answered(
        self, process: subprocess.Popen[bytes], question: bytes, longest_s: float
    ) -> dict[str, Any]:
        try:
            said = self._awaited(process, question, longest_s)
        except TidewaiterError:
            self._dismiss()
            raise
        if said is None:
            self._dismiss()
            raise CorruptMedia(
                "the reader crashed on this file; the file is malformed or hostile and was not read"
            )
        if "error" in said:
            raise self._named(str(said["error"].get("type")), str(said["error"].get("message")))
        return said

    def _awaited(
        self, process: subprocess.Popen[bytes], question: bytes | None, longest_s: float
    ) -> dict[str, Any] | None:
        """What the process says to the question, or None where it said nothing readable."""
        answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        exchange = threading.Thread(
            target=lambda: answers.put(_exchanged(process, question)), daemon=True
        )
        exchange.start()
        ends = time.monotonic() + longest_s
        while True:
            with contextlib.suppress(queue.Empty):
                return answers.get(timeout=POLL_S)
            if time.monotonic() > ends:
                raise LimitExceeded(f"reading this file took over {longest_s:g} s")
            if resident_bytes(process.pid) > self._limits.max_memory_bytes:
                mib = self._limits.max_memory_bytes // 2**20
                raise LimitExceeded(f"reading this file needed more than {mib} MiB")

    def _dismiss(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process = None


def write_message(pipe: IO[bytes], content: bytes) -> None:
    """Its length, then the message."""
    pipe.write(len(content).to_bytes(LENGTH_BYTES, "big"))
    pipe.write(content)
    pipe.flush()


def read_message(pipe: IO[bytes], longest: int | None = None) -> bytes | None:
    """One message; None where the pipe ends or the message is longer than it may be."""
    head = pipe.read(LENGTH_BYTES)
    length = int.from_bytes(head, "big")
    if len(head) < LENGTH_BYTES or (longest is not None and length > longest):
        return None
    content = pipe.read(length)
    return content if len(content) == length else None


def _started(handler: str, limits: Limits) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tidewaiter.jobs.attending"]
    return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [*command, handler, str(limits.max_memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=worker_environment(),
    )


def _exchanged(process: subprocess.Popen[bytes], question: bytes | None) -> dict[str, Any] | None:
    """Ask and hear the answer, or only hear; None where the process cannot be talked with."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        if question is not None:
            write_message(process.stdin, question)
        said = json.loads(read_message(process.stdout, LONGEST_ANSWER) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
