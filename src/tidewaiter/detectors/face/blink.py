"""Too few blinks for the time a face was watched."""

from __future__ import annotations

from math import log10

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.eyelids import Eyelids
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Series,
    Span,
    Text,
    tr,
)

LEAST_WATCHED_S = 10.0
# Below this rate blinks of 0.15 s fall between looks (benchmarks/detection/face).
LEAST_LOOKS_PER_S = 10.0
# The eye's crop is then not enlarged for the network that outlines it.
LEAST_FACE_PIXELS = 110
LEAST_FRONTAL_SHARE = 0.5
# Bentivoglio et al. 1997: 17 blinks a minute at rest, from 4.5 reading to 26 speaking.
USUAL_BLINKS_PER_MIN = 17.0
# Gamma shape of rates between people and activities: a spread of 0.7 of the mean.
SHAPE_OF_RATES = 2


class Blink(Detector):
    """Compares the number of blinks with how often people blink."""

    id = "face.blink"
    version = "1"
    proposition = Proposition.FACE_MANIPULATED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"eyelids"})
    looks_for = tr("a face that blinks less often than people do")
    speaks_when = tr(
        "a face at least {pixels} pixels wide is turned to the camera for {needed:.0f} s",
        pixels=LEAST_FACE_PIXELS,
        needed=LEAST_WATCHED_S,
    )
    score_unit = tr("-log10 of the share of people who would blink as seldom")
    limitations = (
        tr("Today's forgeries blink: a usual number of blinks speaks for nothing."),
        tr("Reading, medication and contact lenses change how often a person blinks."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the count against a Poisson model whose rate differs between people."""
        eyelids: Eyelids = traces["eyelids"]
        gate = _gate(eyelids)
        if not all(check.passed for check in gate):
            return self.not_applicable(_reason(eyelids), gate=gate, evidence=_evidence(eyelids))
        return self.examined(
            rarity(len(eyelids.blinks), eyelids.watched_s),
            gate=gate,
            evidence=_evidence(eyelids),
            features=_features(eyelids),
        )


def rarity(blinks: int, watched_s: float) -> float:
    """-log10 of the probability of at most so many blinks in that time.

    With rates Gamma-distributed between people the count is negative binomial.
    """
    expected = USUAL_BLINKS_PER_MIN * watched_s / 60
    success = SHAPE_OF_RATES / (SHAPE_OF_RATES + expected)
    count = np.arange(blinks + 1)
    # For shape 2 the binomial coefficient (k + 1 over k) is k + 1.
    share = float(((count + 1) * success**SHAPE_OF_RATES * (1 - success) ** count).sum())
    return -log10(min(max(share, 1e-300), 1.0))


def _gate(eyelids: Eyelids) -> list[Check]:
    return [
        Check(
            name=tr("time with the eyes in view"),
            found=tr("{found:.1f} s", found=eyelids.watched_s),
            needed=tr("{needed:.0f} s", needed=LEAST_WATCHED_S),
            passed=eyelids.watched_s >= LEAST_WATCHED_S,
        ),
        Check(
            name=tr("looks at the eyes"),
            found=tr("{found:.1f} per second", found=eyelids.looks_per_s),
            needed=tr("{needed:.0f} per second", needed=LEAST_LOOKS_PER_S),
            passed=eyelids.looks_per_s >= LEAST_LOOKS_PER_S,
        ),
        Check(
            name=tr("width of the face"),
            found=tr("{found:.0f} pixels", found=eyelids.face_width),
            needed=tr("{needed} pixels", needed=LEAST_FACE_PIXELS),
            passed=eyelids.face_width >= LEAST_FACE_PIXELS,
        ),
        Check(
            name=tr("share of time turned to the camera"),
            found=tr("{found:.0%}", found=eyelids.frontal_share),
            needed=tr("{needed:.0%}", needed=LEAST_FRONTAL_SHARE),
            passed=eyelids.frontal_share >= LEAST_FRONTAL_SHARE,
        ),
    ]


def _reason(eyelids: Eyelids) -> Text:
    if eyelids.face_width < LEAST_FACE_PIXELS:
        return tr(
            "a face {found:.0f} pixels wide; {needed} needed to see its lids",
            found=eyelids.face_width,
            needed=LEAST_FACE_PIXELS,
        )
    if eyelids.watched_s < LEAST_WATCHED_S:
        return tr(
            "{found:.1f} s of video with a face turned to the camera; {needed:.0f} s needed",
            found=eyelids.watched_s,
            needed=LEAST_WATCHED_S,
        )
    if eyelids.looks_per_s < LEAST_LOOKS_PER_S:
        return tr(
            "{found:.1f} pictures per second; {needed:.0f} needed to see every blink",
            found=eyelids.looks_per_s,
            needed=LEAST_LOOKS_PER_S,
        )
    return tr(
        "the face is turned to the camera for {found:.0%} of the time; {needed:.0%} needed",
        found=eyelids.frontal_share,
        needed=LEAST_FRONTAL_SHARE,
    )


def _features(eyelids: Eyelids) -> dict[str, float]:
    blinks = eyelids.blinks
    features = {
        "blinks": float(len(blinks)),
        "blinks_per_min": eyelids.blinks_per_min,
        "watched_s": eyelids.watched_s,
        "perclos": eyelids.perclos,
    }
    if not blinks:
        return features
    lags = np.abs([blink.lag_s for blink in blinks])
    imbalances = np.abs([blink.imbalance for blink in blinks])
    features["median_depth"] = float(np.median([blink.depth for blink in blinks]))
    features["median_duration_s"] = float(np.median([b.end_s - b.start_s for b in blinks]))
    features["complete_share"] = float(np.mean([blink.complete for blink in blinks]))
    if np.isfinite(lags).any():
        features["mean_lag_s"] = float(np.nanmean(lags))
        features["mean_imbalance"] = float(np.nanmean(imbalances))
    if len(blinks) > 2:
        intervals = eyelids.intervals_s
        features["interval_variation"] = float(intervals.std() / max(intervals.mean(), 1e-6))
    return features


def _evidence(eyelids: Eyelids) -> list[Evidence]:
    step = max(1, -(-eyelids.time_s.size // MAX_SERIES_POINTS))
    marks = tuple(
        Span(start_s=blink.start_s, end_s=blink.end_s, label=tr("blink"))
        for blink in eyelids.blinks
    )
    return [
        Series(
            caption=tr(
                "How far the eyes are open: {count} blinks in {watched:.0f} s",
                count=len(eyelids.blinks),
                watched=eyelids.watched_s,
            ),
            x=tuple(np.round(eyelids.time_s[::step], 3).tolist()),
            y=tuple(np.round(eyelids.opening[::step], 4).tolist()),
            x_label=tr("time in seconds"),
            y_label=tr("opening of the eyes; 1 is usual for this face"),
            marks=marks,
        )
    ]
