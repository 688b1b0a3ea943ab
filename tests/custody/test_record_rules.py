"""Every rule that a record, its packing or a finding's name can break, broken once."""

from __future__ import annotations

import zlib

import pytest

from tests.custody.record_kit import START_MS, World, secret_of
from tidewaiter.custody.chains import DeviceChain
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.extra import _USUAL_BYTES, pack_extra, unpack_extra
from tidewaiter.custody.record import (
    MOST_LEAF_BYTES,
    bytes_signed_by,
    canonical,
    parse_canonical,
    parse_record,
    public_key,
    sign_bytes,
    sign_record,
)
from tidewaiter.custody.record_kinds import (
    LARGEST_RECORD_NUMBER,
    LONGEST_LIST,
    LONGEST_TEXT,
    check_fields,
    decode_base64,
)
from tidewaiter.errors import MalformedText

DIGEST = "ab" * 32


def record(kind: str, **more) -> dict:
    fields = {"v": 1, "kind": kind, "device": "dora", "epoch": 0, "claimed_ms": START_MS}
    return fields | {"sig": "A" * 86 + "=="} | more


def heartbeat(**more) -> dict:
    return record("heartbeat", seq=0, prev=DIGEST, uptime_ms=1) | more


def segment(**more) -> dict:
    fields = {"seq": 0, "prev": DIGEST, "level": "dock", "recording": "a/0", "blob": DIGEST}
    return record("segment", **fields) | {"bytes": 1, "commit": {"media": DIGEST}} | more


def without(fields: dict, name: str) -> dict:
    return {one: value for one, value in fields.items() if one != name}


EXPECT = record("expect", from_ms=1, to_ms=2, operation="scan", max_silence_s=9, unit="gate")
ENROL = record(
    "key.enrol", subject="x", holder="person", person="x", role="legal", request="r",
    key="A" * 43 + "=", key_epoch=0, approvals=[],
)  # fmt: skip
HOLD = record("hold", recording="a/0", state="placed", basis="b")
ACCESS = record("access", act="view", recording="a/0")
WITNESS = record("witness", act="add", name="w", vkey="k", request="r", approvals=[])


@pytest.mark.parametrize("fields", [heartbeat(), segment(), EXPECT, ENROL, HOLD, ACCESS, WITNESS])
def test_what_keeps_the_rules_is_accepted(fields):
    check_fields(fields)
    for name in ("kind", "v", "device", "epoch", "claimed_ms", "sig"):
        with pytest.raises(MalformedText):
            check_fields(without(fields, name))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (heartbeat(kind=1), "a record of kind 1; this version knows"),
        (heartbeat(kind=["heartbeat"]), "a record of kind ['heartbeat']; this version knows"),
        (heartbeat(kind="beat"), "a record of kind 'beat'; this version knows"),
        (heartbeat(v=2), "of format 2; 1 is known"),
        (without(heartbeat(), "v"), "of format None; 1 is known"),
        (without(heartbeat(), "uptime_ms"), "a heartbeat record without uptime_ms"),
        (without(heartbeat(), "prev"), "a heartbeat record without prev"),
        (heartbeat(reason="docked"), "which it cannot have"),
        (record("access", act="view", recording="a/0", seq=1), "one of seq and prev"),
        (record("access", act="view", recording="a/0", prev=DIGEST), "one of seq and prev"),
        (record("access", act="placed", recording="a/0"), "act of a access record is 'placed'"),
        (record("access", act="add", recording="a/0"), "act of a access record is add"),
        (HOLD | {"state": "docked"}, "state of a hold record is docked"),
        (heartbeat(state="placed"), "state of a heartbeat record is placed"),
        (WITNESS | {"act": "view"}, "act of a witness record is view"),
        (EXPECT | {"subject": "x"}, "a subject or a unit, one of them"),
        (without(EXPECT, "unit"), "a subject or a unit, one of them"),
        (EXPECT | {"from_ms": 3}, "whose from_ms lies after its to_ms"),
        (without(ENROL, "role"), "of a person without person and role"),
        (without(ENROL, "person"), "of a person without person and role"),
        (segment(commit={"name": DIGEST}), "without a commitment to its medium"),
        (segment(start_ms=1), "one of start_ms and end_ms; both needed"),
        (segment(end_ms=1), "one of start_ms and end_ms; both needed"),
        (segment(start_ms=2, end_ms=1), "whose start_ms lies after its end_ms"),
        (segment(commit={}), "commit of a segment record"),
        (segment(commit={"a b": DIGEST}), "commit of a segment record"),
        (segment(commit={"media": "ab"}), "commit of a segment record"),
        (segment(commit={"media": DIGEST, "a b": DIGEST}), "commit of a segment record"),
        (segment(commit={"media": DIGEST, "name": "ab"}), "commit of a segment record"),
        (segment(commit=["media"]), "commit of a segment record"),
        (segment(commit=1), "commit of a segment record"),
        (heartbeat(kind="x" * 58), f"a record of kind '{'x' * 58}'; this"),
        (heartbeat(kind="x" * 59), f"a record of kind '{'x' * 59}…; this"),
        (segment(commit={f"m{n}": DIGEST for n in range(LONGEST_LIST + 1)}), "commit of a"),
        (segment(level="camera"), "level of a segment record is 'camera'; one of device, dock"),
        (segment(signatures=["x"] * (LONGEST_LIST + 1)), "signatures of a segment record"),
        (segment(signatures=["a b"]), "signatures of a segment record"),
        (segment(signatures="x"), "signatures of a segment record"),
        (heartbeat(uptime_ms=-1), "a whole number from 0 to"),
        (heartbeat(uptime_ms=LARGEST_RECORD_NUMBER + 1), "a whole number from 0 to"),
        (heartbeat(uptime_ms=True), "a whole number from 0 to"),
        (heartbeat(claimed_ms=-LARGEST_RECORD_NUMBER - 1), "a whole number within"),
        (heartbeat(claimed_ms=LARGEST_RECORD_NUMBER + 1), "a whole number within"),
        (heartbeat(claimed_ms="1"), "a whole number within"),
        (heartbeat(device="-a"), "device of a heartbeat record"),
        (heartbeat(device="a" * 129), "device of a heartbeat record"),
        (heartbeat(device=7), "device of a heartbeat record"),
        (heartbeat(note="x" * (LONGEST_TEXT + 1)), "note of a heartbeat record"),
        (heartbeat(note=1), "note of a heartbeat record"),
        (heartbeat(prev="AB" * 32), "64 hexadecimal digits needed"),
        (heartbeat(prev=1), "64 hexadecimal digits needed"),
        (heartbeat(sig="A" * 86), "base64 of a signature of 64 bytes"),
        (heartbeat(sig=1), "base64 of a signature of 64 bytes"),
        (ENROL | {"key": "A" * 44}, "base64 of a public key of 32 bytes"),
        (ENROL | {"key": 1}, "base64 of a public key of 32 bytes"),
        (ENROL | {"approvals": [{"by": "a", "epoch": 0}]}, "a list of approvals with"),
        (ENROL | {"approvals": [{"by": "a", "epoch": -1, "sig": "A" * 86 + "=="}]}, "approvals"),
        (ENROL | {"approvals": [1]}, "a list of approvals with"),
    ],
)
def test_what_breaks_a_rule_is_named(fields, told):
    with pytest.raises(MalformedText) as caught:
        check_fields(fields)
    assert told in str(caught.value)


def test_limits_are_reached_and_not_passed():
    check_fields(heartbeat(uptime_ms=LARGEST_RECORD_NUMBER, claimed_ms=-LARGEST_RECORD_NUMBER))
    check_fields(heartbeat(uptime_ms=0, claimed_ms=LARGEST_RECORD_NUMBER, device="a" * 128))
    check_fields(heartbeat(note="x" * LONGEST_TEXT))
    check_fields(segment(signatures=["x"] * LONGEST_LIST, start_ms=1, end_ms=1))
    check_fields(segment(commit={"media": DIGEST} | {f"m{n}": DIGEST for n in range(511)}))
    with pytest.raises(MalformedText) as caught:
        check_fields(heartbeat(note=["x" * 99]))
    assert f"is ['{'x' * 58}…; a text" in str(caught.value)


@pytest.mark.parametrize("text", ["A" * 43, "A" * 42 + "B=", "Ä" * 43 + "=", "A" * 40 + "====", ""])
def test_base64_has_one_spelling(text):
    assert decode_base64("A" * 43 + "=", 32) == bytes(32)
    assert decode_base64(text, 32) is None


def test_canonical_json_is_flat_plain_and_short():
    deep: object = 1
    for _ in range(8):
        deep = [deep]
    assert parse_canonical(canonical(deep)) == deep
    named: object = 1
    for _ in range(8):
        named = {"a": named}
    assert parse_canonical(canonical(named)) == named
    with pytest.raises(MalformedText, match="nested more than 8 deep"):
        canonical({"a": named})
    for number in (LARGEST_RECORD_NUMBER, -LARGEST_RECORD_NUMBER):
        assert parse_canonical(canonical(number)) == number
    with pytest.raises(MalformedText, match="54 bits"):
        canonical(-LARGEST_RECORD_NUMBER - 1)
    for wrong in ([deep], 1.5, None, True, {"ä": 1}, {1: 1}, LARGEST_RECORD_NUMBER + 1, "\ud800"):
        with pytest.raises(MalformedText):
            canonical(wrong)
    longest = canonical("x" * (MOST_LEAF_BYTES - 2))
    assert parse_canonical(longest)
    with pytest.raises(MalformedText, match="at most 65535 allowed"):
        parse_canonical(longest + b" ")
    for wrong_bytes in (b"[1, 2]", b'{"a":1,"a":1}', b"1.0", b"NaN", b"\xff", b"[" * 9999, b"{"):
        with pytest.raises(MalformedText):
            parse_canonical(wrong_bytes)
    with pytest.raises(MalformedText, match="no JSON object"):
        parse_record(b"[]")


def test_what_is_no_key_has_signed_nothing():
    secret, message = secret_of("a"), b"message"
    signature = sign_bytes(secret, message)
    assert bytes_signed_by(public_key(secret), message, signature)
    for key in (b"", bytes(31), bytes(33), b"\xff" * 32):
        assert not bytes_signed_by(key, message, signature)
    assert not bytes_signed_by(public_key(secret), message + b"!", signature)
    assert not bytes_signed_by(public_key(secret), message, signature[:-1])


def packed(text: bytes, raw: bytes = b"") -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_USUAL_BYTES)
    return b"\x01" + deflater.compress(text) + deflater.flush() + raw


def test_packing_keeps_what_it_cannot_make_smaller():
    odd = b'{"sig":"' + b"A" * 85 + b'B=="}'
    assert unpack_extra(pack_extra(odd)) == (odd, {})
    salts = {"media": bytes(range(16)), "name": bytes(16)}
    assert unpack_extra(pack_extra(b"{}", salts)) == (b"{}", salts)
    assert unpack_extra(b"{}") == (b"{}", {})
    with pytest.raises(MalformedText, match="does not fit into a proof file"):
        pack_extra(b"\x02", {"a": bytes(48)})


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (packed(b"{}\x04a b", bytes(16)), "no name of its own"),
        (packed(b"{}\x04a\x04a", bytes(32)), "no name of its own"),
        (packed(b"{}\x04a", bytes(15)), "does not hold the salts it names"),
        (packed(b"{}\x04a", bytes(17)), "does not hold the salts it names"),
        (packed(b"{}" + b"\x04a" * 65, bytes(65 * 16)), "does not hold the salts it names"),
        (packed(b"{}", b"x"), "does not hold the salts it names"),
        (packed(b"\x02", bytes(31)), "lacks digests"),
        (packed(b"\x03", bytes(63)), "lacks digests"),
        (packed(b"x" * (MOST_LEAF_BYTES + 1)), "more than a record"),
        (packed(b"x" * (2 * MOST_LEAF_BYTES + 1)), "cut short, or more than a record"),
        (packed(b"{}")[:-1], "cut short"),
        (b"\x01\xff\xff", "does not inflate"),
    ],
)
def test_packing_that_is_none_is_refused(extra, told):
    with pytest.raises(MalformedText, match=told):
        unpack_extra(extra)


def test_packing_reaches_its_limits():
    names = {f"n{number}": bytes(16) for number in range(64)}
    assert unpack_extra(pack_extra(b"{}", names)) == (b"{}", names)
    assert unpack_extra(packed(b"x" * MOST_LEAF_BYTES))[0] == b"x" * MOST_LEAF_BYTES
    longest = b"y" * MOST_LEAF_BYTES
    assert unpack_extra(pack_extra(longest, names)) == (longest, names)
    assert unpack_extra(packed(b"\x02", bytes(32)))[0] == b"0" * 64
    assert unpack_extra(packed(b"\x03", bytes(64)))[0] == b"A" * 86 + b"=="


def test_a_finding_has_a_name_of_the_list():
    with pytest.raises(ValueError, match="'tampering' is no name of a discrepancy"):
        Discrepancy("tampering", "something")


def test_a_record_outside_its_chain_changes_no_chain():
    chain = DeviceChain("dora")
    view = parse_record(World().act("access", {"act": "view", "recording": "a/0"}))
    assert chain.enter(1, view) == []
    assert (chain.runs, chain.speaks_for_itself) == ([], False)
    assert sign_record(view.fields, secret_of("dora")) == view.body


def test_spans_that_segments_cover_are_joined_where_they_meet():
    chain = DeviceChain("a")
    for span in ((10, 20), (40, 50), (30, 35), (60, 70)):
        chain.cover(*span)
    assert chain.covered_ms == [(10, 20), (30, 35), (40, 50), (60, 70)]
    chain.cover(20, 30)
    assert chain.covered_ms == [(10, 35), (40, 50), (60, 70)]
    chain.cover(36, 39)
    assert chain.covered_ms == [(10, 35), (36, 39), (40, 50), (60, 70)]
    chain.cover(12, 14)
    assert chain.covered_ms[0] == (10, 35)
    chain.cover(5, 65)
    assert chain.covered_ms == [(5, 70)]
    chain.cover(70, 71)
    chain.cover(4, 5)
    assert chain.covered_ms == [(4, 71)]
