"""What is tried on whom follows from the protocol alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.face_audit.making import PROTOCOL, audit, closeness, listed
from tidewaiter.face_audit.trials import LOOKALIKE, RANDOM, Role, for_another
from tidewaiter.wiring_makers import _payload, _probe


def of(found, role):
    return [trial for trial in found.trials if trial.role is role]


def test_the_same_protocol_gives_the_same_trials_and_each_once():
    first, second = audit(), audit()
    assert first.trials == second.trials
    assert len({trial.id for trial in first.trials}) == len(first.trials)


def test_nobody_meets_the_other_side_and_attacks_stay_on_the_measured_one():
    found = audit()
    side = found.setting.part_of
    assert all(side[t.target] == side[t.source] == t.part for t in found.trials)
    assert {t.part for t in of(found, Role.ATTACK)} == {"test"}
    assert {t.part for t in of(found, Role.ZERO_EFFORT)} == {"calibrate", "test"}


def test_the_look_alike_is_the_nearest_on_the_same_side():
    found = audit()
    for trial in of(found, Role.LOOK_ALIKE):
        others = found.setting.others(trial.target)
        nearest = max(others, key=lambda other: closeness(trial.target, other))
        assert trial.source == nearest


def test_every_attacked_pair_has_its_baseline_without_an_attack():
    found = audit()
    honest = {(t.target, t.source) for t in found.trials if t.role is not Role.ATTACK}
    attacked = {(t.target, t.source) for t in of(found, Role.ATTACK)}
    assert attacked <= honest
    assert {t.pair for t in of(found, Role.ATTACK)} == {LOOKALIKE, RANDOM}


def test_a_morph_meets_both_contributors_and_none_of_its_own_photos():
    morphs = [t for t in audit().trials if t.species == "morph-complete"]
    by_probe = {}
    for trial in morphs:
        by_probe.setdefault(trial.probe.key, set()).add(trial.compared)
        made_from = {p.sha256 for pair in trial.probe.choices for p in pair if p}
        assert trial.reference.sha256 not in made_from
    assert all(len(people) == 2 for people in by_probe.values())
    headline = [t for t in morphs if t.headline]
    assert {t.probe.key for t in headline} == set(by_probe)
    assert all(t.compared == t.target for t in headline)


def test_a_pair_may_be_made_from_other_photos_of_the_same_two_people():
    attacks = [t.probe for t in audit().trials if t.species]
    assert all(len(probe.choices) == 4 for probe in attacks)
    for probe in attacks:
        assert {pair[0].person for pair in probe.choices} == {probe.host.person}
        assert {pair[1].person for pair in probe.choices} == {probe.donor.person}


def test_a_swap_puts_the_target_into_the_attackers_picture():
    for trial in audit().trials:
        if trial.species == "swap-feather":
            assert trial.probe.host.person == trial.source
            assert trial.probe.donor.person == trial.target


def test_more_seeds_turn_through_the_photos():
    base = PROTOCOL.replace('species = "swap-feather"', 'species = "swap-feather"\nseeds = [1, 2]')
    pairs = {}
    for trial in audit(base=base).trials:
        if trial.species == "swap-feather":
            pairs.setdefault((trial.target, trial.source), set()).add(trial.probe.host.file)
    assert all(len(files) == 2 for files in pairs.values())


def test_every_forgery_has_a_draw_of_its_own_and_the_same_one_anywhere():
    """One draw for all pairs would make a species as strong as that draw happens to be."""
    base = PROTOCOL.replace('species = "swap-feather"', 'species = "swap-feather"\nseeds = [1, 2]')
    first, again = (
        {t.probe.key: t.probe.draw for t in of(audit(base=base), Role.ATTACK)} for _ in range(2)
    )
    assert first == again
    assert len(set(first.values())) == len(first) > 10


def test_parts_of_a_morph_share_the_draw_of_everything_else():
    base = PROTOCOL.replace('morph-complete"', 'morph-complete"\nalpha = [0.3, 0.5]')
    found = audit(base=base)
    by_draw = {}
    for trial in of(found, Role.ATTACK):
        if trial.probe.alpha is not None:
            by_draw.setdefault(trial.probe.draw, set()).add(trial.probe.alpha)
    assert by_draw
    assert all(parts == {0.3, 0.5} for parts in by_draw.values())


def test_a_search_has_no_reference_and_enrols_everybody():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    found = audit(base=base, people=listed(12, enrol=2))
    assert all(trial.reference is None for trial in found.trials)
    assert len(found.gallery) == 24


MORPHS = PROTOCOL.replace('"morph-complete"', '"morph-complete"\nalpha = [0.3, 0.5]')


def test_each_part_of_a_morph_makes_pictures_of_its_own():
    drawn = {t.probe.key for t in audit().trials if t.species == "morph-complete"}
    fixed = {t.probe.key: t.probe for t in audit(base=MORPHS).trials if t.probe.alpha}
    assert len(fixed) == 2 * len(drawn)
    assert {probe.alpha for probe in fixed.values()} == {0.3, 0.5}
    assert not drawn & set(fixed)


def test_a_further_recogniser_meets_honest_people_and_morphs_under_ids_of_its_own():
    found = audit()
    further = for_another(found.trials, "faceres")
    assert {t.species for t in further} == {"", "morph-complete"}
    assert len(further) == sum(t.species in {"", "morph-complete"} for t in found.trials)
    assert not {t.id for t in further} & {t.id for t in found.trials}
    assert {t.id for t in further}.isdisjoint(t.id for t in for_another(found.trials, "other"))


def test_a_probe_is_the_same_after_a_journey_to_a_worker():
    for trial in audit(base=MORPHS).trials:
        said = json.loads(json.dumps(_payload(Path("w"), trial.probe, judged=True)))
        assert _probe(said["probe"]) == trial.probe


def test_a_recapture_is_made_once_for_each_target_however_many_pictures_others_gave():
    rows = listed().splitlines()
    few = [
        row
        for row in rows
        if not (row.startswith(("p01", "p04", "p07")) and "/1." not in row and "/0." not in row)
    ]
    base = PROTOCOL.replace("swap-feather", "recapture-print")
    found = audit(base=base, people="\n".join(few) + "\n")
    targets = [t.target for t in found.trials if t.species == "recapture-print"]
    assert sorted(targets) == sorted(found.setting.targets)
