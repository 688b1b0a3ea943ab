"""Records: one canonical form, signed; everything else refused by name."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.custody.record_kit import START_MS, World, secret_of
from tidewaiter.custody.device import DeviceState, emit
from tidewaiter.custody.extra import pack_extra, unpack_extra
from tidewaiter.custody.record import (
    MOST_LEAF_BYTES,
    canonical,
    parse_canonical,
    parse_record,
    public_key,
    sign_record,
    signature_fits,
)
from tidewaiter.errors import MalformedText

DIGEST = "ab" * 32


def heartbeat(**more):
    fields = {"kind": "heartbeat", "device": "bwc-1", "epoch": 0, "claimed_ms": START_MS}
    return fields | {"seq": 3, "prev": DIGEST, "uptime_ms": 17} | more


def leaf_of(**more) -> bytes:
    return sign_record(heartbeat(**more), secret_of("bwc-1"))


plain = st.recursive(
    st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(max_codepoint=126, min_codepoint=32)), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(plain)
@settings(max_examples=100, deadline=None)
def test_canonical_json_reads_back_and_has_one_form(value):
    body = canonical(value)
    assert parse_canonical(body) == value
    assert canonical(json.loads(body)) == body


def test_canonical_json_escapes_as_rfc_8785_does():
    assert canonical({"b": '\u20ac$\x0f\nA\'B"\\"/', "a": 1}) == (
        '{"a":1,"b":"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"}'.encode()
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"a":1.0}', "1\\.0 in a record"),
        (b'{"a":1e3}', "1e3 in a record"),
        (b'{"a":NaN}', "NaN in a record"),
        (b'{"a":true}', "bool"),
        (b'{"a":null}', "NoneType"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"b":1,"a":1}', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'{"a":"\\u0041"}', "canonical form"),
        (b'{"a":-0}', "canonical form"),
        (b'{"a":9007199254740992}', "2\\^53"),
        (b'{"a":"\\ud800"}', "surrogate"),
        ('{"é":1}'.encode(), "ASCII"),
        (b'{"a":"\xff"}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":1}\n', "canonical form"),
        (b"[" * 5000 + b"]" * 5000, "not JSON|deep"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
        (b'"' + b"a" * MOST_LEAF_BYTES + b'"', "bytes"),
    ],
)
def test_anything_but_canonical_json_is_refused(body, named):
    with pytest.raises(MalformedText, match=named):
        parse_canonical(body)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_parsers_with_another_error(body):
    for parse in (parse_record, unpack_extra, lambda b: unpack_extra(b"\x01" + b)):
        try:
            parse(body)
        except MalformedText:
            continue


def test_a_signed_record_reads_back_and_every_byte_is_signed():
    leaf = leaf_of()
    record = parse_record(leaf)
    key = public_key(secret_of("bwc-1"))
    assert signature_fits(record, key)
    assert not signature_fits(record, public_key(secret_of("bwc-2")))
    assert (record.kind, record.device, record.signer, record.seq) == (
        "heartbeat",
        "bwc-1",
        "bwc-1",
        3,
    )
    for name, value in (("seq", 4), ("device", "bwc-2"), ("claimed_ms", 1), ("note", "later")):
        altered = parse_record(canonical(dict(record.fields) | {name: value}))
        assert not signature_fits(altered, key), name


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"kind": "selfie"}, "kind 'selfie'"),
        ({"uptime_ms": "17"}, "uptime_ms"),
        ({"uptime_ms": -1}, "uptime_ms"),
        ({"seq": True}, "bool"),
        ({"device": "../etc"}, "device"),
        ({"device": "bwc 1"}, "device"),
        ({"prev": DIGEST.upper()}, "prev"),
        ({"blob": DIGEST}, "cannot have"),
        ({"reason": "officer"}, "cannot have"),
    ],
)
def test_a_record_that_breaks_its_kind_is_refused(more, named):
    with pytest.raises(MalformedText, match=named):
        leaf_of(**more)


def test_a_record_without_a_field_of_its_kind_is_refused():
    fields = {name: value for name, value in heartbeat().items() if name != "uptime_ms"}
    with pytest.raises(MalformedText, match="without uptime_ms"):
        sign_record(fields, secret_of("bwc-1"))


def test_a_newer_format_is_named():
    body = canonical(json.loads(leaf_of()) | {"v": 2})
    with pytest.raises(MalformedText, match="format 2; 1 is known"):
        parse_record(body)


def test_a_packed_leaf_comes_back_and_is_small():
    world = World()
    world.enrol("bwc-1")
    leaf = world.segment("bwc-1")
    salts = {"media": bytes(range(16)), "officer": bytes(16)}
    packed = pack_extra(leaf, salts)
    assert unpack_extra(packed) == (leaf, salts)
    assert len(packed) < 0.65 * len(leaf)
    assert unpack_extra(leaf) == (leaf, {})


def test_a_packed_leaf_may_repeat_what_stood_up_to_32_kilobytes_before():
    """A reader with half the window of deflate could not unpack it."""
    rng = random.Random(4)
    once = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=20_000))
    leaf = canonical({"basis": once, "note": once})
    packed = pack_extra(leaf)
    assert unpack_extra(packed) == (leaf, {})
    assert len(packed) < 20_000


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: p + b"x", lambda p: p[:9]])
def test_a_packed_leaf_cut_or_grown_is_refused(change):
    packed = pack_extra(leaf_of(), {"media": bytes(16)})
    with pytest.raises(MalformedText):
        unpack_extra(change(packed))


def test_a_bomb_in_the_extra_data_is_refused():
    import zlib

    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"\x01" + deflater.compress(bytes(10_000_000)) + deflater.flush()
    with pytest.raises(MalformedText, match="cut short, or more"):
        unpack_extra(bomb)


def test_a_device_numbers_its_records_and_chains_them():
    state = DeviceState("bwc-1", 0, secret=secret_of("bwc-1"))
    first, state = emit(state, "heartbeat", START_MS, {"uptime_ms": 1})
    restored = DeviceState.parse(state.format(), state.secret)
    second, _ = emit(restored, "heartbeat", START_MS, {"uptime_ms": 2})
    assert [parse_record(leaf).seq for leaf in (first, second)] == [0, 1]
    assert parse_record(first).prev == "0" * 64
    assert parse_record(second).prev == parse_record(first).digest
    assert b"secret" not in state.format()
    assert state.secret.hex() not in repr(state)
