"""Weighing: who may speak, how far, and when nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.opinion.making import ALTERED, calibration, finding, fusion
from tidewaiter.opinion.choosing import calibrations_heard
from tidewaiter.opinion.weighing import PROPOSITIONS, SUPPORT_LOG10_LR, weigh
from tidewaiter.vocabulary import (
    Finding,
    MediaKind,
    Opinion,
    Proposition,
    Status,
    Verdict,
    tr,
)


def _one(*findings: Finding, known: tuple[object, ...]) -> Opinion:
    (opinion,) = weigh(findings, known)  # type: ignore[arg-type]
    return opinion


def test_a_strong_score_supports_manipulation_and_names_its_calibration() -> None:
    opinion = _one(finding(score=1.5), known=(calibration(),))
    assert opinion.verdict is Verdict.SUPPORTS_MANIPULATED
    assert opinion.log10_lr == pytest.approx(1.5)
    assert opinion.lower < 1.5 < opinion.upper
    assert opinion.calibration == "image.grid-1-any"
    assert opinion.reason is None


def test_a_low_score_of_a_cue_that_may_clear_supports_as_issued() -> None:
    opinion = _one(finding(score=-1.5), known=(calibration(),))
    assert opinion.verdict is Verdict.SUPPORTS_AS_ISSUED


def test_a_cue_that_may_not_clear_never_goes_below_one() -> None:
    opinion = _one(finding(score=-50.0), known=(calibration(may_clear=False),))
    assert (opinion.log10_lr, opinion.lower, opinion.bound_lower) == (0.0, 0.0, 0.0)
    assert opinion.verdict is Verdict.CANNOT_TELL


@given(st.floats(-1e6, 1e6))
def test_nothing_passes_the_bound_or_the_cap(score: float) -> None:
    bounded = _one(finding(score=score), known=(calibration(bound=1.2),))
    assert -1.2 <= bounded.lower <= bounded.log10_lr <= bounded.upper <= 1.2
    capped = _one(finding(score=score), known=(calibration(cap=0.5),))
    assert -0.5 <= capped.lower <= capped.upper <= 0.5
    assert capped.verdict is Verdict.CANNOT_TELL


def test_without_a_calibration_a_finding_is_shown_and_weighs_nothing() -> None:
    opinion = _one(finding(), known=())
    assert (opinion.log10_lr, opinion.calibration) == (0.0, None)
    assert opinion.verdict is Verdict.CANNOT_TELL
    assert "has a calibration" in str(opinion.reason)
    (contributor,) = opinion.contributors
    assert not contributor.speaks
    assert "no calibration for version 1" in str(contributor.reason)


def test_a_calibration_of_another_version_does_not_speak() -> None:
    assert _one(finding(version="2"), known=(calibration(),)).calibration is None


def test_a_silent_finding_is_listed_with_its_own_reason() -> None:
    opinion = _one(finding(score=None), known=(calibration(),))
    assert "could examine" in str(opinion.reason)
    assert str(opinion.contributors[0].reason) == "2 pixels found; 3 needed"


def test_a_fact_carries_no_likelihood_ratio() -> None:
    fact = Finding(
        detector="provenance.c2pa",
        version="1",
        proposition=ALTERED,
        status=Status.EXAMINED,
        concludes=tr("signed"),
    )
    opinion = _one(fact, finding(), known=(calibration(),))
    assert opinion.log10_lr == pytest.approx(1.5)
    assert "fact" in str(opinion.contributors[0].reason)


def test_an_interval_that_includes_one_cannot_tell() -> None:
    opinion = _one(finding(score=1.5), known=(calibration(spread=1.0),))
    assert opinion.log10_lr >= SUPPORT_LOG10_LR
    assert opinion.verdict is Verdict.CANNOT_TELL
    assert "includes 1" in str(opinion.reason)


def test_reasons_tell_a_weak_score_from_a_low_bound() -> None:
    weak = _one(finding(score=0.4), known=(calibration(),))
    assert "too weak" in str(weak.reason)
    low = _one(finding(score=9.0), known=(calibration(bound=0.8),))
    assert "at most 6.3" in str(low.reason)


def test_without_joint_data_the_strongest_cue_speaks_alone() -> None:
    known = (calibration("image.a"), calibration("image.b"))
    opinion = _one(finding("image.a", 1.1), finding("image.b", 1.4), known=known)
    assert opinion.log10_lr == pytest.approx(1.4)
    speaks = {entry.detector: entry.speaks for entry in opinion.contributors}
    assert speaks == {"image.a": False, "image.b": True}
    assert "never added" in str(opinion.contributors[0].reason)


def test_the_record_names_the_calibration_of_every_cue_that_gave_a_number() -> None:
    known = (calibration("image.a"), calibration("image.b"), calibration("image.c"))
    findings = (finding("image.a", 1.1), finding("image.b", 1.4), finding("image.c", None))
    assert calibrations_heard(findings, weigh(findings, known), known) == known[:2]


def test_two_cues_that_support_opposite_sides_cannot_tell() -> None:
    known = (calibration("image.a"), calibration("image.b"))
    opinion = _one(finding("image.a", 1.8), finding("image.b", -1.5), known=known)
    assert opinion.verdict is Verdict.CANNOT_TELL
    assert "image.b" in str(opinion.reason)


def test_a_fusion_weighs_its_members_together() -> None:
    a, b = calibration("image.a"), calibration("image.b")
    opinion = _one(finding("image.a", 1.0), finding("image.b", 1.0), known=(a, b, fusion(a, b)))
    assert opinion.calibration == "fusion-test"
    assert opinion.log10_lr == pytest.approx(1.6)
    assert all(entry.speaks for entry in opinion.contributors)


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_a_silent_member_changes_nothing(first: float, second: float) -> None:
    a, b, c = (calibration(f"image.{letter}") for letter in "abc")
    two = _one(finding("image.a", first), finding("image.b", second), known=(a, b, fusion(a, b)))
    three = _one(
        finding("image.a", first),
        finding("image.b", second),
        finding("image.c", None),
        known=(a, b, c, fusion(a, b, c)),
    )
    assert three.log10_lr == pytest.approx(two.log10_lr)
    assert (three.lower, three.upper) == pytest.approx((two.lower, two.upper))


def test_a_fusion_with_a_member_missing_or_of_another_version_stays_silent() -> None:
    a, b = calibration("image.a"), calibration("image.b")
    known = (a, b, fusion(a, b))
    missing = _one(finding("image.a", 1.2), known=known)
    assert missing.calibration == a.id
    other = _one(finding("image.a", 1.2), finding("image.b", 1.4, version="2"), known=known)
    assert other.calibration == a.id


def test_a_cue_outside_the_fusion_is_shown_and_not_added() -> None:
    a, b, c = (calibration(f"image.{letter}") for letter in "abc")
    opinion = _one(
        finding("image.a", 1.0),
        finding("image.b", 1.0),
        finding("image.c", 2.0),
        known=(a, b, c, fusion(a, b)),
    )
    assert opinion.log10_lr == pytest.approx(1.6)
    assert not opinion.contributors[2].speaks
    assert "fused" in str(opinion.contributors[2].reason)


def test_all_members_silent_is_no_opinion() -> None:
    a, b = calibration("image.a"), calibration("image.b")
    opinion = _one(finding("image.a", None), finding("image.b", None), known=(a, b, fusion(a, b)))
    assert (opinion.log10_lr, opinion.calibration) == (0.0, None)


def test_a_site_goes_before_the_shipped_and_the_wanted_domain_before_both() -> None:
    shipped = calibration(id="shipped")
    site = calibration(id="site", origin="site", domain="gate 4")
    scanner = calibration(id="scanner", domain="scanner")
    known = (shipped, site, scanner)
    assert _one(finding(), known=known).calibration == "site"
    (opinion,) = weigh([finding()], known, domain="scanner")
    assert opinion.calibration == "scanner"
    assert opinion.domain == "scanner"


def test_of_two_shipped_calibrations_the_more_modest_speaks() -> None:
    known = (calibration(id="bold", bound=3.0), calibration(id="modest", bound=1.0))
    assert _one(finding(), known=known).calibration == "modest"


def test_propositions_that_do_not_fit_the_kind_are_left_out() -> None:
    findings = [finding(), finding("video.cut", proposition=Proposition.VIDEO_ALTERED)]
    opinions = weigh(findings, (), kind=MediaKind.VIDEO)
    assert [opinion.proposition for opinion in opinions] == [Proposition.VIDEO_ALTERED]
    assert set(PROPOSITIONS) == set(MediaKind)


def test_findings_in_another_order_give_the_same_opinion() -> None:
    known = (calibration("image.a"), calibration("image.b"))
    pair = [finding("image.a", 1.4), finding("image.b", 1.4)]
    forward, backward = weigh(pair, known)[0], weigh(pair[::-1], known)[0]
    assert forward.calibration == backward.calibration
    assert np.isclose(forward.lower, backward.lower)


def test_material_of_no_named_domain_is_weighed_by_the_calibration_of_any() -> None:
    any_domain = calibration(id="wide")
    portrait = calibration(id="narrow", domain="standard_portrait", cap=0.5)
    known = [portrait, any_domain]
    (unnamed,) = weigh([finding()], known)
    (unheard_of,) = weigh([finding()], known, domain="warehouse")
    (named,) = weigh([finding()], known, domain="standard_portrait")
    assert [o.domain for o in (unnamed, unheard_of, named)] == ["any", "any", "standard_portrait"]
    assert calibrations_heard([finding()], [named], known, "standard_portrait") == (portrait,)
