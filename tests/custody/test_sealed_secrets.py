"""A line of secrets opens for its site alone, and other programs read and write the same."""

from __future__ import annotations

import base64
import json

import pytest

from tests.custody.camera_kit import BoardCamera
from tidewaiter.custody.handover import format_lines, parse_secrets
from tidewaiter.custody.record import canonical
from tidewaiter.custody.sealed_secrets import (
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
FIXED = "YoXx7kgS0fCOIL6runS72rq6s0BKbg3zTFVEhHYJpHKGe7XpqFoP1no9uOXK9B0qouGid4MjGG2xqTWspvO+1q4="


@pytest.fixture
def secret(tmp_path):
    return BoardCamera("bwc-1", tmp_path / "card").record("A.mp4", b"a medium").secret


def sealed_bytes(line: bytes) -> bytes:
    return base64.b64decode(json.loads(line)["sealed"])


def resealed(raw: bytes, to: str = "") -> bytes:
    text = base64.b64encode(raw).decode()
    return canonical({"sealed": text, "to": to or site_key_name(PUBLIC)})


def test_a_sealed_line_opens_for_its_site_and_hides_the_key(secret):
    line = seal_secret(secret, PUBLIC)
    assert is_sealed(line)
    assert not is_sealed(secret.format())
    assert open_secret(line, SITE) == secret.format()
    assert base64.b64encode(secret.key) not in line
    assert secret.file.encode() not in line


def test_what_was_sealed_once_opens_for_ever():
    """A fixed line, made by the steps of RFC 9180 written out: the format may not drift."""
    assert open_secret(resealed(base64.b64decode(FIXED)), SITE) == b"a line of secrets"


def test_no_byte_of_a_sealed_line_can_be_changed_or_cut(secret):
    raw = sealed_bytes(seal_secret(secret, PUBLIC))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 0x20
        with pytest.raises(BrokenSeal, match="changed or cut off"):
            open_secret(resealed(bytes(changed)), SITE)
    with pytest.raises(BrokenSeal, match="changed or cut off"):
        open_secret(resealed(raw[:-1]), SITE)
    with pytest.raises(MalformedText, match="not base64"):
        open_secret(canonical({"sealed": 5, "to": site_key_name(PUBLIC)}), SITE)
    with pytest.raises(BrokenSeal, match="changed or cut off"):
        open_secret(resealed(raw[:31]), SITE)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"short"])
def test_a_key_that_would_make_the_seal_foreseeable_seals_and_opens_nothing(secret, key):
    with pytest.raises(MalformedText, match="nothing can be sealed"):
        seal_secret(secret, key)
    if len(key) == 32:
        with pytest.raises(BrokenSeal, match="changed or cut off"):
            open_secret(resealed(key + bytes(16)), SITE)


def test_a_line_for_another_site_or_a_torn_one_costs_its_segment_only(secret):
    line = seal_secret(secret, PUBLIC)
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
