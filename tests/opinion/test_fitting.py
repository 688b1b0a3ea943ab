"""Fitting: what a table supports, what is refused, and that nothing passes its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.opinion.making import ALTERED, RECIPE, finding, gaussian_table, terms
from tidewaiter.detectors.base import Detector
from tidewaiter.opinion.applying import LN10, drawn_values, interval, speak, unbounded
from tidewaiter.opinion.cues import FittedCue, Refusal, fit_cue, terms_of
from tidewaiter.opinion.curves import Plan, fit_curve
from tidewaiter.opinion.fitting import fit_all
from tidewaiter.opinion.loading import dump_calibration, parse_calibration
from tidewaiter.opinion.plots import ece_plot
from tidewaiter.opinion.scores import ScoreTable, sample_of
from tidewaiter.opinion.weighing import weigh
from tidewaiter.vocabulary import Finding, MediaKind, tr

TERMS = {name: terms(name) for name in ("image.a", "image.b", "image.c")}


def _fitted(table: ScoreTable, **changes: object) -> FittedCue:
    outcome = fit_cue(table, replace(TERMS["image.a"], **changes), RECIPE)  # type: ignore[arg-type]
    assert isinstance(outcome, FittedCue)
    return outcome


def test_the_slope_of_gaussian_scores_is_found() -> None:
    calibration = _fitted(gaussian_table({"image.a": 1.0}, sources=1000, items=2)).calibration
    values = unbounded(calibration.curve, np.array([[0.0], [1.0]])) * LN10
    assert values == pytest.approx([0.0, 2.0], abs=0.2)
    assert calibration.measures is not None
    assert calibration.measures.cllr.lower < calibration.measures.cllr.value < 0.7
    assert calibration.measures.cllr_cal.value < 0.03


def test_the_same_table_gives_the_same_file_in_any_order() -> None:
    table = gaussian_table({"image.a": 1.5})
    first = dump_calibration(_fitted(table).calibration)
    assert dump_calibration(_fitted(table).calibration) == first
    assert parse_calibration(first, "x") == _fitted(table).calibration


def test_bounds_count_sources_and_not_files() -> None:
    few = _fitted(gaussian_table({"image.a": 4.0}, sources=40, items=25)).calibration
    assert few.as_issued.items == 500
    assert few.bounds.upper <= np.log10(21)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (gaussian_table({"image.a": -1.0}), "not more manipulation-like"),
        (gaussian_table({"image.a": 2.0}, sources=8), "4 independent sources of manipulated"),
        (ScoreTable(()), "0 independent sources"),
    ],
)
def test_what_carries_nothing_is_refused(table: ScoreTable, reason: str) -> None:
    outcome = fit_cue(table, TERMS["image.a"], RECIPE)
    assert isinstance(outcome, Refusal)
    assert reason in str(outcome.reason)


def test_noise_is_refused_or_bounded_to_next_to_nothing() -> None:
    for seed in range(8):
        outcome = fit_cue(gaussian_table({"image.a": 0.0}, seed=seed), TERMS["image.a"], RECIPE)
        if isinstance(outcome, FittedCue):
            assert outcome.calibration.bounds.upper < 0.5


def test_a_bound_below_two_is_refused() -> None:
    weak = gaussian_table({"image.a": 0.15}, seed=1, sources=60, items=10)
    outcome = fit_cue(weak, TERMS["image.a"], RECIPE)
    assert isinstance(outcome, Refusal)
    assert "supports neither side" in str(outcome.reason)


def test_no_error_among_few_sources_is_not_a_rate_of_zero() -> None:
    measures = _fitted(gaussian_table({"image.a": 9.0}, sources=40)).calibration.measures
    assert measures is not None
    assert measures.false_support.value == 0
    assert measures.false_support.upper == pytest.approx(1 - 0.025 ** (1 / 20), abs=1e-5)
    assert measures.found.lower < 1


def test_rows_of_another_version_do_not_count() -> None:
    outcome = fit_cue(
        gaussian_table({"image.a": 2.0}), replace(TERMS["image.a"], version="2"), RECIPE
    )
    assert isinstance(outcome, Refusal)


def test_declined_items_are_reported() -> None:
    calibration = _fitted(gaussian_table({"image.a": 2.0}, declines=0.3)).calibration
    assert calibration.as_issued.declined > 0
    assert calibration.as_issued.items + calibration.as_issued.declined == 80


def test_an_isotonic_curve_is_monotone_and_bounded_like_the_others() -> None:
    table = gaussian_table({"image.a": 1.5}, sources=200)
    outcome = fit_cue(table, TERMS["image.a"], RECIPE, "isotonic")
    assert isinstance(outcome, FittedCue)
    calibration = outcome.calibration
    assert calibration.curve.kind == "isotonic"
    spoken = [speak(calibration, score).log10_lr for score in np.linspace(-9, 9, 50)]
    assert np.all(np.diff(spoken) >= 0)
    assert max(spoken) <= calibration.bounds.upper
    best = fit_cue(table, TERMS["image.a"], RECIPE, "best")
    assert isinstance(best, FittedCue)
    assert best.calibration.measures is not None
    assert calibration.measures is not None
    assert best.calibration.measures.cllr.value <= calibration.measures.cllr.value


def test_scores_on_a_few_levels_can_be_fitted() -> None:
    table = gaussian_table({"image.a": 1.5})
    levels = tuple(replace(row, score=float(np.round(row.score or 0.0))) for row in table.rows)
    for kind in ("logistic", "isotonic"):
        outcome = fit_cue(ScoreTable(levels), TERMS["image.a"], RECIPE, kind)  # type: ignore[arg-type]
        assert isinstance(outcome, FittedCue)


def test_an_affine_change_of_scores_changes_nothing() -> None:
    table = gaussian_table({"image.a": 1.0})
    changed = ScoreTable(
        tuple(replace(row, score=1000.0 * (row.score or 0.0) - 7) for row in table.rows)
    )
    for penalty in (0.0, 1e-3):
        recipe = replace(RECIPE, penalty=penalty)
        first = fit_cue(table, TERMS["image.a"], recipe)
        second = fit_cue(changed, TERMS["image.a"], recipe)
        assert isinstance(first, FittedCue)
        assert isinstance(second, FittedCue)
        for score in (-1.0, 0.0, 2.0):
            a = speak(first.calibration, score)
            b = speak(second.calibration, 1000.0 * score - 7)
            assert (a.log10_lr, a.lower) == pytest.approx((b.log10_lr, b.lower), abs=1e-4)


def test_a_perfect_cue_stays_finite_and_within_its_bound() -> None:
    calibration = _fitted(gaussian_table({"image.a": 40.0}, sources=20, items=1)).calibration
    assert speak(calibration, 1e9).upper <= np.log10(11)
    assert speak(calibration, -1e9).lower >= -np.log10(11)


def test_no_likelihood_ratio_beyond_its_bound_in_ten_thousand_draws() -> None:
    table = gaussian_table({"image.a": 1.5}, sources=40)
    outcome = fit_cue(table, TERMS["image.a"], replace(RECIPE, draws=10_000))
    assert isinstance(outcome, FittedCue)
    calibration = outcome.calibration
    scores = np.array([row.score for row in table.rows])
    drawn = drawn_values(calibration.curve, scores)
    assert drawn.shape[0] == 10_000
    assert np.abs(drawn).max() > calibration.bounds.upper
    for score in (*scores[:20], -1e6, 1e6):
        spoken = speak(calibration, float(score))
        assert spoken.draws.max() <= min(calibration.bounds.upper, np.log10(21))
        assert spoken.draws.min() >= max(calibration.bounds.lower, -np.log10(21))


def test_dependent_cues_are_fused_and_not_added() -> None:
    table = gaussian_table({"image.a": 1.2}, sources=200)
    twin = tuple(replace(row, detector="image.b") for row in table.rows)
    result = fit_all(ScoreTable(table.rows + twin), TERMS, RECIPE)
    findings = [finding("image.a", 1.0), finding("image.b", 1.0)]
    (opinion,) = weigh(findings, result.calibrations)
    (alone,) = weigh(findings[:1], result.calibrations)
    assert opinion.log10_lr < 1.3 * alone.log10_lr


def test_independent_cues_say_more_together() -> None:
    table = gaussian_table({"image.a": 1.0, "image.b": 1.0}, sources=400)
    result = fit_all(table, TERMS, RECIPE)
    fused = [entry for entry in result.calibrations if entry.is_fusion]
    assert len(fused) == 1
    assert fused[0].measures is not None
    singles = [entry for entry in result.calibrations if not entry.is_fusion]
    assert all(
        fused[0].measures.cllr.value < entry.measures.cllr.value  # type: ignore[union-attr]
        for entry in singles
    )


def test_a_cue_that_carries_nothing_is_left_out_of_the_fusion() -> None:
    table = gaussian_table({"image.a": 1.2, "image.b": 1.2, "image.c": 0.0}, sources=200)
    result = fit_all(table, TERMS, RECIPE)
    fused = next(entry for entry in result.calibrations if entry.is_fusion)
    assert {member.detector for member in fused.members} == {"image.a", "image.b"}


def test_no_evidence_never_supports_manipulation() -> None:
    silent_terms = {name: replace(TERMS[name], may_clear=False) for name in ("image.a", "image.b")}
    table = gaussian_table({"image.a": 1.2, "image.b": 1.2}, sources=200, declines=0.3)
    result = fit_all(table, silent_terms, RECIPE)
    for entry in result.calibrations:
        assert entry.spoken_lower == 0
        if entry.is_fusion:
            assert entry.curve.intercept <= 0  # type: ignore[union-attr]


def test_a_capped_cue_never_outgrows_its_cap_in_a_fusion() -> None:
    capped = {name: replace(TERMS[name], cap=0.2) for name in ("image.a", "image.b")}
    table = gaussian_table({"image.a": 2.0, "image.b": 2.0}, sources=200)
    result = fit_all(table, capped, RECIPE)
    for entry in result.calibrations:
        assert entry.spoken_upper <= 0.2
        if entry.is_fusion:
            assert max(entry.curve.slopes) <= LN10 + 1e-9  # type: ignore[union-attr]


def test_swapping_the_classes_changes_the_sign() -> None:
    table = gaussian_table({"image.a": 1.0})
    swapped = ScoreTable(
        tuple(
            replace(
                row,
                label="as_issued" if row.label == "manipulated" else "manipulated",
                score=-(row.score or 0.0),
            )
            for row in table.rows
        )
    )
    first, second = _fitted(table).calibration, _fitted(swapped).calibration
    values = unbounded(first.curve, np.array([[0.3], [2.0]]))
    assert unbounded(second.curve, np.array([[-0.3], [-2.0]])) == pytest.approx(-values, abs=1e-6)


def test_the_plots_have_their_numbers() -> None:
    calibration = _fitted(gaussian_table({"image.a": 1.0})).calibration
    ece = ece_plot(calibration.held_out_manipulated, calibration.held_out_as_issued)
    middle = ece.given.size // 2
    assert calibration.measures is not None
    assert ece.given[middle] == pytest.approx(calibration.measures.cllr.value, abs=0.02)
    assert ece.silent[middle] == pytest.approx(1.0)
    assert np.all(ece.given[middle - 10 : middle + 10] < ece.silent[middle - 10 : middle + 10])


def test_terms_come_from_the_detectors_that_weigh() -> None:
    class Grid(Detector):
        id = "image.grid"
        version = "3"
        proposition = ALTERED
        media = frozenset({MediaKind.PICTURE})
        needs = frozenset()
        looks_for = speaks_when = score_unit = tr("x")
        limitations = ()
        cap = 0.5

        def examine(self, traces: object) -> Finding:
            raise AssertionError

    class Facts(Grid):
        id = "image.facts"
        weighs = False

    found = terms_of([Grid(), Facts()])
    assert set(found) == {"image.grid"}
    assert (found["image.grid"].version, found["image.grid"].cap) == ("3", 0.5)


@pytest.mark.slow
def test_the_interval_holds_the_true_value() -> None:
    """Scores N(±1, 1) have the log10 LR 2 s / ln 10; nominal 95 %, at least 93 % is needed."""
    held = {-1.0: 0, 0.5: 0, 1.5: 0}
    repetitions = 200
    for seed in range(repetitions):
        table = gaussian_table({"image.a": 1.0}, seed=seed, sources=60, items=1)
        curve = fit_curve(sample_of(table.rows), Plan(draws=400), np.random.default_rng(seed))
        assert curve is not None
        for score in held:
            value = float(unbounded(curve, np.array([[score]]))[0])
            lower, upper = interval(value, drawn_values(curve, np.array([score]))[:, 0])
            held[score] += lower <= 2 * score / LN10 <= upper
    assert min(held.values()) / repetitions >= 0.93
