"""A camera's own records, from its key to the receipt it gets back, by the commands."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import pytest

from tests.cli.custody_kit import Place, run
from tests.custody.camera_kit import BoardCamera
from tidewaiter.custody.camera import must_be_witnessed
from tidewaiter.errors import InputError
from tidewaiter.wiring_custody_handover import handover_files, key_in_file

PAGE = Path(__file__).parents[2] / "docs/howto/custody-cameras.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("handover"))
    assert made.found().code == 0
    return made


def test_from_the_cameras_own_key_to_the_receipt_it_gets_back(place, tmp_path):
    made = place.do("device", "sealing-key")
    assert made.code == 0, made.text
    assert place.do("device", "sealing-key").text == made.text, "made once, and kept"
    site_key = base64.b64decode(made.text.strip(), validate=True)
    camera = BoardCamera("bwc-0099", tmp_path / "card", site_key=site_key)
    public = tmp_path / "bwc-0099.pub"
    public.write_text(f"{camera.public}\n")
    enrolled = place.do("device", "add", "bwc-0099", "--key", public, *place.approvers())
    assert enrolled.code == 0, enrolled.text
    camera.record("A.txt", b"first recording " * 999)
    camera.record("B.txt", b"second recording " * 999, sealed=True)
    camera.tell("stop", reason="docked")
    camera.write()
    (camera.card / "B.txt").rename(camera.card / "B (1).txt")
    assert b'"key"' not in (camera.card / "shift.secrets").read_bytes()
    back = camera.card / "receipts"
    with place.served("court"):
        docked = place.do("dock", camera.card, "--device", "bwc-0099")
        assert docked.code == 0, docked.text
        assert "3 records logged as the camera signed them" in docked.text
        assert "B (1).txt: taken in as bwc-0099/1" in docked.text
        place.carry("vigilance")
        (camera.card / "A.txt").write_bytes(b"another recording")
        again = place.do("dock", camera.card, "--device", "bwc-0099", "--receipts-to", back)
    # The record is settled; the file that took its medium's place is named and kept.
    assert again.code == 4
    assert "media-edited" in again.text
    assert f"2 receipts for bwc-0099 in {back}" in again.text
    receipt = back / "bwc-0099_1.tlog-proof"
    in_time_s = must_be_witnessed(camera.leaves[1], receipt.read_bytes(), place.policy.read_bytes())
    assert 0 <= time.time() - in_time_s < 600
    plain = tmp_path / "B.txt"
    plain.write_bytes(b"second recording " * 999)
    verdict = run("verify", receipt, plain, "--policy", place.policy)
    assert verdict.code == 0
    assert "claim level device" in verdict.text
    assert place.do("audit").code == 0
    seen = tmp_path / "seen"
    assert place.do("view", "bwc-0099/1", seen, "--basis", "check").code == 0
    assert seen.read_bytes() == plain.read_bytes()
    exported = place.do("export", "bwc-0099/0", tmp_path / "bundle", "--basis", "court")
    assert exported.code == 0
    assert [one.name for one in (tmp_path / "bundle/manifests").iterdir()] == ["bwc-0099_0.twm"]
    erased = place.do("erase", "bwc-0099/0", "--basis", "x", "--early", *place.approvers())
    assert erased.code == 0, erased.text
    last = place.do("dock", camera.card, "--device", "bwc-0099")
    assert "was erased by entry" in last.text
    # Its own receipts on the card, and its secrets, are no media.
    assert "tlog-proof:" not in last.text
    assert "shift.secrets" not in last.text
    assert place.do("audit").code == 0


def test_a_key_comes_as_a_vkey_pem_or_base64_and_never_as_a_secret(place, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    camera = BoardCamera("bwc-1", tmp_path / "card")
    key = Ed25519PrivateKey.from_private_bytes(camera.state.secret)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    vkey = run("key", "bwc-1", "--out", tmp_path / "own.key").text.splitlines()[0]
    path = tmp_path / "key"
    for text in (camera.public.encode(), pem):
        path.write_bytes(text)
        assert key_in_file(path, "bwc-1") == camera.public
    path.write_text(vkey)
    assert len(key_in_file(path, "bwc-1")) == 44
    with pytest.raises(InputError, match="that of bwc-2 needed"):
        key_in_file(path, "bwc-2")
    for text in (secret, (tmp_path / "own.key").read_bytes()):
        path.write_bytes(text)
        with pytest.raises(InputError, match="secret key"):
            key_in_file(path, "bwc-1")
    for text in (b"", b"x" * 44, b"A" * 40, b"a+b+c", b"-----BEGIN PUBLIC KEY-----\n"):
        path.write_bytes(text)
        with pytest.raises(InputError, match="no public Ed25519 key"):
            key_in_file(path, "bwc-1")


def test_two_cameras_on_one_desk_are_handed_over_one_by_one(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.records").write_bytes(b"")
    with pytest.raises(InputError, match="one at a time"):
        handover_files([tmp_path])


def test_the_makers_example_on_the_page_gives_the_bytes_it_says():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example.count("assert ") == 4
    exec(compile(example, "how-to", "exec"), {})
