"""The nouns of an examination: frozen, validated, serialisable, without pixels.

Bulk material (a heat map, a picture) is named by its SHA-256 and kept beside the
report. Words that a user reads are `Text`: an English template with values, turned
into the reader's language only when a report is written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    model_serializer,
    model_validator,
)

Scalar = str | int | float
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

MAX_SERIES_POINTS = 2000
"""A series keeps at most this many points; longer measurements are thinned for display."""


class Noun(BaseModel):
    """Base of all nouns: immutable, strict about unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Text(Noun):
    """A sentence for a reader: English template and the values to fill in.

    A value that is a `Text` itself is put into the reader's language with it.

    Written as `tr("{found:.1f} s found; {needed} s needed", found=3.2, needed=10)`.
    Serialises to the sentence itself, in the language of the serialisation context
    (`context={"translate": callable}`), and reads back as a template without values.
    """

    template: str
    values: dict[str, Scalar | Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_sentence(cls, value: Any) -> Any:
        return {"template": value} if isinstance(value, str) else value

    @model_serializer(mode="plain")
    def _as_sentence(self, info: SerializationInfo) -> str:
        context = info.context or {}
        return self.render(context.get("translate", str))

    def render(self, translate: Any = str) -> str:
        """The sentence, its template passed through `translate` (str -> str) first."""
        template = translate(self.template) if self.template else ""
        values = {
            name: value.render(translate) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        return str(template.format(**values)) if values else str(template)

    def __str__(self) -> str:
        return self.render()


def tr(template: str, /, **values: Scalar | Text) -> Text:
    """A translatable sentence; `template` must be a literal so that it can be extracted."""
    return Text(template=template, values=values)


class MediaKind(StrEnum):
    """What an exhibit is, as far as examination is concerned."""

    PICTURE = "picture"
    VIDEO = "video"
    SOUND = "sound"
    DOCUMENT = "document"


class Exhibit(Noun):
    """One item under examination, identified by its bytes.

    `name` is the file's own name, for the reader only; `media_type` is an IANA media
    type found from content, never from the name.
    """

    sha256: Sha256
    byte_length: int = Field(ge=0)
    name: str
    kind: MediaKind
    media_type: str
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    duration_s: float | None = Field(default=None, ge=0)
    notes: tuple[Text, ...] = ()


class Proposition(StrEnum):
    """What is weighed against its alternative "as issued"."""

    FACE_MANIPULATED = "face.manipulated"
    IMAGE_ALTERED = "image.altered"
    IMAGE_GENERATED = "image.generated"
    VIDEO_ALTERED = "video.altered"
    AUDIO_SYNTHETIC = "audio.synthetic"
    AUDIO_ALTERED = "audio.altered"
    DOCUMENT_ALTERED = "document.altered"
    SEAL_COPIED = "seal.copied"
    SIGNATURE_FORGED = "signature.forged"


class Status(StrEnum):
    """What became of a detector's examination. Silence never reads as genuine."""

    EXAMINED = "examined"
    NOT_APPLICABLE = "not_applicable"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Check(Noun):
    """One condition of a validity gate: what was found, what was needed."""

    name: Text
    found: Text
    needed: Text
    passed: bool


class Box(Noun):
    """A rectangle in pixels of the picture as stored: left, top, width, height."""

    left: int
    top: int
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    label: Text | None = None


class Span(Noun):
    """A stretch of time in seconds from the first picture."""

    start_s: float
    end_s: float
    label: Text | None = None


class HeatMap(Noun):
    """A map of values drawn over the picture.

    `trace` and `field` name the two-dimensional array in the traces; it covers `area`
    (default: the whole picture). `low` and `high` are the ends of the colour scale, in
    `unit`. `sha256` is filled in when the map is stored as a picture.
    """

    kind: Literal["heat_map"] = "heat_map"
    caption: Text
    trace: str
    field: str
    low: float
    high: float
    unit: Text
    area: Box | None = None
    regions: tuple[Box, ...] = ()
    sha256: Sha256 | None = None


class Regions(Noun):
    """Places in the picture, drawn as outlined boxes.

    `pairs` links boxes by index (copied from → to). In a video the boxes lie on the
    frame at `time_s`.
    """

    kind: Literal["regions"] = "regions"
    caption: Text
    boxes: tuple[Box, ...]
    pairs: tuple[tuple[int, int], ...] = ()
    time_s: float | None = None
    sha256: Sha256 | None = None


class Series(Noun):
    """A curve: y over x, with spans or single positions marked."""

    kind: Literal["series"] = "series"
    caption: Text
    x: tuple[float, ...] = Field(max_length=MAX_SERIES_POINTS)
    y: tuple[float | None, ...] = Field(max_length=MAX_SERIES_POINTS)
    x_label: Text
    y_label: Text
    marks: tuple[Span, ...] = ()

    @model_validator(mode="after")
    def _same_length(self) -> Series:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} points, y has {len(self.y)}")
        return self


class Timeline(Noun):
    """Stretches of a video, drawn on a bar of the whole duration."""

    kind: Literal["timeline"] = "timeline"
    caption: Text
    duration_s: float = Field(ge=0)
    spans: tuple[Span, ...]


class Fact(Noun):
    """One row of a table of file facts; `contradicts` says what it does not fit."""

    name: Text
    value: Text
    contradicts: Text | None = None


class Facts(Noun):
    """A table of facts read from the file."""

    kind: Literal["facts"] = "facts"
    caption: Text
    rows: tuple[Fact, ...]


Evidence = Annotated[HeatMap | Regions | Series | Timeline | Facts, Field(discriminator="kind")]


class Finding(Noun):
    """What one detector observed. `score` is raw: larger means more manipulation-like.

    `features` are further raw numbers for the record and for joint calibration.
    `concludes` states, for deterministic findings only, a fact in words; it never
    carries a likelihood ratio.
    """

    detector: str
    version: str
    proposition: Proposition
    status: Status
    reason: Text | None = None
    gate: tuple[Check, ...] = ()
    score: float | None = None
    score_unit: Text | None = None
    features: dict[str, float] = Field(default_factory=dict)
    concludes: Text | None = None
    evidence: tuple[Evidence, ...] = ()
    limitations: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _reasoned(self) -> Finding:
        if self.status is Status.EXAMINED:
            if self.score is None and self.concludes is None:
                raise ValueError(f"{self.detector}: examined, but neither score nor fact given")
        else:
            if self.reason is None:
                raise ValueError(f"{self.detector}: {self.status} needs a reason")
            if self.score is not None:
                raise ValueError(f"{self.detector}: {self.status} must not carry a score")
        return self


class Verdict(StrEnum):
    """The three things an opinion can say. None of them is "fake"."""

    SUPPORTS_MANIPULATED = "supports manipulated"
    SUPPORTS_AS_ISSUED = "supports as issued"
    CANNOT_TELL = "cannot tell"


class Contribution(Noun):
    """What one finding brought to an opinion; a silent one brings nothing and says why."""

    detector: str
    log10_lr: float | None
    lower: float | None = None
    upper: float | None = None
    speaks: bool
    reason: Text | None = None


class Opinion(Noun):
    """What the findings mean for one pair of propositions.

    `log10_lr` is the decimal logarithm of P(findings | manipulated so) divided by
    P(findings | as issued); `lower` and `upper` are its 95 % interval after bounding.
    `bound_lower` and `bound_upper` are what the validation data can support at most.
    An opinion without any calibrated finding has log10_lr 0, verdict "cannot tell".
    """

    proposition: Proposition
    log10_lr: float
    lower: float
    upper: float
    bound_lower: float | None = None
    bound_upper: float | None = None
    calibration: str | None
    domain: str | None = None
    verbal: Text
    verdict: Verdict
    contributors: tuple[Contribution, ...]
    reason: Text | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Opinion:
        if not self.lower <= self.log10_lr <= self.upper:
            raise ValueError(
                f"{self.proposition}: {self.lower} ≤ {self.log10_lr} ≤ {self.upper} fails"
            )
        return self


class ReshippedOpinion(Noun):
    """The opinion on one proposition after one re-shipping of the exhibit."""

    transform: str
    proposition: Proposition
    log10_lr: float
    verdict: Verdict
    change: Literal["same", "attenuated", "strengthened", "flipped"]


class Stability(Noun):
    """Whether opinions survive re-compression, resizing, cropping and the like."""

    state: Literal["examined", "not_needed", "not_asked", "failed"]
    reason: Text
    transforms: tuple[str, ...] = ()
    outcomes: tuple[ReshippedOpinion, ...] = ()


class Versions(Noun):
    """What made the report, so that the same bytes give the same report again."""

    tidewaiter: str
    python: str
    libraries: dict[str, str]
    models: dict[str, str] = Field(default_factory=dict)
    calibrations: dict[str, str] = Field(default_factory=dict)


class Report(Noun):
    """Exhibit, findings, opinions, stability and versions. It holds no wall-clock time."""

    schema_version: Literal["1"] = "1"
    exhibit: Exhibit
    findings: tuple[Finding, ...]
    opinions: tuple[Opinion, ...]
    stability: Stability
    versions: Versions
