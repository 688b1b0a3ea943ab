"""Witness and client speak C2SP tlog-witness over real sockets, within bounds."""

import hashlib
import http.client
import socket
import threading
import time

import pytest

from tests.custody.logs import ForgetfulBook, SmallLog
from tests.custody.signers import LOG, ORIGIN, VIGILANCE, WCO, key
from tidewaiter.custody.keys import MLDSA44_COSIGNATURE
from tidewaiter.custody.store import Head
from tidewaiter.custody.witness import Witness
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.face_audit.service import Answer, Unanswered
from tidewaiter.outlets import witness_server
from tidewaiter.outlets.http import HttpTransport
from tidewaiter.outlets.witness_client import WitnessClient
from tidewaiter.outlets.witness_server import serving_witness

NOW_S = 1_790_000_000
POST_QUANTUM = key("vigilance.customs.example", MLDSA44_COSIGNATURE)
WITNESS = Witness((VIGILANCE, POST_QUANTUM), {ORIGIN: (LOG.verifier,)})
KEYS = (VIGILANCE.verifier, POST_QUANTUM.verifier)


@pytest.fixture
def book():
    return ForgetfulBook()


@pytest.fixture
def address(book):
    with serving_witness(WITNESS, book, prefix="/w1", now=lambda: NOW_S) as address:
        yield address


def client(address, keys=KEYS, transport=None):
    return WitnessClient("vigilance", keys, address, LOG.verifier, transport)


def connected(address):
    host = address.removeprefix("http://").partition("/")[0]
    return http.client.HTTPConnection(host, timeout=5)


def test_a_log_is_confirmed_and_the_witness_tells_what_it_knows(address):
    log, witness = SmallLog(), client(address)
    assert witness.latest().head == Head(0, hashlib.sha256(b"").digest())
    known = 0
    for size in (5, 6, 40):
        done = witness.confirm(log.note(size).encoded, known, log.proof)
        assert len(done.lines) == 2
        assert (done.time_s, done.stated_size, done.reason) == (NOW_S, None, "")
        known = size
    latest = witness.latest()
    assert latest.head == Head(40, log.tree.root(40))
    assert latest.time_ms == NOW_S * 1000
    assert not latest.reason


def test_a_client_that_guessed_wrong_asks_once_more(address):
    log, witness = SmallLog(), client(address)
    witness.confirm(log.note(5).encoded, 0, log.proof)
    done = witness.confirm(log.note(9).encoded, 0, log.proof)
    assert (len(done.lines), done.stated_size) == (2, 5)


def test_a_log_set_back_is_told_the_larger_size(address):
    log, witness = SmallLog(), client(address)
    witness.confirm(log.note(9).encoded, 0, log.proof)
    done = witness.confirm(log.note(7).encoded, 5, log.proof)
    assert (done.lines, done.stated_size) == ((), 9)


def test_a_witness_set_back_states_less_than_it_confirmed(address, book):
    log, witness = SmallLog(), client(address)
    witness.confirm(log.note(5).encoded, 0, log.proof)
    old_copy = dict(book.states)
    witness.confirm(log.note(9).encoded, 5, log.proof)
    book.states = old_copy
    done = witness.confirm(log.note(12).encoded, 9, log.proof)
    assert (len(done.lines), done.stated_size) == (2, 5)


def test_an_answer_that_was_lost_is_asked_for_again(address, monkeypatch):
    log, witness = SmallLog(), client(address)
    send = witness._transport.send
    monkeypatch.setattr(
        witness._transport, "send", lambda asked: send(asked) and Unanswered("connection")
    )
    assert witness.confirm(log.note(5).encoded, 0, log.proof).reason == "no answer (connection)"
    monkeypatch.undo()
    done = witness.confirm(log.note(5).encoded, 0, log.proof)
    assert (len(done.lines), done.stated_size) == (2, 5)


def test_a_fork_is_refused_with_the_witnesss_reason(address, book):
    log, fork, witness = SmallLog(), SmallLog("fork"), client(address)
    witness.confirm(log.note(5).encoded, 0, log.proof)
    done = witness.confirm(fork.note(8).encoded, 5, fork.proof)
    assert not done.lines
    assert "422" in done.reason
    assert "history was rewritten" in done.reason
    assert len(book.requests) == 1


def test_an_answer_without_a_known_signature_is_no_confirmation(address):
    log, witness = SmallLog(), client(address, keys=(WCO.verifier,))
    done = witness.confirm(log.note(5).encoded, 0, log.proof)
    assert not done.lines
    assert "no cosignature of its keys" in done.reason
    assert witness.latest().head is None
    assert "no cosignature" in witness.latest().reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Unanswered("timeout"), "no answer (timeout)"),
        (Answer(500, {}, b"\xff\x1b[31m"), "answered 500"),
        (Answer(200, {}, b""), "does not end with"),
        (Answer(200, {}, b"hello\n"), "no signature line"),
        (Answer(409, {}, b"5\n"), "does not say which"),
        (Answer(409, {"content-type": "text/x.tlog.size"}, b"5"), "does not say which"),
        (Answer(409, {"content-type": "text/x.tlog.size"}, b"+5\n"), "+5"),
        (Answer(200, {}, b"\n <html>Please sign on</html>"), "a web page answered (200)"),
        (Answer(501, {}, b"<!DOCTYPE HTML>"), "a web page answered (501)"),
        (Answer(302, {"location": "https://elsewhere"}, b""), "answered 302"),
    ],
)
def test_a_hostile_answer_is_a_reason_not_a_crash(answer, reason):
    class Road:
        met_test_kit = False

        def send(self, request):
            return answer

    log, witness = SmallLog(), client("http://witness.example", transport=Road())
    done = witness.confirm(log.note(5).encoded, 0, log.proof)
    assert not done.lines
    assert reason in done.reason
    assert "\x1b" not in done.reason
    assert witness.latest().head is None


@pytest.mark.parametrize("signed", [None, 4])
def test_a_larger_size_counts_only_where_the_witness_signed_one(address, signed):
    """Else whoever stands on the road could stop a log by a word."""
    log, honest = SmallLog(), client(address)
    if signed:
        honest.confirm(log.note(signed).encoded, 0, log.proof)

    class Road:
        met_test_kit = False

        def send(self, request):
            if request.method == "POST":
                return Answer(409, {"content-type": "text/x.tlog.size"}, b"1000000\n")
            return HttpTransport(address, plain_http=True).send(request)

    done = client(address, transport=Road()).confirm(log.note(5).encoded, 0, log.proof)
    assert (done.lines, done.stated_size) == ((), None)
    assert "1000000" in done.reason


def test_one_connection_serves_several_requests(address):
    connection, log = connected(address), SmallLog()
    for old, new in ((0, 3), (3, 4)):
        connection.request("POST", "/w1/add-checkpoint", log.request(old, new))
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read().decode().startswith("— vigilance.customs.example ")
    origin = hashlib.sha256(ORIGIN.encode()).hexdigest()
    connection.request("GET", f"/w1/{origin}/checkpoint")
    assert connection.getresponse().read().decode().startswith(f"{ORIGIN}\n4\n")
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/w1/add-checkpoint", 404),
        ("POST", "/add-checkpoint", 404),
        ("POST", "/w1/add-checkpoint/", 404),
        ("GET", "/" + "0" * 64 + "/checkpoint", 404),
        ("GET", "/w1/" + "0" * 64 + "/checkpoint", 404),
        ("GET", "/w1/../" + "0" * 64 + "/checkpoint", 404),
        ("PUT", "/w1/add-checkpoint", 501),
        ("POST", "/w1/add-checkpoint", 400),
    ],
)
def test_nothing_else_is_served(address, method, path, status):
    connection = connected(address)
    connection.request(method, path, b"x" if method == "POST" else None)
    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.parametrize(
    ("length", "status"), [("1000000", 413), ("+5", 411), ("-1", 411), ("", 411), ("9" * 40, 411)]
)
def test_a_body_of_unknown_or_great_length_is_not_read(address, length, status):
    connection = connected(address)
    connection.putrequest("POST", "/w1/add-checkpoint")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_a_client_that_dawdles_is_let_go(address, monkeypatch):
    monkeypatch.setattr(witness_server, "WHOLE_REQUEST_S", 0.2)
    connection = connected(address)
    connection.putrequest("POST", "/w1/add-checkpoint")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"old 0\n")
    begun = time.monotonic()
    assert connection.getresponse().status == 408
    assert time.monotonic() - begun < 3
    connection.close()


def test_a_byte_now_and_then_does_not_hold_a_connection(book, monkeypatch):
    monkeypatch.setattr(witness_server, "IDLE_S", 0.4)
    with serving_witness(WITNESS, book) as address:
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
            begun, held = time.monotonic(), True
            while held and time.monotonic() - begun < 5:
                time.sleep(0.05)
                try:
                    slow.sendall(b"G")
                    held = slow.recv(1, socket.MSG_DONTWAIT) != b""
                except BlockingIOError:
                    continue
                except OSError:
                    held = False
            assert not held


def test_more_connections_than_allowed_are_closed_at_once(book, monkeypatch):
    monkeypatch.setattr(witness_server, "MOST_CONNECTIONS", 2)
    with serving_witness(WITNESS, book) as address:
        port = int(address.rpartition(":")[2])
        idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2)]
        deadline = time.monotonic() + 5
        while threading.active_count() < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as third:
            assert third.recv(1) == b""
        for one in idle:
            one.close()


def test_a_disk_that_fails_is_answered_and_nothing_confirmed(monkeypatch, book):
    def fail(*_):
        raise StorageError("the witness book could not be written; nothing was confirmed")

    monkeypatch.setattr(book, "step", fail)
    with serving_witness(WITNESS, book) as address:
        done = client(address).confirm(SmallLog().note(5).encoded, 0, SmallLog().proof)
    assert not done.lines
    assert "503" in done.reason
    assert "nothing was confirmed" in done.reason


def raw_answers(address, request):
    """Everything that comes back for these bytes until the witness closes the connection."""
    host, _, port = address.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(request)
        return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 6\r\nContent-Length: 0\r\n",
        b"Content-Length: 6\r\nContent-Length : 0\r\n",
    ],
)
@pytest.mark.parametrize("start", [b"POST /w1/add-checkpoint", b"GET /w1/" + b"0" * 64])
def test_what_a_proxy_may_read_otherwise_ends_the_connection(address, start, framing):
    """Else a request could be hidden in the body of another one before it."""
    hidden = b"old 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    found = raw_answers(address, start + b" HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n" + hidden)
    assert found.startswith(b"HTTP/1.1 4")
    assert found.count(b"HTTP/1.1 ") == 1


def test_the_body_of_a_question_that_has_none_is_no_second_request(address):
    log = SmallLog()
    client(address).confirm(log.note(5).encoded, 0, log.proof)
    origin = hashlib.sha256(ORIGIN.encode()).hexdigest()
    hidden = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    asked = f"GET /w1/{origin}/checkpoint HTTP/1.1\r\nContent-Length: {len(hidden)}\r\n\r\n"
    found = raw_answers(address, asked.encode() + hidden)
    assert found.startswith(b"HTTP/1.1 200")
    assert found.count(b"HTTP/1.1 ") == 1


def test_a_fault_of_its_own_is_answered_and_told_to_its_keeper(monkeypatch, book, capsys):
    monkeypatch.setattr(book, "step", lambda *_: 1 // 0)
    with serving_witness(WITNESS, book) as address:
        done = client(address).confirm(SmallLog().note(5).encoded, 0, SmallLog().proof)
    assert not done.lines
    assert "500" in done.reason
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "127.0.0.1" not in told


def test_a_connection_that_found_no_thread_gives_its_place_back(monkeypatch, book, capsys):
    monkeypatch.setattr(witness_server, "MOST_CONNECTIONS", 2)
    plain, refused = threading.Thread.start, []

    def start(self):
        if len(refused) < 2 and "process_request" in self.name:
            refused.append(self.name)
            raise RuntimeError("can't start new thread")
        plain(self)

    with serving_witness(WITNESS, book) as address:
        monkeypatch.setattr(threading.Thread, "start", start)
        for _ in range(2):
            assert client(address).latest().reason
        assert not client(address).latest().reason
    assert len(refused) == 2
    assert "new thread" in capsys.readouterr().err


def test_a_taken_port_is_a_setting_to_change(address, book):
    port = int(address.removesuffix("/w1").rpartition(":")[2])
    with (
        pytest.raises(ConfigurationError, match="choose another --port"),
        serving_witness(WITNESS, book, port=port),
    ):
        pass
