"""Asking the product about a saved file: the network's finding, and a whole examination."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.detection.attacks.queries import Rectangle
from benchmarks.detection.attacks.views import Pixels
from tidewaiter.casework.examination import examine_file, find
from tidewaiter.casework.plan import Plan
from tidewaiter.detectors.face.manipulation_network import ManipulationNetwork
from tidewaiter.media import Picture, open_media
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_crop import wide_square
from tidewaiter.traces.face_geometry import Corners
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import Finding, MediaKind, Proposition, Report, Verdict

NETWORK = ManipulationNetwork()


@dataclass(frozen=True)
class Told:
    """What the report of one file says: of faces, of anything, and how strongly of faces.

    `survived` is the share of re-shipped copies about which the opinion on faces still
    supports manipulation; None where the stability battery had nothing to lose.
    `speakers` are the propositions whose opinions support manipulation.
    """

    face: str
    strongest: str
    log10_lr: float
    survived: float | None
    speakers: tuple[str, ...]


def network_finding(path: Path, plan: Plan) -> Finding:
    """The network's finding on a file, with its gate, as `examine` makes it."""
    media = open_media(path, plan.limits)
    assert isinstance(media, Picture)
    (finding,) = find(media, (NETWORK,), plan)
    return finding


def score_of(pixels: Pixels, plan: Plan) -> float | None:
    """The score of pixels submitted as a file without loss; None where the network declines."""
    import cv2

    with tempfile.NamedTemporaryFile(prefix="tidewaiter-query-", suffix=".bmp") as file:
        cv2.imwrite(file.name, pixels[..., ::-1])
        return network_finding(Path(file.name), plan).score


def told_about(path: Path, plan: Plan) -> Told:
    """The opinions of a whole examination, the stability battery included."""
    report = examine_file(path, plan).report
    (face,) = (o for o in report.opinions if o.proposition is Proposition.FACE_MANIPULATED)
    return Told(
        face=face.verdict.value,
        strongest=strongest_verdict(report).value,
        log10_lr=face.log10_lr,
        survived=_survived(report),
        speakers=tuple(
            opinion.proposition.value
            for opinion in report.opinions
            if opinion.verdict is Verdict.SUPPORTS_MANIPULATED
        ),
    )


def strongest_verdict(report: Report) -> Verdict:
    """Manipulated where any opinion supports it, else as issued where any does."""
    given = {opinion.verdict for opinion in report.opinions}
    for verdict in (Verdict.SUPPORTS_MANIPULATED, Verdict.SUPPORTS_AS_ISSUED):
        if verdict in given:
            return verdict
    return Verdict.CANNOT_TELL


def _survived(report: Report) -> float | None:
    after = [
        outcome.verdict is Verdict.SUPPORTS_MANIPULATED
        for outcome in report.stability.outcomes
        if outcome.proposition is Proposition.FACE_MANIPULATED
    ]
    return sum(after) / len(after) if after else None


def wide_squares(path: Path) -> tuple[Corners, ...]:
    """The squares from which the network's crops are cut, largest face first."""
    picture = open_media(path)
    assert isinstance(picture, Picture)
    found = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    faces = found.faces if isinstance(found, PictureFaces) else ()
    return tuple(wide_square(face.points) for face in faces)


def rectangle_around(squares: tuple[Corners, ...], pixels: Pixels) -> Rectangle:
    """Left, top, right, bottom of all squares within the picture."""
    corners = np.concatenate([*squares, *(s[1:2] + s[2:3] - s[:1] for s in squares)])
    height, width = pixels.shape[:2]
    left, top = np.floor(corners.min(0)).clip(0).astype(int)
    right, bottom = np.ceil(corners.max(0)).clip(1, (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)
