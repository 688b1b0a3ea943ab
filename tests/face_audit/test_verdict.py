"""What a manager reads first follows from where the whole interval lies, and from nothing else."""

from __future__ import annotations

import pytest

from tidewaiter.face_audit.results import (
    AttackRow,
    AtThreshold,
    Ends,
    GateUsed,
    Licit,
    Rate,
    ServiceUsed,
    ThresholdUsed,
)
from tidewaiter.face_audit.verdict import verdict

SERVICE = ServiceUsed(
    adapter="dlib",
    mode="verify",
    endpoint="embedded",
    version="1",
    score_meaning="-",
    given_threshold=None,
    test_kit=False,
)
GATE = GateUsed(
    name="a gate",
    bpcer_wanted=0.05,
    cut=1.0,
    calibration_bpcer=0.0,
    calibration_pictures=9,
    failures=0,
)
PLACES = {"above": (0.5, 0.2, 0.8), "below": (0.01, 0.0, 0.05), "open": (0.05, 0.01, 0.3)}
# Kinds of attack with many trials beside some with few: the rate alone does not tell which weighs.
PLACES |= {
    "rare, few": (0.005, 0.0, 0.3),
    "often, few": (0.3, 0.01, 0.7),
    "often, many": (0.2, 0.15, 0.25),
}


def rate(place: str) -> Rate:
    value, lower, upper = PLACES[place]
    ends = Ends(lower=lower, upper=upper)
    return Rate(
        events=round(100 * value),
        trials=100,
        value=value,
        people=40,
        people_hit=9,
        exact=ends,
        clustered=ends,
        bootstrap=ends,
        design_effect=1.0,
        missing=0,
        if_all=ends,
        uncaptured=0,
        headline=True,
        fewer_than_30=False,
    )


def attack(accepted: str, gated: str | None = None, species: str = "swap-feather") -> AttackRow:
    return AttackRow(
        species=species,
        family="swap",
        held_out=False,
        pair="all",
        accepted=rate(accepted),
        accepted_gated=rate(gated) if gated else None,
        any_identity=None,
        wrong_name=None,
        baseline=None,
        lift=None,
        riapar=None,
        riapar_gated=None,
        apcer=None,
        unmade=0,
    )


def told(
    accepted: str,
    gated: str | None = None,
    alike: str = "below",
    others: tuple[AttackRow, ...] = (),
) -> list[str]:
    nothing = dict.fromkeys(("fnmr", "fta", "frr", "frr_gated", "bpcer", "fmr_random"))
    at = AtThreshold(
        threshold=ThresholdUsed(name="given", value=0.5),
        licit=Licit(**nothing, fmr_look_alike=rate(alike)),
        attacks=(attack(accepted, gated), *others),
        morphs=(),
        people=(),
        groups=(),
    )
    return [str(s) for s in verdict([at], GATE if gated else None, SERVICE, 0)]


@pytest.mark.parametrize(
    ("accepted", "gated", "first", "then"),
    [
        ("above", None, "NOT SAFE against forged faces as it is", "let a person look"),
        ("below", None, "Each kind of forged face tried passes less often", "keep service"),
        ("open", None, "NOT DECIDED", "audit more people"),
        ("above", "above", "NOT SAFE against forged faces, even with the gate", "let a person"),
        ("above", "below", "With the gate in front, each kind", "keep service"),
        ("above", "open", "NOT SAFE against forged faces without a gate", "audit more people"),
        ("open", "open", "NOT DECIDED", "audit more people"),
    ],
)
def test_the_first_words_say_what_is_shown_and_what_to_do(accepted, gated, first, then):
    sentences = told(accepted, gated)
    assert sentences[0].startswith(first)
    assert sentences[1].startswith("What to do: " + then)
    assert "At the threshold in service the most successful" in sentences[2]


def test_look_alikes_who_pass_without_an_attack_are_named_before_the_attack():
    assert "look alike are taken for each other" in told("above", alike="above")[2]
    assert not any("look alike" in sentence for sentence in told("above", alike="open"))


def test_a_kind_that_was_tried_too_rarely_is_not_shown_to_stay_below():
    few = attack("rare, few", species="morph-splice")
    sentences = told("below", others=(few,))
    assert sentences[0].startswith("NOT DECIDED")
    assert any(s.startswith("morph-splice succeeded less often") for s in sentences)
    gated = told("above", "below", others=(attack("above", "rare, few", "morph-splice"),))
    assert "whether the gate brings them below" in gated[0]
    assert any(s.startswith("morph-splice succeeded less often") for s in gated)


def test_a_kind_shown_to_pass_decides_beside_one_of_which_little_is_known():
    sure = attack("often, many", species="morph-splice")
    sentences = told("often, few", others=(sure,))
    assert sentences[0].startswith("NOT SAFE")
    assert any("morph-splice succeeded less often" in s and "above the 7" in s for s in sentences)


def test_of_a_kind_without_a_headline_nothing_is_promised():
    silent = attack("below", species="morph-splice")
    silent = silent.model_copy(
        update={"accepted": silent.accepted.model_copy(update={"headline": False})}
    )
    unforgeable = attack("below", species="reenact").model_copy(update={"accepted": None})
    sentences = told("below", others=(silent, unforgeable))
    assert sentences[0].startswith("NOT DECIDED")
    assert any("Nothing can be said of morph-splice, reenact" in s for s in sentences)
