"""Serve a stand-in over HTTP on this machine's loopback address, and nowhere else."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import Request
from tidewaiter.face_audit.stand_in.standing_in import Sent, StandIn

HOST = "127.0.0.1"
# Two pictures of the largest size any shape takes, as Base64.
LONGEST_REQUEST = 24 * 1024 * 1024
# A client that sends nothing holds its connection no longer than this.
READ_TIMEOUT_S = 30.0


@contextmanager
def serving(
    stand_in: StandIn, *, port: int = 0, now: Callable[[], float] = time.time
) -> Iterator[str]:
    """Serve within the block; gives the address. Port 0 takes a free one.

    Raises ConfigurationError where the port is taken.
    """
    handler = _handler(stand_in, now)
    try:
        server = http.server.ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise ConfigurationError(
            f"port {port} of {HOST} cannot be opened ({error.strerror}); choose another --port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(
    stand_in: StandIn, now: Callable[[], float]
) -> type[http.server.BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = READ_TIMEOUT_S

        def log_message(self, *_: Any) -> None:
            """Say nothing: addresses of requests hold identities."""

        def _answer(self) -> None:
            self.close_connection = True
            body = self._body()
            if body is None:
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                sent = stand_in.answer(Request(self.command, self.path, headers, body), now())
            # A client that gave up waiting is no trouble of ours.
            with contextlib.suppress(OSError):
                self._send(sent)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the library's names

        def _body(self) -> bytes | None:
            length = self.headers.get("Content-Length", "0")
            if not length.isascii() or not length.isdigit() or int(length) > LONGEST_REQUEST:
                self.send_error(413)
                return None
            with contextlib.suppress(OSError):
                body = self.rfile.read(int(length))
                return body if len(body) == int(length) else None
            return None

        def _send(self, sent: Sent) -> None:
            if sent.delay_s:
                time.sleep(sent.delay_s)
            if sent.cut == 0:
                return
            body = sent.encoded()
            self.send_response(sent.status)
            for name, value in sent.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: sent.cut])

    return Handler
