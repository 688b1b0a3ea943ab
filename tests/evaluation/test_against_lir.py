"""Our measures against `lir` 1.3.1 and scikit-learn 1.9.1: their numbers, and them where present."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tidewaiter.evaluation.cllr import cllr, cllr_min, dev_pav, ece, pav
from tidewaiter.evaluation.elub import elub, invariance_bounds
from tidewaiter.evaluation.rates import auc
from tidewaiter.opinion.logistic import class_balanced, fit


@dataclass(frozen=True)
class Golden:
    """Results of the oracles on Gaussian log10 LR rounded to three decimals."""

    seed: int
    manipulated: int
    as_issued: int
    shift: float
    spread: float
    cllr: float
    cllr_min: float
    dev_pav: float | None
    elub: tuple[float, float]
    invariance: tuple[float, float]
    ece: tuple[float, float, float]
    logistic: tuple[float, float]
    isotonic_squares: float
    auc: float

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        values = np.concatenate(
            [
                rng.normal(self.shift, self.spread, self.manipulated),
                rng.normal(-self.shift, self.spread, self.as_issued),
            ]
        )
        labels = np.zeros(values.size, dtype=np.bool_)
        labels[: self.manipulated] = True
        return np.round(values, 3), labels


# Computed once with lir 1.3.1 and scikit-learn 1.9.1 (penalty 1e-3 on the slope).
GOLDEN = [
    Golden(
        0,
        40,
        60,
        1.0,
        1.0,
        0.5645902810667807,
        0.4418092294238027,
        0.30081889954106394,
        (-0.95, 1.28),
        (-1.057, 1.451),
        (0.27179876475330195, 0.5645902810667807, 0.2618406485763414),
        (-0.34564941441336056, 2.044810670319829),
        34.01965399729495,
        0.9060416666666666,
    ),
    Golden(
        1,
        300,
        300,
        0.8,
        0.6,
        0.38600060706957534,
        0.27157354373778053,
        0.45569329926367425,
        (-1.53, 1.38),
        (-1.64, 1.544),
        (0.20312958913901125, 0.3860006070695753, 0.2005794813989414),
        (0.033905988306492586, 4.506845871629065),
        265.5425985778927,
        0.9738222222222223,
    ),
    Golden(
        2,
        10,
        10,
        5.0,
        0.3,
        1.738617969492499e-05,
        0.0,
        None,
        (-0.99, 1.0),
        (-1.322, 1.322),
        (1.9577043475072913e-05, 1.7386179694928465e-05, 1.5192337047011321e-05),
        (0.08153230940366396, 1.6180379560371312),
        10.0,
        1.0,
    ),
    Golden(
        3,
        500,
        80,
        0.3,
        1.5,
        1.7706817915196802,
        0.9519947077209249,
        1.7349065740155376,
        (-0.15, 0.13),
        (-0.16, 0.136),
        (0.9999391093131618, 1.7706817915196806, 0.9574798838509062),
        (-0.030383083526489225, 0.24046160958617188),
        167.20359729680442,
        0.6006,
    ),
    Golden(
        4,
        25,
        25,
        0.0,
        1.0,
        1.571142652247036,
        0.9260479576099434,
        0.7876917386715251,
        (-0.06, 0.07),
        (-0.093, 0.119),
        (0.7138148656606618, 1.571142652247036, 0.8218049869625025),
        (0.01531688889286997, 0.1641359471673635),
        13.556060606060608,
        0.552,
    ),
]
GRID_STEP = 0.0101

each_golden = pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: f"seed{g.seed}")


@each_golden
def test_cllr_and_what_recalibration_leaves(golden: Golden) -> None:
    values, labels = golden.sample()
    assert cllr(values, labels) == pytest.approx(golden.cllr, abs=1e-10)
    assert cllr_min(values, labels) == pytest.approx(golden.cllr_min, abs=1e-10)


@each_golden
def test_cross_entropy_at_three_priors(golden: Golden) -> None:
    values, labels = golden.sample()
    assert ece(values, labels, np.array([0.1, 1.0, 10.0])) == pytest.approx(golden.ece, abs=1e-10)


@each_golden
def test_dev_pav_except_where_lir_gives_up(golden: Golden) -> None:
    values, labels = golden.sample()
    expected = 0.0 if golden.dev_pav is None else golden.dev_pav
    assert dev_pav(values, labels) == pytest.approx(expected, abs=1e-10)


@each_golden
def test_bounds_within_one_step_of_the_grid(golden: Golden) -> None:
    values, labels = golden.sample()
    ours, check = elub(values, labels), invariance_bounds(values, labels)
    assert (ours.lower, ours.upper) == pytest.approx(golden.elub, abs=GRID_STEP)
    assert (check.lower, check.upper) == pytest.approx(golden.invariance, abs=GRID_STEP)


@each_golden
def test_pav_and_auc_against_scikit_learn(golden: Golden) -> None:
    values, labels = golden.sample()
    share = 1 / (1 + np.power(10.0, -pav(values, labels)))
    assert (share**2).sum() == pytest.approx(golden.isotonic_squares, abs=1e-9)
    assert auc(values, labels) == pytest.approx(golden.auc, abs=1e-12)


@each_golden
def test_logistic_against_scikit_learn(golden: Golden) -> None:
    values, labels = golden.sample()
    found = fit(values[:, None], labels, class_balanced(labels), penalty=1e-3)
    assert found == pytest.approx(golden.logistic, abs=2e-4)


@each_golden
def test_the_golden_numbers_are_those_of_lir(golden: Golden) -> None:
    metrics = pytest.importorskip("lir.metrics")
    from lir.algorithms.bayeserror import elub as lir_elub
    from lir.data.models import LLRData

    values, labels = golden.sample()
    data = LLRData(features=values.copy(), labels=labels.astype(int))
    assert metrics.cllr(data) == pytest.approx(golden.cllr, abs=1e-12)
    assert metrics.cllr_min(data) == pytest.approx(golden.cllr_min, abs=1e-12)
    assert lir_elub(values.copy(), labels.astype(int)) == pytest.approx(golden.elub, abs=1e-9)
