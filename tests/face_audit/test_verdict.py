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


def told(accepted: str, gated: str | None = None, alike: str = "below") -> list[str]:
    row = AttackRow(
        species="swap-feather",
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
    nothing = dict.fromkeys(("fnmr", "fta", "frr", "frr_gated", "bpcer", "fmr_random"))
    at = AtThreshold(
        threshold=ThresholdUsed(name="given", value=0.5),
        licit=Licit(**nothing, fmr_look_alike=rate(alike)),
        attacks=(row,),
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
