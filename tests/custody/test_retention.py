"""How long recordings stay, what holds them, and when their erasure is early."""

from __future__ import annotations

import hashlib

import pytest

from tests.custody.record_kit import DAY_MS, MINUTE_MS, START_MS, World
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.witness_times import WitnessTimes, witness_times

TWO = ("amara", "bilal")


def judged(world: World, times: WitnessTimes | None = None):
    judge = Judge(times=times or WitnessTimes())
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    return judge.retention, found


def names(world: World, times: WitnessTimes | None = None) -> list[tuple[str, int | None]]:
    return [(one.name, one.last) for one in judged(world, times)[1]]


@pytest.fixture
def world() -> World:
    """A camera, a class of 90 days, and one recording in it."""
    world = World()
    world.enrol("bwc-1")
    world.define_class()
    world.segment("bwc-1")
    return world


def hold(world: World, state: str, recording="bwc-1/0") -> bytes:
    fields = {"recording": recording, "basis": "case 12", "state": state}
    return world.act("hold", fields, by=TWO if state == "lifted" else None)


def imported(world: World, recording: str, **more) -> bytes:
    fields = {"level": "import", "recording": recording, "bytes": 9, "commit": {"media": "ab" * 32}}
    blob = hashlib.sha256(recording.encode() + bytes(len(world.leaves))).hexdigest()
    return world.act("import", fields | {"blob": blob} | more, who="ingest")


def test_a_recording_expires_after_the_days_of_its_class(world):
    book, found = judged(world)
    assert found == []
    assert book.expires_ms("bwc-1/0") == world.now_ms + 90 * DAY_MS
    assert book.expires_ms("bwc-1/9") is None
    assert not book.is_erased("bwc-1/9")
    assert not book.is_erased("bwc-1/0")
    assert book.recordings["bwc-1/0"].entry == 3


def test_a_recording_of_no_class_or_of_an_unknown_one_expires_never_by_itself():
    world = World()
    world.enrol("ingest", holder="service")
    world.define_class()
    imported(world, "scan/1")
    imported(world, "scan/2", **{"class": "nothing"})
    imported(world, "scan/3", **{"class": "routine"})
    book, found = judged(world)
    assert found == []
    assert [book.expires_ms(f"scan/{number}") is None for number in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    assert book.recordings["scan/1"].retention_class == ""


def test_the_class_comes_with_the_first_entry_that_names_one():
    world = World()
    world.enrol("ingest", holder="service")
    world.define_class()
    world.define_class("short", 7)
    imported(world, "scan/1")
    said = {"recording": "scan/1", "entry": "ab" * 32}
    world.act("ingest", said, who="ingest")
    world.act("ingest", said | {"class": "routine"}, who="ingest")
    world.act("ingest", said | {"class": "short"}, who="ingest")
    imported(world, "scan/1", **{"class": "short"})
    assert judged(world)[0].recordings["scan/1"].retention_class == "routine"
    imported(world, "scan/2")
    imported(world, "scan/2", **{"class": "short"})
    assert judged(world)[0].recordings["scan/2"].retention_class == "short"


def test_time_runs_from_the_latest_of_claims_and_what_witnesses_bound(world):
    """Else a camera whose clock is behind would shorten the life of what it records."""
    late = witness_times([(3, START_MS + 5 * DAY_MS), (9, START_MS + 6 * DAY_MS)])
    assert judged(world, late)[0].expires_ms("bwc-1/0") == START_MS + 95 * DAY_MS
    early = witness_times([(3, START_MS - DAY_MS)])
    assert judged(world, early)[0].expires_ms("bwc-1/0") == world.now_ms + 90 * DAY_MS
    first_ms = world.now_ms
    world.segment("bwc-1", b"more of it", recording="bwc-1/0", after_ms=DAY_MS)
    assert judged(world)[0].expires_ms("bwc-1/0") == first_ms + 91 * DAY_MS
    world.now_ms -= 3 * DAY_MS
    world.segment("bwc-1", b"and more", recording="bwc-1/0", after_ms=0)
    assert judged(world)[0].expires_ms("bwc-1/0") == first_ms + 91 * DAY_MS


def test_a_claim_before_1970_is_later_than_no_witness(world):
    world.now_ms = -5 * DAY_MS
    world.segment("bwc-1", b"old", recording="bwc-1/old", after_ms=0)
    assert judged(world)[0].recordings["bwc-1/old"].since_ms == 0


def test_a_copy_lives_as_long_as_its_own_class_says(world):
    fields = {
        "source": parse_record(world.leaves[3]).digest,
        "recording": "bwc-1/0",
        "blob": "cd" * 32,
        "bytes": 9,
        "method": "mask",
        "tool": "t",
        "commit": {"media": "ab" * 32},
    }
    world.now_ms += DAY_MS
    world.act("derive", fields | {"result": "copy/1", "class": "routine"}, by=TWO)
    world.act("derive", fields | {"result": "copy/2"}, by=TWO)
    world.act("derive", fields | {"result": "copy/3", "class": "routine"}, by=("amara",))
    world.act("derive", fields | {"result": "copy/1"}, by=TWO)
    book, found = judged(world)
    assert [(one.name, one.last) for one in found] == [("approval-missing", 6)]
    assert book.expires_ms("copy/1") == world.now_ms + 90 * DAY_MS
    assert book.recordings["copy/1"].entry == 4
    assert book.recordings["copy/2"].retention_class == ""
    assert "copy/3" not in book.recordings
    late = witness_times([(4, world.now_ms + DAY_MS), (9, world.now_ms + 2 * DAY_MS)])
    assert judged(world, late)[0].expires_ms("copy/1") == world.now_ms + 91 * DAY_MS
    world.now_ms = -DAY_MS
    world.act("derive", fields | {"result": "copy/4"}, by=TWO)
    assert judged(world)[0].recordings["copy/4"].since_ms == 0


@pytest.mark.parametrize("kind", ["ingest", "hold", "category", "derive"])
def test_an_entry_about_what_nobody_brought_in_has_no_effect(world, kind):
    fields = {
        "ingest": {"entry": "ab" * 32},
        "hold": {"basis": "b", "state": "placed"},
        "category": {"basis": "b", "class": "routine"},
        "derive": {
            "source": "ab" * 32, "result": "copy/1", "blob": "cd" * 32, "bytes": 1,
            "method": "mask", "tool": "t", "commit": {"media": "ab" * 32},
        },
    }[kind]  # fmt: skip
    world.act(kind, fields | {"recording": "bwc-1/9"}, by=None if kind == "ingest" else TWO)
    book, found = judged(world)
    assert [(one.name, one.text) for one in found] == [
        ("entry-without-effect", f"entry 4, {kind}: no entry before it brings in bwc-1/9")
    ]
    assert book.recordings.keys() == {"bwc-1/0"}


def test_as_many_holds_as_were_placed_must_be_lifted(world):
    for state in ("lifted", "placed", "placed", "lifted"):
        hold(world, state)
    world.erase("bwc-1/0")
    assert names(world) == [("erased-under-hold", 8)]
    world.leaves.pop()
    hold(world, "lifted")
    world.erase("bwc-1/0")
    assert names(world) == []


def test_a_hold_that_one_person_lifts_stays(world):
    hold(world, "placed")
    fields = {"recording": "bwc-1/0", "basis": "case 12", "state": "lifted"}
    world.act("hold", fields, by=("amara",))
    world.erase("bwc-1/0")
    assert names(world) == [("approval-missing", 5), ("erased-under-hold", 6)]


def test_a_change_to_a_class_of_equal_length_shortens_nothing(world):
    world.define_class("same", 90)
    change = {"recording": "bwc-1/0", "basis": "b"}
    world.act("category", change | {"class": "same"})
    assert names(world) == []
    world.act("category", change | {"class": "unknown"})
    assert names(world) == [("approval-missing", 6)]
    assert judged(world)[0].recordings["bwc-1/0"].retention_class == "same"


def test_a_change_from_an_unknown_class_is_taken_to_shorten():
    world = World()
    world.enrol("ingest", holder="service")
    world.define_class()
    imported(world, "scan/1")
    world.act("category", {"recording": "scan/1", "class": "routine", "basis": "b"})
    assert names(world) == [("approval-missing", 4)]


def test_an_erasure_is_early_to_the_millisecond_of_its_date(world):
    due_ms = world.now_ms + 90 * DAY_MS
    for at_ms, told in ((due_ms - 1, "early-erasure"), (due_ms, "approval-missing")):
        world.now_ms = at_ms
        world.erase("bwc-1/0", by=("amara",))
        assert names(world) == [(told, 4)]
        world.leaves.pop()


def test_an_early_erasure_is_told_with_its_days(world):
    world.now_ms += 30 * DAY_MS
    world.erase("bwc-1/0", by=("amara",))
    book, found = judged(world)
    assert found[0].text == (
        "entry 4 erases bwc-1/0 60.0 days before its date; approved by amara; two people of "
        "different roles needed"
    )
    assert (found[0].first, found[0].since_ms) == (4, world.now_ms)
    assert book.is_erased("bwc-1/0")
    witnessed = judged(world, witness_times([(5, world.now_ms - DAY_MS)]))[1]
    early = [one for one in witnessed if one.name == "early-erasure"]
    assert early[0].since_ms == world.now_ms - DAY_MS, "the earlier of claim and witnesses"
    witnessed = judged(world, witness_times([(5, world.now_ms + DAY_MS)]))[1]
    assert witnessed[0].since_ms == world.now_ms


def test_what_comes_in_under_the_name_later_is_not_erased(world):
    world.enrol("ingest", holder="service")
    world.now_ms += 90 * DAY_MS
    world.erase("bwc-1/0")
    assert judged(world)[0].is_erased("bwc-1/0")
    imported(world, "bwc-1/0")
    book, found = judged(world)
    assert found == []
    assert not book.is_erased("bwc-1/0"), "not all of it"
    assert [book.is_erased("bwc-1/0", entry) for entry in (3, 4, 5, 6)] == [
        True,
        True,
        False,
        False,
    ]


def test_erasing_what_has_no_date_takes_two_as_well():
    world = World()
    world.enrol("ingest", holder="service")
    imported(world, "scan/1")
    world.erase("scan/1", by=("amara",))
    assert names(world) == [("approval-missing", 3)]
    world.leaves.pop()
    world.erase("scan/1")
    assert names(world) == []


def test_a_hold_is_told_with_the_time_of_the_erasure(world):
    hold(world, "placed")
    world.now_ms += MINUTE_MS
    world.erase("bwc-1/0")
    (one,) = judged(world)[1]
    assert (one.name, one.first, one.last, one.since_ms) == (
        "erased-under-hold",
        5,
        5,
        world.now_ms,
    )


def test_times_of_equal_sizes_are_the_earliest_of_them():
    times = witness_times([(10, 500), (10, 400), (20, 450), (10, 600)])
    assert (times.sizes, times.times_ms) == ((10, 20), (400, 450))
    assert witness_times([]).not_after_ms(0) is None
    assert witness_times([]).size_by(9) == 0
    assert times.not_before_ms(10) == 400
    assert times.not_after_ms(10) == 450
    assert times.not_after_ms(20) is None
