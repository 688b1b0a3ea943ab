"""The numbers behind the plots of a calibration; drawing them belongs to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.cllr import ece
from tidewaiter.evaluation.sources import FloatArray

# Prior odds from 1 : 1000 to 1000 : 1, the range usual in ECE plots.
PRIOR_LOG10_ODDS = (-3.0, 3.0)
ECE_POINTS = 121


@dataclass(frozen=True)
class EcePlot:
    """Cross-entropy in bits over log10 prior odds: of the likelihood ratios, and of silence."""

    log10_prior_odds: FloatArray
    given: FloatArray
    silent: FloatArray


def ece_plot(manipulated: Sequence[float], as_issued: Sequence[float]) -> EcePlot:
    """Empirical cross-entropy of held-out log10 LR per class; at prior odds 1 it is Cllr."""
    values = np.array([*manipulated, *as_issued], dtype=np.float64)
    labels = np.arange(values.size) < len(manipulated)
    at = np.linspace(*PRIOR_LOG10_ODDS, ECE_POINTS)
    odds = np.power(10.0, at)
    return EcePlot(
        log10_prior_odds=at,
        given=ece(values, labels, odds),
        silent=ece(np.zeros(values.size), labels, odds),
    )
