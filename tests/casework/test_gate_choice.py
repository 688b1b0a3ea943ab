"""A gate's network is taken where it tells the attacks it learned better, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.casework.gate_card import gate_card, gate_page
from tidewaiter.casework.gate_choice import Shown, decide_gate
from tidewaiter.errors import InputError

MADE = {
    "genuine_sources": 60,
    "crops": 240,
    "forged_files": 0,
    "left_out": ["recapture"],
    "pairs": 4000,
    "rate": 6e-4,
    "seed": 0,
    "base_sha256": "ab" * 32,
}


def shown(gains: dict[str, tuple[float, float]], people: int = 40, seed: int = 1) -> list[Shown]:
    """Pictures of people; each family's attacks lie so far above genuine ones, in use and fitted."""
    rng = np.random.default_rng(seed)
    found = []
    for person in range(people):
        for family, (before, after) in {"": (0.0, 0.0), **gains}.items():
            noise = rng.normal(size=2)
            scores = (before + noise[0], after + noise[1])
            found.append(Shown(f"{person}/{family}", f"p{person}", family, scores))
    return found


def test_a_network_that_tells_attacks_better_is_accepted():
    decision = decide_gate(shown({"swap": (1.0, 6.0), "recapture": (0.0, 6.0)}), ())
    assert decision.accepted
    worst = {one.family: one.after.value for one in decision.passing}
    assert max(worst.values()) < 0.15
    assert "recapture" in str(decision.sentence) or "swap" in str(decision.sentence)
    assert (decision.genuine, decision.people) == (40, 40)
    assert decision.bpcer.lower <= 0.05 <= decision.bpcer.upper


def test_one_that_tells_nothing_better_is_refused():
    decision = decide_gate(shown({"swap": (2.0, 2.0)}), ())
    assert not decision.accepted
    assert "no better" in str(decision.sentence)


def test_one_that_lost_a_learned_family_is_refused_by_its_name():
    decision = decide_gate(shown({"swap": (4.0, 0.0), "recapture": (0.0, 8.0)}), ())
    assert not decision.accepted
    assert "it tells swap worse" in str(decision.sentence)


def test_a_family_left_out_is_told_and_decides_nothing():
    gains = {"swap": (1.0, 6.0), "recapture": (4.0, 0.0)}
    decision = decide_gate(shown(gains), ("recapture",))
    assert decision.accepted
    (left_out,) = [one for one in decision.passing if one.is_held_out]
    assert left_out.family == "recapture"
    assert left_out.after.value > 0.8
    assert "swap" in str(decision.sentence)


def test_cuts_are_fitted_on_other_people():
    """A person whose genuine pictures score far higher is turned away, never fitted to."""
    found = [one for one in shown({"swap": (0.0, 9.0)}) if one.source != "p0"]
    found += [Shown(f"p0/{number}", "p0", "", (0.0, 50.0)) for number in range(60)]
    decision = decide_gate(found, ())
    assert decision.bpcer.value > 0.5


@pytest.mark.parametrize("kept", ["", "swap"])
def test_both_kinds_of_pictures_are_needed(kept):
    found = [one for one in shown({"swap": (0.0, 9.0)}) if one.family == kept]
    with pytest.raises(InputError, match="no genuine and attacked"):
        decide_gate(found, ())


def test_one_person_cannot_fit_and_try_a_cut():
    with pytest.raises(InputError, match="too few people"):
        decide_gate(shown({"swap": (0.0, 9.0)}, people=1), ())


def test_the_card_keeps_the_network_out_of_examinations_and_shows_every_share():
    decision = decide_gate(shown({"swap": (1.0, 6.0), "recapture": (0.0, 0.0)}), ("recapture",))
    card = gate_card(MADE, decision, "cd" * 32)
    assert card["purpose"] == "gate"
    page = gate_page(card)
    assert "without recapture" in page
    assert "| recapture | no | 40 |" in page
    assert "| swap | yes | 40 |" in page
    assert "No examination may use it" in page
