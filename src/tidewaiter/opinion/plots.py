"""The numbers behind the plots of a calibration; drawing them belongs to the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.cllr import Tippett, ece, pav, tippett
from tidewaiter.evaluation.sources import BoolArray, FloatArray
from tidewaiter.opinion.calibration import Calibration

# Prior odds from 1 : 1000 to 1000 : 1, the range usual in ECE plots.
PRIOR_LOG10_ODDS = (-3.0, 3.0)
ECE_POINTS = 121


@dataclass(frozen=True)
class EcePlot:
    """Cross-entropy in bits over log10 prior odds: ours, recalibrated, and saying nothing."""

    log10_prior_odds: FloatArray
    given: FloatArray
    recalibrated: FloatArray
    silent: FloatArray


@dataclass(frozen=True)
class ReliabilityPlot:
    """log10 LR as given against its PAV transform; on the diagonal it is well calibrated.

    Points whose transform is infinite (beyond every item of the other class) are left out.
    """

    given: FloatArray
    transformed: FloatArray


def tippett_plot(calibration: Calibration) -> Tippett:
    """Shares of held-out items of each class whose log10 LR is at least x."""
    return tippett(*held_out_values(calibration))


def ece_plot(calibration: Calibration) -> EcePlot:
    """Empirical cross-entropy of the held-out items; prior odds 1 gives Cllr."""
    values, labels = held_out_values(calibration)
    at = np.linspace(*PRIOR_LOG10_ODDS, ECE_POINTS)
    odds = np.power(10.0, at)
    return EcePlot(
        log10_prior_odds=at,
        given=ece(values, labels, odds),
        recalibrated=ece(pav(values, labels), labels, odds),
        silent=ece(np.zeros(values.size), labels, odds),
    )


def reliability_plot(calibration: Calibration) -> ReliabilityPlot:
    """Held-out log10 LR against what the same data say they should have been."""
    values, labels = held_out_values(calibration)
    transformed = pav(values, labels)
    usable = np.isfinite(transformed)
    given, first = np.unique(values[usable], return_index=True)
    return ReliabilityPlot(given=given, transformed=transformed[usable][first])


def held_out_values(calibration: Calibration) -> tuple[FloatArray, BoolArray]:
    """The kept held-out log10 LR (at most 201 a class, thinned to quantiles) with labels."""
    manipulated = np.asarray(calibration.held_out_manipulated, dtype=np.float64)
    as_issued = np.asarray(calibration.held_out_as_issued, dtype=np.float64)
    labels = np.zeros(manipulated.size + as_issued.size, dtype=np.bool_)
    labels[: manipulated.size] = True
    return np.concatenate([manipulated, as_issued]), labels
