"""The verifier says what is proven, by whom and when; what is not, is missing, contradicts."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.custody.bundle_kit import (
    WITNESSES,
    bundle_of,
    camera_world,
    checkpoint_note,
    handed_in,
    plain,
    proof_of,
)
from tests.custody.record_kit import World, secret_of
from tests.custody.signers import LOG, POLICY, key
from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.commitments import Opening, commit, format_openings
from tidewaiter.custody.extra import pack_extra, unpack_extra
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import sign_note
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.custody.translating import words_in
from tidewaiter.custody.verdict import Conclusion, shown_text, shown_time
from tidewaiter.custody.verify import Bundle, Part, verify
from tidewaiter.errors import MalformedText

SEGMENT = 5
"""Index of the second segment of `camera_world`, number 2 of its device."""
NO_WITNESS = f"log {LOG.verifier}\nquorum none\n".encode()


def names(verdict) -> list[str]:
    return [one.name for one in verdict.contradictions]


def one_proof(world, index=SEGMENT, **more) -> Bundle:
    return Bundle((Part("receipt.tlog-proof", proof_of(world.leaves, index, **more)),))


@pytest.fixture(scope="module")
def world() -> World:
    return camera_world()


def test_a_receipt_with_its_salt_proves_the_plain_recording_alone(world):
    bundle = one_proof(world, salts={"media": world.openings[1].salt})
    verdict = verify(bundle, POLICY, [handed_in("film.mp4", plain("bwc-1", 2))])
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.PROVEN, 0)
    said = verdict.words()
    assert "film.mp4 is, byte for byte, the recording bwc-1/2 of bwc-1 logged as entry 5" in said
    assert "existed no later than 2025-12-23 10:40:01 UTC, confirmed by vigilance on 2025" in said
    assert "(2 of vigilance, audit, wco needed)" in said
    assert "claim level device" in said
    assert "who holds the keys: entry 0" in said
    assert "no file that fits it" not in said


def test_one_bit_changed_is_contradicted(world):
    bundle = one_proof(world, salts={"media": world.openings[1].salt})
    changed = bytes([plain("bwc-1", 2)[0] ^ 1]) + plain("bwc-1", 2)[1:]
    verdict = verify(bundle, POLICY, [handed_in("film.mp4", changed)])
    assert (names(verdict), verdict.exit_code) == (["media-edited"], 4)
    assert verdict.contradictions[0].first == SEGMENT


def test_the_sealed_file_needs_no_salt(world):
    sealed = b"sealed " + plain("bwc-1", 2)
    good = verify(one_proof(world), POLICY, [handed_in("blob", sealed)])
    assert good.exit_code == 0
    assert "logged as entry 5, still sealed" in good.words()
    bad = verify(one_proof(world), POLICY, [handed_in("blob", sealed[:-1] + b"x")])
    assert (names(bad), bad.exit_code) == (["media-edited"], 4)


def test_without_the_salt_a_plain_recording_cannot_be_told(world):
    verdict = verify(one_proof(world), POLICY, [handed_in("film.mp4", plain("bwc-1", 2))])
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.CANNOT_TELL, 3)
    assert "takes the salt of bwc-1/2" in verdict.missing[0]


def test_a_whole_log_verifies_and_says_that_nothing_is_left_out(world):
    files = [handed_in(f"{seq}.mp4", plain("bwc-1", seq)) for seq in (1, 2, 3)]
    verdict = verify(bundle_of(world), POLICY, files)
    assert verdict.exit_code == 0, verdict.words()
    said = verdict.words()
    assert "the bundle holds all of the log" in said
    assert "numbers 0 to 4 of bwc-1 are all there" in said
    assert "signed by key 0 of bwc-1, enrolled by entry 1" in said
    assert "is only part of the log" not in said


def test_a_part_of_the_log_says_what_it_cannot_know(world):
    verdict = verify(bundle_of(world, [0, 1, 4, 5]), POLICY)
    assert verdict.exit_code == 0
    assert any("no later entry revoked a key" in one for one in verdict.not_proven)
    assert not any("who signed" in one for one in verdict.not_proven)
    alone = verify(bundle_of(world, [4]), POLICY)
    assert any(one.startswith("who signed: entry 4 of bwc-1") for one in alone.not_proven)
    assert not any("are all there" in one for one in alone.proven)
    assert any("no file that fits it was handed in" in one for one in verdict.not_proven)


def test_a_number_left_out_of_the_device_chain_is_missing(world):
    verdict = verify(bundle_of(world, [0, 1, 3, 4, 6, 7]), POLICY)
    assert verdict.exit_code == 3
    told = "number 2 is missing from the records of bwc-1"
    span = "after 2025-12-22 10:42:00 UTC before 2025-12-22 10:44:00 UTC"
    assert verdict.missing == (f"sequence-gap: {told} {span}",)
    assert "are all there" not in verdict.words()


def test_rotations_from_elsewhere_in_the_chain_are_no_gap():
    """An export holds every entry on keys, and of other devices nothing else."""
    world = camera_world()
    world.enrol("bwc-2")
    for _ in range(2):
        world.heartbeat("bwc-2")
        world.rotate("bwc-2")
    world.rotate("bwc-1")
    world.heartbeat("bwc-1")
    world.segment("bwc-1")
    world.heartbeat("bwc-1")
    kinds = [parse_record(leaf).kind for leaf in world.leaves]
    keys = [
        index for index, kind in enumerate(kinds) if kind in {"policy", "key.enrol", "key.rotate"}
    ]
    around = range(len(kinds) - 2, len(kinds))
    verdict = verify(bundle_of(world, sorted({*keys, *around})), POLICY)
    assert (verdict.exit_code, verdict.missing) == (0, ()), verdict.words()
    assert "numbers 7 to 8 of bwc-1 are all there" in verdict.words()
    gap = verify(bundle_of(world, sorted({*keys, 4, *around})), POLICY)
    assert [one.split(" from")[0] for one in gap.missing] == [
        "sequence-gap: numbers 2 to 4 are missing",
        "sequence-gap: number 6 is missing",
    ]


@pytest.mark.parametrize("witnesses", [(), WITNESSES[:1]])
def test_too_few_witnesses_cannot_tell(world, witnesses):
    note = checkpoint_note(world.leaves, witnesses)
    verdict = verify(one_proof(world, note=note), POLICY)
    assert verdict.exit_code == 3
    assert "the policy asks for 2 of vigilance, audit, wco" in verdict.missing[0]
    assert not verdict.proven


def test_one_witness_twice_is_one_witness(world):
    note = checkpoint_note(world.leaves, (WITNESSES[0], WITNESSES[0]))
    assert verify(one_proof(world, note=note), POLICY).exit_code == 3


def test_a_policy_without_witnesses_is_told_so(world):
    verdict = verify(one_proof(world), NO_WITNESS)
    assert any("anybody independent had to confirm" in one for one in verdict.not_proven)
    assert not any("confirmed by" in one for one in verdict.proven)
    witness = f"witness vigilance {WITNESSES[0].verifier}\n".encode()
    some = verify(one_proof(world), NO_WITNESS + witness)
    assert any("confirmed by vigilance on" in one for one in some.proven)


def test_a_log_that_the_policy_does_not_know_cannot_tell(world):
    note = checkpoint_note(world.leaves, origin="other.example/log", log=key("other.example/log"))
    verdict = verify(one_proof(world, note=note), POLICY)
    assert verdict.exit_code == 3
    assert "not in the policy" in verdict.missing[0]


def test_a_stolen_name_with_another_key_cannot_tell(world):
    impostor = replace(LOG, seed=bytes(32))
    note = checkpoint_note(world.leaves, log=impostor)
    assert verify(one_proof(world, note=note), POLICY).exit_code != 0


def test_the_entry_of_another_place_is_contradicted(world):
    moved = proof_of(world.leaves, SEGMENT).replace(b"index 5", b"index 6")
    verdict = verify(Bundle((Part("moved", moved),)), POLICY)
    assert (names(verdict), verdict.exit_code) == (["record-edited"], 4)


def test_an_edited_record_is_contradicted(world):
    fields = dict(parse_record(world.leaves[SEGMENT]).fields) | {"claimed_ms": 1}
    edited = list(world.leaves)
    edited[SEGMENT] = sign_record(fields, secret_of("bwc-1"))
    proof = proof_of(edited, SEGMENT, note=checkpoint_note(world.leaves))
    verdict = verify(Bundle((Part("edited", proof),)), POLICY)
    assert names(verdict) == ["record-edited"]


def test_a_fork_is_named_and_proven_by_its_two_notes(world):
    other = camera_world()
    other.leaves[SEGMENT] = world.leaves[SEGMENT - 1]
    parts = (
        Part("a", proof_of(world.leaves, SEGMENT)),
        Part("b", proof_of(other.leaves, SEGMENT + 1)),
    )
    verdict = verify(Bundle(parts), POLICY)
    assert "split-view" in names(verdict)
    assert "keep both checkpoints" in verdict.contradictions[0].text


def test_two_views_of_different_sizes_show_different_entries(world):
    other = [*world.leaves[:SEGMENT], world.leaves[0], *world.leaves[SEGMENT:]]
    parts = (Part("a", proof_of(world.leaves, SEGMENT)), Part("b", proof_of(other, SEGMENT)))
    verdict = verify(Bundle(parts), POLICY)
    views = [one for one in verdict.contradictions if one.name == "split-view"]
    assert [one.first for one in views] == [SEGMENT]
    assert "show different entries 5" in views[0].text


def test_a_cosignature_that_does_not_fit_is_contradicted(world):
    note = checkpoint_note(world.leaves)
    head, _, last = note.rpartition(b" ")
    raw = bytearray(base64.b64decode(last))
    raw[-1] ^= 1
    spoilt = head + b" " + base64.b64encode(raw) + b"\n"
    verdict = verify(one_proof(world, note=spoilt), POLICY)
    assert (names(verdict), verdict.exit_code) == (["checkpoint-invalid"], 4)


def test_what_does_not_parse_is_contradicted_and_what_is_no_proof_is_no_bundle(world):
    good = proof_of(world.leaves, SEGMENT)
    broken = good.replace(b"index 5", b"index 05")
    verdict = verify(Bundle((Part("broken", broken),)), POLICY)
    assert (names(verdict), verdict.exit_code) == (["record-malformed"], 4)
    assert verify(Bundle((Part("photo.jpg", b"\xff\xd8\xff"),)), POLICY).exit_code == 2
    assert verify(Bundle(()), POLICY).exit_code == 2
    assert verify(one_proof(world), b"quorum\n").exit_code == 2
    no_leaf = b"\n".join(line for line in good.split(b"\n") if not line.startswith(b"extra"))
    verdict = verify(Bundle((Part("no leaf", no_leaf),)), POLICY)
    assert verdict.exit_code == 3
    assert "an entry that is not in it" in verdict.missing[0]


def test_a_bare_leaf_in_the_extra_data_is_accepted(world):
    assert verify(one_proof(world, packed=False), POLICY).exit_code == 0


def test_openings_reveal_and_false_ones_contradict(world):
    record = parse_record(world.leaves[SEGMENT])
    bundle = bundle_of(world, [SEGMENT])
    false = Opening(record.digest, "media", bytes(16), "00" * 32)
    stray = Opening("ab" * 32, "officer", bytes(16), "P1")
    verdict = verify(replace(bundle, openings=(Part("o", format_openings((false,))),)), POLICY)
    assert names(verdict) == ["record-edited"]
    verdict = verify(replace(bundle, openings=(Part("o", format_openings((stray,))),)), POLICY)
    assert verdict.exit_code == 3
    verdict = verify(replace(bundle, openings=(Part("o", b"[1]"),)), POLICY)
    assert names(verdict) == ["record-malformed"]


def test_a_redacted_copy_is_never_taken_for_the_original():
    world = camera_world()
    salt, body = bytes(range(16)), b"the redacted film"
    fields = {
        "source": parse_record(world.leaves[SEGMENT]).digest,
        "recording": "bwc-1/2",
        "result": "bwc-1/2/redacted",
        "blob": "ab" * 32,
        "bytes": 400,
        "method": "mask",
        "tool": "tidewaiter redact",
        "commit": {"media": commit("media", salt, handed_in("", body).sha256)},
    }
    world.act("derive", fields, by=("amara", "bilal"))
    index = len(world.leaves) - 1
    proofs = (
        *bundle_of(world, range(index), openings=False).proofs,
        Part("copy", proof_of(world.leaves, index, salts={"media": salt})),
    )
    verdict = verify(Bundle(proofs), POLICY, [handed_in("copy.mp4", body)])
    assert verdict.exit_code == 0, verdict.words()
    assert "the redacted copy bwc-1/2/redacted logged as entry 8" in verdict.words()
    assert "made from bwc-1/2, and not the original" in verdict.words()
    lone = verify(Bundle((proofs[SEGMENT],)), POLICY, [handed_in("copy.mp4", body)])
    assert lone.exit_code == 3, "without the derivation, and without the salt of the original"


def test_an_erasure_with_one_approval_is_contradicted_where_its_approvers_are_known():
    world = camera_world()
    world.erase("bwc-1/2", by=("amara",))
    index = len(world.leaves) - 1
    verdict = verify(bundle_of(world, [0, 1, 2, SEGMENT, index]), POLICY)
    assert names(verdict) == ["early-erasure"]
    verdict = verify(bundle_of(world, [SEGMENT, index]), POLICY)
    assert not verdict.contradictions
    assert any("no entry before 8 enrols key 0 of dora" in one for one in verdict.not_proven)


def test_an_approver_whose_enrolment_is_not_at_hand_is_no_contradiction():
    world = camera_world()
    world.enrol("elif", holder="person", person="elif", role="command")
    enrolment = len(world.leaves) - 1
    world.erase("bwc-1/2", by=("amara", "elif"))
    whole = list(range(len(world.leaves)))
    assert verify(bundle_of(world, openings=False), POLICY).exit_code == 0
    part = [index for index in whole if index != enrolment]
    verdict = verify(bundle_of(world, part, openings=False), POLICY)
    assert verdict.contradictions == ()
    assert any("approved by amara; two people" in one for one in verdict.not_proven)


def test_an_erased_recording_is_still_proven_to_have_existed():
    world = camera_world()
    world.erase("bwc-1/2")
    verdict = verify(bundle_of(world, openings=False), POLICY)
    assert verdict.exit_code == 0, verdict.words()
    assert (
        "bwc-1/2 was erased by entry 8, approved by amara and bilal: term over" in verdict.words()
    )


def test_a_revoked_key_makes_doubtful_what_was_not_witnessed_before():
    world = camera_world()
    fields = {"subject": "bwc-1", "since_ms": world.now_ms - 1, "basis": "camera lost"}
    world.act("key.revoke", fields)
    verdict = verify(bundle_of(world), POLICY)
    assert any("may have been in other hands" in one for one in verdict.not_proven)


def same_content(one: bytes, other: bytes) -> bool:
    """One deflated text has many spellings; what they inflate to is what the proof covers."""
    try:
        a, b = ProofFile.parse(one), ProofFile.parse(other)
        return unpack_extra(a.extra or b"") == unpack_extra(b.extra or b"") and replace(
            a, extra=None
        ) == replace(b, extra=None)
    except MalformedText:
        return False


def test_no_flipped_bit_of_a_proof_file_is_overlooked(world):
    proof = proof_of(world.leaves, SEGMENT, salts={"media": world.openings[1].salt})
    files = [handed_in("film.mp4", plain("bwc-1", 2))]
    rng = random.Random(5)
    spellings = 0
    for bit in rng.sample(range(8 * len(proof)), 300):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        verdict = verify(Bundle((Part("changed", bytes(changed)),)), POLICY, files)
        if verdict.exit_code == 0:
            assert same_content(bytes(changed), proof), bit
            spellings += 1
    assert spellings < 10


@given(st.binary(max_size=300), st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_bytes_make_the_verifier_fail(body, extra):
    world_proof = b"c2sp.org/tlog-proof@v1\n" + body
    spelled = b"c2sp.org/tlog-proof@v1\nextra " + base64.b64encode(extra) + b"\nindex 0\n\n"
    for proof in (body, world_proof, spelled + checkpoint_note([b"x"])):
        bundle = Bundle((Part("any", proof),), (Part("any", body),))
        assert verify(bundle, POLICY).exit_code in {2, 3, 4}
    assert verify(Bundle(()), body).exit_code == 2


def test_foreign_texts_cannot_write_to_the_terminal():
    assert shown_text("a\x1b[2Jb\u202ec") == "a?[2Jb?c"
    assert len(shown_text("x" * 999)) == 201
    assert shown_text("x" * 200) == "x" * 200
    assert shown_time(0) == "1970-01-01 00:00:00 UTC"
    assert shown_time(253_402_300_799_999) == "9999-12-31 23:59:59 UTC"
    assert shown_time(253_402_300_800_000) == "253402300800000 ms after 1970"
    assert shown_time(-1) == "-1 ms after 1970"
    assert shown_time(2**60) == f"{2**60} ms after 1970"


def test_a_proof_among_a_million_entries_keeps_within_two_kilobytes(world):
    note = checkpoint_note(world.leaves, WITNESSES).replace(b"\n8\n", b"\n1000000\n")
    extra = pack_extra(world.leaves[SEGMENT], {"media": world.openings[1].salt})
    proof = ProofFile(123_456, (bytes(range(32)),) * 20, note, extra).encoded
    assert len(proof) <= 2048


def test_a_file_is_not_called_proven_by_an_entry_that_nobody_confirmed(world):
    salts = {"media": world.openings[1].salt}
    note = checkpoint_note(world.leaves, WITNESSES[:1])
    verdict = verify(
        one_proof(world, note=note, salts=salts), POLICY, [handed_in("f", plain("bwc-1", 2))]
    )
    assert (verdict.exit_code, verdict.proven) == (3, ())


def test_an_unconfirmed_part_does_not_spoil_what_the_others_prove(world):
    grown = [*world.leaves, world.leaves[0]]
    late = Part("late", proof_of(grown, SEGMENT, note=checkpoint_note(grown, WITNESSES[2:])))
    good = Part("good", proof_of(world.leaves, SEGMENT + 1))
    verdict = verify(Bundle((late, good)), POLICY)
    assert verdict.exit_code == 3
    assert "entry 6 of the bundle is in the log" in verdict.words()


def test_the_manifest_sealed_or_plain_is_found():
    world, manifest, salt = camera_world(), b"the manifest", bytes(16)
    fields = {
        "manifest_blob": handed_in("", b"sealed manifest").sha256,
        "commit": {
            "media": commit("media", salt, "00" * 32),
            "manifest": commit("manifest", salt, handed_in("", manifest).sha256),
            "officer": commit("officer", salt, "P1234567\x1b[31m"),
        },
    }
    leaf = world.segment("bwc-1", b"other", **fields)
    index, digest = len(world.leaves) - 1, parse_record(leaf).digest
    world.openings = [
        Opening(digest, "manifest", salt, handed_in("", manifest).sha256),
        Opening(digest, "officer", salt, "P1234567\x1b[31m"),
    ]
    files = [handed_in("m.json", manifest), handed_in("m.sealed", b"sealed manifest")]
    said = verify(bundle_of(world, [index]), POLICY, files).words()
    assert "m.json is the manifest of bwc-1/5 logged as entry 8\n" in said
    assert "m.sealed is the manifest of bwc-1/5 logged as entry 8, still sealed" in said
    assert "officer of entry 8 is: P1234567?[31m" in said


def test_clocks_outages_and_silences_are_told_apart():
    world = camera_world()
    world.stop("bwc-1", "battery")
    world.heartbeat("bwc-1", after_ms=3_600_000)
    world.heartbeat("bwc-1", after_ms=3_600_000)
    world.act("clock", {"subject": "bwc-1", "device_ms": 0, "offset_ms": 500_000})
    verdict = verify(bundle_of(world), POLICY)
    assert verdict.exit_code == 3
    assert verdict.missing[0].startswith("unexplained-silence: bwc-1 was silent for 3600 s")
    said = verdict.words()
    assert "bwc-1 signed a stop (battery)" in said
    assert "off by +500 s when it was docked" in said


def test_many_entries_are_told_in_one_line():
    world = camera_world()
    for _ in range(3):
        world.heartbeat("bwc-1")
    verdict = verify(bundle_of(world, range(1, len(world.leaves))), POLICY)
    assert "10 entries between 1 and 10 of the bundle are in the log" in verdict.words()


def test_an_examination_names_its_exhibit_and_report():
    world, photo, report = camera_world(), b"the photo", b"the report"
    fields = {
        name: handed_in("", body).sha256 for name, body in (("exhibit", photo), ("report", report))
    }
    world.act("examination", fields | {"software": "tidewaiter 0"})
    bundle = bundle_of(world, [0, len(world.leaves) - 1])
    files = [handed_in("photo.jpg", photo), handed_in("report.json", report)]
    verdict = verify(bundle, POLICY, files)
    assert verdict.exit_code == 0
    assert "photo.jpg is, byte for byte, the exhibit of the examination" in verdict.words()
    assert "report.json is, byte for byte, the report of the examination" in verdict.words()
    other = verify(bundle, POLICY, [handed_in("report.json", report + b"!")])
    assert names(other) == ["media-edited"]
    assert "is not the exhibit or report of entry 8 as logged" in other.contradictions[0].text


def test_a_file_without_any_recording_to_compare_it_with(world):
    verdict = verify(bundle_of(world, [0, 1]), POLICY, [handed_in("film.mp4", b"film")])
    assert verdict.exit_code == 3
    assert "the entry with which film.mp4 could be compared" in verdict.missing[0]


def test_an_erasure_is_said_to_be_approved_only_by_those_whose_approval_counts():
    """Whoever logs an erasure may write any names and any bytes as its approvals."""
    world = camera_world()
    world.erase("bwc-1/2", by=("minister", "judge"))
    verdict = verify(bundle_of(world, [0, 1, 2, 3, SEGMENT, 8], openings=False), POLICY)
    assert verdict.contradictions == ()
    (told,) = [one for one in verdict.proven if "erased" in one]
    assert told == "bwc-1/2 was erased by entry 8; who approved that is not proven: term over"
    assert any("two people of different roles needed" in one for one in verdict.not_proven)


def test_an_approval_that_does_not_count_is_not_told_beside_those_that_do():
    world = camera_world()
    world.erase("bwc-1/2", by=("amara", "minister", "bilal"))
    verdict = verify(bundle_of(world, openings=False), POLICY)
    assert verdict.exit_code == 0, verdict.words()
    assert "erased by entry 8, approved by amara and bilal: term over" in verdict.words()
    assert "minister" not in verdict.words()


def named(world, origin: str, text: str = ""):
    """The verdict on a proof file from a log that calls itself so."""
    tree = Tree([leaf_hash(world.leaves[0])])
    note = sign_note(Checkpoint(origin, 1, tree.root()).text + text, LOG).encoded
    proof = ProofFile(0, (), note, pack_extra(world.leaves[0])).encoded
    return verify(Bundle((Part("one", proof),)), POLICY)


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\u202e", "\u009b", "\x7f"])
def test_the_name_of_a_foreign_log_cannot_write_a_line_of_the_verdict(world, mark):
    """A note allows every character but controls below U+0020, and some of the others end lines."""
    origin = f"x{mark}Proven{mark}  - film.mp4 is the manifest of bwc-1/1 logged as entry 4{mark}"
    verdict = named(world, origin)
    assert verdict.exit_code == 3
    for language in ("en", "fr"):
        told = words_in(verdict, language)
        assert mark not in told
        assert len(told.splitlines()) == 4


def test_the_name_of_a_foreign_log_is_no_sentence(world):
    claim = "film.mp4 is the manifest of bwc-1/1 logged as entry 4"
    said = named(world, claim).missing[0]
    word = "film.mp4_is_the_manifest_of_bwc-1/1_logged_as_entry_4"
    assert said == f"one: the log {word} is not in the policy"
    assert "manifeste" not in words_in(named(world, claim), "fr")
    assert " is the manifest" not in named(world, claim, "extended\n").words()


def test_the_name_of_a_foreign_log_cannot_hold_up_a_translation(world):
    """A name may be as long as a note; looked up as a sentence it would take for ever."""
    verdict = named(world, " of the bundle  in , unaltered" * 10_000)
    assert len(verdict.missing[0]) < 300
    assert words_in(verdict, "fr").startswith("INDÉCIDABLE")
    part = Part("one" + " of the bundle  in , unaltered" * 10_000, b"c2sp.org/tlog-proof@v1")
    assert words_in(verify(Bundle((part,)), POLICY), "fr").startswith("CONTREDIT")


def test_groups_within_groups_do_not_end_the_verifier(world):
    lines = [f"log {LOG.verifier}", f"witness w {WITNESSES[0].verifier}", "group g0 any w"]
    lines += [f"group g{n} any g{n - 1}" for n in range(1, 3000)]
    policy = "".join(f"{line}\n" for line in [*lines, "quorum g2999"]).encode()
    assert verify(bundle_of(world, [0]), policy).exit_code == 0
