"""Send one HTTP request and bring back the complete answer, within time and size.

No redirect is followed, no proxy is asked, nothing is tried again; only the hosts given
at the beginning are ever connected to.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import (
    TEST_KIT_HEADER,
    Answer,
    Request,
    Unanswered,
)

DEFAULT_TIMEOUT_S = 30.0
# Answers of recognition services are a few kilobytes; more is a mistake or an attack.
LONGEST_ANSWER = 8 * 1024 * 1024
CHUNK = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_address(url: str, *, plain_http: bool = False) -> SplitResult:
    """The parts of a service's address.

    Raises ConfigurationError where it is none, holds a password, or would be reached in
    the clear beyond this machine without `plain_http`.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "the address of the service is not one; write it as https://host or https://host:port"
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            f"the address of {parts.hostname!r} holds a user or password; name it by key_env "
            "or key_file instead"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not plain_http:
        raise ConfigurationError(
            f"faces and keys would go to {parts.hostname!r} unencrypted; use https, or set "
            "plain_http = true if the network between is yours"
        )
    return parts


class HttpTransport:
    """Connects to the hosts of `urls` and to no other; one connection a request."""

    def __init__(
        self, *urls: str, timeout_s: float = DEFAULT_TIMEOUT_S, plain_http: bool = False
    ) -> None:
        """Raises ConfigurationError for an address that is none, or would be sent in the clear.

        `plain_http` allows http beyond this machine, as some in-house gates need it.
        """
        self._allowed = frozenset(
            _origin(check_address(url, plain_http=plain_http)) for url in urls
        )
        self._timeout_s = timeout_s
        self.met_test_kit = False

    def send(self, request: Request) -> Answer | Unanswered:
        """Send once; what went wrong on the way is named without its details."""
        parts = urlsplit(request.url)
        if _origin(parts) not in self._allowed:
            raise ConfigurationError(
                f"a request to {parts.hostname!r} was asked for, which the protocol does not name"
            )
        started = time.monotonic()
        connection = self._connection(parts)
        try:
            answer = self._exchange(connection, parts, request, started)
        except TimeoutError:
            return Unanswered("timeout", _ms_since(started))
        except (OSError, http.client.HTTPException, ValueError):
            return Unanswered(
                "timeout" if self._is_late(started) else "connection", _ms_since(started)
            )
        finally:
            connection.close()
        if isinstance(answer, Answer) and TEST_KIT_HEADER.lower() in answer.headers:
            self.met_test_kit = True
        return answer

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        parts: SplitResult,
        request: Request,
        started: float,
    ) -> Answer | Unanswered:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.connect()
        with self._cut_off(connection.sock, started):
            connection.request(request.method, target, request.body, dict(request.headers))
            return self._answer(connection.getresponse(), started)

    def _answer(self, response: http.client.HTTPResponse, started: float) -> Answer | Unanswered:
        body = bytearray()
        while chunk := response.read1(CHUNK):
            body += chunk
            if len(body) > LONGEST_ANSWER:
                return Unanswered("too-long", _ms_since(started))
        if self._is_late(started):
            return Unanswered("timeout", _ms_since(started))
        if response.length:
            return Unanswered("truncated", _ms_since(started))
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, bytes(body), _ms_since(started))

    @contextlib.contextmanager
    def _cut_off(self, line: socket.socket, started: float) -> Iterator[None]:
        """End the line when time is up: one that brings a byte now and then is never silent."""

        def cut() -> None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

        left_s = max(self._timeout_s - (time.monotonic() - started), 0.0)
        timer = threading.Timer(left_s, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _is_late(self, started: float) -> bool:
        return time.monotonic() - started >= self._timeout_s


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
