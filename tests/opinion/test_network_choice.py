"""A network is accepted when it is better, and refused when it is worse or may be."""

from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.opinion import network_choice
from tidewaiter.opinion.network_choice import (
    AS_RECEIVED,
    FalseSupport,
    choose,
    compare,
)
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, ScoreRow, ScoreTable
from tidewaiter.vocabulary import Status

BEFORE, AFTER = "1", "1+0123abcd"
NO_SUPPORT = FalseSupport(before=0.0, after=0.0, items=300, sources=150)


def table(
    shift: float, *, sources: int = 60, noise: float = 0.1, species: str = "swap"
) -> ScoreTable:
    """Forged items stand 2 above genuine ones before, `shift` more after; `noise` is the fit's."""
    rng = np.random.default_rng(5)
    rows = []
    for source in range(sources):
        for label, height in ((AS_ISSUED, 0.0), (MANIPULATED, 2.0)):
            for way in ("saved", "jpeg 50"):
                score = height + rng.normal()
                moved = score + shift * (label == MANIPULATED) + noise * rng.normal()
                kind = species if label == MANIPULATED else ""
                for version, value in ((BEFORE, score), (AFTER, moved)):
                    rows.append(row(version, source, label, kind, way, value))
    return ScoreTable(tuple(rows))


def row(version, source, label, species, way, score) -> ScoreRow:
    status = Status.EXAMINED if score is not None else Status.NOT_APPLICABLE
    item = f"{source}/{label}"
    return ScoreRow("face.x", version, item, f"s{source}", label, species, way, status, score)


def compared(shift: float, **more):
    return compare(table(shift, **more), (BEFORE, AFTER), ("swap",), np.random.default_rng(1))


def test_a_better_network_is_accepted_with_its_figures():
    comparison = compared(0.8)
    choice = choose([comparison], NO_SUPPORT)
    assert choice.accepted
    assert comparison.gain.lower > 0
    assert f"{comparison.auc_after.value:.3f}" in str(choice.sentence)
    assert str(choice.sentence).startswith("accepted")


def test_a_worse_network_is_refused():
    comparison = compared(-0.8)
    choice = choose([comparison], NO_SUPPORT)
    assert comparison.is_worse
    assert not choice.accepted
    assert str(choice.sentence).startswith("refused: on held-out forgeries (swap)")


def test_one_family_that_gets_worse_is_enough_to_refuse():
    better, worse = compared(0.8), compared(-0.8)
    assert not choose([better, worse], NO_SUPPORT).accepted


def test_a_loss_that_few_sources_cannot_rule_out_is_refused():
    """The point estimate is no worse, but its interval reaches far below."""
    comparison = compared(0.0, sources=6, noise=1.5)
    assert comparison.gain.lower < -0.03
    assert not choose([comparison], NO_SUPPORT).accepted


def test_more_false_support_is_refused():
    choice = choose([compared(0.8)], FalseSupport(before=0.01, after=0.06, items=300, sources=150))
    assert not choice.accepted
    assert "1.0 % to 6.0 %" in str(choice.sentence)
    assert "300" in str(choice.sentence)


def test_more_false_support_that_chance_explains_is_tolerated():
    few = FalseSupport(before=0.0, after=0.03, items=100, sources=50)
    many = FalseSupport(before=0.0, after=0.03, items=4000, sources=2000)
    assert not few.is_worse
    assert many.is_worse


def test_false_support_up_to_two_in_a_hundred_is_tolerated():
    assert choose(
        [compared(0.8)], FalseSupport(before=0.0, after=0.02, items=300, sources=150)
    ).accepted


def test_a_network_that_gains_nothing_is_refused():
    same = compared(0.0, noise=0.0)
    assert same.gain.value == 0
    choice = choose([same], NO_SUPPORT)
    assert not choice.accepted
    assert "gains nothing" in str(choice.sentence)


def test_less_false_support_alone_is_a_gain():
    same = compared(0.0, noise=0.0)
    assert choose([same], FalseSupport(before=0.02, after=0.01, items=300, sources=150)).accepted


def test_only_items_that_both_examined_are_compared():
    full = table(0.8, sources=20)
    lost = {f"{source}/{AS_ISSUED}" for source in range(5)}
    rows = [
        row(r.version, r.source[1:], r.label, r.species, r.shipping, None)
        if r.version == AFTER and r.item in lost
        else r
        for r in full.rows
    ]
    comparison = compare(
        ScoreTable(tuple(rows)), (BEFORE, AFTER), ("swap",), np.random.default_rng(1)
    )
    assert comparison.genuine_items == 2 * (20 - 5)
    assert comparison.forged_items == 2 * 20


def test_items_as_received_and_other_forgeries_do_not_count():
    rows = list(table(0.8, sources=20).rows)
    for version in (BEFORE, AFTER):
        rows.append(row(version, 1, AS_ISSUED, "", AS_RECEIVED, 99.0))
        rows.append(row(version, 2, MANIPULATED, "morph", "saved", -99.0))
    plain = compared(0.8, sources=20)
    more = compare(ScoreTable(tuple(rows)), (BEFORE, AFTER), ("swap",), np.random.default_rng(1))
    assert more == plain


@pytest.mark.slow
def test_intervals_of_the_change_cover_the_truth(monkeypatch):
    """Over seeded repetitions the 95 % interval of the change holds the true one."""
    truth = 0.0228  # of two areas under unit normals 2 and 2.3 apart: Φ(2.3/√2) − Φ(2/√2)
    held = 0
    monkeypatch.setattr(network_choice, "DRAWS", 150)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = []
        for source in range(80):
            for label, height in ((AS_ISSUED, 0.0), (MANIPULATED, 2.0)):
                score = height + rng.normal()
                for version, value in (
                    (BEFORE, score),
                    (AFTER, score + 0.3 * (label == MANIPULATED)),
                ):
                    rows.append(row(version, source, label, "swap", "saved", value))
        found = compare(
            ScoreTable(tuple(rows)), (BEFORE, AFTER), ("swap",), np.random.default_rng(seed)
        )
        held += found.gain.lower <= truth <= found.gain.upper
    assert held >= 51  # 85 %: a percentile interval over 80 sources is a little short
