"""Time stamps by a local authority: `openssl ts`, without the certificate chain it may embed."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from tests.custody.bundle_kit import camera_world, checkpoint_note, proof_of
from tidewaiter.cli.program import program
from tidewaiter.custody.time_stamp import check_stamp, note_within, stamp_request
from tidewaiter.errors import BadSignature, InputError, MalformedText

pytest.importorskip("rfc3161_client", reason="the extra `timestamps` is not installed")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl, the test's authority, is absent")

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Test Root
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[authority]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid
[tsa]
default_tsa = one
[one]
serial = ./serial
signer_cert = ./authority.pem
signer_key = ./authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
tsa_name = yes
ess_cert_id_alg = sha256
"""
MAKE = """
req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -days 9 -config c -extensions ca
req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key -out authority.csr -config c -subj /CN=Test-Authority
x509 -req -in authority.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9 -extfile c -extensions authority -out authority.pem
req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 9 -config c -extensions ca
"""


def openssl(folder, line: str) -> None:
    subprocess.run([OPENSSL, *line.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    (folder / "c").write_text(CONFIGURATION)
    (folder / "serial").write_text("01\n")
    for line in MAKE.strip().split("\n"):
        openssl(folder, line)
    return folder


def reply_to(authority, request: bytes) -> bytes:
    (authority / "q").write_bytes(request)
    openssl(authority, "ts -reply -queryfile q -config c -section one -out r")
    return (authority / "r").read_bytes()


@pytest.fixture(scope="module")
def stamped(authority):
    note = checkpoint_note(camera_world().leaves)
    return note, reply_to(authority, stamp_request(note))


def test_a_stamp_bounds_the_checkpoint_in_time(authority, stamped):
    note, reply = stamped
    stamp = check_stamp(reply, note, (authority / "root.pem").read_bytes())
    assert abs(stamp.time_ms / 1000 - datetime.now(UTC).timestamp()) < 600
    assert (stamp.authority, stamp.policy) == ("CN=Test-Authority", "1.2.3.4.1")


def test_cosignatures_added_later_leave_the_stamp_good(authority, stamped):
    world, reply = camera_world(), stamped[1]
    bare = checkpoint_note(world.leaves, ())
    assert bare != stamped[0]
    assert check_stamp(reply, bare, (authority / "root.pem").read_bytes())


def test_another_checkpoint_another_root_or_a_changed_reply_is_refused(authority, stamped):
    note, reply = stamped
    root = (authority / "root.pem").read_bytes()
    other = checkpoint_note(camera_world().leaves[:-1])
    with pytest.raises(BadSignature, match="does not fit the checkpoint"):
        check_stamp(reply, other, root)
    with pytest.raises(BadSignature):
        check_stamp(reply, note, (authority / "other.pem").read_bytes())
    refused = 0
    for at in range(0, len(reply), 11):
        changed = bytearray(reply)
        changed[at] ^= 1
        try:
            stamp = check_stamp(bytes(changed), note, root)
        except (BadSignature, MalformedText):
            refused += 1
        else:  # what no signature covers may change, but never what it says
            assert stamp.policy == "1.2.3.4.1"
    assert refused > 0.9 * len(range(0, len(reply), 11))


@pytest.mark.parametrize("reply", [b"", b"\x30\x03\x02\x01\x02", b"\x00" * 300_000, b"\x30\x80"])
def test_what_is_no_reply_is_refused(authority, stamped, reply):
    with pytest.raises(MalformedText):
        check_stamp(reply, stamped[0], (authority / "root.pem").read_bytes())


def test_a_refusal_by_the_authority_is_no_stamp(authority):
    reply = reply_to(authority, b"\x30\x00")
    with pytest.raises(MalformedText, match="no reply with"):
        check_stamp(reply, checkpoint_note([b"x"]), (authority / "root.pem").read_bytes())


@pytest.mark.parametrize("anchors", [b"", b"no certificate"])
def test_anchors_that_are_none_are_the_users_error(stamped, anchors):
    with pytest.raises(InputError, match="PEM"):
        check_stamp(stamped[1], stamped[0], anchors)


def test_the_authority_alone_without_its_root_is_no_anchor(authority, stamped):
    with pytest.raises(InputError, match="root"):
        check_stamp(stamped[1], stamped[0], (authority / "authority.pem").read_bytes())


def test_the_commands_work_on_a_note_and_on_a_proof_file(authority, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    leaves = camera_world().leaves
    (tmp_path / "checkpoint").write_bytes(checkpoint_note(leaves))
    (tmp_path / "one.tlog-proof").write_bytes(proof_of(leaves, 4))
    run = CliRunner().invoke
    asked = run(program, ["custody", "stamp", "request", "one.tlog-proof", "--out", "q"])
    assert asked.exit_code == 0, asked.output
    (tmp_path / "r").write_bytes(reply_to(authority, (tmp_path / "q").read_bytes()))
    anchors = ["--anchors", str(authority / "root.pem")]
    told = run(program, ["custody", "stamp", "check", "checkpoint", "r", *anchors])
    assert "existed no later than 20" in told.output
    assert "CN=Test-Authority" in told.output
    assert note_within(proof_of(leaves, 4)) == checkpoint_note(leaves)
