"""A trained network's answer about every face of a picture."""

from __future__ import annotations

from math import log

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.gates import face_checks, steady_check
from tidewaiter.traces.base import Traces
from tidewaiter.traces.compression import Compression
from tidewaiter.traces.face_manipulation import FaceAnswer, FaceManipulation
from tidewaiter.traces.face_quality import LEAST_FACE_PIXELS
from tidewaiter.vocabulary import (
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    Text,
    tr,
)

# Below this quality error rates were not measured (benchmarks/detection/face_network).
LEAST_JPEG_QUALITY = 30


class ManipulationNetwork(Detector):
    """Takes the strongest of the network's answers about the faces of a picture.

    Were a logit the logarithm of a likelihood ratio, one altered among n faces would have
    the mean of their ratios: the highest over n, where the others have next to none.
    """

    id = "face.manipulation_network"
    version = "2"
    proposition = Proposition.FACE_MANIPULATED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"face_manipulation"})
    looks_for = tr("faces that were swapped, merged, reshaped or blended in")
    speaks_when = tr(
        "a face at least {pixels:.0f} pixels long is sharp, in view and turned to the camera",
        pixels=LEAST_FACE_PIXELS,
    )
    score_unit = tr("score of the highest face, less what chance gives the highest of so many")
    limitations = (
        tr("A method of forging that it was not trained on may leave it silent."),
        tr("Faces drawn whole by a generator are not what it was trained to find."),
        tr("Beauty filters and heavy retouching alter a face too and can raise the score."),
        tr("Whoever has the network can change a picture so that it is misled."),
        tr(
            "A score that a mild compression overturns is not used: pictures made to mislead a "
            "network behave like that."
        ),
        tr("It never speaks for a picture: a low score is not a sign of an untouched face."),
    )

    def examine(self, traces: Traces) -> Finding:
        """The largest score among the faces fit to be asked about, less the log of their number."""
        answers: FaceManipulation = traces["face_manipulation"]
        finding = self._finding(answers)
        return finding.model_copy(update={"version": self.version + answers.network_mark})

    def _finding(self, answers: FaceManipulation) -> Finding:
        usable = [face for face in answers.faces if face.usable]
        strongest = max(usable, key=lambda face: face.score, default=answers.faces[0])
        gate = [_compression_check(answers.compression), *_face_gate(strongest)]
        failed = next((check for check in gate if not check.passed), None)
        if failed is not None:
            return self.not_applicable(
                _reason(failed, len(answers.faces)), gate=gate, evidence=[_table(answers)]
            )
        return self.examined(
            strongest.score - log(len(usable)),
            gate=gate,
            evidence=[_map(answers), _table(answers)],
            features={
                "faces": float(len(answers.faces)),
                "faces_examined": float(len(usable)),
                "face_pixels": strongest.quality.pixels,
                "sharpness": strongest.quality.sharpness,
                "gap": strongest.gap,
                "highest": strongest.score,
            },
        )


def _face_gate(face: FaceAnswer) -> list[Check]:
    return [*face_checks(face.quality), steady_check(face)]


def _compression_check(compression: Compression) -> Check:
    quality = compression.quality
    return Check(
        name=tr("compression"),
        found=tr("{format}", format=compression.format or "?")
        if quality is None
        else tr("JPEG {quality}", quality=quality),
        needed=tr("no JPEG below {quality}", quality=LEAST_JPEG_QUALITY),
        passed=quality is None or quality >= LEAST_JPEG_QUALITY,
    )


def _reason(failed: Check, faces: int) -> Text:
    values = {"condition": failed.name, "found": failed.found, "needed": failed.needed}
    if faces == 1:
        return tr("{condition}: {found}; {needed} needed", **values)
    return tr(
        "none of {faces} faces can be examined; of the largest, {condition}: {found}; "
        "{needed} needed",
        faces=faces,
        **values,
    )


def _map(answers: FaceManipulation) -> Evidence:
    return HeatMap(
        caption=tr("Where the network sees alteration"),
        trace="face_manipulation",
        field="heat",
        low=0.0,
        high=1.0,
        unit=tr("share of alteration the network sees"),
        area=answers.area,
        regions=tuple(
            face.box.model_copy(update={"label": _name(index)})
            for index, face in enumerate(answers.faces)
        ),
    )


def _table(answers: FaceManipulation) -> Evidence:
    return Facts(
        caption=tr("Faces and the network's answers"),
        rows=tuple(
            Fact(name=_name(index), value=_described(face))
            for index, face in enumerate(answers.faces)
        ),
    )


def _name(index: int) -> Text:
    return tr("face {number}", number=index + 1)


def _described(face: FaceAnswer) -> Text:
    failed = next((check for check in _face_gate(face) if not check.passed), None)
    if failed is None:
        return tr(
            "score {score:.2f}, {pixels:.0f} pixels", score=face.score, pixels=face.quality.pixels
        )
    return tr(
        "not examined: {condition} {found}, {needed} needed",
        condition=failed.name,
        found=failed.found,
        needed=failed.needed,
    )
