"""The gate page's server and its browser's films, with a browser made of a few requests."""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tidewaiter.errors import ExaminationError
from tidewaiter.face_audit.injection import Taken
from tidewaiter.outlets import gate_page
from tidewaiter.outlets.gate_page import Visits, browser_camera


def request(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def page(monkeypatch):
    """Replaces the browser; gives what the made page did, and lets it misbehave."""
    seen = {"starts": 0, "films": [], "fail": 0, "url": ""}

    @contextlib.contextmanager
    def visiting(browser, url, camera):
        seen["starts"] += 1
        seen["url"] = url
        ended = threading.Event()
        thread = threading.Thread(target=film_on, args=(url, camera, seen, ended))
        thread.start()
        yield
        ended.set()
        thread.join()

    monkeypatch.setattr(gate_page, "visiting", visiting)
    monkeypatch.setattr(gate_page, "LONGEST_POLL_S", 0.2)
    return seen


def film_on(url: str, camera: Path, seen: dict, ended: threading.Event) -> None:
    while not ended.is_set():
        with contextlib.suppress(OSError):
            status, number = request(f"{url}next")
            if status != 200 or ended.is_set():
                continue
            if seen["fail"] > 0:
                seen["fail"] -= 1
                request(f"{url}failed?why=no+camera", b"")
                time.sleep(0.05)
                continue
            seen["films"].append(camera.read_bytes())
            request(f"{url}shot?visit={int(number)}&camera=%2Fa%2Fb%2Fcamera.y4m", b"jpeg" + number)


def test_each_film_brings_the_pages_picture_and_the_cameras_name(page):
    with browser_camera(Path("chromium"), "y4m") as camera:
        assert camera.take(b"one") == Taken(b"jpeg1", "camera.y4m")
        assert camera.take(b"two") == Taken(b"jpeg2", "camera.y4m")
    assert page["films"] == [b"one", b"two"]
    assert page["starts"] == 1


def test_a_browser_that_fails_is_started_once_more(page):
    page["fail"] = 1
    with browser_camera(Path("chromium"), "y4m") as camera:
        assert camera.take(b"one").content == b"jpeg2"
    assert page["starts"] == 2


def test_a_browser_that_fails_again_ends_the_run_with_one_sentence(page):
    page["fail"] = 9
    with (
        browser_camera(Path("chromium"), "y4m") as camera,
        pytest.raises(ExaminationError, match=r"chromium brought no picture .*no camera"),
    ):
        camera.take(b"one")


def test_a_silent_browser_is_not_waited_for_for_ever(page, monkeypatch):
    monkeypatch.setattr(gate_page, "LONGEST_VISIT_S", 0.1)
    monkeypatch.setattr(gate_page, "visiting", lambda *_: contextlib.nullcontext())
    with (
        browser_camera(Path("chromium"), "y4m") as camera,
        pytest.raises(ExaminationError, match="no picture came in time"),
    ):
        camera.take(b"one")


def test_nothing_is_served_without_the_token(page):
    with browser_camera(Path("chromium"), "y4m") as camera:
        camera.take(b"one")
        parts = urlsplit(page["url"])
        there = f"{parts.scheme}://{parts.netloc}"
        assert request(page["url"])[0] == 200
        for path in ("/", "/next", "/x/", "/shot?visit=2"):
            assert request(there + path)[0] == 404, path
        assert request(f"{there}/shot?visit=2", b"forged")[0] == 404
        assert request(f"{page['url']}shot?visit=two", b"")[0] == 404


def test_a_picture_of_an_earlier_visitor_is_dropped():
    visits = Visits()
    visits.begin()
    assert visits.next(0) == 1
    assert visits.next(0) is None
    visits.begin()
    visits.bring(1, Taken(b"late", ""))
    visits.bring(2, Taken(b"now", ""))
    assert visits.result(0) == Taken(b"now", "")


def test_the_page_loads_nothing_from_elsewhere():
    text = Path(gate_page.__file__).with_name("gate_page.html").read_text()
    assert "http" not in text
    assert "src=" not in text
