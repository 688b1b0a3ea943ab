"""Each decision of the verifier that makes it accept more, or say more, than it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.custody.bundle_kit import (
    WITNESSES,
    bundle_of,
    camera_world,
    checkpoint_note,
    handed_in,
    plain,
    proof_of,
)
from tests.custody.record_kit import DAY_MS, START_MS, World, key_text, secret_of
from tests.custody.signers import LOG, ORIGIN, POLICY, key
from tidewaiter.custody.commitments import commit
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.custody.verify import Bundle, Part, verify

CONFIRMED_MS = START_MS + DAY_MS + 1_000 + 999
"""When the second of two witnesses of `checkpoint_note` had confirmed, to the end of its second."""


def names(verdict) -> list[str]:
    return [one.name for one in verdict.contradictions]


def parts(leaves, indices, **more) -> tuple[Part, ...]:
    return tuple(Part(f"{index}", proof_of(leaves, index, **more)) for index in indices)


def whole(world: World, files=()):
    return verify(bundle_of(world), POLICY, files)


def forged(world: World) -> World:
    """The last entry is signed by somebody whom the log never enrolled."""
    fields = dict(parse_record(world.heartbeat("bwc-1")).fields) | {"device": "bwc-9"}
    world.leaves[-1] = sign_record(fields | {"seq": 0, "prev": "0" * 64}, secret_of("bwc-9"))
    return world


def test_in_a_whole_log_an_unknown_key_is_a_contradiction_and_in_a_part_it_is_open():
    world = forged(camera_world())
    verdict = whole(world)
    assert (names(verdict), verdict.exit_code) == (["unknown-key"], 4)
    part = verify(bundle_of(world, [0, len(world.leaves) - 1]), POLICY)
    assert (names(part), part.exit_code) == ([], 0)
    assert any(one.startswith("who signed: entry 8 of bwc-9") for one in part.not_proven)


def test_in_a_whole_log_an_entry_without_effect_is_a_contradiction_and_in_a_part_it_is_open():
    world = camera_world()
    world.erase("bwc-1/99")
    assert names(whole(world)) == ["entry-without-effect"]
    part = verify(bundle_of(world, [0, 1, 8]), POLICY)
    assert names(part) == []
    told = [one for one in part.not_proven if "which no entry before it brought in" in one]
    assert told == [
        (
            "entry 8 erases bwc-1/99, which no entry before it brought in "
            "(the bundle is only part of the log)"
        )
    ]


@pytest.mark.parametrize("kind", ["retention", "erase"])
@pytest.mark.parametrize(
    ("by", "is_open"),
    [
        (("elif", "amara"), True),
        (("elif", "nobody"), True),
        (("elif",), False),
        (("elif", "elif"), False),
        (("elif", "dora"), False),
    ],
)
def test_what_lacks_is_open_only_where_approvers_not_at_hand_could_make_it_up(kind, by, is_open):
    world = camera_world()
    world.enrol("elif", holder="person", person="elif", role="vigilance")
    if kind == "erase":
        world.erase("bwc-1/2", by=by)
    else:
        world.act("retention", {"class": "x", "days": 1, "basis": "b"}, by=by)
    told = {"erase": "early-erasure", "retention": "approval-missing"}[kind]
    assert names(whole(world)) == [told]
    at_hand = verify(bundle_of(world, [0, 1, 2, 5, 8, 9]), POLICY)
    assert names(at_hand) == ([] if "nobody" in by else [told])
    not_at_hand = verify(bundle_of(world, [0, 1, 2, 5, 9]), POLICY)
    assert names(not_at_hand) == ([] if is_open else [told])
    words = [one for one in not_at_hand.not_proven if "two people of different roles" in one]
    assert bool(words) is is_open


def test_founders_who_did_not_all_sign_are_a_contradiction_in_a_part_too():
    world = World(founded=False)
    listed = [
        {"id": name, "person": name, "role": role, "key": key_text(name)}
        for name, role in (("amara", "vigilance"), ("bilal", "legal"))
    ]
    world.act("policy", {"policy": "p", "people": listed}, by=("amara",), who="amara")
    world.act("access", {"act": "view", "recording": "bwc-1/2"}, who="amara")
    assert names(verify(bundle_of(world, [0]), POLICY)) == ["approval-missing"]


def test_who_asked_is_no_approver_though_the_log_knows_nobody_else():
    """All approvers are at hand, so nothing that is missing could mend it."""
    world = World(founded=False)
    people = [("amara", "vigilance"), ("bilal", "legal")]
    listed = [
        {"id": name, "person": name, "role": role, "key": key_text(name)} for name, role in people
    ]
    world.act("policy", {"policy": "p", "people": listed}, by=("amara", "bilal"), who="amara")
    fields = {"class": "x", "days": 1, "basis": "b"}
    world.act("retention", fields, by=("amara", "bilal"), who="amara")
    world.act("access", {"act": "view", "recording": "bwc-1/2"}, who="amara")
    assert names(verify(bundle_of(world, [0, 1]), POLICY)) == ["approval-missing"]


def test_a_segment_is_not_said_to_be_signed_by_who_did_not_sign_it_rightly():
    world = camera_world()
    world.enrol("bwc-2")
    honest = parse_record(world.segment("bwc-1", logged=False)).fields
    fields = honest | {"seq": 5, "prev": parse_record(world.leaves[7]).digest}
    for signer, told in (("bwc-1", []), ("bwc-2", ["device-reattributed"])):
        leaf = sign_record(fields, secret_of(signer))
        leaves = [*world.leaves, leaf]
        verdict = verify(Bundle(parts(leaves, range(10))), POLICY)
        assert names(verdict) == told
        assert ("entry 9 (segment bwc-1/5) was signed by" in verdict.words()) is (not told)
    leaf = sign_record(fields, secret_of("nobody"))
    verdict = verify(Bundle(parts([*world.leaves, leaf], range(10))), POLICY)
    assert names(verdict) == ["bad-signature"]
    assert "entry 9 (segment bwc-1/5) was signed" not in verdict.words()


def test_a_segment_by_a_revoked_key_is_not_said_to_be_signed_by_it():
    world = camera_world()
    world.act("key.revoke", {"subject": "bwc-1", "since_ms": world.now_ms, "basis": "lost"})
    world.segment("bwc-1")
    verdict = whole(world)
    assert names(verdict) == ["revoked-key-used"]
    assert "entry 9 (segment bwc-1/5) was signed" not in verdict.words()
    assert "entry 6 (segment bwc-1/3) was signed by key 0 of bwc-1" in verdict.words()
    assert "entry 8" not in " ".join(one for one in verdict.proven if "was signed" in one)


def test_one_record_alone_is_no_stretch_of_numbers():
    world = camera_world()
    assert "are all there" not in verify(bundle_of(world, [0, 1, 4]), POLICY).words()
    two = verify(bundle_of(world, [0, 1, 4, 5]), POLICY)
    assert (
        "numbers 1 to 2 of bwc-1 are all there, from 2025-12-22 10:42:00 UTC to "
        "2025-12-22 10:43:00 UTC by its clock"
    ) in two.proven


def test_what_is_missing_is_told_with_the_bounds_that_there_are():
    world = World()
    world.enrol("bwc-1")
    world.heartbeat("bwc-1", logged=False)
    world.heartbeat("bwc-1")
    assert whole(world).missing == (
        (
            "sequence-gap: number 0 is missing from the records of bwc-1 before "
            "2025-12-22 10:42:00 UTC"
        ),
    )
    world = camera_world()
    world.now_ms += 3_600_000
    world.act("access", {"act": "view", "recording": "bwc-1/2"})
    assert whole(world).missing == (
        (
            "unexplained-silence: bwc-1 has not been heard from since, and signed no stop after "
            "2025-12-22 10:45:00 UTC"
        ),
    )


def test_a_number_missing_within_the_last_millisecond_is_missing():
    world = camera_world()
    world.heartbeat("bwc-1", after_ms=0, logged=False)
    world.heartbeat("bwc-1", after_ms=0)
    verdict = whole(world)
    assert verdict.exit_code == 3
    assert verdict.missing[0].startswith("sequence-gap: number 5 is missing")


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("device", "what it was shown or fed before is not covered"),
        ("dock", "nothing before the docking is covered"),
        ("ingest", "nothing before it is covered"),
        ("import", "nothing before the import is covered"),
    ],
)
def test_every_level_says_what_it_does_not_cover(level, words):
    world = World()
    world.enrol("dock-1", holder="dock")
    world.enrol("ingest", holder="service")
    by = "ingest" if level in {"ingest", "import"} else "dock-1"
    if level == "device":
        world.enrol("bwc-1")
    else:
        world.camera("bwc-1", by)
    world.segment("bwc-1", level=level)
    verdict = whole(world)
    assert verdict.exit_code == 0, verdict.words()
    told = [one for one in verdict.not_proven if one.startswith("claim level")]
    assert len(told) == 1
    assert told[0].startswith(f"claim level {level}: ")
    assert told[0].endswith(words)


def test_two_logs_of_one_policy_are_told_apart():
    other = key("other.example/log")
    policy = POLICY + f"log {other.verifier}\n".encode()
    first, second = camera_world(), camera_world()
    second.heartbeat("bwc-1")
    note = checkpoint_note(second.leaves, origin=other.name, log=other)
    bundle = Bundle(parts(first.leaves, [5, 6]) + parts(second.leaves, [8], note=note))
    verdict = verify(bundle, policy)
    assert verdict.exit_code == 0, verdict.words()
    assert [one for one in verdict.proven if "of the bundle" in one] == [
        f"entries 5, 6 of the bundle are in the log {ORIGIN} of 8 entries, unaltered",
        f"entry 8 of the bundle is in the log {other.name} of 9 entries, unaltered",
    ]


def test_a_bundle_that_grew_is_told_of_the_largest_checkpoint():
    world = camera_world()
    early = world.leaves[:6]
    bundle = Bundle(parts(early, range(6)) + parts(world.leaves, [6, 7]))
    assert "holds all of the log" in verify(bundle, POLICY).words()
    fewer = verify(Bundle(bundle.proofs[:7]), POLICY)
    assert "7 entries between 0 and 6 of the bundle are in the log" in fewer.words()
    assert "of 8 entries, unaltered" in fewer.words()


def test_checkpoints_of_two_sizes_that_no_one_log_has():
    """Every entry is in its own checkpoint, and yet the two are not one history."""
    world, other = camera_world(), camera_world()
    other.leaves[2] = other.leaves[1]
    early, late = parts(world.leaves[:6], range(6)), parts(other.leaves, [6, 7])
    verdict = verify(Bundle(early + late), POLICY)
    assert (names(verdict), verdict.exit_code) == (["split-view"], 4)
    assert "the first 8 entries of" in verdict.contradictions[0].text
    assert "none is left out" not in verdict.words()
    late = parts(world.leaves, range(8))
    early = parts(other.leaves[:6], [5])
    assert names(verify(Bundle(late + early), POLICY)) == ["split-view"]
    same = parts(world.leaves[:6], [5])
    assert names(verify(Bundle(late + same), POLICY)) == []


def test_a_fork_counts_though_nobody_confirmed_one_side():
    world, other = camera_world(), camera_world()
    other.leaves[2] = other.leaves[1]
    late = parts(world.leaves, range(8))
    early = parts(other.leaves[:6], [5], note=checkpoint_note(other.leaves[:6], ()))
    verdict = verify(Bundle(late + early), POLICY)
    assert (names(verdict), verdict.exit_code) == (["split-view"], 4)


def test_a_signers_claim_is_compared_with_the_end_of_the_second_of_the_quorum():
    for ahead_ms, told in ((120_000, False), (120_001, True)):
        world = camera_world()
        world.now_ms = CONFIRMED_MS + ahead_ms
        world.act("access", {"act": "view", "recording": "bwc-1/2"})
        verdict = verify(bundle_of(world, [0, 8]), POLICY)
        assert verdict.exit_code == 0
        assert any("the time that the device claims" in one for one in verdict.not_proven) is told


def test_the_time_of_a_quorum_is_that_of_its_last_member():
    """One witness alone, and be it the earliest, must not be able to back-date."""
    world = camera_world()
    note = checkpoint_note(world.leaves, WITNESSES)
    verdict = verify(Bundle(parts(world.leaves, [5], note=note)), POLICY)
    assert "existed no later than 2025-12-23 10:40:01 UTC" in verdict.words()
    alone = POLICY.replace(b"group   outside 2", b"group   outside 3")
    verdict = verify(Bundle(parts(world.leaves, [5], note=note)), alone)
    assert "existed no later than 2025-12-23 10:40:02 UTC" in verdict.words()


def test_who_founded_the_log_is_missing_only_where_entry_0_is():
    world = camera_world()
    assert "who holds the keys" not in whole(world).words()
    assert "who holds the keys" in verify(bundle_of(world, [5]), POLICY).words()


def test_entries_without_content_are_not_said_to_lack_any():
    world = camera_world()
    verdict = verify(bundle_of(world, [0, 1, 5]), POLICY, [handed_in("f", plain("bwc-1", 2))])
    assert not any("the content of" in one for one in verdict.not_proven)
    verdict = verify(bundle_of(world, [0, 1, 5]), POLICY)
    assert sum("the content of" in one for one in verdict.not_proven) == 1


def test_a_strange_file_is_open_as_long_as_one_recording_cannot_be_compared():
    world = camera_world()
    bundle = bundle_of(world, [4, 5])
    strange = [handed_in("x.mp4", b"strange")]
    assert names(verify(bundle, POLICY, strange)) == ["media-edited"]
    world.openings = world.openings[:1]
    verdict = verify(bundle_of(world, [4, 5]), POLICY, strange)
    assert (names(verdict), verdict.exit_code) == ([], 3)
    assert verdict.missing == (
        (
            "x.mp4 is not the sealed file of any entry here; whether it is the plain recording "
            "takes the salt of bwc-1/2, which was not handed in or was destroyed"
        ),
    )


def test_no_more_than_three_recordings_are_named():
    world = camera_world()
    world.segment("bwc-1")
    indices = [4, 5, 6, 8]
    strange = [handed_in("x.mp4", b"strange")]
    verdict = verify(bundle_of(world, indices), POLICY, strange)
    assert "is not bwc-1/1, bwc-1/2, bwc-1/3 as logged" in verdict.contradictions[0].text
    assert verdict.contradictions[0].first is None
    closed = verify(bundle_of(world, indices, openings=False), POLICY, strange)
    assert "the salt of bwc-1/1, bwc-1/2, bwc-1/3, which" in closed.missing[0]


@pytest.mark.parametrize("field", ["report", "exhibit"])
def test_a_decision_may_name_a_report_or_an_exhibit(field):
    world, body = camera_world(), b"the body"
    fields = {"basis": "law", "outcome": "seized", field: handed_in("", body).sha256}
    world.act("decision", fields)
    bundle = bundle_of(world, [0, 8])
    verdict = verify(bundle, POLICY, [handed_in("d.pdf", body)])
    told = f"d.pdf is, byte for byte, the {field} of the decision logged as entry 8"
    assert told in verdict.proven
    other = verify(bundle, POLICY, [handed_in("d.pdf", b"another")])
    assert names(other) == ["media-edited"]


def test_a_sealed_copy_and_a_sealed_manifest_are_named_as_sealed():
    world, salt = camera_world(), bytes(16)
    fields = {
        "source": parse_record(world.leaves[5]).digest,
        "recording": "bwc-1/2",
        "result": "copy/1",
        "blob": handed_in("", b"sealed copy").sha256,
        "manifest_blob": handed_in("", b"sealed prints").sha256,
        "bytes": 11,
        "method": "mask",
        "tool": "t",
        "commit": {"media": commit("media", salt, "00" * 32)},
    }
    world.act("derive", fields, by=("amara", "bilal"))
    files = [handed_in("c", b"sealed copy"), handed_in("m", b"sealed prints")]
    verdict = verify(bundle_of(world, [0, 1, 5, 8]), POLICY, files)
    assert (
        "c is, byte for byte, the redacted copy copy/1 logged as entry 8, still sealed: made from "
        "bwc-1/2, and not the original"
    ) in verdict.proven
    assert "m is the manifest of bwc-1/2 logged as entry 8, still sealed" in verdict.proven


def test_signatures_inside_a_recording_are_told_as_what_was_noted():
    world = camera_world()
    world.segment("bwc-1", signatures=["onvif:authentic", "c2pa:absent"])
    told = [one for one in whole(world).not_proven if "signatures inside" in one]
    assert told == [
        (
            "what signatures inside bwc-1/5 said (entry 8 noted onvif:authentic, c2pa:absent): they "
            "were read when it came in, and nothing here rests on them"
        )
    ]


def test_a_proof_of_more_than_one_note_line_stays_what_it_is():
    """A second signature of the log, by a key that the policy lists too, changes nothing."""
    second = replace(LOG, seed=bytes(range(32)))
    policy = POLICY + f"log {second.verifier}\n".encode()
    world = camera_world()
    note = checkpoint_note(world.leaves, log=second)
    verdict = verify(Bundle(parts(world.leaves, [5], note=note)), policy)
    assert verdict.exit_code == 0
    assert ProofFile.parse(proof_of(world.leaves, 5, note=note)).checkpoint_note == note


def test_an_approver_who_is_not_at_hand_excuses_nothing_else():
    world = camera_world()
    world.enrol("elif", holder="person", person="elif", role="command")
    erase = world.erase("bwc-1/2", by=("amara", "elif"))
    world.leaves[-1] = sign_record(parse_record(erase).fields, secret_of("nobody"))
    verdict = verify(bundle_of(world, [0, 1, 2, 5, 9]), POLICY)
    assert names(verdict) == ["bad-signature"]


def test_a_silence_is_one_beyond_what_is_allowed_after_the_last_record():
    for after_ms, told in ((299_999, False), (300_000, True)):
        world = camera_world()
        world.now_ms += after_ms
        world.act("access", {"act": "view", "recording": "bwc-1/2"})
        assert bool(whole(world).missing) is told


def test_up_to_six_entries_are_told_one_by_one():
    world = camera_world()
    six = verify(bundle_of(world, range(1, 7)), POLICY)
    assert "entries 1, 2, 3, 4, 5, 6 of the bundle are in the log" in six.words()
    seven = verify(bundle_of(world, range(1, 8)), POLICY)
    assert "7 entries between 1 and 7 of the bundle are in the log" in seven.words()
