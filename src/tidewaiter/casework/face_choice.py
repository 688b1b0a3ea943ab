"""Judge a refitted face network by the scores of both, and calibrate it if it is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.casework.plan import calibrations_here, terms_here
from tidewaiter.casework.site_calibration import SITE_SEED, site_name
from tidewaiter.errors import InputError
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import FittedCue, Recipe, Refusal, Terms, fit_cue
from tidewaiter.opinion.loading import dump_calibration
from tidewaiter.opinion.network_choice import Choice, FalseSupport, choose, compare
from tidewaiter.opinion.scores import ScoreRow, ScoreTable, write_scores
from tidewaiter.opinion.weighing import SUPPORT_LOG10_LR
from tidewaiter.vocabulary import Status, Text, tr
from tidewaiter.weights.own import CALIBRATIONS_FOLDER

PICTURE_DETECTOR = "face.manipulation_network"
VIDEO_DETECTOR = "face.manipulation_network_video"
FORGED = "forged"
"""Species of forged files a site brought itself."""
RECIPE_NAME = "tidewaiter fit face"
# Forged files of a site count in the decision from so many sources.
LEAST_FORGED_SOURCES = 10


@dataclass(frozen=True)
class Decision:
    """What was decided, the calibrations of the fitted network, and what else to say."""

    choice: Choice
    calibrations: tuple[Calibration, ...]
    sentences: tuple[Text, ...]
    scores: Mapping[str, ScoreTable]
    """What both networks said of every held-out item, by file name."""

    @property
    def accepted(self) -> bool:
        """Whether the fitted network may be installed."""
        return self.choice.accepted

    @property
    def files(self) -> dict[str, str]:
        """The calibrations and the scores as files of a site's network."""
        calibrations = {
            f"{CALIBRATIONS_FOLDER}/{entry.id}.json": dump_calibration(entry)
            for entry in self.calibrations
        }
        return calibrations | {name: write_scores(table) for name, table in self.scores.items()}


def decide(
    rows: Iterable[Mapping[str, Any]],
    networks: tuple[Path | None, Path],
    left_out: Sequence[str],
    out: Path,
) -> Decision:
    """Compare the network in use with the candidate, by their folders (None: the shipped).

    Raises InputError where held-out items could not be examined.
    """
    table = ScoreTable(tuple(_row(row) for row in rows))
    terms = [terms_here(folder) for folder in networks]
    recipe = Recipe(
        name=RECIPE_NAME,
        data=f"faces of site {site_name(out)}, forged by tidewaiter in families never fitted on",
        domain=site_name(out),
        origin="site",
        seed=SITE_SEED,
    )
    pictures = table.of(PICTURE_DETECTOR)
    versions = (terms[0][PICTURE_DETECTOR].version, terms[1][PICTURE_DETECTOR].version)
    _examinable(pictures, versions)
    comparisons = [
        compare(pictures, versions, forgeries, recipe.rng("comparison"))
        for forgeries in _forgeries(pictures, left_out)
    ]
    before, after = (
        fit_cue(pictures, _capped(own[PICTURE_DETECTOR], networks[0]), recipe) for own in terms
    )
    support = FalseSupport(
        before=_false_support(before),
        after=_false_support(after),
        items=len(_genuine(pictures, versions[1])),
        sources=len({row.source for row in _genuine(pictures, versions[1])}),
    )
    choice = choose(comparisons, support)
    video = _video(table, terms[1], networks[0], recipe)
    calibrations = tuple(o.calibration for o in (after, video) if isinstance(o, FittedCue))
    return Decision(
        _unless_mute(choice, after),
        calibrations,
        tuple(_said(after, video)),
        {
            "scores-in-use.csv": _of_network(table, terms[0]),
            "scores-fitted.csv": _of_network(table, terms[1]),
        },
    )


def _of_network(table: ScoreTable, terms: Mapping[str, Terms]) -> ScoreTable:
    return ScoreTable(
        tuple(row for row in table.rows if terms[row.detector].version == row.version)
    )


def _examinable(pictures: ScoreTable, versions: tuple[str, str]) -> None:
    if versions[0] == versions[1]:
        raise InputError(
            "the fit changed nothing in the network; give it more --pairs or a larger --rate"
        )
    scored = {row.label for row in pictures.rows if row.score is not None}
    if len(scored) < 2:
        raise InputError(
            "no genuine and forged held-out pictures could be examined; pictures with faces at "
            "least 64 pixels long, sharp and turned to the camera are needed"
        )


def _forgeries(pictures: ScoreTable, left_out: Sequence[str]) -> list[tuple[str, ...]]:
    """All families that were left out together, then each, then what the site brought."""
    made = {row.species for row in pictures.rows if row.score is not None}
    families = [name for name in left_out if name in made]
    groups = [tuple(families), *((name,) for name in families)]
    brought = {row.source for row in pictures.rows if row.species == FORGED}
    if len(brought) >= LEAST_FORGED_SOURCES:
        groups.append((FORGED,))
    return [group for group in groups if group]


def _capped(terms: Terms, in_use: Path | None) -> Terms:
    """With at most what the calibrations in use may say: a site's forgeries are few kinds."""
    known = [
        entry
        for entry in calibrations_here(face_network=in_use).usable
        if not entry.is_fusion and entry.members[0].detector == terms.detector
    ]
    most = min((entry.spoken_upper for entry in known), default=None)
    if most is None or (terms.cap is not None and terms.cap <= most):
        return terms
    return replace(terms, cap=most)


def _false_support(outcome: FittedCue | Refusal) -> float:
    """Share of held-out genuine items that reach support; 0 where nothing may be said."""
    if isinstance(outcome, Refusal):
        return 0.0
    values = np.clip(
        outcome.held_out.bounded, outcome.calibration.spoken_lower, outcome.calibration.spoken_upper
    )
    return float((values[~outcome.held_out.labels] >= SUPPORT_LOG10_LR).mean())


def _genuine(pictures: ScoreTable, version: str) -> list[ScoreRow]:
    return [
        row
        for row in pictures.rows
        if row.version == version and row.score is not None and not row.species
    ]


def _video(
    table: ScoreTable, terms: Mapping[str, Terms], in_use: Path | None, recipe: Recipe
) -> FittedCue | Refusal | None:
    rows = table.of(VIDEO_DETECTOR)
    if not rows.rows or VIDEO_DETECTOR not in terms:
        return None
    return fit_cue(rows, _capped(terms[VIDEO_DETECTOR], in_use), recipe)


def _unless_mute(choice: Choice, outcome: FittedCue | Refusal) -> Choice:
    """A network whose calibration never reaches support could find nothing any more."""
    if not choice.accepted:
        return choice
    if isinstance(outcome, Refusal):
        sentence = tr("refused: no calibration can be made for it: {reason}", reason=outcome.reason)
        return replace(choice, accepted=False, sentence=sentence)
    most = outcome.calibration.spoken_upper
    if most >= SUPPORT_LOG10_LR:
        return choice
    sentence = tr(
        "refused: {sources} held-out sources support a likelihood ratio of at most {most:.1f} for "
        "it, and {needed:.0f} is needed to support manipulation; add pictures of more people",
        sources=outcome.calibration.as_issued.sources,
        most=10.0**most,
        needed=10.0**SUPPORT_LOG10_LR,
    )
    return replace(choice, accepted=False, sentence=sentence)


def _said(picture: FittedCue | Refusal, video: FittedCue | Refusal | None) -> Iterable[Text]:
    if isinstance(picture, FittedCue):
        yield tr(
            "pictures: likelihood ratio at most {most:.1f}; {sources} held-out sources support it",
            most=10.0**picture.calibration.spoken_upper,
            sources=picture.calibration.as_issued.sources,
        )
    if isinstance(video, FittedCue):
        yield tr(
            "videos: likelihood ratio at most {most:.1f}; {sources} held-out sources support it",
            most=10.0**video.calibration.spoken_upper,
            sources=video.calibration.as_issued.sources,
        )
    else:
        yield tr(
            "videos: the held-out clips support no calibration; with this network the detector "
            "states what it sees in a video without a likelihood ratio"
        )


def _row(row: Mapping[str, Any]) -> ScoreRow:
    return ScoreRow(**{**row, "status": Status(row["status"])})
