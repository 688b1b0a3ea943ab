"""Decisions on the chain of one device that only a late or odd record brings up."""

from __future__ import annotations

import pytest

from tests.custody.record_kit import MINUTE_MS, World, secret_of
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record, sign_record


def judged(world: World):
    judge = Judge()
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    return judge, found


@pytest.fixture
def world() -> World:
    world = World()
    world.enrol("bwc-1")
    return world


def altered(leaf: bytes, **changes) -> bytes:
    return sign_record(dict(parse_record(leaf).fields) | changes, secret_of("bwc-1"))


def test_a_record_that_comes_late_must_be_the_one_that_its_successor_names(world):
    leaves = [world.heartbeat("bwc-1", logged=False) for _ in range(4)]
    for place, told in ((1, []), (0, [("chain-broken", 3)])):
        late = altered(leaves[1], uptime_ms=6_000 + 2 * MINUTE_MS - place * 1_000)
        late = leaves[1] if place else late
        world.leaves[2:] = [leaves[0], leaves[2], leaves[3], late]
        found = judged(world)[1]
        assert [(one.name, one.last) for one in found] == told
    assert found[0].text == "number 2 of bwc-1 (entry 3) does not name number 1 as logged (entry 5)"


def test_a_silence_shows_though_its_records_come_in_another_order(world):
    first = world.heartbeat("bwc-1", logged=False)
    last = world.heartbeat("bwc-1", logged=False, after_ms=60 * MINUTE_MS)
    world.leaves += [last, first]
    judge, found = judged(world)
    assert found == []
    (silence,) = judge.chains["bwc-1"].silences
    assert silence.until_ms - silence.since_ms == 60 * MINUTE_MS
    assert (silence.index, silence.reason) == (3, "")


def test_what_is_missing_from_the_start_is_bounded_by_the_first_that_is_there(world):
    leaves = [world.heartbeat("bwc-1", logged=False) for _ in range(6)]
    world.leaves += [leaves[2], leaves[5]]
    judge, found = judged(world)
    assert found == []
    chain = judge.chains["bwc-1"]
    told = [(one.text, one.first, one.last) for one in chain.missing()]
    assert told == [
        ("numbers 0 to 1 are missing from the records of bwc-1", None, 2),
        ("numbers 3 to 4 are missing from the records of bwc-1", 2, 3),
    ]
    assert [one.first for one in chain.missing(from_start=False)] == [2]


def test_only_segments_that_say_when_they_were_taken_cover_time(world):
    fields = {
        "level": "device", "recording": "bwc-1/x", "blob": "ab" * 32, "bytes": 1,
        "commit": {"media": "cd" * 32},
    }  # fmt: skip
    world.tell("bwc-1", "segment", fields)
    times = {"start_ms": world.now_ms, "end_ms": world.now_ms + 9}
    world.tell("bwc-1", "import", fields | {"blob": "ef" * 32} | times)
    judge, found = judged(world)
    assert found == []
    assert judge.chains["bwc-1"].covered_ms == []
    world.tell("bwc-1", "segment", fields | {"blob": "01" * 32} | times)
    assert judged(world)[0].chains["bwc-1"].covered_ms == [tuple(times.values())]


def test_the_first_record_of_a_device_names_none_before_it(world):
    first = world.heartbeat("bwc-1", logged=False)
    world.add(altered(first, prev="ab" * 32))
    (found,) = judged(world)[1]
    assert (found.name, found.devices) == ("chain-broken", ("bwc-1",))
    assert found.text == ("number 0 of bwc-1 (entry 2) is its first and yet names one before it")


@pytest.mark.parametrize(("longer_ms", "silences"), [(0, 0), (1, 1)])
def test_five_minutes_may_pass_between_two_records_and_no_more(world, longer_ms, silences):
    world.heartbeat("bwc-1")
    world.heartbeat("bwc-1", after_ms=5 * MINUTE_MS + longer_ms)
    assert len(judged(world)[0].chains["bwc-1"].silences) == silences


def test_every_number_of_a_run_is_known_again_however_the_run_came_about(world):
    leaves = [world.heartbeat("bwc-1", logged=False) for _ in range(6)]
    world.leaves += [leaves[at] for at in (3, 0, 1, 5, 2, 4)]
    before = len(world.leaves)
    world.leaves += leaves
    world.leaves += [altered(leaf, battery=1) for leaf in leaves]
    judge, found = judged(world)
    assert [(run.head.seq, run.tail.seq) for run in judge.chains["bwc-1"].runs] == [(0, 5)]
    names = ["segment-replayed"] * 6 + ["device-fork"] * 6
    assert [(one.name, one.last) for one in found] == [
        (name, before + at) for at, name in enumerate(names)
    ]


def test_a_number_is_known_again_in_a_run_that_begins_late(world):
    leaves = [world.heartbeat("bwc-1", logged=False) for _ in range(5)]
    world.leaves += [leaves[3], leaves[4], leaves[4], leaves[3]]
    assert [one.name for one in judged(world)[1]] == ["segment-replayed"] * 2


def test_only_a_run_of_nothing_but_rotations_is_one_of_keys_alone(world):
    told = [world.heartbeat("bwc-1", logged=False)]
    told += [world.rotate("bwc-1"), world.rotate("bwc-1")]
    told.append(world.heartbeat("bwc-1", logged=False))
    keys = world.leaves[-2:]
    for logged, is_keys_only in (
        (keys, True),
        ([told[0], *keys], False),
        ([*keys, told[0]], False),
        ([*keys, told[3]], False),
    ):
        world.leaves[2:] = logged
        judge, found = judged(world)
        assert found == []
        assert [run.is_keys_only for run in judge.chains["bwc-1"].runs] == [is_keys_only]


def test_a_stretch_ends_with_the_last_run_that_is_not_of_keys_alone(world):
    for _ in range(3):
        world.rotate("bwc-1")
        world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    for _ in range(2):
        world.heartbeat("bwc-1", logged=False)
        world.rotate("bwc-1")
    chain = judged(world)[0].chains["bwc-1"]
    assert [run.head.seq for run in chain.runs] == [0, 2, 4, 6, 8, 10, 12]
    assert [run.head.seq for run in chain.stretch()] == [6, 8]


@pytest.mark.parametrize(("number", "told"), [(9, []), (10, ["sequence-gap"]), (8, []), (3, [])])
def test_the_next_file_number_of_a_camera_is_one_more(world, number, told):
    world.enrol("dock-1", holder="dock")
    world.camera("old-1", "dock-1")
    world.segment("old-1", level="dock", camera_no=8)
    world.segment("old-1", level="dock", camera_no=number)
    assert [one.name for one in judged(world)[1]] == told


@pytest.mark.parametrize(
    ("jump_ms", "way"), [(180_000, "forward by 180"), (-121_000, "back by 121")]
)
def test_it_is_said_which_way_a_clock_went_and_how_far(world, jump_ms, way):
    first = parse_record(world.heartbeat("bwc-1"))
    said = {"uptime_ms": first.fields["uptime_ms"] + 4 * MINUTE_MS, "boot": "boot-1"}
    world.tell("bwc-1", "heartbeat", said, after_ms=4 * MINUTE_MS + jump_ms)
    (found,) = judged(world)[1]
    assert found.text == f"the clock of bwc-1 went {way} s between numbers 0 and 1"
    assert (found.first, found.last, found.since_ms) == (2, 3, first.claimed_ms)


def test_a_single_missing_number_is_told_as_one(world):
    world.heartbeat("bwc-1")
    world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    (gap,) = judged(world)[0].chains["bwc-1"].missing()
    assert gap.text == "number 1 is missing from the records of bwc-1"


@pytest.mark.parametrize(("jump_ms", "told"), [(120_000, 0), (120_001, 1), (-120_000, 0)])
def test_a_clock_jumps_beyond_what_is_allowed_and_not_at_it(world, jump_ms, told):
    first = world.heartbeat("bwc-1")
    uptime = parse_record(first).fields["uptime_ms"] + MINUTE_MS
    said = {"uptime_ms": uptime, "boot": "boot-1"}
    world.tell("bwc-1", "heartbeat", said, after_ms=MINUTE_MS + jump_ms)
    assert [one.name for one in judged(world)[1]] == ["device-clock-off"] * told


def test_a_number_used_twice_is_told_as_what_it_is(world):
    first = world.heartbeat("bwc-1")
    world.add(first)
    world.add(altered(first, uptime_ms=1))
    found = judged(world)[1]
    assert [(one.name, one.text) for one in found] == [
        ("segment-replayed", "number 0 of bwc-1 is logged again by entry 3"),
        (
            "device-fork",
            "number 0 of bwc-1 is used for a second record with other content by entry 4",
        ),
    ]
    assert [(one.first, one.last, one.since_ms) for one in found] == [
        (3, 3, world.now_ms),
        (4, 4, world.now_ms),
    ]


def test_time_is_counted_by_uptime_within_one_start_only(world):
    world.segment("bwc-1")
    world.tell("bwc-1", "heartbeat", {"uptime_ms": 10**9}, after_ms=MINUTE_MS)
    world.tell("bwc-1", "heartbeat", {"uptime_ms": 5, "boot": "b-1"}, after_ms=MINUTE_MS)
    world.tell("bwc-1", "heartbeat", {"uptime_ms": 10**9, "boot": "b-2"}, after_ms=MINUTE_MS)
    world.segment("bwc-1", boot="b-2")
    judge, found = judged(world)
    assert (found, judge.chains["bwc-1"].silences) == ([], [])
    said = {"uptime_ms": 10**9 + 2 * MINUTE_MS, "boot": "b-2"}
    world.tell("bwc-1", "heartbeat", said)
    world.tell(
        "bwc-1", "heartbeat", said | {"uptime_ms": 10**9 + 9 * MINUTE_MS}, after_ms=MINUTE_MS
    )
    judge, found = judged(world)
    assert [one.name for one in found] == ["device-clock-off"]
    assert len(judge.chains["bwc-1"].silences) == 1, "by the uptime, whatever the clock says"
