"""Periodic marks of generated pictures in the spectrum of the fine residual."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.gates import compression_check
from tidewaiter.traces.base import Traces
from tidewaiter.traces.spectrum import Spectrum
from tidewaiter.vocabulary import (
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Series,
    tr,
)

# Examination handbook, 3.1: whole picture, mild JPEG. Below this quality the block lattice
# of the JPEG fills the very periods that are looked at.
MIN_QUALITY = 90

# Generators make pictures of 512 pixels and more; smaller ones were cropped or reduced.
MIN_SIDE = 512

# A residual must be there in most tiles.
MIN_LIVE_SHARE = 0.5


class GeneratedSpectrumDetector(Detector):
    """A transparent statistic, not a trained model: there is too little data to fit one."""

    id = "image.generated_spectrum"
    version = "1"
    proposition = Proposition.IMAGE_GENERATED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"spectrum"})
    looks_for = tr("periods of 2, 4 and 8 pixels such as image generators leave")
    speaks_when = tr("a whole, uncropped picture, lossless or JPEG of quality 90 or better")
    # Camera photographs score as high as the generated pictures at hand (medians .53 and .50
    # at JPEG 90, benchmarks/detection/pixels), so no likelihood ratio may rest on it.
    weighs = False
    score_unit = tr("mean log10 of peaks at periods 2 and 4 over their surroundings")
    limitations = (
        tr(
            "No model was fitted: the generated pictures at hand show two people and one "
            "generator. The number is a description, not a measure of how likely it is."
        ),
        tr(
            "Many camera photographs score as high as the generated pictures tried; the number "
            "weighs nothing and only shows the periods."
        ),
        tr("Whether the picture was cropped or re-shipped cannot be told from the pixels alone."),
        tr("Generators that leave no such periods are not seen."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: mean peak at periods 2 and 4; period 8, which any JPEG makes, is a feature."""
        taken: Spectrum = traces["spectrum"]
        gate = _gate(taken)
        failed = next((check for check in gate if not check.passed), None)
        if failed is not None:
            reason = tr(
                "{name}: {found}; {needed} needed",
                name=failed.name,
                found=failed.found,
                needed=failed.needed,
            )
            return self.not_applicable(reason, gate=gate, evidence=_evidence(taken))
        features = {
            "period_2": taken.peaks[0],
            "period_4": taken.peaks[1],
            "period_8": taken.peaks[2],
            "tail": taken.tail,
        }
        score = (taken.peaks[0] + taken.peaks[1]) / 2
        return self.examined(score, gate=gate, evidence=_evidence(taken), features=features)


def _gate(taken: Spectrum) -> list[Check]:
    return [
        Check(
            name=tr("shorter side"),
            found=tr("{side} pixels", side=min(taken.width, taken.height)),
            needed=tr("{side} pixels", side=MIN_SIDE),
            passed=min(taken.width, taken.height) >= MIN_SIDE,
        ),
        compression_check(taken.compression, MIN_QUALITY),
        Check(
            name=tr("tiles with fine structure"),
            found=tr("{share:.0%}", share=taken.live_share),
            needed=tr("{share:.0%}", share=MIN_LIVE_SHARE),
            passed=taken.live_share >= MIN_LIVE_SHARE,
        ),
    ]


def _evidence(taken: Spectrum) -> list[Evidence]:
    curve = Series(
        caption=tr("Strength of the fine residual by frequency"),
        x=taken.frequencies,
        y=taken.radial,
        x_label=tr("cycles a pixel"),
        y_label=tr("log10 magnitude"),
    )
    return [curve]
