"""The transport reaches the hosts it was given and no other, within time and size."""

import contextlib
import socket
import threading
import time

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import Answer, Request, Unanswered
from tidewaiter.outlets import http as outlet
from tidewaiter.outlets.http import HttpTransport

BODY = b"{}"


@pytest.fixture
def served():
    """Starts a server that sends raw bytes to whoever connects; gives its address."""
    listeners = []

    def start(raw: bytes, *, wait: threading.Event | None = None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer():
            connection, _ = listener.accept()
            with connection:
                # Head and body may come apart; closing with either unread resets the line.
                asked = b""
                while not asked.endswith(BODY) and (more := connection.recv(65536)):
                    asked += more
                connection.sendall(raw)
                if wait:
                    wait.wait(5)

        threading.Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/path"

    yield start
    for listener in listeners:
        listener.close()


def ask(url, **options):
    return HttpTransport(url, **options).send(Request("POST", url, {"x-key": "k"}, BODY))


def test_a_complete_answer_comes_back(served):
    answer = ask(served(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok"))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers["x-a"], answer.body) == (200, "b", b"ok")
    assert answer.latency_ms > 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "truncated"),
        (b"", "connection"),
        (b"SSH-2.0-OpenSSH\r\n", "connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(2000), "too-long"),
    ],
)
def test_what_is_no_complete_answer_is_named(served, raw, code, monkeypatch):
    monkeypatch.setattr(outlet, "LONGEST_ANSWER", 1000)
    found = ask(served(raw))
    assert isinstance(found, Unanswered)
    assert found.code == code


def test_silence_is_a_timeout(served):
    wait = threading.Event()
    found = ask(served(b"HTTP/1.1 200 OK\r\n", wait=wait), timeout_s=0.2)
    wait.set()
    assert isinstance(found, Unanswered)
    assert found.code == "timeout"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(head):
    """Every byte is in time; the whole never ends."""
    done = threading.Event()

    def drip(listener):
        line, _ = listener.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(head)
            while not done.wait(0.02):
                line.sendall(b"X")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        begun = time.monotonic()
        found = ask(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_s=0.4)
        took_s = time.monotonic() - begun
        done.set()
    assert isinstance(found, Unanswered)
    assert found.code == "timeout"
    assert took_s < 5


def test_a_redirect_is_not_followed(served):
    answer = ask(served(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"))
    assert answer.status == 302


def test_another_host_is_not_reached():
    transport = HttpTransport("https://gate.example")
    with pytest.raises(ConfigurationError, match=r"elsewhere\.example.*does not name"):
        transport.send(Request("GET", "https://elsewhere.example/"))
    with pytest.raises(ConfigurationError):
        transport.send(Request("GET", "http://gate.example/"))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("gate.example", "is not one"),
        ("ftp://gate.example", "is not one"),
        ("https://gate.example:99999999", "is not one"),
        ("https://user:hunter2@gate.example", "holds a user or password"),
        ("http://gate.example", "unencrypted"),
    ],
)
def test_an_unusable_address_is_refused_before_anything_is_sent(url, problem):
    with pytest.raises(ConfigurationError, match=problem) as refused:
        HttpTransport(url)
    assert "hunter2" not in str(refused.value)


def test_plain_http_is_allowed_where_asked_for_and_on_this_machine():
    allowed = HttpTransport("http://gate.example", plain_http=True)
    here = HttpTransport("http://127.0.0.1:1")
    # Nobody listens there: it was tried, not refused.
    assert isinstance(here.send(Request("GET", "http://127.0.0.1:1/")), Unanswered)
    with pytest.raises(ConfigurationError):
        allowed.send(Request("GET", "http://elsewhere.example/"))


def test_no_proxy_is_asked(served, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    answer = ask(served(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert isinstance(answer, Answer)
