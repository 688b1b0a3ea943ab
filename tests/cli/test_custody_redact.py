"""A redacted copy is logged by two people, and only if nothing else in it changed."""

from __future__ import annotations

import json

import pytest

from tests.cli.custody_kit import founded, run
from tests.custody.recordings import SPLICED, pictures, splice, write

# 20 redaction-not-faithful


MASK = "1-3,25,25,50,60"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = founded(tmp_path_factory.mktemp("redact"))
    frames = pictures(100)
    write(place.card / "MOV_0001.mp4", frames, options=SPLICED)
    docked = place.do("dock", "--device", "bwc-0017", place.card)
    assert docked.code == 0, docked.text
    masked = frames.copy()
    masked[25:75, 23:54, 40:80] = 0
    again = {"crf": "26", "g": "25"}
    place.masked = write(place.folder / "masked.mp4", masked, options=again)
    more = masked.copy()
    more[30:70, 66:90, 120:160] = 0
    place.more = write(place.folder / "more.mp4", more, options=again)
    write(place.folder / "again.mp4", masked, options=SPLICED)
    untouched, groups = place.card / "MOV_0001.mp4", {2, 3, 4, 5, 6}
    again, kept = place.folder / "again.mp4", place.folder / "kept.mp4"
    place.kept = splice(untouched, again, kept, groups)
    write(place.folder / "again.mp4", more, options=SPLICED)
    place.kept_more = splice(untouched, again, place.folder / "kept_more.mp4", groups)
    return place


def redact(place, copy, *extra):
    words = ("redact", "bwc-0017/0", copy, "--mask", MASK, "--basis", "privacy")
    return place.do(*words, *extra)


def test_a_copy_changed_outside_its_mask_is_refused(place):
    answer = redact(place, place.more, *place.approvers())
    assert answer.code == 4
    assert "redaction-not-faithful" in answer.text


def test_keeping_the_other_pictures_bit_for_bit_hides_no_change(place):
    answer = redact(place, place.kept_more, *place.approvers())
    assert answer.code == 4
    assert "redaction-not-faithful" in answer.text


def test_a_copy_that_keeps_the_pictures_it_need_not_touch_is_logged(place):
    answer = redact(place, place.kept, *place.approvers())
    assert answer.code == 0, answer.text


def test_the_recording_itself_is_no_redacted_copy(place):
    answer = redact(place, place.card / "MOV_0001.mp4", *place.approvers())
    assert answer.code == 2
    assert "nothing in it is hidden" in answer.text, answer.text


def test_a_faithful_copy_is_logged_and_its_proof_says_what_it_is(place):
    answer = redact(place, place.masked, *place.approvers())
    assert answer.code == 0, answer.text
    place.carry("vigilance", "court")
    audited = place.do("audit")
    assert audited.code == 0, audited.text
    entry = answer.text.split()[-1]
    proof = place.folder / "copy.tlog-proof"
    assert place.do("prove", entry, "--out", proof).code == 0
    verdict = run("verify", proof, place.masked, "--policy", place.policy)
    assert verdict.code == 0, verdict.text
    assert "not the original" in verdict.text
    original = run("verify", proof, place.card / "MOV_0001.mp4", "--policy", place.policy)
    assert original.code == 4


def test_a_copy_that_was_logged_past_the_check_is_found_by_the_audit(place, monkeypatch):
    import tidewaiter.wiring_custody_redacting as redacting

    monkeypatch.setattr(redacting, "_must_be_faithful", lambda *_: None)
    logged = redact(place, place.more, *place.approvers())
    assert logged.code == 0, logged.text
    entry = int(logged.text.split()[-1])
    place.carry("vigilance", "court")
    answer = place.do("audit", "--redactions", "--json")
    assert answer.code == 4
    (found,) = json.loads(answer.text)["discrepancies"]
    assert (found["name"], found["first"]) == ("redaction-not-faithful", entry)
