"""A calibration: the data file that turns a score into a bounded likelihood ratio.

Made by a recipe or by `tidewaiter calibrate`, never by hand. It says on which data it
rests, how far those data let it speak, and how well it did on sources it had not seen.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.vocabulary import Noun, Proposition, Sha256, Text

# Draws and parameters of one calibration stay below these, so that a hostile file is refused.
MAX_DRAWS = 20_000
MAX_PARAMETERS = 200
# Values of held-out log10 LR kept per class for plots; more are thinned to quantiles.
MAX_HELD_OUT = 201
# A calibration may round its bounds to this.
BOUND_ROUNDING = 1e-6


class Estimate(Noun):
    """A measure with its 95 % interval over sources."""

    value: float
    lower: float
    upper: float


class ClassCount(Noun):
    """How much of one class a calibration rests on. `declined` items are outside the gate."""

    items: int = Field(ge=0)
    sources: int = Field(ge=0)
    declined: int = Field(ge=0, default=0)


class DataSet(Noun):
    """A set of material the calibration was fitted on, by the digest of its score table."""

    name: str
    sha256: Sha256


class Draws(Noun):
    """Bootstrap coefficients: one row per draw, little-endian floats in base64."""

    width: int = Field(ge=1, le=MAX_PARAMETERS)
    precision: Literal["float16", "float32"]
    data: str

    @model_validator(mode="after")
    def _decodable(self) -> Draws:
        try:
            table = self.table()
        except (ValueError, binascii.Error) as error:
            raise ValueError(f"draws cannot be decoded: {error}") from error
        if not 1 <= table.shape[0] <= MAX_DRAWS:
            raise ValueError(f"{table.shape[0]} draws; 1 to {MAX_DRAWS} are needed")
        if not np.isfinite(table).all():
            raise ValueError("a draw is not a finite number")
        return self

    def table(self) -> FloatArray:
        """The coefficients, shape (draws, width); read-only."""
        return _decoded(self.data, self.precision, self.width)

    @classmethod
    def of(cls, table: FloatArray, precision: Literal["float16", "float32"]) -> Draws:
        """Pack coefficients of shape (draws, width)."""
        raw = np.ascontiguousarray(table, dtype=np.dtype(precision).newbyteorder("<")).tobytes()
        data = base64.b64encode(raw).decode("ascii")
        return cls(width=table.shape[1], precision=precision, data=data)


@lru_cache(maxsize=256)
def _decoded(data: str, precision: str, width: int) -> FloatArray:
    raw = base64.b64decode(data, validate=True)
    flat = np.frombuffer(raw, dtype=np.dtype(precision).newbyteorder("<"))
    table = flat.reshape(-1, width).astype(np.float64)
    table.setflags(write=False)
    return table


class Logistic(Noun):
    """ℓ = (intercept + Σ_k slope_k · (s_k − centre_k) / scale_k) / ln 10.

    For a fusion s_k is the bounded ℓ of member k. A row of `draws` is an intercept and
    the slopes.
    """

    kind: Literal["logistic"] = "logistic"
    centres: tuple[float, ...] = Field(min_length=1)
    scales: tuple[Annotated[float, Field(gt=0)], ...]
    intercept: float
    slopes: tuple[Annotated[float, Field(gt=0)], ...]
    penalty: float = Field(ge=0)
    draws: Draws

    @model_validator(mode="after")
    def _same_width(self) -> Logistic:
        widths = {len(self.centres), len(self.scales), len(self.slopes), self.draws.width - 1}
        if len(widths) != 1:
            raise ValueError(f"centres, scales, slopes and draws have widths {sorted(widths)}")
        return self


class Isotonic(Noun):
    """ℓ between knots by straight lines, beyond them constant. A draw is ℓ at every knot."""

    kind: Literal["isotonic"] = "isotonic"
    knots: tuple[float, ...] = Field(min_length=2, max_length=MAX_PARAMETERS)
    log10_lr: tuple[float, ...]
    draws: Draws

    @model_validator(mode="after")
    def _monotone(self) -> Isotonic:
        if {len(self.log10_lr), self.draws.width} != {len(self.knots)}:
            raise ValueError("knots, log10_lr and draws must have the same width")
        if np.any(np.diff(self.knots) <= 0) or np.any(np.diff(self.log10_lr) < 0):
            raise ValueError("knots must rise and log10_lr must not fall")
        return self


class SupportedBounds(Noun):
    """What log10 LR the validation supports, n counted in independent sources.

    `lower` and `upper` are the empirical bounds (ELUB); the others are the
    invariance-verification bounds, shown as a cross-check.
    """

    lower: float = Field(le=0)
    upper: float = Field(ge=0)
    invariance_lower: float | None = None
    invariance_upper: float | None = None


class Measures(Noun):
    """How the bounded likelihood ratios did on sources not used for their fit."""

    cllr: Estimate
    cllr_min: Estimate
    cllr_cal: Estimate
    dev_pav: Estimate
    auc: Estimate
    tpr_at_1_percent_fpr: Estimate
    misleading_as_issued: Estimate
    misleading_manipulated: Estimate
    cllr_spoken: float
    """Cllr after the cap and, where the cue may not clear, after the floor at 0."""
    false_support: Estimate
    """Share of genuine items whose spoken log10 LR reaches the threshold of support."""
    found: Estimate
    """Share of manipulated items whose spoken log10 LR reaches the threshold of support."""


class Member(Noun):
    """A detector that speaks through a calibration.

    In a fusion `calibration` names the calibration whose bounded ℓ enters.
    """

    detector: str
    version: str
    calibration: str | None = None


class Calibration(Noun):
    """From the score of one detector version (or several, fused) to a bounded log10 LR."""

    schema_version: Literal["1"] = "1"
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.+-]{0,119}$")
    origin: Literal["shipped", "site"]
    proposition: Proposition
    members: tuple[Member, ...] = Field(min_length=1, max_length=64)
    domain: str
    gate: Text
    data: tuple[DataSet, ...]
    as_issued: ClassCount
    manipulated: ClassCount
    split: str
    curve: Annotated[Logistic | Isotonic, Field(discriminator="kind")]
    bounds: SupportedBounds
    cap: float | None = Field(default=None, gt=0)
    may_clear: bool = False
    measures: Measures | None
    held_out_as_issued: tuple[float, ...] = Field(default=(), max_length=MAX_HELD_OUT)
    held_out_manipulated: tuple[float, ...] = Field(default=(), max_length=MAX_HELD_OUT)
    usual_as_issued: float
    """Median log10 LR (before bounding) of the genuine items: what a site is compared with."""
    seed: int
    recipe: str
    based_on: str | None = None
    """For a site calibration: the shipped calibration it moved."""

    @model_validator(mode="after")
    def _consistent(self) -> Calibration:
        width = 1 if self.curve.kind == "isotonic" else len(self.curve.slopes)
        if width != len(self.members):
            raise ValueError(f"{len(self.members)} members, but the curve takes {width}")
        if self.is_fusion != all(member.calibration for member in self.members):
            raise ValueError("each member of a fusion, and no other, names its calibration")
        self._not_beyond("upper", self.bounds.upper, self.as_issued.sources)
        self._not_beyond("lower", -self.bounds.lower, self.manipulated.sources)
        return self

    def _not_beyond(self, name: str, bound: float, sources: int) -> None:
        most = float(np.log10(sources + 1))
        if bound > most + BOUND_ROUNDING:
            raise ValueError(
                f"the {name} bound is ±{bound:.3f}, but {sources} sources support at most "
                f"±{most:.3f}"
            )

    @property
    def is_fusion(self) -> bool:
        """Whether several detectors speak through this calibration together."""
        return len(self.members) > 1

    @property
    def spoken_lower(self) -> float:
        """The lowest log10 LR this calibration ever gives: bound, cap and right to clear."""
        if not self.may_clear:
            return 0.0
        return self.bounds.lower if self.cap is None else max(self.bounds.lower, -self.cap)

    @property
    def spoken_upper(self) -> float:
        """The highest log10 LR this calibration ever gives: bound and cap."""
        return self.bounds.upper if self.cap is None else min(self.bounds.upper, self.cap)
