"""What is missing is reported with device and interval; signed outages are not tampering."""

from __future__ import annotations

import random

import pytest

from tests.custody.record_kit import MINUTE_MS, START_MS, World
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record

HOUR_MS = 60 * MINUTE_MS


def device_world(*names: str) -> World:
    world = World()
    for name in names or ("bwc-1",):
        world.enrol(name, unit="gate-2")
    return world


def absences(world: World, *, until_ms: int | None = None, from_ms: int = START_MS, **more):
    judge = Judge(**more)
    for index, leaf in enumerate(world.leaves):
        assert judge.feed(index, leaf) == []
    return judge.absences(from_ms, world.now_ms if until_ms is None else until_ms)


def found(world: World, **more):
    return [
        (one.name, one.devices, one.since_ms, one.until_ms)
        for one in absences(world, **more).discrepancies
    ]


def test_every_missing_number_is_reported_with_device_and_interval():
    rng = random.Random(7)
    for _ in range(20):
        world = device_world()
        lost = {seq for seq in range(40) if rng.random() < 0.3}
        claimed = {}
        for seq in range(40):
            world.heartbeat("bwc-1", logged=seq not in lost)
            claimed[seq] = world.now_ms
        lost -= set(range(max(set(range(40)) - lost) + 1, 40))
        gaps = [one for one in absences(world).discrepancies if one.name == "sequence-gap"]
        told = set()
        for gap in gaps:
            before = world.leaves[gap.first] if gap.first is not None else None
            first = parse_record(before).seq + 1 if before else 0
            last = parse_record(world.leaves[gap.last]).seq - 1
            told |= set(range(first, last + 1))
            assert gap.since_ms == (claimed[first - 1] if first else None)
            assert gap.until_ms == claimed[last + 1]
            assert gap.devices == ("bwc-1",)
        assert told == lost


def test_records_out_of_order_leave_no_gap():
    world = device_world()
    for _ in range(12):
        world.heartbeat("bwc-1")
    late = world.leaves[2:]
    random.Random(3).shuffle(late)
    world.leaves[2:] = late
    assert found(world) == []


def test_numbers_missing_at_the_start_count_only_where_the_whole_log_is_at_hand():
    world = device_world()
    world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    assert found(world) == [("sequence-gap", ("bwc-1",), None, world.now_ms)]
    assert found(world, whole_log=False) == []


def test_a_silence_is_reported_and_a_signed_outage_is_an_outage():
    world = device_world()
    world.heartbeat("bwc-1")
    since = world.now_ms
    world.heartbeat("bwc-1", after_ms=6 * MINUTE_MS)
    assert found(world) == [("unexplained-silence", ("bwc-1",), since, world.now_ms)]
    world.stop("bwc-1", "battery")
    stopped = world.now_ms
    world.heartbeat("bwc-1", after_ms=5 * HOUR_MS)
    both = absences(world)
    assert len(both.discrepancies) == 1
    assert [(one.reason, one.since_ms, one.until_ms) for one in both.outages] == [
        ("battery", stopped, world.now_ms)
    ]


def test_setting_the_clock_back_does_not_hide_a_silence():
    world = device_world()
    world.heartbeat("bwc-1")
    fields = {"uptime_ms": world.now_ms - START_MS + 5_000 + HOUR_MS, "boot": "boot-1"}
    world.tell("bwc-1", "heartbeat", fields, after_ms=MINUTE_MS)
    judge = Judge()
    clock = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    assert [one.name for one in clock] == ["device-clock-off"]
    silent = judge.absences(START_MS, world.now_ms).discrepancies
    assert [one.name for one in silent] == ["unexplained-silence"]


def test_a_lost_device_is_reported_until_now_and_a_stopped_one_is_an_outage():
    world = device_world("bwc-1", "bwc-2")
    world.heartbeat("bwc-1")
    lost_ms = world.now_ms
    world.stop("bwc-2")
    later = world.now_ms + HOUR_MS
    both = absences(world, until_ms=later)
    assert [(one.name, one.devices, one.since_ms, one.until_ms) for one in both.discrepancies] == [
        ("unexplained-silence", ("bwc-1",), lost_ms, None)
    ]
    assert [(one.device, one.until_ms) for one in both.outages] == [("bwc-2", None)]
    assert found(world, until_ms=lost_ms + MINUTE_MS) == []


def test_only_what_meets_the_span_is_reported():
    world = device_world()
    world.heartbeat("bwc-1")
    world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    end = world.now_ms
    world.heartbeat("bwc-1", after_ms=HOUR_MS)
    assert [one[0] for one in found(world, until_ms=end)] == ["sequence-gap"]
    both = ["sequence-gap", "unexplained-silence"]
    assert [one[0] for one in found(world, from_ms=end)] == both
    assert [one[0] for one in found(world, from_ms=end + 1)] == ["unexplained-silence"]


def test_only_the_outages_that_meet_the_span_are_shown():
    world = device_world()
    world.stop("bwc-1")
    stopped = world.now_ms
    world.heartbeat("bwc-1", after_ms=HOUR_MS)
    back = world.now_ms
    assert absences(world, until_ms=stopped).outages == ()
    assert [one.until_ms for one in absences(world, until_ms=stopped + 1).outages] == [back]
    assert [one.until_ms for one in absences(world, from_ms=back).outages] == [back]
    assert absences(world, from_ms=back + 1).outages == ()


def test_a_device_that_stopped_a_moment_ago_is_shown_as_out():
    world = device_world()
    world.stop("bwc-1", "battery")
    both = absences(world, until_ms=world.now_ms + 1)
    assert both.discrepancies == ()
    assert [(one.reason, one.since_ms, one.until_ms) for one in both.outages] == [
        ("battery", world.now_ms, None)
    ]


def expect(world: World, from_ms: int, to_ms: int, **who) -> None:
    fields = {"from_ms": from_ms, "to_ms": to_ms, "operation": "boarding", "max_silence_s": 60}
    world.act("expect", fields | who)


def test_a_recording_that_was_due_is_missed_even_if_the_device_says_all_is_well():
    world = device_world()
    for _ in range(10):
        world.heartbeat("bwc-1")
    expect(world, START_MS + MINUTE_MS, START_MS + 6 * MINUTE_MS, subject="bwc-1")
    assert found(world) == [
        ("expected-recording-missing", ("bwc-1",), START_MS + MINUTE_MS, START_MS + 6 * MINUTE_MS)
    ]


def test_a_recording_that_was_due_and_covers_part():
    world = device_world()
    for _ in range(3):
        world.segment("bwc-1")
    world.heartbeat("bwc-1", after_ms=4 * MINUTE_MS)
    world.segment("bwc-1")
    expect(world, START_MS, world.now_ms, subject="bwc-1")
    since, until = START_MS + 3 * MINUTE_MS, START_MS + 7 * MINUTE_MS
    assert found(world) == [("expected-recording-missing", ("bwc-1",), since, until)]


@pytest.mark.parametrize(("longer_ms", "is_missed"), [(0, False), (1, True)])
def test_a_recording_is_missed_where_more_than_the_allowed_silence_is_uncovered(
    longer_ms, is_missed
):
    world = device_world()
    world.segment("bwc-1")
    since, until = world.now_ms, world.now_ms + MINUTE_MS + longer_ms
    world.heartbeat("bwc-1", after_ms=until - since)
    expect(world, START_MS, until, subject="bwc-1")
    missed = ("expected-recording-missing", ("bwc-1",), since, until)
    assert found(world) == [missed] * is_missed


def test_a_recording_that_was_due_is_missed_of_a_device_that_never_wrote_anything():
    world = device_world("bwc-1", "bwc-2")
    until = START_MS + HOUR_MS
    expect(world, START_MS, until, subject="bwc-2")
    assert found(world, until_ms=until) == [
        ("expected-recording-missing", ("bwc-2",), START_MS, until)
    ]


@pytest.mark.parametrize(
    ("due", "who"),
    [({"subject": "bwc-1"}, "bwc-1"), ({"unit": "gate-3"}, "the unit gate-3")],
)
def test_it_is_said_who_was_to_record_what_and_how_much_of_it_is_missing(due, who):
    world = device_world()
    expect(world, START_MS, START_MS + 5 * MINUTE_MS, **due)
    (missed,) = absences(world, until_ms=START_MS + HOUR_MS).discrepancies
    assert missed.text == f"{who} was to record boarding; 300 s are missing"


def test_any_device_of_the_unit_may_record():
    world = device_world("bwc-1", "bwc-2")
    for device in ("bwc-1", "bwc-2", "bwc-1"):
        world.segment(device)
    expect(world, START_MS, world.now_ms, unit="gate-2")
    assert found(world) == []
    expect(world, START_MS, world.now_ms, unit="gate-3")
    assert found(world) == [("expected-recording-missing", (), START_MS, world.now_ms)]


@pytest.mark.parametrize(
    ("reason", "excused"),
    [
        ("battery", True),
        ("storage-full", True),
        ("fault", True),
        ("privacy-pause", True),
        ("officer", False),
        ("docked", False),
    ],
)
def test_a_signed_stop_excuses_only_who_could_not_record(reason, excused):
    world = device_world()
    world.segment("bwc-1")
    world.stop("bwc-1", reason, after_ms=0)
    stopped = world.now_ms
    expect(world, START_MS, stopped + HOUR_MS, subject="bwc-1")
    missing = found(world, until_ms=stopped + HOUR_MS)
    whole = [("expected-recording-missing", ("bwc-1",), stopped, stopped + HOUR_MS)]
    assert missing == ([] if excused else whole)


def test_a_camera_that_cannot_sign_is_not_called_silent_but_its_file_numbers_are_checked():
    world = device_world()
    world.enrol("dock-1", holder="dock")
    world.camera("old-1", "dock-1")
    world.segment("old-1", level="dock", camera_no=7)
    world.segment("old-1", level="dock", camera_no=8, after_ms=3 * HOUR_MS)
    assert found(world) == []
    world.segment("old-1", level="dock", camera_no=12)
    judge = Judge()
    told = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    assert [(one.name, one.devices) for one in told] == [("sequence-gap", ("old-1",))]
    assert "files 9 to 11" in told[0].text
