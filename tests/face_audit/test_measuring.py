"""The tables say what the ledger says, on the measured people, and never more."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.face_audit.making import (
    PROTOCOL,
    MadeRecogniser,
    audit,
    listed,
    number,
    opening,
    ports,
    protocol,
    show,
)
from tidewaiter.errors import ConfigurationError, InputError, UnfitFaces
from tidewaiter.evaluation.clustered import Tally, clustered_clopper_pearson
from tidewaiter.face_audit.auditing import check_before, check_faces, estimated, results
from tidewaiter.face_audit.driver import carry_out
from tidewaiter.face_audit.gate import GateAnswer, fitted_cut
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.service import Outcome, Price, Reply

FACTS = {"ledger_sha256": "0" * 64, "tidewaiter": "test"}
GATED = PROTOCOL.replace("[limits]", '[gate]\ndetector = "image.any"\nbpcer = 0.2\n[limits]')


def gate(picture):
    """Forgeries stand out half of the time; one genuine picture in twenty cannot be judged."""
    if number("gate fails", picture.name) < 0.05:
        return GateAnswer(None, "no verdict")
    forged = 0.5 if ":" in picture.name else 0.0
    return GateAnswer(number("gate", picture.name) + forged)


def measured(base=PROTOCOL, *, faults=None, people=None, **given):
    found = audit(base=base, people=people)
    made = ports(recogniser=MadeRecogniser(faults=faults), gate=gate, **given)
    carry_out(found.trials, found.gallery, made, Limits(retries=1))
    return (
        found,
        made,
        results(found, opening(found), made.ledger.rows, FACTS, made.recogniser.card),
    )


def answered(found, made):
    rows = {row.trial_id: row for row in made.ledger.rows if row.state == "answered"}
    return [(t, rows[t.id]) for t in found.trials if t.id in rows and t.part == "test"]


def test_the_counts_are_those_of_the_ledger():
    found, made, record = measured()
    given = record.at[0]
    assert given.threshold.value == 0.5
    for row in given.attacks:
        of = [
            r
            for t, r in answered(found, made)
            if t.species == row.species and t.headline and row.pair in ("all", t.pair)
        ]
        assert row.accepted.trials == len(of)
        assert row.accepted.events == sum(r.outcome is Outcome.MATCH for r in of)
        assert row.accepted.clustered.lower <= row.accepted.value <= row.accepted.clustered.upper
        assert row.lift == pytest.approx(row.accepted.value - row.baseline.value)
        assert row.riapar == pytest.approx(row.accepted.value + given.licit.frr.value)
    mated = [r for t, r in answered(found, made) if t.role == "mated"]
    assert given.licit.fnmr.trials == len(mated)


def test_the_same_ledger_gives_the_same_record():
    found, made, record = measured(GATED)
    again = results(found, opening(found), made.ledger.rows, FACTS, made.recogniser.card)
    assert again.model_dump_json() == record.model_dump_json()


def test_thresholds_rest_on_calibration_people_and_few_errors_are_marked():
    found, made, record = measured()
    rows = {row.trial_id: row for row in made.ledger.rows if row.state == "answered"}
    scores = [
        rows[t.id].score for t in found.trials if t.part == "calibrate" and t.role == "zero-effort"
    ]
    used = record.at[1].threshold
    assert used.comparisons == len(scores)
    assert used.errors == sum(s >= used.value for s in scores) <= 0.1 * len(scores)
    assert not used.supported
    assert any("not reportable" in str(sentence) for sentence in record.verdict)


def test_a_gate_never_lets_more_through_and_its_failures_reject():
    _, made, record = measured(GATED)
    for at in record.at:
        for row in at.attacks:
            assert row.accepted_gated.value <= row.accepted.value
            assert row.apcer.value >= row.accepted_gated.value
        assert at.licit.frr_gated.value >= at.licit.frr.value
    assert record.gate.calibration_bpcer <= 0.2
    failed = {
        r.probe_sha256 for r in made.ledger.rows if r.state == "gated" and r.gate_score is None
    }
    assert failed
    passed = {w.probe_sha256 for w in record.worst if w.passed_gate}
    assert not passed & failed


def test_missing_trials_leave_the_denominator_and_show_what_they_could_change():
    def faults(trial, count):
        return Reply(Outcome.ERROR, http=500, calls=1) if number(trial) < 0.15 else None

    _, _, record = measured(faults=faults)
    row = next(r for r in record.at[0].attacks if r.pair == "all")
    assert row.accepted.missing > 0
    assert not row.accepted.headline
    every = row.accepted.trials + row.accepted.missing
    assert row.accepted.if_all.upper == pytest.approx(
        (row.accepted.events + row.accepted.missing) / every
    )
    assert record.spent.outcomes["error"] > 0


def test_a_probe_without_a_face_is_refused_and_not_a_non_match():
    def faults(trial, count):
        return Reply(Outcome.NO_FACE, calls=1) if number(trial) < 0.3 else None

    _, _, record = measured(faults=faults)
    licit = record.at[0].licit
    assert licit.fta.events > 0
    assert licit.fnmr.trials == licit.fta.trials - licit.fta.events
    assert licit.frr.events == licit.fta.events + licit.fnmr.events


def test_a_reference_without_a_template_is_counted_and_its_person_named():
    found = audit()
    lost = found.setting.targets[0]
    bad = {t.id for t in found.trials if t.compared == lost}

    def faults(trial, count):
        return Reply(Outcome.NO_FACE, calls=1) if trial in bad or number(trial) < 0.3 else None

    _, _, record = measured(faults=faults)
    assert (record.fte.events, record.fte.trials) == (
        1,
        sum(part == "test" for part in found.setting.part_of.values()),
    )
    (sentence,) = [str(s) for s in record.verdict if "no template" in str(s)]
    assert f"pictures of {lost}:" in sentence


def test_a_gallery_says_itself_what_it_could_not_enrol():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    found, made = audit(base=base), ports(recogniser=Blind())
    carry_out(found.trials, found.gallery, made, Limits())
    record = results(found, opening(found), made.ledger.rows, FACTS, made.recogniser.card)
    hidden = [name for name in found.setting.targets if name in BLIND_TO]
    assert hidden
    assert record.fte.events == len(hidden)
    assert any(", ".join(hidden) in str(sentence) for sentence in record.verdict)


BLIND_TO = ("p01", "p02", "p03", "p04")


class Blind(MadeRecogniser):
    """Finds no face in the enrolment pictures of some."""

    def enrol(self, identity, pictures):
        if identity in BLIND_TO:
            return (Reply(Outcome.NO_FACE, calls=1),)
        return super().enrol(identity, pictures)


def test_morphs_are_counted_whole():
    _, _, record = measured()
    for row in record.at[0].morphs:
        shares = [by_count[0] for by_count in row.attack_potential]
        assert shares == sorted(shares, reverse=True)
        assert row.min_max.value == pytest.approx(shares[0])
        assert row.min_max.value >= row.prod_avg
        assert row.rmmr == pytest.approx(row.min_max.value + record.at[0].licit.fnmr.value)


def test_searches_count_the_target_and_anybody():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    strangers = listed() + "".join(f"s{n},s{n}/0.png,impostor,staff,no,m\n" for n in range(6))
    _, _, record = measured(base, people=strangers)
    for row in record.at[0].attacks:
        assert row.any_identity.value >= row.accepted.value
        assert row.any_identity.value >= row.wrong_name.value
    assert record.at[0].licit.fpir is not None
    assert not record.at[0].morphs


def test_the_threshold_of_a_search_rests_on_what_the_target_was_given():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    found, made, record = measured(base)
    rows = {row.trial_id: row for row in made.ledger.rows if row.state == "answered"}
    impostors = [t for t in found.trials if t.part == "calibrate" and t.role == "zero-effort"]
    scores = [dict(rows[t.id].candidates)[t.target] for t in impostors]
    own = [rows[t.id].score for t in impostors]
    used = record.at[1].threshold
    assert used.errors == sum(score >= used.value for score in scores) == len(scores) // 10
    assert used.value < min(own)
    (fmr,) = [curve for curve in record.sweep if curve.name == "FMR"]
    assert fmr.y[-1] < 0.2 < fmr.y[0]


def test_a_person_whom_a_search_does_not_name_lies_below_every_threshold():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    found, made, _ = measured(base)
    rows = [row.model_copy(update={"candidates": row.candidates[:2]}) for row in made.ledger.rows]
    record = results(found, opening(found), rows, FACTS, made.recogniser.card)
    used = record.at[1].threshold
    assert math.isfinite(used.value)
    assert used.comparisons > 0
    assert all(math.isfinite(x) for curve in (*record.sweep, *record.det) for x in curve.x)


def test_a_kind_that_could_not_be_forged_stays_in_the_table():
    found, made = audit(), ports(show=without_morphs)
    carry_out(found.trials, found.gallery, made, Limits())
    record = results(found, opening(found), made.ledger.rows, FACTS, made.recogniser.card)
    morphs = [r for r in record.at[0].attacks if r.species == "morph-complete" and r.pair == "all"]
    assert [(row.accepted, row.unmade) for row in morphs] == [(None, record_unmade(found))]


def without_morphs(probe):
    if probe.species == "morph-complete":
        raise UnfitFaces("heads turned too far")
    return show(probe)


def record_unmade(found):
    return sum(t.species == "morph-complete" and t.headline for t in found.trials)


def test_a_part_of_an_audit_says_so_first():
    found, made, _ = measured()
    rows = made.ledger.rows[:101]
    record = results(found, opening(found), rows, FACTS, made.recogniser.card)
    assert record.partial
    assert "not finished" in str(record.verdict[0])


def test_a_stand_in_stays_stamped_when_its_report_is_written_without_it():
    found, made, _ = measured()
    rows = [
        row.model_copy(update={"test_kit": row.state == "answered"}) for row in made.ledger.rows
    ]
    record = results(found, opening(found), rows, FACTS, made.recogniser.card)
    assert "stand-in for tests" in str(record.verdict[0])


def test_groups_and_people_add_up():
    _, _, record = measured()
    at = record.at[0]
    accepted = sum(row.accepted.events for row in at.attacks if row.pair == "all")
    assert sum(person.accepted for person in at.people) == accepted
    assert sum(group.accepted.events for group in at.groups) == accepted
    assert {group.value for group in at.groups} == {"m", "f"}


def test_a_cut_rejects_no_more_than_allowed_and_counts_failures():
    assert fitted_cut([1.0, 2.0, 3.0, 4.0], 0.25).rejects(4.0)
    assert not fitted_cut([1.0, 2.0, 3.0, 4.0], 0.25).rejects(3.0)
    tied = fitted_cut([1.0, 4.0, 4.0, 4.0], 0.5)
    assert not tied.rejects(4.0)
    failing = fitted_cut([None, 2.0, 3.0, 4.0], 0.25)
    assert failing.rejects(None)
    assert not failing.rejects(4.0)
    assert failing.bpcer == 0.25
    assert failing.rejects(float("nan"))


def test_the_plan_is_what_the_run_sends_where_all_can_be_forged():
    found = audit()
    estimate = estimated(found, MadeRecogniser())
    made = ports(show=shown_by_key)
    carry_out(found.trials, found.gallery, made, Limits())
    assert len(made.recogniser.asked) == estimate.calls
    assert sum(row.cost for row in made.ledger.rows if row.state == "answered") == estimate.cost


def shown_by_key(probe):
    from tidewaiter.face_audit.material import Shown
    from tidewaiter.face_audit.service import Picture

    return Shown(Picture(probe.key, probe.key.encode()), ())


def test_what_would_fail_later_is_refused_before_anything_is_sent():
    unpriced = MadeRecogniser(price=Price(None))
    with pytest.raises(ConfigurationError, match="price_per_call"):
        check_before(audit(), unpriced)
    with pytest.raises(InputError, match="on this machine only"):
        check_before(audit(people=listed().replace("staff", "research")), MadeRecogniser())
    only = MadeRecogniser()
    only.modes = frozenset({"identify"})
    with pytest.raises(ConfigurationError, match="not 'verify'"):
        check_before(audit(), only)


def test_what_the_gate_declines_is_rejected_unless_the_protocol_lets_it_pass():
    def declining(picture):
        return GateAnswer(None, "turned away", declined=True)

    found, made = audit(base=GATED), ports(gate=declining)
    carry_out(found.trials, found.gallery, made, Limits())
    rows, card = made.ledger.rows, made.recogniser.card
    rejecting = results(found, opening(found), rows, FACTS, card)
    assert rejecting.at[0].licit.bpcer.value == 1
    assert all(row.accepted_gated.events == 0 for row in rejecting.at[0].attacks)
    lenient = GATED.replace("bpcer = 0.2", 'bpcer = 0.2\non_decline = "pass"')
    again = replace(found, protocol=protocol(base=lenient))
    passing = results(again, opening(found), rows, FACTS, card)
    assert passing.at[0].licit.bpcer.value == 0
    assert all(row.accepted_gated == row.accepted for row in passing.at[0].attacks)


def test_a_recapture_counts_the_people_attacked_and_is_of_no_pair():
    """Nobody else's face is in it: who holds it up can neither widen nor place its rate."""
    base = PROTOCOL.replace("morph-complete", "recapture-screen")
    found, _, record = measured(base)
    targets = len(found.setting.targets)
    (row,) = [row for row in record.at[0].attacks if row.species == "recapture-screen"]
    assert (row.pair, row.accepted.trials, row.accepted.people) == ("all", targets, targets)
    by_target = clustered_clopper_pearson(
        Tally(np.arange(targets) < row.accepted.events, np.ones(targets, int))
    )
    assert row.accepted.clustered.upper == pytest.approx(by_target.upper)
    assert row.accepted.clustered.lower == pytest.approx(by_target.lower)
    impostors = {
        (t.target, t.source)
        for t in found.trials
        if t.part == "test" and t.role in ("zero-effort", "look-alike")
    }
    assert row.baseline.trials == len(impostors)
    shown = {(w.source, w.pair) for w in record.worst if w.species == "recapture-screen"}
    assert shown
    assert all(pair == "" for _, pair in shown)


@pytest.mark.parametrize(
    ("people", "pairs"), [(12, ""), (7, "pairs = { lookalike = 0, random = 1 }\n")]
)
def test_a_plan_promises_what_the_report_of_no_success_shows(people, pairs):
    base = PROTOCOL + '[[attacks]]\nspecies = "recapture-screen"\n'
    base = base.replace('species = "swap-feather"\n', f'species = "swap-feather"\n{pairs}')
    found = audit(base=base, people=listed(people))
    plan = estimated(found, MadeRecogniser())
    refusing = MadeRecogniser(faults=lambda *_: Reply(Outcome.NO_MATCH, 0.1))
    never = ports(recogniser=refusing, show=shown_by_key)
    carry_out(found.trials, found.gallery, never, Limits())
    record = results(found, opening(found), never.ledger.rows, FACTS, never.recogniser.card)
    worst = max(row.accepted.clustered.upper for row in record.at[0].attacks if row.pair == "all")
    assert plan.bound_if_none == pytest.approx(worst)


def test_all_needed_pictures_without_a_face_are_named_at_once():
    found = audit()
    with pytest.raises(InputError, match=r"'p00/0\.png' of 'p00' shows no face") as refused:
        check_faces(found, lambda photo: photo.role != "enrol")
    assert "the same holds of 'p01/0.png'" in str(refused.value)
    assert "and 1 more" in str(refused.value)
    assert check_faces(found, lambda _photo: True) == []
