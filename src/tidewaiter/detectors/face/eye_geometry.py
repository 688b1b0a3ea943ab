"""Two eyes that do not belong to one gaze, in a standard portrait."""

from __future__ import annotations

from math import isfinite, sqrt

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.eyes import EyePair, OneEye
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    MediaKind,
    Proposition,
    Regions,
    Text,
    tr,
)

LEAST_FACE_PIXELS = 200
LARGEST_YAW_DEGREES = 15.0
LARGEST_PITCH_DEGREES = 20.0
LEAST_IRIS_PIXELS = 14.0
LEAST_OPENING = 0.12
# Below this no highlight or pupil has a shape of its own (Hu, Li & Lyu 2020).
LEAST_IRIS_FOR_DETAILS = 40.0
# Median and spread of genuine frontal faces of two sets (benchmarks/detection/face).
USUAL_CONVERGENCE = -0.13
SPREAD_CONVERGENCE = 0.08
SPREAD_HEIGHT = 0.024
SPREAD_PUPIL_RESIDUAL = 0.2
SPREAD_HIGHLIGHT_LOSS = 0.8


class EyeGeometry(Detector):
    """Compares gaze, pupils and corneal highlights of the two eyes of a portrait."""

    id = "face.eye_geometry"
    version = "1"
    proposition = Proposition.FACE_MANIPULATED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"eyes"})
    looks_for = tr("two eyes that look different ways or mirror different lights")
    speaks_when = tr(
        "a frontal face at least {pixels} pixels wide has both eyes open",
        pixels=LEAST_FACE_PIXELS,
    )
    score_unit = tr("mean deviation from genuine faces, in their spreads")
    limitations = (
        tr("Meant for standard portraits; elsewhere genuine eyes differ as much."),
        tr("A squint, an eye prosthesis or glasses deviate without any manipulation."),
        tr("Diffusion models draw well-matched eyes: a usual pair speaks for nothing."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the deviations that this picture is large enough to show."""
        pair: EyePair = traces["eyes"]
        gate = _gate(pair)
        if not all(check.passed for check in gate):
            return self.not_applicable(_reason(pair), gate=gate, evidence=_evidence(pair))
        deviations = _deviations(pair)
        return self.examined(
            sqrt(sum(value**2 for value in deviations.values()) / len(deviations)),
            gate=gate,
            evidence=_evidence(pair),
            features=deviations,
        )


def _deviations(pair: EyePair) -> dict[str, float]:
    """How far each measure lies from genuine faces, in their spreads."""
    along, across = (float(value) for value in pair.divergence)
    found = {
        "convergence": abs(along - USUAL_CONVERGENCE) / SPREAD_CONVERGENCE,
        "height": abs(across) / SPREAD_HEIGHT,
    }
    if _iris_pixels(pair) < LEAST_IRIS_FOR_DETAILS:
        return found
    found["highlight_loss"] = (1 - pair.highlight_overlap) / SPREAD_HIGHLIGHT_LOSS
    found["pupil_left"] = pair.left.pupil_residual / SPREAD_PUPIL_RESIDUAL
    found["pupil_right"] = pair.right.pupil_residual / SPREAD_PUPIL_RESIDUAL
    return {name: value for name, value in found.items() if isfinite(value)}


def _iris_pixels(pair: EyePair) -> float:
    return min(pair.left.diameter, pair.right.diameter)


def _opening(pair: EyePair) -> float:
    return min(pair.left.opening, pair.right.opening)


def _gate(pair: EyePair) -> list[Check]:
    yaw, pitch, _ = pair.pose
    return [
        Check(
            name=tr("width of the face"),
            found=tr("{found:.0f} pixels", found=pair.face_width),
            needed=tr("{needed} pixels", needed=LEAST_FACE_PIXELS),
            passed=pair.face_width >= LEAST_FACE_PIXELS,
        ),
        Check(
            name=tr("turn of the head"),
            found=tr("{yaw:.0f}° sideways, {pitch:.0f}° up or down", yaw=yaw, pitch=pitch),
            needed=tr(
                "at most {yaw:.0f}° and {pitch:.0f}°",
                yaw=LARGEST_YAW_DEGREES,
                pitch=LARGEST_PITCH_DEGREES,
            ),
            passed=abs(yaw) <= LARGEST_YAW_DEGREES and abs(pitch) <= LARGEST_PITCH_DEGREES,
        ),
        Check(
            name=tr("width of the irises"),
            found=tr("{found:.0f} pixels", found=_iris_pixels(pair)),
            needed=tr("{needed:.0f} pixels", needed=LEAST_IRIS_PIXELS),
            passed=_iris_pixels(pair) >= LEAST_IRIS_PIXELS,
        ),
        Check(
            name=tr("opening of the eyes"),
            found=tr("{found:.2f} of their width", found=_opening(pair)),
            needed=tr("{needed:.2f}", needed=LEAST_OPENING),
            passed=_opening(pair) >= LEAST_OPENING,
        ),
    ]


def _reason(pair: EyePair) -> Text:
    if pair.face_width < LEAST_FACE_PIXELS:
        return tr(
            "a face {found:.0f} pixels wide; {needed} needed to compare its eyes",
            found=pair.face_width,
            needed=LEAST_FACE_PIXELS,
        )
    yaw, pitch, _ = pair.pose
    if abs(yaw) > LARGEST_YAW_DEGREES or abs(pitch) > LARGEST_PITCH_DEGREES:
        return tr(
            "the head is turned by {yaw:.0f}° sideways and {pitch:.0f}° up or down; "
            "at most {most_yaw:.0f}° and {most_pitch:.0f}° allowed",
            yaw=yaw,
            pitch=pitch,
            most_yaw=LARGEST_YAW_DEGREES,
            most_pitch=LARGEST_PITCH_DEGREES,
        )
    if _iris_pixels(pair) < LEAST_IRIS_PIXELS:
        return tr(
            "irises {found:.0f} pixels wide; {needed:.0f} needed",
            found=_iris_pixels(pair),
            needed=LEAST_IRIS_PIXELS,
        )
    return tr(
        "the eyes are open by {found:.2f} of their width; {needed:.2f} needed",
        found=_opening(pair),
        needed=LEAST_OPENING,
    )


def _evidence(pair: EyePair) -> list[Evidence]:
    boxes = (
        _labelled(pair.face, tr("face")),
        _labelled(pair.left.stored, tr("left eye of the picture")),
        _labelled(pair.right.stored, tr("right eye of the picture")),
    )
    rows = (
        *_rows_of(pair.left, tr("left eye of the picture")),
        *_rows_of(pair.right, tr("right eye of the picture")),
        Fact(
            name=tr("difference of the irises' places"),
            value=tr(
                "{along:.3f} along and {across:.3f} across the eye, in eye widths",
                along=float(pair.divergence[0]),
                across=float(pair.divergence[1]),
            ),
        ),
        Fact(
            name=tr("overlap of the highlights"),
            value=_share_or_none(pair.highlight_overlap),
        ),
    )
    return [
        Regions(caption=tr("The face and the eyes that were compared"), boxes=boxes),
        Facts(caption=tr("Measures of the two eyes"), rows=rows),
    ]


def _rows_of(side: OneEye, name: Text) -> tuple[Fact, ...]:
    value = tr(
        "iris {diameter:.0f} pixels wide, open by {opening:.2f}",
        diameter=side.diameter,
        opening=side.opening,
    )
    return (Fact(name=name, value=value),)


def _share_or_none(share: float) -> Text:
    return tr("{share:.0%}", share=share) if isfinite(share) else tr("not seen in both eyes")


def _labelled(box: Box, label: Text) -> Box:
    return box.model_copy(update={"label": label})
