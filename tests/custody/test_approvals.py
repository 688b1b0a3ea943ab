"""Two people of different roles, or the action does not count."""

from __future__ import annotations

import itertools

import pytest

from tests.custody.record_kit import START_MS, World, key_text, salt_of, secret_of
from tidewaiter.custody.approvals import (
    ROLES_THAT_NEVER_APPROVE,
    approve,
    approvers,
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
        (["dora", "stranger"], "approved by nobody; two people of different roles needed (dora"),
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


@pytest.mark.parametrize("role", sorted(ROLES_THAT_NEVER_APPROVE))
def test_who_runs_machines_or_holds_the_camera_does_not_approve(role):
    world = World()
    world.enrol("elif", holder="person", person="elif", role=role)
    erase = parse_record(world.erase("bwc-1/7", by=("amara", "elif")))
    told = missing_approvals(2, erase, history_of(world))
    assert f"elif has the role {role}, which approves nothing" in told


def test_an_approval_that_does_not_count_does_not_spoil_the_others():
    world = World()
    by = ("stranger", "amara", "dora", "bilal")
    assert lack(world, world.erase("bwc-1/7", by=by, who="chen")) == ""


def test_what_is_lacking_is_told_exactly():
    world = World()
    assert lack(world, world.erase("bwc-1/7", by=("amara",))) == (
        "approved by amara; two people of different roles needed"
    )
    assert lack(world, world.erase("bwc-1/7", by=("amara", "stranger"))) == (
        "approved by amara; two people of different roles needed "
        "(no entry before 3 enrols key 0 of stranger)"
    )


def test_two_cards_of_one_person_are_one_person_whatever_their_roles():
    world = World()
    leaf = world.erase("bwc-1/7", by=("chen", "chen-2", "amara"))
    assert lack(world, leaf) == ""
    told = lack(world, world.erase("bwc-1/7", by=("chen", "chen-2")))
    assert told == "approved by chen; two people of different roles needed (chen approved twice)"


def test_the_order_of_approvals_decides_nothing():
    """Chen's other card has Elif's role; the first one has not."""
    world = World()
    world.enrol("elif", holder="person", person="elif", role="command")
    history = history_of(world)
    for by in itertools.permutations(("chen", "elif", "chen-2")):
        erase = parse_record(world.erase("bwc-1/7", by=by))
        assert missing_approvals(len(world.leaves), erase, history) == ""
        people = ("chen", "elif") if by.index("elif") else ("elif", "chen")
        assert approvers(len(world.leaves), erase, history) == people


def test_a_changed_policy_takes_two_as_other_actions_do():
    world = World()
    for by, lacking in ((("amara", "bilal"), False), (("amara",), True)):
        record = parse_record(world.act("policy", {"policy": "new"}, by=by))
        assert bool(lack(world, sign_record(record.fields, secret_of("dora")))) is lacking


def test_an_approval_of_another_action_does_not_count():
    world = World()
    fields = dict(parse_record(world.erase("bwc-1/7")).fields) | {"recording": "bwc-1/8"}
    moved = sign_record(fields, secret_of("dora"))
    assert "not over this action" in lack(world, moved)


def test_approvals_hold_wherever_the_entry_lands_in_its_signers_chain():
    world = World()
    fields = dict(parse_record(world.erase("bwc-1/7")).fields) | {"claimed_ms": START_MS + 9}
    assert lack(world, sign_record(fields, secret_of("dora"))) == ""
    place = {"seq": 9, "prev": "ab" * 32, "uptime_ms": 7, "epoch": 1}
    assert lack(world, sign_record(fields | place, secret_of("dora"))) == ""
    assert "not over this action" in lack(
        world, sign_record(fields | {"note": "more"}, secret_of("dora"))
    )


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


def founded_by(*people: tuple[str, str, str], **wrong: str) -> str:
    """What a founding entry of these (name, person, role) lacks; `wrong` signs with other keys."""
    listed = [
        {"id": name, "person": person, "role": role, "key": key_text(name)}
        for name, person, role in people
    ]
    fields = {"kind": "policy", "policy": "p", "people": listed, "device": people[0][0]}
    fields |= {"epoch": 0, "claimed_ms": START_MS, "request": "r"}
    approvals = [
        approve(fields, name, 0, secret_of(wrong.get(name, name))) for name, _, _ in people
    ]
    leaf = sign_record(fields | {"approvals": approvals}, secret_of(people[0][0]))
    return missing_approvals(0, parse_record(leaf), KeyHistory())


def test_two_people_of_two_roles_may_found_a_log_and_no_fewer():
    amara, bilal = ("amara", "amara", "vigilance"), ("bilal", "bilal", "legal")
    assert founded_by(amara, bilal) == ""
    assert "fewer than two of the people" in founded_by(amara)
    assert "fewer than two of the people" in founded_by(amara, ("amara-2", "amara", "legal"))
    told = founded_by(amara, ("bilal", "bilal", "vigilance"))
    assert told == "all founders have one role; two roles needed"
    chen = ("chen", "chen", "retention")
    assert "not signed by bilal" in founded_by(amara, bilal, chen, bilal="mallory")


def test_a_founder_signs_with_the_key_that_the_entry_names():
    world = World(founded=False)
    fields = dict(parse_record(world.found()).fields)
    fields["approvals"] = [
        one | {"epoch": 1} if one["by"] == "dora" else one for one in fields["approvals"]
    ]
    leaf = sign_record(fields, secret_of("dora"))
    assert "not signed by dora" in missing_approvals(0, parse_record(leaf), KeyHistory())
    fields["approvals"] = [
        one | {"by": "stranger", "epoch": 0} if one["by"] == "dora" else one
        for one in fields["approvals"]
    ]
    leaf = sign_record(fields, secret_of("dora"))
    assert "not signed by dora" in missing_approvals(0, parse_record(leaf), KeyHistory())


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
    assert needs_two(rotation, holder_kind="service")
    category = {"recording": "bwc-1/7", "class": "short", "basis": "court"}
    change = parse_record(world.act("category", category))
    assert needs_two(change), "assumed to shorten where unknown"
    assert not needs_two(change, shortens=False)
    assert not needs_two(parse_record(world.heartbeat("bwc-1")))
    assert {"storage", "log"} <= ROLES_THAT_NEVER_APPROVE


def test_keys_go_forward_and_only_forward():
    world = World()
    world.enrol("bwc-1")
    world.heartbeat("bwc-1")
    world.rotate("bwc-1")
    world.heartbeat("bwc-1")
    history = history_of(world)
    assert "replaced by entry 3" in history.standing("bwc-1", 0, 4, 2).problem
    assert history.standing("bwc-1", 0, 4, 0).problem == "", "docked late, numbered before"
    assert history.standing("bwc-1", 1, 4, 2).problem == ""
    assert history.standing("bwc-1", 2, 4, 2).key is None


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
    assert history.standing(fields["subject"], 1, 3).key is None


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
    with pytest.raises(MalformedText, match="zero byte"):
        commit("officer\0", salt_of("a"), "P1234567")


@pytest.mark.parametrize(
    "found",
    [
        {},
        [1],
        [{"record": "a"}],
        [{"record": "a", "field": "media", "salt": "0g" * 16, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 15, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 17, "value": 1}],
        [{"record": "a", "field": "media", "salt": "AB" * 16, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00 " * 16, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 16, "value": []}],
        [{"record": "a", "field": 1, "salt": "00" * 16, "value": 1}],
        [{"record": "a", "field": "", "salt": "00" * 16, "value": 1}],
        [{"record": "a", "field": "x is the manifest", "salt": "00" * 16, "value": 1}],
        [{"record": "a", "field": "media", "salt": 0, "value": 1}],
        [{"record": "a", "field": "media", "salt": "00" * 16, "value": 1, "more": 1}],
        [{"record": 1, "field": "media", "salt": "00" * 16, "value": 1}],
    ],
)
def test_openings_that_are_none_are_refused(found):
    with pytest.raises(MalformedText):
        parse_openings(canonical(found))
