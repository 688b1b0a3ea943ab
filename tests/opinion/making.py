"""Small calibrations, findings and score tables of known truth for the tests of opinions."""

from __future__ import annotations

import numpy as np

from tidewaiter.opinion.calibration import (
    Calibration,
    ClassCount,
    DataSet,
    Draws,
    Logistic,
    Member,
    SupportedBounds,
)
from tidewaiter.opinion.cues import Recipe, Terms
from tidewaiter.opinion.scores import ScoreRow, ScoreTable
from tidewaiter.vocabulary import Finding, Proposition, Status, tr

ALTERED = Proposition.IMAGE_ALTERED
LN10 = float(np.log(10.0))
RECIPE = Recipe(name="test", data="simulated", seed=3, draws=200)


def calibration(
    detector: str = "image.grid",
    *,
    version: str = "1",
    slope: float = 1.0,
    bound: float = 2.0,
    spread: float = 0.05,
    **changes: object,
) -> Calibration:
    """log10 LR = slope × score, with an interval of about ± 2 spread × |score|."""
    rng = np.random.default_rng(1)
    slopes = (slope + spread * rng.normal(size=400)) * LN10
    values: dict[str, object] = {
        "id": f"{detector}-{version}-any",
        "origin": "shipped",
        "proposition": ALTERED,
        "members": (Member(detector=detector, version=version),),
        "domain": "any",
        "gate": tr("always"),
        "data": (DataSet(name="simulated", sha256="0" * 64),),
        "as_issued": ClassCount(items=2000, sources=2000),
        "manipulated": ClassCount(items=2000, sources=2000),
        "split": "5 folds by source",
        "curve": Logistic(
            centres=(0.0,),
            scales=(1.0,),
            intercept=0.0,
            slopes=(slope * LN10,),
            penalty=1e-4,
            draws=Draws.of(np.column_stack([np.zeros(400), slopes]), "float32"),
        ),
        "bounds": SupportedBounds(lower=-bound, upper=bound),
        "may_clear": True,
        "measures": None,
        "usual_as_issued": -1.0,
        "seed": 1,
        "recipe": "test",
    }
    return Calibration.model_validate(values | changes)


def fusion(*members: Calibration, slope: float = 0.8, bound: float = 3.0) -> Calibration:
    """log10 LR = slope × Σ of the members' bounded log10 LR."""
    slopes = (slope * LN10,) * len(members)
    table = np.tile([0.0, *slopes], (50, 1))
    return Calibration.model_validate(
        dict(members[0])
        | {
            "id": "fusion-test",
            "members": tuple(
                Member(
                    detector=m.members[0].detector,
                    version=m.members[0].version,
                    calibration=m.id,
                )
                for m in members
            ),
            "curve": Logistic(
                centres=(0.0,) * len(members),
                scales=(1.0,) * len(members),
                intercept=0.0,
                slopes=slopes,
                penalty=1e-4,
                draws=Draws.of(table, "float32"),
            ),
            "bounds": SupportedBounds(lower=-bound, upper=bound),
        }
    )


def finding(
    detector: str = "image.grid",
    score: float | None = 1.5,
    *,
    version: str = "1",
    proposition: Proposition = ALTERED,
) -> Finding:
    """An examined finding; without a score, one outside its gate."""
    if score is None:
        return Finding(
            detector=detector,
            version=version,
            proposition=proposition,
            status=Status.NOT_APPLICABLE,
            reason=tr("2 pixels found; 3 needed"),
        )
    return Finding(
        detector=detector,
        version=version,
        proposition=proposition,
        status=Status.EXAMINED,
        score=score,
    )


def terms(detector: str, *, may_clear: bool = True, cap: float | None = None) -> Terms:
    """Terms of a detector of version 1."""
    return Terms(detector, "1", ALTERED, may_clear, cap, tr("always"))


def gaussian_table(
    detectors: dict[str, float],
    *,
    seed: int = 0,
    sources: int = 80,
    items: int = 2,
    shift: float = 0.0,
    declines: float = 0.0,
) -> ScoreTable:
    """Scores N(±strength + shift, 1) of every detector, half the sources manipulated.

    A share `declines` of the answers is outside the gate.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(sources * items):
        manipulated = (item // items) % 2 == 0
        for detector, strength in detectors.items():
            score = rng.normal((strength if manipulated else -strength) + shift)
            silent = rng.random() < declines
            rows.append(
                ScoreRow(
                    detector=detector,
                    version="1",
                    item=f"item {item}",
                    source=f"source {item // items}",
                    label="manipulated" if manipulated else "as_issued",
                    species="splice" if manipulated else "",
                    shipping="as_received",
                    status=Status.NOT_APPLICABLE if silent else Status.EXAMINED,
                    score=None if silent else float(score),
                )
            )
    return ScoreTable(tuple(rows))
