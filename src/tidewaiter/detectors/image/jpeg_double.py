"""Blocks that lack the first of two JPEG compressions on the same grid."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_double import SCORED_BLOCKS, JpegDouble
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    tr,
)

# Where the block map can be trusted; fitted in benchmarks/detection/jpeg.
MIN_STEP_RATIO = 1.6
MIN_MEAN_GAIN = 0.1

# Pictures that are mostly black or blown out leave too few blocks to fit.
MIN_USABLE_SHARE = 0.25

BLOCK_PX = 8

# Ends of the colour scale, nats per block.
MAP_LOW, MAP_HIGH = -6.0, 6.0


class JpegDoubleDetector(Detector):
    """Maps where a picture saved twice as JPEG was compressed only once."""

    id = "image.jpeg_double"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"jpeg.double"})
    looks_for = tr("parts of a twice saved JPEG that were compressed only once")
    speaks_when = tr(
        "the file is a JPEG saved twice on the same grid, the first time at least "
        "{ratio:.1f} times more coarsely, with a gain of {gain:.1f} nats or more",
        ratio=MIN_STEP_RATIO,
        gain=MIN_MEAN_GAIN,
    )
    score_unit = tr(
        "ln of single over double compression, nats per block, highest mean over "
        "{side} x {side} blocks",
        side=SCORED_BLOCKS,
    )
    limitations = (
        tr("A part larger than half the picture changes places with the rest of it."),
        tr("Cropping or resizing between the two savings hides the trace."),
        tr(
            "Blown-out, black and flat parts carry no trace; the frequencies of a block are "
            "treated as independent, so the score is not a likelihood ratio."
        ),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: the highest 9 x 9-block mean of the map."""
        double: JpegDouble = traces["jpeg.double"]
        gate = _gate(double)
        if not all(check.passed for check in gate):
            return self.not_applicable(
                tr(
                    "no coarser first compression that would show a pasted part: step ratio "
                    "{ratio:.2f}, gain {gain:.3f}, {usable:.0%} of blocks neither black nor blown "
                    "out; {least_ratio:.1f}, {least_gain:.1f} and {least_usable:.0%} needed",
                    ratio=double.step_ratio,
                    gain=double.mean_gain,
                    usable=double.usable_share,
                    least_usable=MIN_USABLE_SHARE,
                    least_ratio=MIN_STEP_RATIO,
                    least_gain=MIN_MEAN_GAIN,
                ),
                gate=gate,
            )
        return self.examined(
            double.peak, gate=gate, evidence=_evidence(double), features=_features(double)
        )


def _gate(double: JpegDouble) -> tuple[Check, ...]:
    return (
        Check(
            name=tr("first step over second step, median"),
            found=tr("{found:.2f}", found=double.step_ratio),
            needed=tr("{needed:.1f} or more", needed=MIN_STEP_RATIO),
            passed=double.step_ratio >= MIN_STEP_RATIO,
        ),
        Check(
            name=tr("gain of explaining the file by two compressions"),
            found=tr("{found:.3f} nats per block and frequency", found=double.mean_gain),
            needed=tr("{needed:.1f} or more", needed=MIN_MEAN_GAIN),
            passed=double.mean_gain >= MIN_MEAN_GAIN,
        ),
        Check(
            name=tr("blocks that are neither black nor blown out"),
            found=tr("{found:.0%}", found=double.usable_share),
            needed=tr("{needed:.0%} or more", needed=MIN_USABLE_SHARE),
            passed=double.usable_share >= MIN_USABLE_SHARE,
        ),
    )


def _features(double: JpegDouble) -> dict[str, float]:
    return {
        "step_ratio": double.step_ratio,
        "mean_gain": double.mean_gain,
        "frequencies_used": float(double.used),
        "quality": float(double.quality),
        "usable_share": double.usable_share,
    }


def _evidence(double: JpegDouble) -> tuple[Evidence, ...]:
    row, column = double.peak_at
    half, side = SCORED_BLOCKS // 2, SCORED_BLOCKS * BLOCK_PX
    box = Box(
        left=(column - half) * BLOCK_PX,
        top=(row - half) * BLOCK_PX,
        width=side,
        height=side,
        label=tr("{score:.1f}", score=double.peak),
    )
    rows = tuple(
        Fact(
            name=tr("frequency {row}, {column}", row=fit.frequency[0], column=fit.frequency[1]),
            value=tr(
                "first step {first}, second step {second}, gain {gain:.3f}",
                first=fit.first_step,
                second=fit.second_step,
                gain=fit.gain,
            ),
        )
        for fit in double.fits
        if fit.used
    )
    return (
        HeatMap(
            caption=tr(
                "Where the first compression is missing (high) and where it shows (low); the "
                "file has JPEG quality {quality}",
                quality=double.quality_label,
            ),
            trace="jpeg.double",
            field="inserted_map",
            low=MAP_LOW,
            high=MAP_HIGH,
            unit=tr("ln of single over double compression"),
            regions=(box,),
        ),
        Facts(caption=tr("Steps of the two compressions"), rows=rows),
    )
