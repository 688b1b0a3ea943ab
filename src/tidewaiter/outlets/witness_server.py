"""A witness over HTTP: `add-checkpoint` and the last checkpoint, and nothing else.

Meant to stand behind a reverse proxy that speaks TLS, on a machine and under an authority that
the log's operator does not command. Bodies, connections and time are bounded; a request that
exceeds them is answered or dropped, never waited for.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import re
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tidewaiter.custody.witness import (
    LARGEST_REQUEST_BYTES,
    TEXT_TYPE,
    Witness,
    WitnessAnswer,
    WitnessBook,
)
from tidewaiter.errors import ConfigurationError, TidewaiterError

# A request is a few kilobytes; a client that needs longer is not asking.
WHOLE_REQUEST_S = 10.0
# For the next request on one connection, which C2SP asks witnesses to allow, and its headers.
IDLE_S = 30.0
MOST_CONNECTIONS = 64
CHECKPOINT_PATH = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LENGTH = re.compile(r"[0-9]{1,9}")


@contextlib.contextmanager
def serving_witness(
    witness: Witness,
    book: WitnessBook,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: str = "",
    now: Callable[[], float] = time.time,
) -> Iterator[str]:
    """Serve within the block; gives the address with the prefix. Port 0 takes a free one.

    Raises ConfigurationError where the address cannot be opened.
    """
    try:
        server = _WitnessServer((host, port), _Asked(witness, book, prefix, now))
    except OSError as error:
        raise ConfigurationError(
            f"port {port} of {host} cannot be opened ({error.strerror}); choose another --port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class _Asked:
    """Who answers, by which memory and clock, and under which prefix."""

    witness: Witness
    book: WitnessBook
    prefix: str
    now: Callable[[], float]


class _WitnessServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: tuple[str, int], asked: _Asked) -> None:
        self.asked = asked
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, _WitnessHandler)

    def server_bind(self) -> None:
        """Bind without the library's look-up of this machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # there was no thread to be had
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a connection that broke; a fault inside is for the witness's keeper."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _WitnessHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _WitnessServer

    def setup(self) -> None:
        """Read through a clock: a byte now and then must not hold a connection."""
        super().setup()
        self.rfile.close()
        self._reader = _BoundedReader(self.connection)
        self.rfile = io.BufferedReader(self._reader)

    def handle_one_request(self) -> None:
        """Wait for a request line and its headers, but not for ever."""
        self._reader.ends = time.monotonic() + IDLE_S
        super().handle_one_request()

    def log_message(self, *_: Any) -> None:
        """Keep no record of who asked."""

    def do_POST(self) -> None:
        """`add-checkpoint`."""
        asked = self.server.asked
        if self.path != f"{asked.prefix}/add-checkpoint":
            self._refuse(404, "there is nothing here; POST add-checkpoint")
            return
        if not self._is_framed():
            return
        body = self._body()
        if body is not None:
            self._answer(lambda: asked.witness.add_checkpoint(body, asked.book, int(asked.now())))

    def do_GET(self) -> None:
        """The last checkpoint of a log."""
        asked = self.server.asked
        path = self.path.removeprefix(asked.prefix)
        found = CHECKPOINT_PATH.fullmatch(path)
        if found is None or self.path != asked.prefix + path:
            self._refuse(404, "there is nothing here; GET <SHA-256 of an origin>/checkpoint")
            return
        if not self._is_framed():
            return
        if "Content-Length" in self.headers:  # it is not read, and must not be the next request
            self.close_connection = True
        self._answer(lambda: asked.witness.latest(found.group(1), asked.book))

    def _is_framed(self) -> bool:
        """Whether a proxy before this one must read the same request here as this one does."""
        lengths = self.headers.get_all("Content-Length", [])
        is_coded = "Transfer-Encoding" in self.headers
        if len(lengths) < 2 and not is_coded and not self.headers.defects:
            return True
        self._refuse(400, "the request does not state the length of its body once and plainly")
        return False

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length):
            self._refuse(411, "the request states no Content-Length")
            return None
        if int(length) > LARGEST_REQUEST_BYTES:
            self._refuse(413, f"{LARGEST_REQUEST_BYTES} bytes are read at most")
            return None
        self._reader.ends = time.monotonic() + WHOLE_REQUEST_S
        with contextlib.suppress(OSError):
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
        self._refuse(408, "the request did not arrive whole in time")
        return None

    def _answer(self, ask: Callable[[], WitnessAnswer]) -> None:
        try:
            answer = ask()
        except TidewaiterError as error:
            self._refuse(error.http_status, str(error))
        except Exception:
            self._refuse(500, "the witness failed; it gives no confirmation of this request")
            raise
        else:
            self._send(answer.status, answer.body, answer.content_type)

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True
        self._send(status, f"{reason}\n", TEXT_TYPE)

    def _send(self, status: int, text: str, content_type: str) -> None:
        body = text.encode("utf-8", "replace")
        self.connection.settimeout(IDLE_S)
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)


class _BoundedReader(io.RawIOBase):
    """What comes from a client up to a moment, however slowly it comes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self.ends = connection, 0.0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait no longer than to the moment given."""
        left_s = self.ends - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(buffer)
