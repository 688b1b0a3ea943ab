"""Decisions of the judge on signers, levels and limits, each noticed where it fails."""

from __future__ import annotations

import pytest

from tests.custody.record_kit import START_MS, World, key_text, secret_of
from tidewaiter.custody.approvals import approve
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record, public_key, sign_record
from tidewaiter.custody.witness_times import witness_times


def judged(world: World, **more):
    judge = Judge(**more)
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    return judge, found


def names(world: World, **more) -> list[tuple[str, int | None]]:
    return [(one.name, one.last) for one in judged(world, **more)[1]]


def altered(leaf: bytes, signer: str, **changes) -> bytes:
    return sign_record(dict(parse_record(leaf).fields) | changes, secret_of(signer))


@pytest.mark.parametrize(
    ("signer", "level", "told"),
    [
        ("bwc-1", "device", False),
        ("bwc-1", "dock", False),
        ("bwc-1", "import", False),
        ("dock-1", "device", True),
        ("dock-1", "dock", False),
        ("dock-1", "ingest", False),
        ("ingest", "device", True),
        ("ingest", "dock", True),
        ("ingest", "ingest", False),
    ],
)
def test_nobody_claims_an_earlier_signer_than_there_was(signer, level, told):
    world = World()
    world.enrol("bwc-1")
    world.enrol("dock-1", holder="dock")
    world.enrol("ingest", holder="service")
    if signer != "bwc-1":
        world.camera("cam", signer)
    world.segment("bwc-1" if signer == "bwc-1" else "cam", level=level)
    assert names(world) == ([("level-overstated", 4)] if told else [])


def test_a_log_that_does_not_begin_with_its_founders_has_no_keys():
    world = World()
    plain = {"policy": "p", "request": "r", "approvals": []}
    for leaf in (
        World(founded=False).act("policy", plain),
        World(founded=False).act("access", {"act": "view", "recording": "x"}),
    ):
        world.leaves = [leaf]
        assert names(world) == [("unknown-key", 0)]


def test_what_comes_first_of_a_part_is_no_founding_entry():
    """A record of another kind at index 0 is judged as any other."""
    world = World()
    record = dict(parse_record(world.leaves[0]).fields) | {"device": "stranger"}
    judge = Judge()
    found = judge.feed(7, sign_record(record, secret_of("stranger")))
    assert [one.name for one in found] == ["unknown-key"]


def test_a_docks_old_key_signs_no_camera_whatever_the_cameras_numbers():
    world = World()
    world.enrol("dock-1", holder="dock")
    world.camera("cam", "dock-1")
    early = world.segment("cam", level="dock", logged=False)
    for _ in range(3):
        world.heartbeat("dock-1")
    world.rotate("dock-1")
    world.add(early)
    assert parse_record(early).seq == 0
    assert names(world) == [("revoked-key-used", 6)]


def test_a_device_docked_late_may_use_the_key_it_had():
    world = World()
    world.enrol("bwc-1")
    early = world.heartbeat("bwc-1", logged=False)
    world.rotate("bwc-1")
    world.add(early)
    assert names(world) == []


def test_signatures_may_be_left_to_somebody_else():
    world = World()
    world.enrol("bwc-1")
    world.add(altered(world.heartbeat("bwc-1", logged=False), "stranger"))
    assert names(world) == [("bad-signature", 2)]
    assert names(world, check_signatures=False) == []


def test_a_signature_verified_before_counts_for_its_key_and_entry_alone():
    world = World()
    world.enrol("bwc-1")
    world.add(altered(world.heartbeat("bwc-1", logged=False), "stranger"))
    right, other = public_key(secret_of("bwc-1")), public_key(secret_of("stranger"))
    assert names(world, verified={2: right}) == []
    assert names(world, verified={2: other}) == [("bad-signature", 2)]
    assert names(world, verified={1: right}) == [("bad-signature", 2)]


def test_a_key_is_settled_where_signer_and_level_leave_nothing_to_say():
    world = World()
    world.enrol("bwc-1")
    world.enrol("bwc-2")
    world.enrol("dock-1", holder="dock")
    world.camera("cam", "dock-1")
    judge, _ = judged(world)
    heartbeat = parse_record(world.heartbeat("bwc-1"))
    assert judge.settled_key(4, heartbeat) == public_key(secret_of("bwc-1"))
    docked = world.segment("cam", level="dock")
    assert judge.settled_key(4, parse_record(docked)) == public_key(secret_of("dock-1"))
    for wrong in (
        altered(docked, "dock-1", level="device"),
        altered(docked, "dock-1", device="bwc-2"),
        altered(docked, "dock-1", by="nobody"),
        altered(docked, "dock-1", epoch=1),
    ):
        assert judge.settled_key(4, parse_record(wrong)) is None
    world.rotate("bwc-1")
    world.act("key.revoke", {"subject": "dock-1", "since_ms": START_MS, "basis": "lost"})
    judge, _ = judged(world)
    assert judge.settled_key(9, heartbeat) is None
    assert judge.settled_key(9, parse_record(docked)) is None


def test_where_a_finding_stands_and_since_when():
    world = World()
    world.enrol("bwc-1")
    world.enrol("bwc-2")
    world.add(altered(world.heartbeat("bwc-1", logged=False), "bwc-2"))
    (one,) = judged(world, times=witness_times([(3, START_MS + 7)]))[1]
    assert (one.first, one.last, one.devices, one.since_ms) == (
        3,
        3,
        ("bwc-1", "bwc-2"),
        START_MS + 7,
    )
    assert one.text == "entry 3 of bwc-1 was signed by bwc-2, not by bwc-1"


def test_a_clock_is_off_beyond_what_is_allowed_and_not_at_it():
    for offset_ms, told in ((120_000, []), (120_001, [1]), (-120_000, []), (-120_001, [1])):
        world = World()
        world.act("clock", {"subject": "bwc-1", "device_ms": 0, "offset_ms": offset_ms})
        assert [one.last for one in judged(world)[1]] == told
    world = World()
    world.act("clock", {"subject": "bwc-1", "device_ms": 0, "offset_ms": -200_400})
    (one,) = judged(world)[1]
    assert one.text == "the clock of bwc-1 was off by -200 s when it was docked"
    assert (one.first, one.devices, one.since_ms) == (1, ("bwc-1",), START_MS)


def test_a_claim_is_off_beyond_what_is_allowed_after_the_witnesses_and_not_at_it():
    for ahead_ms, told in ((120_000, []), (120_001, [1])):
        world = World()
        world.now_ms += ahead_ms
        world.act("access", {"act": "view", "recording": "x"})
        found = judged(world, times=witness_times([(2, START_MS)]))[1]
        assert [one.last for one in found] == told
    assert found[0].text == ("entry 1 of dora claims a time 120 s after witnesses had confirmed it")
    assert found[0].devices == ("dora",)
    world.now_ms = START_MS + 10_000_000
    world.act("clock", {"subject": "bwc-1", "device_ms": 0, "offset_ms": 10_000_000})
    found = judged(world, times=witness_times([(3, START_MS)]))[1]
    assert ["10000 s" in one.text for one in found[1:]] == [True, True]


def test_a_medium_of_an_import_may_come_again_and_that_of_a_camera_may_not():
    world = World()
    world.enrol("bwc-1")
    world.enrol("ingest", holder="service")
    blob = parse_record(world.segment("bwc-1", b"once")).fields["blob"]
    fields = {"level": "import", "recording": "scan/1", "blob": blob, "bytes": 1}
    world.act("import", fields | {"commit": {"media": "ab" * 32}}, who="ingest")
    assert names(world) == []
    world.segment("bwc-1", b"once", recording="bwc-1/again")
    (one,) = judged(world)[1]
    assert (one.name, one.first, one.devices) == ("segment-replayed", 5, ("bwc-1",))
    assert one.text == "entry 5 of bwc-1 is the medium of entry 3 again"


def test_approvals_used_again_are_told_from_their_first_use():
    world = World()
    again = dict(parse_record(world.define_class(days=30)).fields)
    world.add(sign_record(again | {"claimed_ms": START_MS + 1}, secret_of("dora")))
    (one,) = judged(world)[1]
    assert (one.name, one.first, one.last) == ("approval-reused", 1, 2)


def test_what_lacks_approvals_takes_no_effect():
    world = World()
    world.act("key.enrol", {
        "subject": "bwc-1", "holder": "device", "key": key_text("bwc-1"), "key_epoch": 0,
        "unit": "gate-2",
    }, by=("amara",))  # fmt: skip
    judge, found = judged(world)
    assert [one.name for one in found] == ["approval-missing"]
    assert "bwc-1" not in judge.history.holders
    assert judge.roster.units == {}
    assert found[0].text == (
        "entry 1, key.enrol: approved by amara; two people of different roles needed"
    )


def test_a_service_rotates_its_key_with_two_approvals_and_a_dock_alone():
    world = World()
    world.enrol("dock-1", holder="dock")
    world.enrol("ingest", holder="service")
    world.rotate("dock-1")
    assert names(world) == []
    world.rotate("ingest")
    assert names(world) == [("approval-missing", 4)]


def test_what_is_doubtful_after_a_loss_is_counted_from_what_was_proven_before():
    world = World()
    world.enrol("bwc-1")
    for _ in range(3):
        world.heartbeat("bwc-1")
    lost_ms = START_MS + 90_000
    world.act("key.revoke", {"subject": "bwc-1", "since_ms": lost_ms, "basis": "lost"})
    doubt = judged(world, times=witness_times([(3, lost_ms)]))[0].doubts[0]
    assert (doubt.first, doubt.last, doubt.count) == (3, 4, 2)
    assert (doubt.signer, doubt.revoked_by, doubt.since_ms) == ("bwc-1", 5, lost_ms)
    assert judged(world, times=witness_times([(5, lost_ms)]))[0].doubts == []
    assert judged(world)[0].doubts[0].first == 2


@pytest.mark.parametrize("level", ["device", "dock", "import"])
def test_a_founding_entry_that_claims_a_level_is_judged_by_what_it_founds(level):
    world = World()
    fields = dict(parse_record(world.leaves[0]).fields) | {"level": level}
    fields["approvals"] = [
        approve(fields, one["id"], 0, secret_of(one["id"])) for one in fields["people"]
    ]
    world.leaves = [sign_record(fields, secret_of("dora"))]
    judge, found = judged(world)
    assert found == []
    assert judge.history.founded


def test_tries_at_attributing_a_signature_end_at_their_number():
    """Five founders and the device itself come before the key that signed."""
    world = World()
    world.enrol("bwc-1")
    world.enrol("bwc-2")
    world.add(altered(world.heartbeat("bwc-1", logged=False), "bwc-2"))
    assert names(world, attributions_left=7) == [("device-reattributed", 3)]
    judge, found = judged(world, attributions_left=6)
    assert [one.name for one in found] == ["bad-signature"]
    assert judge.attributions_left == 0
