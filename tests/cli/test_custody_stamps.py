"""Time stamps of a site: kept beside its checkpoints, carried along by exports, asked for once."""

from __future__ import annotations

import contextlib
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.custody_kit import founded, run
from tests.custody import test_time_stamps as made
from tidewaiter.custody.time_stamp import entry_within
from tidewaiter.errors import BrokenProof, MalformedText

pytest.importorskip("rfc3161_client", reason="the extra `timestamps` is not installed")
pytestmark = pytest.mark.skipif(
    made.OPENSSL is None, reason="openssl, the test's authority, is absent"
)
authority = made.authority


@contextlib.contextmanager
def answering(authority, status=200, media_type="application/timestamp-reply", alter=bytes):
    """An authority at an address; `alter` changes what it answers."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.headers["Content-Type"], request))
            body = alter(made.reply_to(authority, request))
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = founded(tmp_path_factory.mktemp("stamps"))
    (place.card / "MOV_0001.txt").write_bytes(b"a recording")
    assert place.do("dock", place.card, "--device", "bwc-0017").code == 0
    place.carry("vigilance", "court")
    return place


def configure(place, authority, url=""):
    shutil.copy(authority / "root.pem", place.site / "stamping.pem")
    path = place.site / "custody.toml"
    text = path.read_text().partition("\n[stamping]")[0]
    path.chmod(0o600)
    path.write_text(f'{text}\n[stamping]\nanchors = "stamping.pem"\nauthority = "{url}"\n')


def test_a_stamp_carried_by_hand_is_kept_and_goes_out_with_the_recording(place, authority):
    configure(place, authority)
    note, request = place.folder / "now.checkpoint", place.folder / "now.tsq"
    assert place.do("checkpoint", "--out", note).code == 0
    assert run("stamp", "request", note, "--out", request).code == 0
    reply = place.folder / "now.tsr"
    reply.write_bytes(made.reply_to(authority, request.read_bytes()))
    kept = place.do("stamp", "keep", reply)
    assert kept.code == 0, kept.text
    assert "existed no later than" in kept.text
    bundle = place.folder / "bundle"
    with place.served("court"), place.served("vigilance"):
        done = place.do("export", "bwc-0017/0", bundle, "--basis", "court order")
    assert done.code == 0, done.text
    (proof,) = (bundle / "stamps").glob("*.stamped-proof")
    (carried,) = (bundle / "stamps").glob("*.tsr")
    said = run("stamp", "check", proof, carried, "--anchors", authority / "root.pem")
    assert said.code == 0, said.text
    assert f"entry {entry_within(proof.read_bytes())}, under this checkpoint, existed" in said.text
    _another_entry_is_not_under_it(proof.read_bytes())
    # The verdict does not rest on the stamp: it is the same without.
    words = run("verify", bundle, "--policy", place.policy)
    shutil.rmtree(bundle / "stamps")
    assert run("verify", bundle, "--policy", place.policy) == words
    assert words.code == 0


def _another_entry_is_not_under_it(data):
    with pytest.raises(BrokenProof):
        entry_within(data.replace(b"index ", b"index 1", 1))
    lines = [line for line in data.split(b"\n") if not line.startswith(b"extra ")]
    with pytest.raises(MalformedText, match="without its entry"):
        entry_within(b"\n".join(lines))


def test_the_authority_is_asked_only_where_one_is_named(place, authority):
    configure(place, authority)
    refused = place.do("stamp", "ask")
    assert refused.code == 7
    assert "names no authority" in refused.text
    with answering(authority) as (url, asked):
        configure(place, authority, url)
        kept = place.do("stamp", "ask")
        assert kept.code == 0, kept.text
    assert [kind for kind, _ in asked] == ["application/timestamp-query"]
    with answering(authority, status=503) as (url, _):
        configure(place, authority, url)
        assert place.do("stamp", "ask").code == 5
    with answering(authority, media_type="text/html") as (url, _):
        configure(place, authority, url)
        assert "answered 200 with 'text/html'" in place.do("stamp", "ask").text
    assert place.do("stamp", "ask").code == 5


def test_a_reply_that_does_not_hold_is_not_kept(place, authority):
    def bent(reply):
        return reply[:-20] + bytes(20)

    before = sorted((place.site / "stamps").glob("*"))
    with answering(authority, alter=bent) as (url, _):
        configure(place, authority, url)
        assert place.do("stamp", "ask").code == 4
    foreign = place.folder / "foreign.tsr"
    foreign.write_bytes(made.reply_to(authority, made.stamp_request(_other_note())))
    refused = place.do("stamp", "keep", foreign)
    assert refused.code == 4
    assert "stamps none of the last" in refused.text
    other = place.do("stamp", "keep", foreign, "--anchors", authority / "other.pem")
    assert other.code == 4
    assert sorted((place.site / "stamps").glob("*")) == before


def _other_note():
    return made.checkpoint_note(made.camera_world().leaves)


def test_without_certificates_nothing_is_kept(place, authority):
    configure(place, authority)
    path = place.site / "custody.toml"
    path.write_text(path.read_text().replace('anchors = "stamping.pem"\n', ""))
    reply = place.folder / "now.tsr"
    reply.write_bytes(b"\x30\x00")
    refused = place.do("stamp", "keep", reply)
    assert refused.code == 7
    assert "certificates are not known" in refused.text
