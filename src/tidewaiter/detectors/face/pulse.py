"""A pulse in the skin's colour whose regions do not keep step."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.pulse import Pulse as PulseTrace
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    MediaKind,
    Proposition,
    Series,
    Text,
    tr,
)

LEAST_STRETCH_S = 10.0
# Below this rate the second harmonic of a fast pulse is lost.
LEAST_RATE_HZ = 12.0
LEAST_FACE_PIXELS = 80
# Peak of noise alone exceeds this in the share given in benchmarks/detection/face.
LEAST_SNR_DB = 0.0
# Two methods that read different rates read noise.
LARGEST_DIFFERENCE_BPM = 5.0
# Face widths per second; more motion drowns the pulse.
LARGEST_MOTION = 0.5
STEADIEST = 0.999
"""Agreement is kept below this, so that its log odds stay finite."""
# Seibold, Wisotzky, Eisert et al. 2025: good forgeries carry a valid pulse.
CAP_LOG10_LR = 0.5


class Pulse(Detector):
    """Looks at how the pulse is spread over the face; never takes a pulse for innocence."""

    id = "face.pulse"
    version = "1"
    proposition = Proposition.FACE_MANIPULATED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"pulse"})
    looks_for = tr("a pulse that does not run through forehead and cheeks in step")
    speaks_when = tr(
        "one calm face is unbroken for {needed:.0f} s and shows a clear pulse",
        needed=LEAST_STRETCH_S,
    )
    score_unit = tr("log odds of regions out of step; 0 is halfway")
    limitations = (
        tr("Forgeries can carry a pulse: finding one never speaks for a video."),
        tr("Compression removes the pulse from most genuine videos: its absence says nothing."),
        tr("The spread of the pulse over the face is research; its weight is kept small."),
    )
    may_clear = False
    cap = CAP_LOG10_LR

    def examine(self, traces: Traces) -> Finding:
        """Score how little the regions agree, where the signal is good enough to ask."""
        pulse: PulseTrace = traces["pulse"]
        gate = _gate(pulse)
        if not all(check.passed for check in gate):
            return self.not_applicable(_reason(pulse), gate=gate, evidence=_evidence(pulse))
        agreement = min(max(pulse.agreement, 1 - STEADIEST), STEADIEST)
        return self.examined(
            log((1 - agreement) / agreement),
            gate=gate,
            evidence=_evidence(pulse),
            features={
                "agreement": pulse.agreement,
                "bpm": pulse.pos.bpm,
                "quality_db": pulse.quality_db,
                "chrom_bpm": pulse.chrom.bpm,
            },
        )


def _gate(pulse: PulseTrace) -> list[Check]:
    difference = abs(pulse.pos.bpm - pulse.chrom.bpm)
    return [
        Check(
            name=tr("unbroken time with a face"),
            found=tr("{found:.1f} s", found=pulse.stretch_s),
            needed=tr("{needed:.0f} s", needed=LEAST_STRETCH_S),
            passed=pulse.stretch_s >= LEAST_STRETCH_S,
        ),
        Check(
            name=tr("faces at once"),
            found=tr("{found}", found=pulse.faces_at_once),
            needed=tr("{needed}", needed=1),
            passed=pulse.faces_at_once == 1,
        ),
        Check(
            name=tr("width of the face"),
            found=tr("{found:.0f} pixels", found=pulse.face_width),
            needed=tr("{needed} pixels", needed=LEAST_FACE_PIXELS),
            passed=pulse.face_width >= LEAST_FACE_PIXELS,
        ),
        Check(
            name=tr("pictures per second"),
            found=tr("{found:.1f}", found=pulse.rate_hz),
            needed=tr("{needed:.0f}", needed=LEAST_RATE_HZ),
            passed=pulse.rate_hz >= LEAST_RATE_HZ,
        ),
        Check(
            name=tr("motion of the head"),
            found=tr("{found:.2f} widths per second", found=pulse.motion_share),
            needed=tr("at most {needed:.2f}", needed=LARGEST_MOTION),
            passed=pulse.motion_share <= LARGEST_MOTION,
        ),
        Check(
            name=tr("quality of the pulse signal"),
            found=tr("{found:.1f} dB", found=pulse.quality_db),
            needed=tr("{needed:.0f} dB", needed=LEAST_SNR_DB),
            passed=pulse.quality_db >= LEAST_SNR_DB,
        ),
        Check(
            name=tr("difference between two methods"),
            found=tr("{found:.1f} beats per minute", found=difference),
            needed=tr("at most {needed:.0f}", needed=LARGEST_DIFFERENCE_BPM),
            passed=difference <= LARGEST_DIFFERENCE_BPM,
        ),
    ]


def _reason(pulse: PulseTrace) -> Text:
    if pulse.stretch_s < LEAST_STRETCH_S:
        return tr(
            "{found:.1f} s of video with an unbroken face; {needed:.0f} s needed",
            found=pulse.stretch_s,
            needed=LEAST_STRETCH_S,
        )
    if pulse.faces_at_once != 1:
        return tr("{found} faces at once; one needed", found=pulse.faces_at_once)
    if pulse.face_width < LEAST_FACE_PIXELS:
        return tr(
            "a face {found:.0f} pixels wide; {needed} needed",
            found=pulse.face_width,
            needed=LEAST_FACE_PIXELS,
        )
    if pulse.rate_hz < LEAST_RATE_HZ:
        return tr(
            "{found:.1f} pictures per second; {needed:.0f} needed",
            found=pulse.rate_hz,
            needed=LEAST_RATE_HZ,
        )
    if pulse.motion_share > LARGEST_MOTION:
        return tr(
            "the head moves by {found:.2f} of its width per second; at most {needed:.2f} allowed",
            found=pulse.motion_share,
            needed=LARGEST_MOTION,
        )
    return tr(
        "the pulse signal is too weak: {found:.1f} dB, POS {pos:.0f} and CHROM {chrom:.0f} beats "
        "per minute; {needed:.0f} dB and agreement within {close:.0f} needed",
        found=pulse.quality_db,
        pos=pulse.pos.bpm,
        chrom=pulse.chrom.bpm,
        needed=LEAST_SNR_DB,
        close=LARGEST_DIFFERENCE_BPM,
    )


def _evidence(pulse: PulseTrace) -> list[Evidence]:
    return [
        _curve(
            pulse.pos.frequency_hz * 60,
            pulse.pos.power / max(float(pulse.pos.power.max()), 1e-12),
            tr("Spectrum of the colour of the skin (POS)"),
            (tr("beats per minute"), tr("power, largest = 1")),
        ),
        _curve(
            pulse.time_s,
            pulse.wave,
            tr("Pulse wave read from the colour of the skin (POS)"),
            (tr("time in seconds"), tr("standard deviations")),
        ),
        Facts(
            caption=tr("How the pulse is spread over the face, against the mean of its regions"),
            rows=tuple(
                Fact(
                    name=tr("{region}", region=name),
                    value=tr(
                        "amplitude {amplitude:.2f}, phase {phase:.0f}°, signal {snr:.1f} dB",
                        amplitude=float(pulse.region_amplitude[index]),
                        phase=float(pulse.region_phase_degrees[index]),
                        snr=float(pulse.region_snr_db[index]),
                    ),
                )
                for index, name in enumerate(pulse.regions)
            ),
        ),
    ]


def _curve(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    caption: Text,
    labels: tuple[Text, Text],
) -> Series:
    step = max(1, -(-x.size // MAX_SERIES_POINTS))
    return Series(
        caption=caption,
        x=tuple(np.round(x[::step], 3).tolist()),
        y=tuple(np.round(y[::step], 4).tolist()),
        x_label=labels[0],
        y_label=labels[1],
    )
