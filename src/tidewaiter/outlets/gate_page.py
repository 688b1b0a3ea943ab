"""A gate as a web page on this machine's loopback, and a browser before it with a fake camera."""

from __future__ import annotations

import contextlib
import http.server
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tidewaiter.errors import ExaminationError
from tidewaiter.face_audit.injection import Taken
from tidewaiter.outlets.browser import visiting

HOST = "127.0.0.1"
# A visit takes half a second; a browser that starts on a busy machine, some ten.
LONGEST_VISIT_S = 40.0
# A page that asks for the next visitor is answered at least so often.
LONGEST_POLL_S = 5.0
# A picture of a large camera as JPEG.
LONGEST_SHOT = 32 * 1024 * 1024
ATTEMPTS = 2


class Visits:
    """The visitor the page is to film next, and what came back; for one page at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number, self._asked = 0, True
        self._taken: Taken | None = None
        self._failure = ""

    def begin(self) -> None:
        """Announce the next visitor."""
        with self._changed:
            self._number, self._asked = self._number + 1, False
            self._taken, self._failure = None, ""
            self._changed.notify_all()

    def next(self, longest_s: float) -> int | None:
        """The visitor's number, once; None where nobody comes within `longest_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._asked, longest_s):
                return None
            self._asked = True
            return self._number

    def bring(self, number: int, taken: Taken) -> None:
        """Take in the page's picture; one of an earlier visitor is dropped."""
        with self._changed:
            if number == self._number:
                self._taken = taken
                self._changed.notify_all()

    def fail(self, why: str) -> None:
        """Take in that the page broke off."""
        with self._changed:
            self._failure = why or "unknown"
            self._changed.notify_all()

    def result(self, longest_s: float) -> Taken | str:
        """The picture, or why there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken or self._failure, longest_s)
            return self._taken or self._failure or "no picture came in time"


class BrowserCamera:
    """Shows films to the gate page, one after the other, in one browser."""

    def __init__(self, browser: Path, url: str, film: Path, visits: Visits) -> None:
        self._browser, self._url, self._film = browser, url, film
        self._visits = visits
        self._open = contextlib.ExitStack()
        self._begun = False

    def take(self, film: bytes) -> Taken:
        """The page's picture of a film; a browser that fails is started once more.

        Raises ExaminationError where it fails again.
        """
        beside = self._film.with_name(f"{self._film.name}.part")
        beside.write_bytes(film)
        beside.replace(self._film)
        found: Taken | str = ""
        for _ in range(ATTEMPTS):
            self._visits.begin()
            if not self._begun:
                self._open.enter_context(visiting(self._browser, self._url, self._film))
                self._begun = True
            found = self._visits.result(LONGEST_VISIT_S)
            if isinstance(found, Taken):
                return found
            self.close()
        raise ExaminationError(
            f"{self._browser.name} brought no picture from the gate page ({str(found)[:200]}); see "
            "that it runs on this machine, then run again: what was taken is kept"
        )

    def close(self) -> None:
        """End the browser."""
        self._open.close()
        self._begun = False


@contextmanager
def browser_camera(browser: Path, ending: str) -> Iterator[BrowserCamera]:
    """A gate page and a browser before it for the block; `ending` is that of the films."""
    visits, token = Visits(), secrets.token_urlsafe(16)
    with (
        tempfile.TemporaryDirectory(prefix="tidewaiter-camera-") as folder,
        _serving(visits, token) as port,
    ):
        url = f"http://{HOST}:{port}/{token}/"
        camera = BrowserCamera(browser, url, Path(folder) / f"camera.{ending}", visits)
        try:
            yield camera
        finally:
            camera.close()


@contextmanager
def _serving(visits: Visits, token: str) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer((HOST, 0), _handler(visits, token))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server.server_port
    finally:
        # Whoever still waits for a visitor is sent away, so that no thread is left behind.
        visits.begin()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(visits: Visits, token: str) -> type[http.server.BaseHTTPRequestHandler]:
    page = files("tidewaiter.outlets").joinpath("gate_page.html").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers under the token only, which other pages and programs do not know."""

        protocol_version = "HTTP/1.1"
        timeout = LONGEST_VISIT_S

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._send(*_given(visits, _below(self.path, token), page))

        def do_POST(self) -> None:
            body = self._body()
            if body is not None:
                self._send(_brought(visits, _below(self.path, token), body), b"")

        def _body(self) -> bytes | None:
            length = self.headers.get("Content-Length", "0")
            if not length.isascii() or not length.isdigit() or int(length) > LONGEST_SHOT:
                self.close_connection = True
                self.send_error(413)
                return None
            return self.rfile.read(int(length))

        def _send(self, status: int, body: bytes) -> None:
            with contextlib.suppress(OSError):  # the browser may have been ended meanwhile
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

    return Handler


def _below(path: str, token: str) -> str:
    """What follows the token; nothing where another or none was given."""
    given, _, rest = path.removeprefix("/").partition("/")
    return f"/{rest}" if secrets.compare_digest(given.encode(), token.encode()) else ""


def _given(visits: Visits, place: str, page: bytes) -> tuple[int, bytes]:
    """Status and body for what the page asks for."""
    if place == "/":
        return 200, page
    if place != "/next":
        return 404, b""
    number = visits.next(LONGEST_POLL_S)
    return (204, b"") if number is None else (200, f"{number}".encode())


def _brought(visits: Visits, place: str, body: bytes) -> int:
    """The status for what the page brings."""
    path, _, query = place.partition("?")
    said = {name: values[0] for name, values in parse_qs(query).items()}
    if path == "/shot" and said.get("visit", "").isdecimal():
        visits.bring(int(said["visit"]), Taken(body, _without_path(said.get("camera", ""))))
    elif path == "/failed":
        visits.fail(said.get("why", ""))
    else:
        return 404
    return 204


def _without_path(label: str) -> str:
    """The camera's name; Chromium calls a film by its whole path, which is nobody's business."""
    return label.replace("\\", "/").rpartition("/")[2][:80]
