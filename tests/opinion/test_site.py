"""Site calibrations: few items move the offset, more refit, worse is never installed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.opinion.making import RECIPE, calibration, finding, fusion, gaussian_table, terms
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.loading import dump_calibration, parse_calibration
from tidewaiter.opinion.scores import ScoreTable
from tidewaiter.opinion.site import calibrate_site
from tidewaiter.opinion.site_cues import SiteOutcome
from tidewaiter.opinion.weighing import weigh

SITE = replace(RECIPE, origin="site", domain="gate 4")
TERMS = {"image.grid": terms("image.grid")}
STRENGTH = 1.5
# Scores N(±1.5, 1) have the log LR 3 s; in log10 1.30 s.
BASE = calibration(slope=2 * STRENGTH / np.log(10), bound=2.0)


def _table(sources: int, shift: float, seed: int = 0) -> ScoreTable:
    return gaussian_table(
        {"image.grid": STRENGTH}, seed=seed, sources=sources, items=1, shift=shift
    )


def _only(table: ScoreTable, known: Calibration = BASE) -> SiteOutcome:
    (outcome,) = calibrate_site(table, [known], TERMS, SITE)
    return outcome


def test_ten_and_ten_move_the_offset_and_shrink_the_bound() -> None:
    outcome = _only(_table(20, shift=2.0))
    assert outcome.action == "moved"
    assert outcome.calibration is not None
    assert outcome.calibration.bounds.upper <= np.log10(11)
    assert outcome.calibration.curve.kind == "logistic"
    assert outcome.calibration.curve.slopes == BASE.curve.slopes  # type: ignore[union-attr]
    assert outcome.cost_after is not None
    assert outcome.cost_before is not None
    assert outcome.cost_after < outcome.cost_before
    assert "cost fell from" in str(outcome.sentence)


def test_a_moved_calibration_finds_the_right_offset() -> None:
    outcome = _only(_table(400, shift=2.0))
    assert outcome.calibration is not None
    curve = outcome.calibration.curve
    assert curve.kind == "logistic"
    middle = curve.centres[0] - curve.intercept * curve.scales[0] / curve.slopes[0]
    assert middle == pytest.approx(2.0, abs=0.25)


def test_where_the_shipped_one_fits_it_is_kept() -> None:
    outcome = _only(_table(20, shift=0.0, seed=3))
    assert outcome.action == "kept"
    assert outcome.calibration is None


def test_labels_that_say_nothing_install_nothing() -> None:
    table = _table(40, shift=0.0)
    rng = np.random.default_rng(1)
    labels = rng.permutation([row.label for row in table.rows])
    shuffled = ScoreTable(
        tuple(replace(row, label=str(label)) for row, label in zip(table.rows, labels, strict=True))
    )
    outcome = _only(shuffled)
    if outcome.calibration is not None:
        assert outcome.calibration.spoken_upper < 0.5


def test_more_data_fit_the_slope_anew() -> None:
    steep = calibration(slope=0.3, bound=2.0)
    outcome = _only(_table(160, shift=0.3), steep)
    assert outcome.action == "refitted"
    assert outcome.calibration is not None
    assert outcome.calibration.bounds.upper <= np.log10(81)


def test_genuine_items_alone_move_toward_caution_only() -> None:
    higher = _table(24, shift=1.5)
    genuine = ScoreTable(tuple(row for row in higher.rows if row.label == "as_issued"))
    base = BASE.model_copy(update={"usual_as_issued": -STRENGTH * 3 / np.log(10)})
    outcome = _only(genuine, base)
    assert outcome.action == "moved"
    assert outcome.calibration is not None
    assert outcome.calibration.bounds.lower == 0
    assert outcome.calibration.bounds.upper <= np.log10(13)
    assert outcome.calibration.curve.intercept < 0  # type: ignore[union-attr]
    lower = _table(24, shift=-1.5)
    kept = _only(ScoreTable(tuple(row for row in lower.rows if row.label == "as_issued")), base)
    assert (kept.action, kept.calibration) == ("kept", None)


def test_nine_genuine_items_are_too_few() -> None:
    outcome = _only(_table(18, shift=2.0))
    assert outcome.action == "refused"
    assert "9 independent genuine items could be examined; 10 needed" in str(outcome.sentence)


def test_without_a_shipped_calibration_the_items_make_their_own() -> None:
    (outcome,) = calibrate_site(_table(60, shift=2.0), [], TERMS, SITE)
    assert outcome.action == "fitted"
    assert outcome.calibration is not None
    assert outcome.calibration.origin == "site"
    (nothing,) = calibrate_site(
        gaussian_table({"image.grid": -1.0}, sources=30, items=1), [], TERMS, SITE
    )
    assert nothing.calibration is None
    assert nothing.reason is not None


def test_an_installed_site_calibration_speaks_first() -> None:
    outcome = _only(_table(20, shift=2.0))
    assert outcome.calibration is not None
    again = parse_calibration(dump_calibration(outcome.calibration), "site")
    (opinion,) = weigh([finding(score=2.0)], [BASE, again])
    assert opinion.calibration == again.id
    assert opinion.domain == "gate 4"
    assert abs(opinion.log10_lr) < 0.6


def test_a_fusion_follows_its_moved_members() -> None:
    slope = 2 * STRENGTH / np.log(10)
    a, b = (calibration(f"image.{x}", slope=slope) for x in "ab")
    table = gaussian_table(
        {"image.a": STRENGTH, "image.b": STRENGTH}, sources=40, items=1, shift=2.0
    )
    known = [a, b, fusion(a, b)]
    outcomes = calibrate_site(table, known, {x: terms(x) for x in ("image.a", "image.b")}, SITE)
    together = outcomes[-1].calibration
    assert together is not None
    assert together.is_fusion
    made = [outcome.calibration for outcome in outcomes if outcome.calibration is not None]
    findings = [finding("image.a", 2.0), finding("image.b", 2.0)]
    (opinion,) = weigh(findings, [*known, *made])
    assert opinion.calibration == together.id
    assert abs(opinion.log10_lr) < 1.0


def test_a_shipped_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match="site is needed"):
        calibrate_site(_table(20, shift=0.0), [BASE], TERMS, RECIPE)
