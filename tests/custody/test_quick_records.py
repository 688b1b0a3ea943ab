"""What is read quickly is what `parse_record` would accept, with the same values."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.custody.honest_history import honest_world
from tidewaiter.custody.quick_records import QUICK_KINDS, QuickEntry, read_quickly, signed_part
from tidewaiter.custody.record import canonical, parse_record
from tidewaiter.custody.record_kinds import KINDS, OPTIONAL_ALWAYS
from tidewaiter.errors import MalformedText

# What hostile JSON is made of: two names alike, fractions, huge and signed numbers, escapes,
# halves of pairs, what Python's reader takes and JSON has not, depth, and bytes that are no text.
HOSTILE = [
    b'"device":"bwc-1",', b'"v":1,', b'"sig":"AA==",', b"1.0", b"1e3", b"-0", b"00", b"-1", b"true",
    b"9007199254740991", b"9007199254740993", b"1" * 400, b"NaN", b"Infinity", b"-Infinity", b"null",
    b'"\\u0041"', b'"\\ud800"', b'"\\/"', b'"\xed\xa0\x80"', b'"\xc3\xa9"', b"\xff", b"\xef\xbb\xbf",
    b" ", b"\n", b"\t", b"\x00", b"[" * 2000, b"{}", b"[]", b'"', b"\\", b",", b":", b"}", b'{"a":1}',
    b'"level":"dock",', b'"note":"x",', b'"camera_no":7,', b'"class":"a b",', b'"battery":101,',
]  # fmt: skip
HONEST = [
    leaf
    for seed in range(3)
    for leaf in honest_world(seed)[0].leaves
    if parse_record(leaf).kind in QUICK_KINDS
]


def agrees(body: bytes) -> bool:
    """Whether the leaf was read quickly; then all values must be those of the parser."""
    entry = read_quickly(body)
    if entry is None:
        return False
    record = parse_record(body)
    for name, value in zip(QuickEntry._fields, entry, strict=True):
        parsed = record.fields.get("class" if name == "retention" else name)
        if parsed is None or value is None:
            assert parsed is value
        else:
            assert value == str(parsed)
    unsigned = {name: value for name, value in record.fields.items() if name != "sig"}
    assert signed_part(body, entry) == canonical(unsigned)
    return True


def test_honest_records_are_all_read_quickly():
    assert len(HONEST) > 100
    assert all(map(agrees, HONEST))


@given(st.sampled_from(HONEST), st.lists(st.tuples(*[st.integers(0, 700)] * 2, st.sampled_from(HOSTILE)), max_size=3))  # fmt: skip
def test_hostile_bytes_are_read_quickly_only_if_they_parse(leaf, edits):
    for at, width, put in edits:
        leaf = leaf[:at] + put + leaf[at + width % 12 :]
    try:
        parse_record(leaf)
    except MalformedText:
        assert read_quickly(leaf) is None
    else:
        agrees(leaf)


@pytest.mark.parametrize("seed", range(40))
def test_records_with_any_fields_of_their_kind(seed):
    """Canonical and not: values from the edges of what the fields allow, and beyond."""
    rng = random.Random(seed)
    for _ in range(25):
        kind = rng.choice(QUICK_KINDS)
        required, optional = KINDS[kind]
        may = sorted(optional | OPTIONAL_ALWAYS)
        fields = {name: value_of(rng, name) for name in sorted(required) + rng.sample(may, 4)}
        fields |= {name: value_of(rng, name) for name in ("device", "epoch", "claimed_ms", "sig")}
        fields |= {"kind": kind, "v": rng.choice([1, 1, 1, 2])}
        try:
            body = canonical(fields)
            parse_record(body)
        except MalformedText:
            body = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
            assert read_quickly(body) is None
        else:
            agrees(body)
        assert read_quickly(json.dumps(fields).encode()) is None


def value_of(rng: random.Random, name: str) -> object:
    words = {
        "level": ["device", "dock", "camera"], "reason": ["battery", "docked", "none"],
        "state": ["idle", "recording", "placed"],
    }  # fmt: skip
    if name in words:
        return rng.choice(words[name])
    if name in {"prev", "blob", "manifest_blob", "last_segment"}:
        return rng.choice([rng.randbytes(32).hex()] * 9 + ["AB" * 32])
    if name == "sig":
        good = base64.b64encode(rng.randbytes(64)).decode()
        return rng.choice([good] * 9 + [good[:85] + "B=="])
    if name == "commit":
        names = rng.choice(
            [
                ["media"],
                ["name", "media"],
                ["media", "manifest", "sig"],
                ["file", "manifest", "media", "officer"],
                ["name"],
                [],
            ]
        )
        return {one: rng.randbytes(32).hex() for one in names}
    if name == "signatures":
        return rng.choice([[], ["onvif"], ["onvif", "onvif:authentic"], ["a b"]])
    if name in {"device", "by", "class", "boot", "recording", "media_type", "note"}:
        return rng.choice(["bwc-1", "a/b:c.d_e", "x" * 128, "ä", 'quote"'] + ["bwc-1"] * 9)
    edges = [0, 1, 5, 2**49, 10**15 - 1, 10**15, 2**53 - 1]
    return rng.choice([*edges * 3, -1, 1.0, True, 2**53])
