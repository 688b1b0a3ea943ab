"""Run an operator's program that answers lines, under limits of time and memory."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import Answer, Unanswered

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_MEMORY_MIB = 2048
LONGEST_ANSWER = 8 * 1024 * 1024
CHUNK = 64 * 1024
# What any program needs to find its libraries; all else would hand it our keys.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME")


class LineProgram:
    """A program started without a shell, and again after it failed.

    Its error stream is thrown away: it may hold anything. It sees only the environment
    variables in PASSED_ON and those named.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        passed_on: Sequence[str] = (),
        folder: Path,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        memory_mib: int = DEFAULT_MEMORY_MIB,
    ) -> None:
        if not command:
            raise ConfigurationError("the adapter exec needs a command: program and arguments")
        names = (*PASSED_ON, *passed_on)
        self._environment = {name: environment[name] for name in names if name in environment}
        self._command, self._folder = list(command), folder
        self._timeout_s, self._memory_bytes = timeout_s, memory_mib * 1024 * 1024
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] | None = None
        self.name = Path(command[0]).name
        self._starts = 0

    def start(self) -> int:
        """Start the program unless it runs; how often it was started.

        Raises ConfigurationError where it cannot be started at all.
        """
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._started()
            self._end = weakref.finalize(self, _ended, self._process)
            self._starts += 1
        return self._starts

    def ask(self, line: bytes) -> Answer | Unanswered:
        """Write a line, read a line. A program that does not answer in time is ended."""
        began = time.monotonic()
        if self._process is None:
            return Unanswered("connection")
        found = _exchanged(self._process, line, began + self._timeout_s)
        latency_ms = (time.monotonic() - began) * 1000
        if isinstance(found, Unanswered):
            self.close()
            return Unanswered(found.code, latency_ms)
        return Answer(200, {}, found, latency_ms)

    def close(self) -> None:
        """End the program and whatever it started; also done when this object is forgotten."""
        self._process = None
        if self._end is not None:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own protocol names it
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigurationError(
                f"the program {self.name!r} cannot be started ({error.strerror}); check "
                "command in [target.options]"
            ) from error
        _limit_memory(process.pid, self._memory_bytes)
        return process


def _ended(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _exchanged(
    process: subprocess.Popen[bytes], line: bytes, deadline: float
) -> bytes | Unanswered:
    """Write and read as each end is ready, so that neither waits for the other for ever."""
    writing, reading = _stream(process.stdin), _stream(process.stdout)
    os.set_blocking(writing.fileno(), False)
    left, answer = memoryview(line), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(writing, selectors.EVENT_WRITE)
        selector.register(reading, selectors.EVENT_READ)
        while not answer.endswith(b"\n"):
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready or time.monotonic() > deadline:
                return Unanswered("timeout")
            for key, _ in ready:
                if key.fileobj is reading:
                    chunk = os.read(reading.fileno(), CHUNK)
                    answer += chunk
                    if not chunk:
                        return Unanswered("connection")
                else:
                    left = _written(writing, left)
                    if not left:
                        selector.unregister(writing)
            if len(answer) > LONGEST_ANSWER:
                return Unanswered("too-long")
    return bytes(answer)


def _written(stream: IO[bytes], left: memoryview) -> memoryview:
    """What remains to be written; nothing, where the program no longer reads."""
    try:
        return left[os.write(stream.fileno(), left[:CHUNK]) :]
    except BrokenPipeError:
        return left[:0]


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ConfigurationError("the program has no standard input or output")
    return stream


def _limit_memory(pid: int, memory_bytes: int) -> None:
    """Limit the address space where the system can do that to another process (Linux)."""
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (ImportError, AttributeError, ProcessLookupError):
        return
