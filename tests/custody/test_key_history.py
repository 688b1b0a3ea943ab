"""Whose keys count from which entry on: enrolled, replaced, revoked, and never by themselves."""

from __future__ import annotations

import pytest

from tests.custody.record_kit import World, key_text, secret_of
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.key_history import KeyHistory
from tidewaiter.custody.record import parse_record, sign_record


def history_of(world: World) -> KeyHistory:
    history = KeyHistory()
    for index, leaf in enumerate(world.leaves):
        assert history.enter(index, parse_record(leaf)) == ""
    return history


def founding(**changes) -> bytes:
    fields = dict(parse_record(World().leaves[0]).fields)
    return sign_record(fields | changes, secret_of("dora"))


def person(name: str, key: str, role: str = "legal") -> dict[str, str]:
    return {"id": name, "person": name, "role": role, "key": key_text(key)}


def revocation(subject: str, who: str = "dora") -> bytes:
    return World().act("key.revoke", {"subject": subject, "since_ms": 0, "basis": "lost"}, who=who)


def findings(world: World) -> list[tuple[str, str]]:
    judge = Judge()
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    return [(one.name, one.text) for one in found]


def test_an_entry_without_keys_brings_none():
    world = World()
    world.enrol("bwc-1")
    history = history_of(world)
    newest = dict(history.newest)
    note = parse_record(world.act("policy", {"policy": "another"}, by=("amara", "bilal")))
    assert history.enter(2, note) == ""
    assert history.enter(3, parse_record(world.heartbeat("bwc-1"))) == ""
    assert history.newest == newest


def test_what_is_known_of_a_holder():
    world = World()
    world.enrol("bwc-1", unit="gate-2")
    world.enrol("elif-card", holder="person", person="elif", role="legal")
    history = history_of(world)
    camera, card, founder = (history.holders[name] for name in ("bwc-1", "elif-card", "amara"))
    assert (camera.kind, camera.person, camera.role, camera.unit) == (
        "device",
        "bwc-1",
        "",
        "gate-2",
    )
    assert (card.kind, card.person, card.role, card.unit) == ("person", "elif", "legal", "")
    assert (founder.kind, founder.person, founder.role, founder.unit) == (
        "person",
        "amara",
        "vigilance",
        "",
    )
    assert [history.person_of(name) for name in ("elif-card", "nobody")] == ["elif", "nobody"]


def test_founders_come_with_entry_0_and_once():
    leaf = parse_record(founding())
    history = KeyHistory()
    assert not history.founded
    assert "only entry 0 may" in history.enter(1, leaf)
    assert not history.founded
    assert history.enter(0, leaf) == ""
    assert history.founded
    assert "only entry 0 may" in history.enter(0, leaf)


@pytest.mark.parametrize(
    "people",
    [
        [person("amara", "a"), person("amara", "b")],
        [person("amara", "a"), person("bilal", "a")],
        [person("amara", "a"), person("amara", "a")],
    ],
)
def test_a_founder_or_a_key_named_twice_founds_nothing(people):
    history = KeyHistory()
    record = parse_record(founding(people=people))
    assert "a founder, or a key, twice" in history.enter(0, record)
    assert not history.founded
    assert not history.holders


def test_nobody_founds_the_log_again_with_people_of_their_own():
    """Whoever holds any key could else name two people who then approve everything."""
    world = World()
    world.enrol("ingest", holder="service")
    invented = [person("mallory", "mallory"), person("trudy", "trudy", "command")]
    world.act("policy", {"policy": "p", "people": invented}, by=("mallory", "trudy"), who="ingest")
    fields = {"class": "routine", "days": 1, "basis": "ours"}
    world.act("retention", fields, by=("mallory", "trudy"))
    assert [name for name, _ in findings(world)] == ["entry-without-effect", "approval-missing"]


def test_a_key_counts_from_the_entry_after_its_enrolment():
    world = World()
    history = history_of(world)
    assert history.standing("bwc-1", 0, 1).key is None
    assert "no entry before 1 enrols key 0 of bwc-1" in history.standing("bwc-1", 0, 1).problem
    assert history.enter(1, parse_record(world.enrol("bwc-1"))) == ""
    assert history.standing("bwc-1", 0, 2).problem == ""
    assert history.epochs["bwc-1", 0].since == 1
    assert history.owner_of(history.epochs["bwc-1", 0].key) == "bwc-1"
    assert history.owner_of(bytes(32)) == ""


def test_after_a_rotation_the_old_key_counts_for_smaller_numbers_only():
    world = World()
    world.enrol("bwc-1")
    world.heartbeat("bwc-1")
    world.heartbeat("bwc-1")
    world.rotate("bwc-1")
    history = history_of(world)
    told = [history.standing("bwc-1", 0, 9, seq).problem for seq in (0, 1, 2, 3, None)]
    assert [bool(one) for one in told] == [False, False, True, True, True]
    assert told[2] == "key 0 of bwc-1 was replaced by entry 4"
    assert history.standing("bwc-1", 0, 9, 2).key is not None
    assert history.standing("bwc-1", 1, 9, 2).problem == ""
    assert history.newest["bwc-1"] == 1


def test_who_has_no_chain_leaves_nothing_valid_behind():
    world = World()
    fields = {"key": key_text("dora 1"), "key_epoch": 1}
    world.act("key.rotate", fields, by=("amara", "bilal"))
    history = history_of(world)
    assert "was replaced by entry 1" in history.standing("dora", 0, 2).problem
    assert "was replaced by entry 1" in history.standing("dora", 0, 2, 0).problem
    assert history.standing("dora", 1, 2).problem == ""


def test_a_rotation_names_the_next_epoch_and_stands_in_its_holders_own_chain():
    world = World()
    world.enrol("dock-1", holder="dock")
    world.camera("old-1", "dock-1")
    history = history_of(world)
    for epoch in (0, 2):
        leaf = world.tell("dock-1", "key.rotate", {"key": key_text("x"), "key_epoch": epoch})
        assert "to another epoch than the next" in history.enter(2, parse_record(leaf))
    leaf = world.tell("old-1", "key.rotate", {"key": key_text("x"), "key_epoch": 1})
    told = "entry 2, a record of old-1, rotates a key of dock-1"
    assert history.enter(2, parse_record(leaf)) == told
    assert history.standing("dock-1", 0, 3).problem == ""


def test_a_rotation_to_a_key_that_somebody_has_changes_nothing():
    world = World()
    world.enrol("bwc-1")
    world.enrol("bwc-2")
    history = history_of(world)
    fields = {"key": key_text("bwc-2"), "key_epoch": 1}
    leaf = world.tell("bwc-1", "key.rotate", fields)
    assert "already that of bwc-2" in history.enter(3, parse_record(leaf))
    assert history.standing("bwc-1", 0, 4, 7).problem == ""


def test_a_revocation_ends_every_key_of_its_subject_and_of_nobody_else():
    world = World()
    world.enrol("bwc-1")
    world.enrol("bwc-2")
    world.rotate("bwc-1")
    history = history_of(world)
    assert history.enter(4, parse_record(revocation("bwc-1"))) == ""
    for epoch in (0, 1):
        told = history.standing("bwc-1", epoch, 5, 0)
        assert told.problem == f"key {epoch} of bwc-1 was revoked by entry 4"
        assert told.key is not None
    assert history.standing("bwc-2", 0, 5).problem == ""
    assert history.enter(5, parse_record(revocation("bwc-1"))) == ""
    assert "by entry 4" in history.standing("bwc-1", 0, 6).problem, "the first one counts"


def test_only_a_person_revokes_and_only_keys_that_there_are():
    world = World()
    world.enrol("ingest", holder="service")
    world.enrol("bwc-1")
    history = history_of(world)
    for who in ("ingest", "stranger"):
        told = history.enter(3, parse_record(revocation("bwc-1", who)))
        assert told == "entry 3 revokes the keys of bwc-1 without being a person's"
    told = history.enter(3, parse_record(revocation("bwc-9")))
    assert told == "entry 3 revokes the keys of bwc-9, which has none"
    assert history.standing("bwc-1", 0, 4).problem == ""


def test_an_enrolment_goes_forward_and_keeps_what_its_subject_is():
    world = World()
    world.enrol("bwc-1")
    history = history_of(world)
    base = {"subject": "bwc-1", "holder": "device", "key": key_text("new"), "key_epoch": 3}
    people = ("amara", "bilal")
    for changes, told in (
        ({"key_epoch": 0}, "which has key 0"),
        ({"holder": "dock"}, "another dock than it was before"),
        ({"person": "somebody"}, "another device than it was before"),
        ({"key": key_text("bwc-1")}, "already that of bwc-1"),
    ):
        leaf = world.act("key.enrol", base | changes, by=people)
        assert told in history.enter(2, parse_record(leaf))
    assert history.newest["bwc-1"] == 0
    assert history.enter(2, parse_record(world.act("key.enrol", base, by=people))) == ""
    assert history.standing("bwc-1", 0, 3).problem == "", "two keys may count at once"
    assert history.standing("bwc-1", 3, 3).problem == ""
    assert "which has key 3" in history.enter(
        3, parse_record(world.act("key.enrol", base | {"key": key_text("y")}, by=people))
    )
