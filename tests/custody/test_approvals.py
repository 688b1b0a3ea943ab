"""Two people of different roles, or the action does not count."""

from __future__ import annotations

import pytest

from tests.custody.record_kit import START_MS, World, key_text, salt_of, secret_of
from tidewaiter.custody.approvals import (
    ROLES_THAT_NEVER_APPROVE,
    missing_approvals,
    needs_two,
)
from tidewaiter.custody.commitments import (
    Opening,
    commit,
    format_openings,
    opens,
    parse_openings,
)
from tidewaiter.custody.key_history import KeyHistory
from tidewaiter.custody.record import canonical, parse_record, sign_record
from tidewaiter.errors import MalformedText


def history_of(world: World) -> KeyHistory:
    history = KeyHistory()
    for index, leaf in enumerate(world.leaves):
        assert history.enter(index, parse_record(leaf)) == ""
    return history


def lack(world: World, leaf: bytes) -> str:
    return missing_approvals(len(world.leaves), parse_record(leaf), history_of(World()))


def test_two_people_of_different_roles_are_enough():
    world = World()
    assert lack(world, world.erase("bwc-1/7")) == ""


@pytest.mark.parametrize(
    ("by", "named"),
    [
        ([], "approved by nobody"),
        (["amara"], "approved by amara"),
        (["amara", "amara"], "amara approved twice"),
        (["chen", "chen-2"], "chen approved twice"),
        (["amara", "stranger"], "no entry before"),
        (["amara", "dora"], "role storage, which approves nothing"),
    ],
)
def test_fewer_do_not_count(by, named):
    world = World()
    assert named in lack(world, world.erase("bwc-1/7", by=by, who="bilal"))


def test_who_asked_does_not_approve():
    world = World()
    assert "amara is who asked for it" in lack(world, world.erase("bwc-1/7", who="amara"))


def test_two_people_of_one_role_do_not_count():
    world = World()
    world.enrol("elif", holder="person", person="elif", role="legal")
    erase = world.erase("bwc-1/7", by=("bilal", "elif"))
    history = history_of(world)
    lacking = missing_approvals(len(world.leaves), parse_record(erase), history)
    assert "all who approved have the role legal" in lacking


def test_a_device_or_a_revoked_person_does_not_approve():
    world = World()
    world.enrol("bwc-1")
    world.act("key.revoke", {"subject": "bilal", "since_ms": START_MS, "basis": "left"})
    history = history_of(world)
    for name, named in (("bwc-1", "is a device"), ("bilal", "was revoked by entry 2")):
        erase = world.erase("bwc-1/7", by=("amara", name))
        lacking = missing_approvals(len(world.leaves), parse_record(erase), history)
        assert named in lacking


def test_an_approval_of_another_action_does_not_count():
    world = World()
    fields = dict(parse_record(world.erase("bwc-1/7")).fields) | {"recording": "bwc-1/8"}
    moved = sign_record(fields, secret_of("dora"))
    assert "not over this action" in lack(world, moved)


def test_approvals_hold_wherever_the_entry_lands_in_its_signers_chain():
    world = World()
    fields = dict(parse_record(world.erase("bwc-1/7")).fields) | {"claimed_ms": START_MS + 9}
    assert lack(world, sign_record(fields, secret_of("dora"))) == ""


def test_founders_sign_for_themselves_all_of_them():
    world = World(founded=False)
    assert missing_approvals(0, parse_record(world.found()), KeyHistory()) == ""
    fields = dict(parse_record(world.leaves[0]).fields)
    fields["approvals"] = fields["approvals"][:-1]
    fewer = sign_record(fields, secret_of("dora"))
    assert "not signed by dora" in missing_approvals(0, parse_record(fewer), KeyHistory())
    fields["people"] = [p for p in fields["people"] if p["person"] == "chen"]
    assert "fewer than two" in missing_approvals(
        0, parse_record(sign_record(fields, secret_of("dora"))), KeyHistory()
    )


def test_what_needs_two():
    world = World()
    view = parse_record(world.act("access", {"act": "view", "recording": "bwc-1/7"}))
    release = parse_record(world.act("access", {"act": "release", "recording": "bwc-1/7"}))
    hold = {"recording": "bwc-1/7", "basis": "case 12"}
    placed = parse_record(world.act("hold", hold | {"state": "placed"}))
    lifted = parse_record(world.act("hold", hold | {"state": "lifted"}))
    assert [needs_two(r) for r in (view, release, placed, lifted)] == [False, True, False, True]
    assert needs_two(parse_record(world.enrol("bwc-1")))
    rotation = parse_record(world.rotate("bwc-1"))
    assert not needs_two(rotation, holder_kind="device")
    assert needs_two(rotation, holder_kind="person")
    assert {"storage", "log"} <= ROLES_THAT_NEVER_APPROVE


def test_keys_go_forward_and_only_forward():
    world = World()
    world.enrol("bwc-1")
    world.heartbeat("bwc-1")
    world.rotate("bwc-1")
    world.heartbeat("bwc-1")
    history = history_of(world)
    assert history.standing("bwc-1", 0, 2, 0).problem == ""
    assert "replaced by entry 3" in history.standing("bwc-1", 0, 4, 2).problem
    assert history.standing("bwc-1", 0, 4, 0).problem == "", "docked late, numbered before"
    assert history.standing("bwc-1", 1, 4, 2).problem == ""
    assert history.standing("bwc-1", 2, 4, 2).is_unknown
    assert history.standing("bwc-1", 0, 0).is_unknown, "not yet enrolled"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"subject": "bwc-2", "key": key_text("bwc-1"), "key_epoch": 0}, "already that of bwc-1"),
        ({"subject": "bwc-1", "key": key_text("x"), "key_epoch": 0}, "which has key 0"),
        ({"subject": "amara", "key": key_text("x"), "key_epoch": 1}, "another device than"),
    ],
)
def test_an_enrolment_that_contradicts_takes_no_effect(fields, named):
    world = World()
    world.enrol("bwc-1")
    history = history_of(world)
    entry = world.act("key.enrol", {"holder": "device"} | fields, by=("amara", "bilal"))
    assert named in history.enter(2, parse_record(entry))
    assert history.standing(fields["subject"], 1, 3).is_unknown


def test_founders_are_named_once():
    world = World()
    history = history_of(world)
    assert "only entry 0" in history.enter(1, parse_record(world.found()))


def test_a_commitment_opens_with_its_salt_field_and_value_only():
    world = World()
    world.enrol("bwc-1")
    record = parse_record(world.segment("bwc-1"))
    right = world.openings[-1]
    assert opens(record, right)
    other = record.digest
    for wrong in (
        Opening(other, "media", bytes(16), right.value),
        Opening(other, "media", right.salt, "00" * 32),
        Opening(other, "officer", right.salt, right.value),
        Opening("00" * 32, "media", right.salt, right.value),
    ):
        assert not opens(record, wrong)
    assert parse_openings(format_openings((right,))) == (right,)


def test_equal_values_have_unequal_commitments():
    a, b = (commit("officer", salt_of(name), "P1234567") for name in ("a", "b"))
    assert a != b
    assert commit("officer", salt_of("a"), 7) != commit("officer", salt_of("a"), "7")
    with pytest.raises(MalformedText, match="16 needed"):
        commit("officer", b"short", "P1234567")


@pytest.mark.parametrize(
    "found",
    [
        {},
        [1],
        [{"record": "a"}],
        [{"record": "a", "field": "media", "salt": "0g" * 16, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 15, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 16, "value": []}],
        [{"record": 1, "field": "media", "salt": "00" * 16, "value": 1}],
    ],
)
def test_openings_that_are_none_are_refused(found):
    with pytest.raises(MalformedText):
        parse_openings(canonical(found))
