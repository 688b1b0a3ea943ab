"""Further recognisers, the gate by itself, and what was planned: each as the ledger has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.face_audit.making import PROTOCOL, MadeRecogniser, audit, opening, ports
from tests.face_audit.test_measuring import FACTS, GATED, measured
from tidewaiter.evaluation.clustered import two_way_clopper_pearson
from tidewaiter.face_audit.auditing import estimated, results
from tidewaiter.face_audit.driver import carry_out
from tidewaiter.face_audit.embedded import EmbeddedRecogniser
from tidewaiter.face_audit.ledger import Row
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.results import Planned
from tidewaiter.face_audit.service import Outcome, Reply
from tidewaiter.face_audit.times import generation, working_s
from tidewaiter.face_audit.trials import for_another
from tidewaiter.report.audit_page import audit_page

ALSO = PROTOCOL.replace("[[attacks]]", '[[also]]\nadapter = "faceres"\n[[attacks]]', 1)
MIXED = ALSO.replace('"morph-complete"', '"morph-complete"\nalpha = [0.3, 0.5]')
HELD = GATED + '\n[split]\nhold_out_species = ["morph-complete"]\n'


class Doubter(MadeRecogniser):
    """Accepts only what is far more alike."""

    def compare(self, reference, probe, *, trial=""):
        reply = super().compare(reference, probe, trial=trial)
        outcome = Outcome.MATCH if reply.score >= 0.75 else Outcome.NO_MATCH
        return replace(reply, score=reply.score - 0.25, outcome=outcome)


def both(base=ALSO, further=None):
    found, made = audit(base=base), ports()
    carry_out(found.trials, found.gallery, made, Limits())
    second = further or MadeRecogniser()
    of = for_another(found.trials, "faceres")
    carry_out(of, (), replace(made, recogniser=second, by="faceres"), Limits(retries=1))
    cards = (made.recogniser.card, second.card)
    return results(found, opening(found), made.ledger.rows, FACTS, *cards)


def test_a_report_is_of_a_part_until_the_further_recogniser_is_done():
    found, made = audit(base=ALSO), ports()
    carry_out(found.trials, found.gallery, made, Limits())
    cards = (made.recogniser.card, made.recogniser.card)
    record = results(found, opening(found), made.ledger.rows, FACTS, *cards)
    assert record.trials_left == len(for_another(found.trials, "faceres"))
    assert "not finished" in str(record.verdict[0])


def test_a_report_is_of_a_part_until_the_gate_has_seen_every_picture():
    found, made, record = measured(GATED)
    assert not record.partial
    rows = list(made.ledger.rows)
    rows.remove(next(row for row in rows if row.state == "gated"))
    record = results(found, opening(found), rows, FACTS, made.recogniser.card)
    assert record.trials_left == 1


def test_a_recogniser_that_agrees_changes_nothing_and_one_that_doubts_lowers_map():
    for row in both().at[0].morphs:
        potential = np.array(row.attack_potential)
        assert potential.shape[1] == 2
        np.testing.assert_array_equal(potential[:, 0], potential[:, 1])
    lowered = [np.array(row.attack_potential) for row in both(further=Doubter()).at[0].morphs]
    assert any((matrix[:, 1] < matrix[:, 0]).any() for matrix in lowered)
    for matrix in lowered:
        assert (np.diff(matrix, axis=0) <= 0).all()
        assert (np.diff(matrix, axis=1) <= 0).all()


def test_one_recogniser_alone_gives_minmax_as_map_1_1():
    for row in measured()[2].at[0].morphs:
        assert row.attack_potential[0] == (row.min_max.value,)
        assert row.recognisers == ("dlib",)


def test_a_morph_that_one_of_both_left_without_an_answer_is_left_out_of_the_matrix():
    whole = {(row.pair): row for row in both().at[0].morphs}

    def silent(trial, _count):
        return Reply(Outcome.ERROR, http=500) if trial[0] in "01" else None

    for row in both(further=MadeRecogniser(faults=silent)).at[0].morphs:
        assert row.left_out > 0
        assert row.morphs + row.left_out == whole[row.pair].morphs


def test_each_mixture_has_its_rows_and_the_further_threshold_its_own_scale():
    record = both(MIXED, Doubter())
    assert {row.alpha for row in record.at[0].morphs} == {0.3, 0.5}
    for at in record.at:
        (one,) = at.further
        assert one.threshold.name == at.threshold.name
    calibrated = record.at[1]
    assert calibrated.further[0].threshold.value == pytest.approx(calibrated.threshold.value - 0.25)
    assert calibrated.further[0].fmr_random == calibrated.licit.fmr_random
    page = audit_page(record, {})
    assert "at least 2 of: dlib, faceres" in page
    assert "morph-complete, α = 0.30" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert not any("one recogniser only" in str(text) for text in record.not_covered)


def test_the_interval_of_morphs_is_over_both_people_in_them():
    found, made, record = measured()
    rows = {r.trial_id: r for r in made.ledger.rows if r.state == "answered"}
    row = next(row for row in record.at[0].morphs if row.pair == "all")
    met = {}
    for t in found.trials:
        if t.species == row.species and t.id in rows:
            accepted = rows[t.id].score >= 0.5
            met.setdefault((t.probe.key, t.target, t.source), {}).setdefault(t.compared, [])
            met[(t.probe.key, t.target, t.source)][t.compared].append(accepted)
    passed = [all(any(one) for one in by_each.values()) for by_each in met.values()]
    expected = two_way_clopper_pearson(
        np.array(passed), [key[1] for key in met], [key[2] for key in met]
    )
    assert row.min_max.value == pytest.approx(expected.value)
    assert row.min_max.clustered.upper == pytest.approx(expected.upper)
    assert row.potential_ends[0][0].upper == pytest.approx(expected.upper)


def test_p_morph_is_foretold_from_honest_scores_alone():
    found, made, record = measured()
    rows = {r.trial_id: r for r in made.ledger.rows if r.state == "answered"}
    test = [(t, rows[t.id].score) for t in found.trials if t.id in rows and t.part == "test"]
    mean = np.mean([score for t, score in test if t.role == "mated"])
    for row in record.at[0].morphs:
        pairs = {
            (t.target, t.source)
            for t, _ in test
            if t.species == row.species and row.pair in ("all", t.pair)
        }
        honest = {(t.target, t.source): s for t, s in reversed(test) if t.role != "attack"}
        expected = np.mean([honest[pair] > 2 * 0.5 - mean for pair in pairs])
        assert row.expected == pytest.approx(expected)


def test_the_gate_by_itself_is_measured_on_each_picture_once():
    found, made, record = measured(HELD)
    answered = {r.trial_id: r for r in made.ledger.rows if r.state == "answered"}
    gated = {r.probe_sha256: r.gate_score for r in made.ledger.rows if r.state == "gated"}

    def scores(chosen):
        shown = {answered[t.id].probe_sha256 for t in chosen if t.id in answered}
        return np.array([np.inf if gated[s] is None else gated[s] for s in sorted(shown)])

    test = [t for t in found.trials if t.part == "test"]
    genuine = scores([t for t in test if t.role == "mated"])
    for row in record.gate.detection:
        attacks = scores([t for t in test if t.species == row.species])
        above = (attacks[:, None] > genuine).mean() + (attacks[:, None] == genuine).mean() / 2
        assert row.auc == pytest.approx(above)
        assert (row.attacks, row.genuine) == (attacks.size, genuine.size)
        assert row.held_out is (row.species == "morph-complete")
    assert [row.which for row in record.gate.worst] == ["all", "seen", "held out"]
    every, seen, held = (row.bpcer_at["20"] for row in record.gate.worst)
    assert every == max(seen, held)
    page = audit_page(record, {})
    assert "BPCER20" in page
    assert "APCER at BPCER 5 %" in page.replace("\N{NO-BREAK SPACE}", " ")


def test_expected_errors_grow_from_those_without_attacks():
    record = measured()[2]
    assert {curve.name for curve in record.spoofability} == {"swap-feather", "morph-complete"}
    assert len({curve.y[0] for curve in record.spoofability}) == 1
    assert "EPSC" in audit_page(record, {})


def test_what_was_planned_stands_beside_what_was_used():
    found, made, _ = measured()
    plan = estimated(found, made.recogniser)
    planned = Planned(calls=plan.calls, cost=str(plan.cost), seconds=90.0, pictures=7)
    begun = opening(found).model_copy(update={"planned": planned})
    record = results(found, begun, made.ledger.rows, FACTS, made.recogniser.card)
    page = audit_page(record, {})
    assert "Planned and used" in page
    assert ">1.5<" in page
    further = estimated(found, made.recogniser, also=(MadeRecogniser(),))
    asked = {trial.asked for trial in for_another(found.trials, "made")}
    assert further.calls == plan.calls + len(asked)


def test_calls_of_a_program_are_planned_as_they_are_counted_and_embedding_calls_nobody():
    found = audit()
    made = ports(recogniser=MadeRecogniser(remote=False))
    plan = estimated(found, made.recogniser)
    carry_out(found.trials, found.gallery, made, Limits())
    unmade = sum(row.state == "unmade" for row in made.ledger.rows)
    assert plan.calls - unmade == len(made.recogniser.asked)
    assert EmbeddedRecogniser.price.most_calls_per_trial == 0


def row(at, **facts):
    return Row(state="answered", trial_id="t", stage="licit", at=at, **facts)


def test_time_counts_the_making_of_pictures_and_leaves_interruptions_out():
    begun = opening(audit()).model_copy(update={"started": "2026-01-01T00:00:00Z"})
    stamps = ("00:20:00", "00:20:30", "00:50:30", "00:51:00")
    rows = [row(f"2026-01-01T{stamp}Z") for stamp in stamps] + [row("")]
    assert working_s(begun, rows) == 20 * 60 + 30 + 30
    assert working_s(begun, []) == 0


def test_forging_is_timed_once_a_picture():
    facts = [("swap", "a", 10.0), ("swap", "a", 10.0), ("swap", "b", 30.0), ("", "c", None)]
    rows = [row("", species=s, probe_sha256=p, forging_ms=ms) for s, p, ms in facts]
    (one,) = generation(rows)
    assert (one.species, one.pictures, one.median_ms, one.slowest_ms) == ("swap", 2, 20.0, 30.0)
