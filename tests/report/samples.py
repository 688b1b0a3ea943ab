"""Reports as real examinations give them, made in code: for tests, golden files and viewing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from tidewaiter.opinion.verbal import scale
from tidewaiter.report.bulk import finish_evidence
from tidewaiter.report.drawing import preview
from tidewaiter.traces.base import Traces
from tidewaiter.vocabulary import (
    Box,
    Check,
    Contribution,
    Exhibit,
    Fact,
    Facts,
    Finding,
    HeatMap,
    MediaKind,
    Opinion,
    Proposition,
    Regions,
    Report,
    ReshippedOpinion,
    Series,
    Span,
    Stability,
    Status,
    Text,
    Timeline,
    Verdict,
    Versions,
    tr,
)

TRANSFORMS = (
    "jpeg_90",
    "jpeg_70",
    "jpeg_40",
    "half_size",
    "double_size",
    "crop",
    "screenshot",
    "messenger",
)


@dataclass(frozen=True)
class Sample:
    report: Report
    pictures: dict[str, bytes] = field(default_factory=dict)
    calibrations: tuple[dict[str, Any], ...] = ()
    looks_for: Mapping[str, Text] = field(default_factory=dict)
    preview: bytes | None = None


def all_samples() -> dict[str, Sample]:
    return {
        "picture": picture(),
        "video": video(),
        "declined": declined(),
        "hostile": hostile(),
        "genuine": genuine(),
    }


@dataclass(frozen=True)
class _Noise:
    residual: np.ndarray
    blocks: np.ndarray


@cache
def goods_rgb(width: int = 1600, height: int = 1067) -> np.ndarray:
    """A wall of cartons under a lamp, drawn from formulas."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    carton = ((columns // 160 + rows // 120) % 2) * 40
    edge = ((columns % 160 < 4) | (rows % 120 < 4)) * -60
    light = 90 * np.exp(
        -(((columns - width * 0.6) / 700) ** 2 + ((rows - height * 0.4) / 500) ** 2)
    )
    grain = np.random.default_rng(7).normal(0, 4, (height, width))
    base = 70 + carton + edge + light + grain
    return np.clip(np.stack([base * 1.1, base * 0.9, base * 0.65], axis=-1), 0, 255).astype(
        np.uint8
    )


def _bump(rows: int, columns: int, at: tuple[float, float], wide: float) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.exp(-(((x / columns - at[0]) / wide) ** 2 + ((y / rows - at[1]) / wide) ** 2))


def exhibit(name: str = "IMG_20260114_0923.jpg", **changes: Any) -> Exhibit:
    known: dict[str, Any] = {
        "sha256": "3b5d5c3712955042212316173ccf37be800f6c0f7a1f2c1a55f4f5b4d5b0a6e1",
        "byte_length": 2_381_204,
        "name": name,
        "kind": MediaKind.PICTURE,
        "media_type": "image/jpeg",
        "width": 1600,
        "height": 1067,
        "notes": (tr("turned upright as its orientation mark says (value {value})", value=6),),
    }
    return Exhibit(**(known | changes))


def versions(**calibrations: str) -> Versions:
    return Versions(
        tidewaiter="0.1.0",
        python="3.11.2",
        libraries={
            "numpy": "2.4.6",
            "opencv-python-headless": "5.0.0",
            "pillow": "13.0.0",
            "scipy": "1.16.0",
        },
        models={"face mesh": "6b2bd5a4f5d1a4bb5f4c2f9f8a3f8ab14d0a4e3c7de2f0e83bb25a2ef1a2b3c4"},
        calibrations=dict(calibrations),
    )


def opinion(
    proposition: Proposition,
    log10_lr: float,
    lower: float,
    upper: float,
    verdict: Verdict,
    *parts: Contribution,
    **more: Any,
) -> Opinion:
    known: dict[str, Any] = {
        "bound_lower": -1.5,
        "bound_upper": 2.0,
        "calibration": "image.noise_map-1-any",
        "domain": "any",
        "verbal": scale(log10_lr),
    }
    return Opinion(
        proposition=proposition,
        log10_lr=log10_lr,
        lower=lower,
        upper=upper,
        verdict=verdict,
        contributors=parts,
        **(known | more),
    )


def silent_opinion(proposition: Proposition, *parts: Contribution) -> Opinion:
    return opinion(
        proposition,
        0.0,
        0.0,
        0.0,
        Verdict.CANNOT_TELL,
        *parts,
        calibration=None,
        bound_lower=None,
        bound_upper=None,
        domain=None,
        reason=tr("no detector with a calibration could examine this"),
    )


def declined_finding(
    detector: str,
    proposition: Proposition,
    reason: Text,
    status: Status = Status.NOT_APPLICABLE,
    gate: tuple[Check, ...] = (),
) -> Finding:
    return Finding(
        detector=detector,
        version="1",
        proposition=proposition,
        status=status,
        reason=reason,
        gate=gate,
        limitations=(tr("Speaks only about pictures that were JPEG files before."),),
    )


def calibration(identity: str = "image.noise_map-1-any") -> dict[str, Any]:
    rng = np.random.default_rng(11)

    def estimate(value: float, half: float) -> dict[str, float]:
        return {"value": value, "lower": max(0.0, value - half), "upper": value + half}

    return {
        "id": identity,
        "domain": "any",
        "as_issued": {"items": 214, "sources": 38, "declined": 12},
        "manipulated": {"items": 428, "sources": 38, "declined": 40},
        "bounds": {"lower": -1.5, "upper": 2.0},
        "measures": {
            "cllr": estimate(0.62, 0.08),
            "cllr_min": estimate(0.55, 0.07),
            "auc": estimate(0.86, 0.04),
            "misleading_as_issued": estimate(0.028, 0.028),
            "misleading_manipulated": estimate(0.19, 0.06),
            "false_support": estimate(0.0, 0.079),
            "found": estimate(0.31, 0.09),
        },
        "held_out_as_issued": sorted(float(v) for v in rng.normal(-0.5, 0.5, 60)),
        "held_out_manipulated": sorted(float(v) for v in rng.normal(0.8, 0.8, 60)),
    }


def _outcomes(
    proposition: Proposition, base: float, flip: str | None = None
) -> tuple[ReshippedOpinion, ...]:
    outcomes = []
    for index, transform in enumerate(TRANSFORMS):
        weaker = round(base * (1 - 0.09 * index), 3)
        change = "flipped" if transform == flip else ("same" if index < 2 else "attenuated")
        verdict = (
            Verdict.SUPPORTS_MANIPULATED
            if weaker >= 1 and change != "flipped"
            else Verdict.CANNOT_TELL
        )
        outcomes.append(
            ReshippedOpinion(
                transform=transform,
                proposition=proposition,
                log10_lr=weaker,
                verdict=verdict,
                change=change,
            )
        )
    return tuple(outcomes)


def picture() -> Sample:
    """Support for alteration: noise map, copy-move pairs, contradicting facts, some declined."""
    rgb = goods_rgb()
    blocks = (
        0.25
        + 3.2 * _bump(67, 100, (0.3, 0.6), 0.09)
        + 0.1 * np.random.default_rng(3).normal(size=(67, 100))
    )
    blocks[:6, 70:] = np.nan
    traces = Traces(MediaKind.PICTURE, {"noise": _Noise(residual=blocks, blocks=blocks)})
    report = Report(
        exhibit=exhibit(),
        findings=(_noise_finding(), _copy_finding(), _facts_finding(), *_declined_of_picture()),
        opinions=(
            silent_opinion(
                Proposition.FACE_MANIPULATED,
                Contribution(
                    detector="face.eyes", log10_lr=None, speaks=False, reason=tr("declined")
                ),
            ),
            opinion(
                Proposition.IMAGE_ALTERED,
                1.61,
                0.95,
                2.0,
                Verdict.SUPPORTS_MANIPULATED,
                Contribution(
                    detector="image.noise_map", log10_lr=1.61, lower=0.95, upper=2.0, speaks=True
                ),
                Contribution(
                    detector="image.copy_move",
                    log10_lr=None,
                    speaks=False,
                    reason=tr(
                        "The strongest cue speaks alone; cues for one question are not added."
                    ),
                ),
            ),
            silent_opinion(Proposition.IMAGE_GENERATED),
        ),
        stability=Stability(
            state="examined",
            reason=tr("{count} ways of re-shipping were tried", count=8),
            transforms=TRANSFORMS,
            outcomes=_outcomes(Proposition.IMAGE_ALTERED, 1.61),
        ),
        versions=versions(**{"image.noise_map-1-any": "9d2f" * 16}),
    )
    finished, pictures = finish_evidence(report, traces, rgb)
    looks_for = {
        "image.noise_map": tr("Places whose noise does not fit the rest of the picture"),
        "image.copy_move": tr("Parts of the picture copied to another place in it"),
        "provenance.file_facts": tr("Facts in the file that contradict each other"),
    }
    return Sample(finished, pictures, (calibration(),), looks_for, preview(rgb))


def _noise_finding() -> Finding:
    return Finding(
        detector="image.noise_map",
        version="1",
        proposition=Proposition.IMAGE_ALTERED,
        status=Status.EXAMINED,
        score=3.21456789012,
        score_unit=tr("standard deviations above the picture's own noise"),
        gate=(
            Check(
                name=tr("size of the picture"),
                found=tr("{w} × {h} pixels", w=1600, h=1067),
                needed=tr("at least {w} × {h} pixels", w=512, h=512),
                passed=True,
            ),
            Check(
                name=tr("share of clipped pixels"),
                found=tr("{share:.1f} %", share=1.2),
                needed=tr("at most {share:.0f} %", share=20),
                passed=True,
            ),
            Check(
                name=tr("last JPEG quality"),
                found=tr("{quality}", quality=92),
                needed=tr("at least {quality}", quality=75),
                passed=True,
            ),
        ),
        evidence=(
            HeatMap(
                caption=tr("Strength of noise in blocks of 16 pixels, against the whole picture"),
                trace="noise",
                field="blocks",
                low=0.0,
                high=3.5,
                unit=tr("standard deviations"),
                regions=(Box(left=352, top=520, width=280, height=250, label=tr("differs most")),),
            ),
            Series(
                caption=tr("Spectrum of the noise along rows"),
                x=tuple(i / 100 for i in range(51)),
                y=tuple(None if 20 < i < 24 else 10 + 6 * math.cos(i / 6) for i in range(51)),
                x_label=tr("frequency (cycles per pixel)"),
                y_label=tr("power (dB)"),
                marks=(
                    Span(start_s=0.25, end_s=0.25, label=tr("trace of enlarging")),
                    Span(start_s=0.4, end_s=0.46),
                ),
            ),
        ),
        features={"contrast": 1.23456789, "share_outlying": 0.0312},
        limitations=(
            tr("Strong texture or a local filter of the telephone can look like this."),
            tr("Fails when the whole picture was re-saved at low quality."),
        ),
    )


def _copy_finding() -> Finding:
    boxes = (
        Box(left=160, top=120, width=300, height=230),
        Box(left=960, top=480, width=300, height=230),
        Box(left=40, top=760, width=120, height=110),
        Box(left=1400, top=60, width=120, height=110),
    )
    return Finding(
        detector="image.copy_move",
        version="2",
        proposition=Proposition.IMAGE_ALTERED,
        status=Status.EXAMINED,
        score=0.8,
        score_unit=tr("share of matching points"),
        evidence=(
            Regions(
                caption=tr("Parts that are copies of one another"),
                boxes=boxes,
                pairs=((0, 1), (2, 3)),
            ),
        ),
        limitations=(tr("Rows of identical cartons are alike without having been copied."),),
    )


def _facts_finding() -> Finding:
    rows = (
        Fact(name=tr("Camera maker"), value=tr("{value}", value="Canon")),
        Fact(
            name=tr("Software"),
            value=tr("{value}", value="Adobe Photoshop 25.1 (Windows)"),
            contradicts=tr("a file straight from a camera names no editing program"),
        ),
        Fact(
            name=tr("Quantisation tables"),
            value=tr("own table"),
            contradicts=tr("this camera maker writes IJG tables"),
        ),
        Fact(name=tr("Thumbnail"), value=tr("{w} × {h} pixels", w=160, h=107)),
    )
    return Finding(
        detector="provenance.file_facts",
        version="1",
        proposition=Proposition.IMAGE_ALTERED,
        status=Status.EXAMINED,
        concludes=tr("The file was saved by an editing program after it left the camera."),
        evidence=(Facts(caption=tr("What the file says about itself"), rows=rows),),
        limitations=(tr("Metadata can be written by anyone."),),
    )


def _declined_of_picture() -> tuple[Finding, ...]:
    gate = (
        Check(
            name=tr("face in the picture"),
            found=tr("none"),
            needed=tr("one of at least {size} pixels", size=96),
            passed=False,
        ),
        Check(
            name=tr("size of the picture"),
            found=tr("{w} × {h} pixels", w=1600, h=1067),
            needed=tr("at least {w} × {h} pixels", w=512, h=512),
            passed=True,
        ),
    )
    return (
        declined_finding(
            "face.eyes",
            Proposition.FACE_MANIPULATED,
            tr(
                "no face was located; one of at least {size} pixels between the eyes is needed",
                size=96,
            ),
            gate=gate,
        ),
        declined_finding(
            "image.double_jpeg",
            Proposition.IMAGE_ALTERED,
            tr(
                "the last compression is stronger than the first (step ratio {ratio:.2f}); at least {needed:.1f} is needed",
                ratio=0.8,
                needed=1.6,
            ),
        ),
        declined_finding(
            "image.spectrum",
            Proposition.IMAGE_GENERATED,
            tr(
                "the library {library} is not installed; install it with: pip install 'tidewaiter[all]'",
                library="openvino",
            ),
            Status.UNAVAILABLE,
        ),
        declined_finding(
            "image.resampling",
            Proposition.IMAGE_ALTERED,
            tr("{kind}: {problem}", kind="LinAlgError", problem="SVD did not converge"),
            Status.FAILED,
        ),
    )


def video() -> Sample:
    """A video with a timeline of repeats, curves of eyelids and pulse, and a region on a frame."""
    duration = 94.2
    seconds = [i * duration / 600 for i in range(601)]
    lids = tuple(0.28 - 0.2 * math.exp(-(((t % 4.3) - 2) ** 2) / 0.02) for t in seconds)
    spans = (
        Span(start_s=12.4, end_s=18.9, label=tr("shown again at {time:.1f} s", time=61.2)),
        Span(start_s=61.2, end_s=67.7, label=tr("a copy of {time:.1f} s", time=12.4)),
        Span(start_s=80.04, end_s=80.08, label=tr("one frame missing")),
    )
    findings = (
        Finding(
            detector="video.repeated_stretch",
            version="1",
            proposition=Proposition.VIDEO_ALTERED,
            status=Status.EXAMINED,
            score=6.5,
            score_unit=tr("seconds repeated"),
            evidence=(
                Timeline(
                    caption=tr("Stretches that repeat, and missing frames"),
                    duration_s=duration,
                    spans=spans,
                ),
            ),
            limitations=(tr("A still scene repeats itself; such stretches are left out."),),
        ),
        Finding(
            detector="face.blink",
            version="3",
            proposition=Proposition.FACE_MANIPULATED,
            status=Status.EXAMINED,
            score=-0.7,
            score_unit=tr("log-odds"),
            evidence=(
                Series(
                    caption=tr("Opening of the eyelids"),
                    x=tuple(seconds),
                    y=lids,
                    x_label=tr("time (s)"),
                    y_label=tr("eye aspect ratio"),
                    marks=tuple(Span(start_s=2 + 4.3 * k, end_s=2.2 + 4.3 * k) for k in range(21)),
                ),
                Series(
                    caption=tr("Pulse in the skin"),
                    x=tuple(seconds[:240]),
                    y=tuple(math.sin(7.1 * t) * 0.01 for t in seconds[:240]),
                    x_label=tr("time (s)"),
                    y_label=tr("change of colour (relative)"),
                ),
                Regions(
                    caption=tr("The face that was followed"),
                    boxes=(
                        Box(
                            left=560,
                            top=180,
                            width=190,
                            height=240,
                            label=tr("face {number}", number=1),
                        ),
                    ),
                    time_s=3.2,
                ),
            ),
            limitations=(tr("People who read from a screen blink less."),),
        ),
        declined_finding(
            "video.double_encoding",
            Proposition.VIDEO_ALTERED,
            tr("{found:.1f} s of video; {needed} s needed", found=3.2, needed=10),
        ),
    )
    report = Report(
        exhibit=exhibit(
            "entrée_quai 7.mp4",
            kind=MediaKind.VIDEO,
            media_type="video/mp4",
            width=1280,
            height=720,
            duration_s=duration,
            byte_length=48_211_004,
            notes=(),
        ),
        findings=findings,
        opinions=(
            opinion(
                Proposition.FACE_MANIPULATED,
                -0.12,
                -0.5,
                0.2,
                Verdict.CANNOT_TELL,
                Contribution(
                    detector="face.blink", log10_lr=-0.12, lower=-0.5, upper=0.2, speaks=True
                ),
                bound_lower=-0.5,
                bound_upper=0.5,
                reason=tr("the evidence is too weak"),
            ),
            opinion(
                Proposition.VIDEO_ALTERED,
                1.4,
                0.4,
                1.9,
                Verdict.CANNOT_TELL,
                Contribution(
                    detector="video.repeated_stretch",
                    log10_lr=1.4,
                    lower=0.4,
                    upper=1.9,
                    speaks=True,
                ),
                reason=tr("the opinion flips when the file is re-shipped"),
                verbal=tr(
                    "no support for either side: the opinion changes with the way of shipping"
                ),
            ),
        ),
        stability=Stability(
            state="examined",
            reason=tr("The first {seconds} s were re-shipped.", seconds=20),
            transforms=TRANSFORMS,
            outcomes=(
                *_outcomes(Proposition.FACE_MANIPULATED, -0.12),
                *_outcomes(Proposition.VIDEO_ALTERED, 1.4, flip="messenger"),
            ),
        ),
        versions=versions(**{"video.repeated_stretch-1-any": "77aa" * 16}),
    )
    finished, pictures = finish_evidence(
        report, Traces(MediaKind.VIDEO, {}), {3.2: goods_rgb(1280, 720)}
    )
    return Sample(
        finished,
        pictures,
        (calibration("video.repeated_stretch-1-any"), {"id": "face.blink-3-any"}),
    )


def declined() -> Sample:
    """Nothing could be examined."""
    names = (
        "image.jpeg_grid",
        "image.double_jpeg",
        "image.ghosts",
        "image.noise_map",
        "image.resampling",
        "image.copy_move",
    )
    report = Report(
        exhibit=exhibit(
            "scan.bmp", media_type="image/bmp", width=90, height=60, byte_length=812, notes=()
        ),
        findings=tuple(
            declined_finding(
                name,
                Proposition.IMAGE_ALTERED,
                tr("{w} × {h} pixels; at least {needed} × {needed} needed", w=90, h=60, needed=256),
            )
            for name in names
        ),
        opinions=(silent_opinion(Proposition.IMAGE_ALTERED),),
        stability=Stability(state="not_needed", reason=tr("no opinion to test")),
        versions=versions(),
    )
    return Sample(report)


HOSTILE_NAME = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202egpj.\u2066exe\n{{7*7}}{x}\x00\U000e0041%s&amp;'


def hostile() -> Sample:
    """A file whose name, facts and reasons attack the page."""
    finding = Finding(
        detector="provenance.file_facts",
        version="1",
        proposition=Proposition.IMAGE_ALTERED,
        status=Status.EXAMINED,
        concludes=tr("{value}", value=HOSTILE_NAME),
        evidence=(
            Facts(
                caption=tr("What the file says about itself"),
                rows=(
                    Fact(
                        name=tr("{value}", value="'><svg onload=alert(3)>"),
                        value=tr("{value}", value="W" * 400),
                    ),
                    Fact(
                        name=tr("Artist"),
                        value=tr("{value}", value="ال\u202eמסמך 文件 👩‍🚀"),
                        contradicts=tr("{value}", value=HOSTILE_NAME),
                    ),
                ),
            ),
            Series(
                caption=tr("{value}", value=HOSTILE_NAME),
                x=(0.0, 1.0),
                y=(0.0, 1.0),
                x_label=tr("{value}", value="</text></svg><script>1</script>"),
                y_label=tr("y"),
            ),
        ),
        features={"<b>": 1.0},
    )
    failed = declined_finding(
        "x.<i>",
        Proposition.IMAGE_ALTERED,
        tr("{kind}: {problem}", kind="OSError", problem=HOSTILE_NAME),
        Status.FAILED,
    )
    report = Report(
        exhibit=exhibit(HOSTILE_NAME, media_type="image/png"),
        findings=(finding, failed),
        opinions=(),
        stability=Stability(state="failed", reason=tr("{value}", value=HOSTILE_NAME)),
        versions=versions(**{"</td>": "<u>"}),
    )
    return Sample(report, looks_for={"provenance.file_facts": tr("{value}", value=HOSTILE_NAME)})


def genuine() -> Sample:
    """Support for the file being as issued, with long texts."""
    long = " ".join(
        ["A sentence that goes on because the matter is involved and an officer must know it."] * 6
    )
    finding = Finding(
        detector="image.jpeg_grid",
        version="1",
        proposition=Proposition.IMAGE_ALTERED,
        status=Status.EXAMINED,
        score=-2.0,
        concludes=tr("One grid of blocks covers the whole picture."),
        limitations=tuple(tr("{words}", words=long) for _ in range(3)),
        evidence=(
            Facts(
                caption=tr("Every value in the file"),
                rows=tuple(
                    Fact(
                        name=tr("Field {number}", number=n),
                        value=tr("{value}", value="0123456789abcdef" * 6),
                    )
                    for n in range(40)
                ),
            ),
        ),
    )
    report = Report(
        exhibit=exhibit("a" * 180 + ".jpg", notes=()),
        findings=(finding,),
        opinions=(
            opinion(
                Proposition.IMAGE_ALTERED,
                -1.2,
                -1.5,
                -0.8,
                Verdict.SUPPORTS_AS_ISSUED,
                Contribution(
                    detector="image.jpeg_grid", log10_lr=-1.2, lower=-1.5, upper=-0.8, speaks=True
                ),
            ),
        ),
        stability=Stability(state="not_asked", reason=tr("not asked for")),
        versions=versions(),
    )
    return Sample(report, calibrations=(calibration("image.jpeg_grid-1-any"),))
