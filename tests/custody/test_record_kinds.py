"""The fields and words of every kind of record, as the format has them: no more and no fewer."""

from __future__ import annotations

import pytest

from tests.custody.test_record_rules import DIGEST, heartbeat, record, segment
from tidewaiter.custody.record_kinds import check_fields
from tidewaiter.errors import MalformedText

# By kind: what it must have, and what it may have.
FORMAT = {
    "policy": ("policy request approvals", "people"),
    "witness": ("act name vkey request approvals", ""),
    "key.enrol": ("subject holder key key_epoch request approvals", "person role unit"),
    "key.rotate": ("key key_epoch", "request approvals"),
    "key.revoke": ("subject since_ms basis", ""),
    "key.class": ("class fingerprint basis request approvals", "backups"),
    "expect": ("from_ms to_ms operation max_silence_s", "subject unit"),
    "segment": (
        "seq prev level recording blob bytes commit",
        "start_ms end_ms camera_no media_type class signatures manifest_blob",
    ),
    "heartbeat": ("seq prev uptime_ms", "state battery free_mb last_segment"),
    "stop": ("seq prev reason", "last_segment"),
    "ingest": ("recording entry", "class offset_ms manifest_blob signatures"),
    "silence": ("subject from_ms to_ms", ""),
    "access": ("act recording", "basis request approvals"),
    "category": ("recording class basis", "request approvals"),
    "retention": ("class days basis request approvals", ""),
    "hold": ("recording state basis", "request approvals"),
    "erase": ("recording basis scope backups openings_out request approvals", ""),
    "derive": (
        "source recording result blob bytes method tool commit request approvals",
        "masks dropped media_type class basis manifest_blob",
    ),
    "clock": ("subject device_ms offset_ms", ""),
    "import": (
        "level recording blob bytes commit",
        "media_type class found signatures start_ms end_ms manifest_blob",
    ),
    "examination": ("exhibit report software", "recording"),
    "decision": ("basis outcome", "recording report exhibit"),
}
MAY_ALWAYS = {"by", "seq", "prev", "uptime_ms", "boot", "level", "commit", "note"}
KEY, SIGNATURE = "A" * 43 + "=", "A" * 86 + "=="
# A value that each of these fields may have.
GOOD = {
    "key_epoch seq uptime_ms bytes camera_no battery free_mb days max_silence_s": 0,
    "since_ms from_ms to_ms start_ms end_ms device_ms offset_ms": -7,
    "by subject unit person class boot recording result request": "a:b/1",
    "operation name media_type": "video/mp4",
    "note policy vkey basis tool software outcome": "Any text, in short.",
    "prev blob manifest_blob entry source exhibit report last_segment fingerprint": DIGEST,
    "found scope signatures": ["a", "b"],
    "backups openings_out": ["Any text.", ""],
    "dropped": [DIGEST],
    "key": KEY,
    "commit": {"media": DIGEST},
    "people": [{"id": "a", "person": "a", "role": "legal", "key": KEY}],
    "approvals": [{"by": "a", "epoch": 0, "sig": SIGNATURE}],
    "masks": [dict.fromkeys(("from_ms", "to_ms", "x", "y", "width", "height"), 1)],
    "level": "dock",
    "holder": "device",
    "role": "legal",
    "reason": "docked",
    "method": "mask",
    "act": "view",
    "state": "idle",
}
VALUES = {name: value for names, value in GOOD.items() for name in names.split()}
OF_KIND = {("hold", "state"): "placed", ("witness", "act"): "add"}
TOGETHER = {"start_ms": "end_ms", "end_ms": "start_ms", "seq": "prev", "prev": "seq"}


def with_fields(kind: str, names) -> dict:
    values = {name: OF_KIND.get((kind, name), VALUES[name]) for name in names}
    return record(kind) | values


def least(kind: str) -> set[str]:
    return {*FORMAT[kind][0].split(), *(["unit"] if kind == "expect" else [])}


@pytest.mark.parametrize("kind", FORMAT)
def test_a_kind_has_the_fields_of_the_format_and_no_other(kind):
    required, optional = (names.split() for names in FORMAT[kind])
    check_fields(with_fields(kind, least(kind)))
    for name in required:
        with pytest.raises(MalformedText, match=f"^a {kind} record without {name}$"):
            check_fields(with_fields(kind, least(kind) - {name}))
    for name in {*optional, *MAY_ALWAYS}:
        instead = {"unit"} if (kind, name) == ("expect", "subject") else set()
        also = {name, TOGETHER.get(name, name)}
        check_fields(with_fields(kind, (least(kind) | also) - instead))
    for name in VALUES.keys() - {*required, *optional, *MAY_ALWAYS}:
        with pytest.raises(MalformedText, match=rf"with \['{name}'\], which it cannot have$"):
            check_fields(with_fields(kind, least(kind) | {name}))


@pytest.mark.parametrize("kind", ["segment", "import", "derive"])
def test_whatever_brings_a_medium_is_committed_to_it(kind):
    without_medium = with_fields(kind, least(kind)) | {"commit": {"name": DIGEST}}
    with pytest.raises(MalformedText, match=f"^a {kind} record without a commitment to its medium"):
        check_fields(without_medium)
    check_fields(without_medium | {"commit": {"name": DIGEST, "media": DIGEST}})


WORDS = {
    ("segment", "level"): "device dock ingest import",
    ("key.enrol", "holder"): "device dock service person",
    ("key.enrol", "role"): ("recording storage log retention redaction vigilance legal command"),
    ("stop", "reason"): "officer battery storage-full docked fault privacy-pause",
    ("access", "act"): "view export share search release",
    ("witness", "act"): "add remove",
    ("hold", "state"): "placed lifted",
    ("heartbeat", "state"): "recording docked idle",
    ("derive", "method"): "mask drop both",
}


@pytest.mark.parametrize(("kind", "name"), WORDS)
def test_a_field_of_words_takes_the_words_of_its_kind(kind, name):
    words = WORDS[kind, name].split()
    also = {name, "person", "role"} if kind == "key.enrol" else {name}
    for word in words:
        check_fields(with_fields(kind, least(kind) | also) | {name: word})
    others = {one for told in WORDS.values() for one in told.split()} | {"", "x"}
    for word in others - set(words):
        with pytest.raises(MalformedText, match=f"^{name} of a {kind} record is"):
            check_fields(with_fields(kind, least(kind) | also) | {name: word})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("approvals", [VALUES["approvals"][0] | {"role": "legal"}]),
        ("people", [VALUES["people"][0] | {"epoch": 0}]),
        ("masks", [VALUES["masks"][0] | {"z": 0}]),
        *(
            (name, [{one: value for one, value in VALUES[name][0].items() if one != left_out}])
            for name in ("approvals", "people", "masks")
            for left_out in VALUES[name][0]
        ),
        *(
            (name, [VALUES[name][0] | {one: None}])
            for name in ("approvals", "people", "masks")
            for one in VALUES[name][0]
        ),
    ],
)
def test_the_objects_of_a_list_have_their_names_and_no_other(name, value):
    kind = {"people": "policy", "approvals": "policy", "masks": "derive"}[name]
    with pytest.raises(MalformedText, match=f"^{name} of a {kind} record is"):
        check_fields(with_fields(kind, least(kind) | {name}) | {name: value})


@pytest.mark.parametrize(
    ("largest", "too_large"),
    [
        (heartbeat(note="x" * 16_384), {"note": "x" * 16_385}),
        (heartbeat(uptime_ms=9_007_199_254_740_991), {"uptime_ms": 9_007_199_254_740_992}),
        (heartbeat(claimed_ms=9_007_199_254_740_991), {"claimed_ms": 9_007_199_254_740_992}),
        (heartbeat(claimed_ms=-9_007_199_254_740_991), {"claimed_ms": -9_007_199_254_740_992}),
        (segment(signatures=["x"] * 512), {"signatures": ["x"] * 513}),
        (
            segment(commit={"media": DIGEST} | {f"m{n}": DIGEST for n in range(511)}),
            {"commit": {"media": DIGEST} | {f"m{n}": DIGEST for n in range(512)}},
        ),
    ],
)
def test_the_limits_of_the_format(largest, too_large):
    check_fields(largest)
    with pytest.raises(MalformedText, match=f"^{next(iter(too_large))} of a"):
        check_fields(largest | too_large)
