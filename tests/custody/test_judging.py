"""The judge names what contradicts, where, and nothing else."""

from __future__ import annotations

import hashlib

import pytest

from tests.custody.honest_history import honest_world
from tests.custody.record_kit import DAY_MS, MINUTE_MS, START_MS, World, key_text, secret_of
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.custody.witness_times import WitnessTimes, witness_times


def judged(world: World, times: WitnessTimes | None = None, **more) -> tuple[Judge, list]:
    judge = Judge(times=times or WitnessTimes(), **more)
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    return judge, found


def names(world: World, times: WitnessTimes | None = None) -> list[tuple[str, int | None]]:
    return [(one.name, one.last) for one in judged(world, times)[1]]


def one_device() -> World:
    world = World()
    world.enrol("bwc-1")
    world.define_class()
    return world


def altered(leaf: bytes, signer: str, **changes) -> bytes:
    return sign_record(dict(parse_record(leaf).fields) | changes, secret_of(signer))


@pytest.mark.parametrize("seed", range(25))
def test_an_honest_history_gives_no_finding(seed):
    world, times = honest_world(seed)
    judge, found = judged(world, times)
    assert found == []
    assert judge.absences(START_MS, world.now_ms).discrepancies == ()


def test_leaves_that_are_no_records_are_named():
    world = one_device()
    world.add(b"not a record")
    assert names(world) == [("record-malformed", 3)]


def test_a_signature_that_fits_nobody_or_somebody_else():
    world = one_device()
    world.enrol("bwc-2")
    honest = world.heartbeat("bwc-1", logged=False)
    world.add(altered(honest, "stranger"))
    world.add(altered(honest, "bwc-2"))
    _, found = judged(world)
    assert [(one.name, one.last) for one in found] == [
        ("bad-signature", 4),
        ("device-reattributed", 5),
    ]
    assert found[1].devices == ("bwc-1", "bwc-2")


def test_attributing_false_signatures_is_limited():
    world = one_device()
    world.enrol("bwc-2")
    world.add(altered(world.heartbeat("bwc-1", logged=False), "bwc-2"))
    assert names(world) == [("device-reattributed", 4)]
    found = judged(world, attributions_left=3)[1]
    assert [one.name for one in found] == ["bad-signature"]


def test_keys_unknown_replaced_and_revoked():
    world = one_device()
    world.heartbeat("bwc-1")
    world.rotate("bwc-1")
    old = altered(world.heartbeat("bwc-1"), "bwc-1", epoch=0, seq=9)
    world.add(old)
    world.act("key.revoke", {"subject": "bwc-1", "since_ms": world.now_ms, "basis": "stolen"})
    world.heartbeat("bwc-1")
    world.add(altered(old, "bwc-1", device="bwc-9"))
    assert names(world) == [
        ("revoked-key-used", 6),
        ("revoked-key-used", 8),
        ("unknown-key", 9),
    ]


def test_what_a_stolen_key_may_have_signed_is_doubtful_unless_witnessed_before():
    world = one_device()
    for _ in range(4):
        world.heartbeat("bwc-1")
    stolen_ms = world.now_ms - 2 * MINUTE_MS
    world.act("key.revoke", {"subject": "bwc-1", "since_ms": stolen_ms, "basis": "stolen"})
    judge, found = judged(world, witness_times([(5, stolen_ms - 1), (7, stolen_ms + 1)]))
    assert found == []
    doubt = judge.doubts[0]
    assert (doubt.signer, doubt.first, doubt.last, doubt.count) == ("bwc-1", 5, 6, 2)


def test_a_device_cannot_revoke():
    world = one_device()
    fields = {"subject": "amara", "since_ms": START_MS, "basis": "because"}
    world.states["bwc-1"], before = world.states["bwc-1"], world.states["bwc-1"]
    world.tell("bwc-1", "key.revoke", fields)
    assert before.seq == 0
    assert names(world) == [("entry-without-effect", 3)]


def test_an_enrolment_without_two_approvals_takes_no_effect():
    world = World()
    world.enrol("bwc-1", by=("amara",))
    world.heartbeat("bwc-1")
    assert names(world) == [("approval-missing", 1), ("unknown-key", 2)]


def test_approvals_are_used_once():
    world = one_device()
    world.enrol("bwc-2")
    again = dict(parse_record(world.define_class(days=30)).fields)
    world.define_class(days=90)
    world.add(sign_record(again | {"claimed_ms": START_MS + 1}, secret_of("dora")))
    assert names(world) == [("approval-reused", 6)]


@pytest.mark.parametrize("signer", ["stranger", "bilal"])
def test_the_founding_entry_is_signed_by_a_founder(signer):
    world = World()
    fields = dict(parse_record(world.leaves[0]).fields)
    world.leaves = [sign_record(fields | {"claimed_ms": 1}, secret_of(signer))]
    assert names(world) == [("bad-signature", 0)]
    world.leaves = [sign_record(fields | {"device": "stranger"}, secret_of(signer))]
    assert names(world) == [("unknown-key", 0)]


def test_a_number_twice_and_a_broken_chain():
    world = one_device()
    state = world.states["bwc-1"]
    first = world.heartbeat("bwc-1")
    world.heartbeat("bwc-1")
    world.add(first)
    world.states["bwc-1"] = state
    world.stop("bwc-1")
    fields = {"seq": 2, "prev": "ab" * 32}
    world.add(altered(world.heartbeat("bwc-1", logged=False), "bwc-1", **fields))
    assert names(world) == [("segment-replayed", 5), ("device-fork", 6), ("chain-broken", 7)]


def test_a_medium_logged_again_under_a_new_number():
    world = one_device()
    world.segment("bwc-1", b"once")
    world.segment("bwc-1", b"once", recording="bwc-1/again")
    assert names(world) == [("segment-replayed", 4)]


@pytest.mark.parametrize(
    ("jump_ms", "way"), [(-10 * MINUTE_MS, "back"), (10 * MINUTE_MS, "forward")]
)
def test_a_clock_set_between_two_heartbeats(jump_ms, way):
    world = one_device()
    first = world.heartbeat("bwc-1")
    uptime = parse_record(first).fields["uptime_ms"] + MINUTE_MS
    fields = {"uptime_ms": uptime, "boot": "boot-1"}
    world.tell("bwc-1", "heartbeat", fields, after_ms=MINUTE_MS + jump_ms)
    _, found = judged(world)
    assert [(one.name, one.first, one.last) for one in found] == [("device-clock-off", 3, 4)]
    assert f"went {way} by 600 s" in found[0].text


def test_a_clock_ahead_of_the_witnesses_or_off_at_the_dock():
    world = one_device()
    world.heartbeat("bwc-1")
    fields = {"subject": "bwc-1", "device_ms": START_MS, "offset_ms": -180_000}
    world.act("clock", fields)
    confirmed = witness_times([(len(world.leaves), world.now_ms - 5 * MINUTE_MS)])
    found = judged(world, confirmed)[1]
    off = [(one.last, one.devices) for one in found if one.last and one.last > 2]
    assert off == [(3, ("bwc-1",)), (4, ("dora",)), (4, ("bwc-1",))]
    assert {one.name for one in found} == {"device-clock-off"}


def test_a_dock_that_claims_the_level_of_a_camera():
    world = World()
    world.enrol("dock-1", holder="dock")
    world.camera("bwc-7", "dock-1")
    world.segment("bwc-7", level="dock")
    world.segment("bwc-7", level="device")
    assert names(world) == [("level-overstated", 3)]


def test_early_erasure_is_named_unless_two_people_approved_it():
    world = one_device()
    world.segment("bwc-1")
    world.erase("bwc-1/0", by=("amara",))
    assert names(world) == [("early-erasure", 4)]
    world.leaves.pop()
    world.erase("bwc-1/0")
    assert names(world) == []
    judge, _ = judged(world)
    assert judge.retention.is_erased("bwc-1/0")


def test_erasure_after_the_date_still_takes_two():
    world = one_device()
    world.segment("bwc-1")
    world.now_ms += 91 * DAY_MS
    world.erase("bwc-1/0", by=("amara",))
    assert names(world) == [("approval-missing", 4)]


def test_an_erasure_that_claims_a_later_time_than_witnesses_saw_is_early():
    world = one_device()
    world.segment("bwc-1")
    at_ms = world.now_ms
    world.now_ms += 91 * DAY_MS
    world.erase("bwc-1/0", by=("amara",))
    found = names(world, witness_times([(5, at_ms + DAY_MS)]))
    assert found == [("device-clock-off", 4), ("early-erasure", 4)]


def test_a_hold_blocks_erasing_and_is_lifted_by_two():
    world = one_device()
    world.segment("bwc-1")
    hold = {"recording": "bwc-1/0", "basis": "case 12/2026"}
    world.act("hold", hold | {"state": "placed"})
    world.act("hold", hold | {"state": "lifted"})
    world.erase("bwc-1/0")
    assert names(world) == [("approval-missing", 5), ("erased-under-hold", 6)]
    world.leaves[5:] = []
    world.act("hold", hold | {"state": "lifted"}, by=("amara", "bilal"))
    world.erase("bwc-1/0")
    assert names(world) == []


def test_a_category_that_shortens_life_takes_two_and_one_that_lengthens_does_not():
    world = one_device()
    world.define_class("short", 7)
    world.define_class("long", 3650)
    world.segment("bwc-1")
    change = {"recording": "bwc-1/0", "basis": "court"}
    world.act("category", change | {"class": "long"})
    world.act("category", change | {"class": "short"})
    judge, found = judged(world)
    assert [(one.name, one.last) for one in found] == [("approval-missing", 7)]
    kept = judge.retention.recordings["bwc-1/0"]
    assert judge.retention.expires_ms("bwc-1/0") == kept.since_ms + 3650 * DAY_MS


def test_a_dock_cannot_speak_for_a_device_that_has_its_own_key():
    """Else whoever holds a dock's key could sign the stop that explains a lost camera."""
    world = one_device()
    world.enrol("dock-1", holder="dock")
    world.heartbeat("bwc-1")
    stop = world.stop("bwc-1")
    world.leaves[-1] = altered(stop, "dock-1", by="dock-1")
    _, found = judged(world)
    assert [(one.name, one.last) for one in found] == [("device-reattributed", 5)]
    assert "bwc-1 has a key of its own" in found[0].text


def test_a_device_cannot_speak_for_a_camera():
    world = one_device()
    world.camera("old-1", "bwc-1")
    world.segment("old-1", level="dock")
    _, found = judged(world)
    assert [one.name for one in found] == ["device-reattributed"]
    assert "is a device and no dock" in found[0].text


@pytest.mark.parametrize("kind", ["hold", "category"])
def test_a_decision_on_what_was_never_brought_in(kind):
    world = one_device()
    fields = {"recording": "bwc-1/99", "basis": "case 3"}
    more = {"hold": {"state": "placed"}, "category": {"class": "routine"}}[kind]
    world.act(kind, fields | more, by=("amara", "bilal"))
    assert names(world) == [("entry-without-effect", 3)]


def test_erasing_what_was_never_brought_in():
    world = one_device()
    world.erase("bwc-1/99")
    assert names(world) == [("entry-without-effect", 3)]


def test_a_release_outside_takes_two():
    world = one_device()
    world.segment("bwc-1")
    world.act("access", {"act": "release", "recording": "bwc-1/0"}, by=("amara", "bilal"))
    world.act("access", {"act": "release", "recording": "bwc-1/0"})
    assert names(world) == [("approval-missing", 5)]


def test_a_derivation_is_a_recording_of_its_own():
    world = one_device()
    source = world.segment("bwc-1")
    fields = {
        "source": parse_record(source).digest,
        "recording": "bwc-1/0",
        "result": "bwc-1/0/redacted-1",
        "blob": hashlib.sha256(b"redacted").hexdigest(),
        "bytes": 8,
        "method": "mask",
        "tool": "tidewaiter redact",
        "masks": [{"from_ms": 0, "to_ms": 9, "x": 1, "y": 2, "width": 3, "height": 4}],
        "commit": {"media": "ab" * 32},
        "class": "routine",
    }
    world.act("derive", fields, by=("amara", "bilal"))
    judge, found = judged(world)
    assert found == []
    assert "bwc-1/0/redacted-1" in judge.retention.recordings


def test_keys_cannot_be_shared():
    world = one_device()
    fields = {"subject": "bwc-2", "holder": "device", "key": key_text("bwc-1"), "key_epoch": 0}
    world.act("key.enrol", fields, by=("amara", "bilal"))
    assert names(world) == [("entry-without-effect", 3)]


def test_witness_times_bound_every_entry_by_the_earliest_that_covers_it():
    times = witness_times([(10, 500), (20, 400), (30, 900)])
    assert [times.not_after_ms(index) for index in (0, 9, 10, 29, 30)] == [400, 400, 400, 900, None]
    assert [times.not_before_ms(index) for index in (9, 10, 20, 31)] == [None, 400, 400, 900]
    assert [times.size_by(at) for at in (399, 400, 899, 900)] == [0, 20, 20, 30]
