"""A line of secrets opens for its site alone, and other programs read and write the same."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tests.custody.camera_kit import BoardCamera
from tidewaiter.custody.handover import format_lines, parse_secrets
from tidewaiter.custody.record import canonical
from tidewaiter.custody.sealed_secrets import (
    SECRETS_INFO,
    is_sealed,
    open_lines,
    open_secret,
    seal_secret,
    site_key_name,
    site_key_public,
)
from tidewaiter.errors import BrokenSeal, MalformedText

SITE = bytes(range(32))
PUBLIC = site_key_public(SITE)


@pytest.fixture
def secret(tmp_path):
    return BoardCamera("bwc-1", tmp_path / "card").record("A.mp4", b"a medium").secret


def drawn(length: int) -> bytes:
    return hashlib.sha256(b"chance").digest()[:length]


def sealed_bytes(line: bytes) -> bytes:
    return base64.b64decode(json.loads(line)["sealed"])


def resealed(raw: bytes, to: str = "") -> bytes:
    text = base64.b64encode(raw).decode()
    return canonical({"sealed": text, "to": to or site_key_name(PUBLIC)})


def test_a_sealed_line_opens_for_its_site_and_hides_the_key(secret):
    line = seal_secret(secret, PUBLIC, drawn)
    assert is_sealed(line)
    assert not is_sealed(secret.format())
    assert open_secret(line, SITE) == secret.format()
    assert base64.b64encode(secret.key) not in line
    assert secret.file.encode() not in line


def hpke():
    library = pytest.importorskip(
        "cryptography.hazmat.primitives.hpke", reason="this cryptography has no HPKE of its own"
    )
    return library.Suite(library.KEM.X25519, library.KDF.HKDF_SHA256, library.AEAD.AES_256_GCM)


def test_another_implementation_of_hpke_opens_what_a_camera_sealed(secret):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    raw = sealed_bytes(seal_secret(secret, PUBLIC, drawn))
    site = X25519PrivateKey.from_private_bytes(SITE)
    assert hpke().decrypt(raw, site, info=SECRETS_INFO) == secret.format()


def test_what_another_implementation_of_hpke_sealed_opens(secret):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    public = X25519PublicKey.from_public_bytes(PUBLIC)
    raw = hpke().encrypt(secret.format(), public, info=SECRETS_INFO)
    assert open_secret(resealed(raw), SITE) == secret.format()


def test_no_byte_of_a_sealed_line_can_be_changed_or_cut(secret):
    raw = sealed_bytes(seal_secret(secret, PUBLIC, drawn))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 0x20
        with pytest.raises(BrokenSeal, match="changed or cut off"):
            open_secret(resealed(bytes(changed)), SITE)
    with pytest.raises(BrokenSeal, match="changed or cut off"):
        open_secret(resealed(raw[:-1]), SITE)
    with pytest.raises(MalformedText, match="not base64"):
        open_secret(canonical({"sealed": 5, "to": site_key_name(PUBLIC)}), SITE)
    with pytest.raises(MalformedText, match="of 47 bytes"):
        open_secret(resealed(raw[:47]), SITE)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"short"])
def test_a_key_that_would_make_the_seal_foreseeable_seals_and_opens_nothing(secret, key):
    with pytest.raises(MalformedText, match="nothing can be sealed"):
        seal_secret(secret, key, drawn)
    if len(key) == 32:
        with pytest.raises(MalformedText, match="nothing can be sealed"):
            open_secret(resealed(key + bytes(16)), SITE)


def test_a_line_for_another_site_or_a_torn_one_costs_its_segment_only(secret):
    line = seal_secret(secret, PUBLIC, drawn)
    other = site_key_name(site_key_public(bytes(32)))
    torn = [resealed(sealed_bytes(line), other), resealed(b"x"), b'{"sealed":"","to":5}']
    unread = b'{"sealed":"\xc3'
    opened, problems = open_lines(format_lines([*torn, unread, line]), SITE)
    assert [one.split(":")[0] for one in problems] == [
        "line 1 of the secrets", "line 2 of the secrets", "line 3 of the secrets"
    ]  # fmt: skip
    assert f"sealed for the key '{other}'; this site has {site_key_name(PUBLIC)}" in problems[0]
    found, unparsed = parse_secrets(opened)
    assert found == {secret.record: secret}
    assert [one.split(":")[0] for one in unparsed] == ["line 4 of the secrets"]
    assert "this site has none" in open_lines(line, None)[1][0]


def test_plain_lines_stay_as_they_are(secret):
    data = format_lines([secret.format(), b"junk"])
    assert open_lines(data, None) == (data, [])
