"""Parts of a picture that were scaled by themselves before they came here."""

from __future__ import annotations

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.gates import compression_check
from tidewaiter.traces.base import Traces
from tidewaiter.traces.resampling import WINDOW_PX, Resampling, scale_factors
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    Series,
    Text,
    tr,
)

# Marks of scaling by 1.3 in a tenth of the picture: AUC .99 as made, .75 at JPEG 95
# (benchmarks/detection/pixels); at JPEG 90 nothing useful was left in trials.
MIN_QUALITY = 95

# A part can only stand out against a rest: 4 x 4 half-overlapping windows at the least.
MIN_WINDOWS = 16

# Share of the windows that must have structure above rounding.
MIN_LIVE_SHARE = 0.3

# Above this mean power the whole picture was scaled, and no part stands out by it.
WHOLE_SCALED_POWER = 6.0


class ResamplingDetector(Detector):
    """Looks for a window with peaks of interpolation that the rest does not have."""

    id = "image.resampling"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"resampling"})
    looks_for = tr("a part of the picture that was enlarged or turned before it was put in")
    speaks_when = tr(
        "about 640 pixels a side, structure in most places, lossless or JPEG 95 or better"
    )
    score_unit = tr("log10 power of the strongest local peak over its background")
    limitations = (
        tr("Fences, fabric, print and screens have periods of their own and imitate scaling."),
        tr("An earlier JPEG below quality 95 hides most marks of scaling; reducing leaves none."),
        tr("Scaling by 4/3, 8/5 or 2 coincides with the periods of JPEG and is not seen."),
        tr("That the whole picture was scaled says nothing about manipulation."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: log10 of the largest local power, both directions together."""
        taken: Resampling = traces["resampling"]
        gate = _gate(taken)
        failed = next((check for check in gate if not check.passed), None)
        if failed is not None:
            reason = tr(
                "{name}: {found}; {needed} needed",
                name=failed.name,
                found=failed.found,
                needed=failed.needed,
            )
            return self.not_applicable(reason, gate=gate)
        row, column = np.unravel_index(int(taken.strength.argmax()), taken.strength.shape)
        score = float(np.log10(max(1.0, float(taken.strength[row, column]))))
        features = {
            "peak_frequency": float(taken.frequency[row, column]),
            "overall_peak": taken.overall_peak,
            "overall_frequency": taken.overall_frequency,
        }
        limitations = [_whole(taken)] if taken.overall_peak > WHOLE_SCALED_POWER else []
        return self.examined(
            score,
            gate=gate,
            evidence=_evidence(taken, int(row), int(column)),
            features=features,
            limitations=limitations,
        )


def _gate(taken: Resampling) -> list[Check]:
    return [
        compression_check(taken.compression, MIN_QUALITY),
        Check(
            name=tr("windows of {side} pixels", side=WINDOW_PX),
            found=tr("{count}", count=taken.strength.size),
            needed=tr("{count}", count=MIN_WINDOWS),
            passed=taken.strength.size >= MIN_WINDOWS,
        ),
        Check(
            name=tr("windows with structure"),
            found=tr("{share:.0%}", share=taken.live_share),
            needed=tr("{share:.0%}", share=MIN_LIVE_SHARE),
            passed=taken.live_share >= MIN_LIVE_SHARE,
        ),
    ]


def _whole(taken: Resampling) -> Text:
    one, other = scale_factors(taken.overall_frequency)
    return tr(
        "The whole picture shows a period as after scaling by {one:.2f} or {other:.2f}.",
        one=one,
        other=other,
    )


def _evidence(taken: Resampling, row: int, column: int) -> list[Evidence]:
    tops, lefts = taken.positions
    frequency = float(taken.frequency[row, column])
    one, other = scale_factors(frequency) if 0 < frequency < 1 else (1.0, 1.0)
    window = Box(
        left=lefts[column],
        top=tops[row],
        width=WINDOW_PX,
        height=WINDOW_PX,
        label=tr("as after scaling by {one:.2f} or {other:.2f}", one=one, other=other),
    )
    heat = HeatMap(
        caption=tr("Power of periods that the picture as a whole does not have."),
        trace="resampling",
        field="strength",
        low=1.0,
        high=50.0,
        unit=tr("times background"),
        regions=(window,),
    )
    curve = Series(
        caption=tr("Periods in the whole picture (frequencies of JPEG blocks left out)"),
        x=taken.frequencies,
        y=taken.overall,
        x_label=tr("cycles a pixel"),
        y_label=tr("times background"),
    )
    return [heat, curve]
