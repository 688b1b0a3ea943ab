"""Fit calibrations to a site's own material: score every item, fit, keep what is better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.casework.batch import find_exhibits
from tidewaiter.casework.examination import find
from tidewaiter.casework.plan import Plan, calibrations_here, terms_here
from tidewaiter.errors import ConfigurationError, InputError
from tidewaiter.media import Unexamined, open_media
from tidewaiter.opinion.cues import Recipe
from tidewaiter.opinion.loading import dump_calibration, parse_calibration
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, ScoreRow, ScoreTable
from tidewaiter.opinion.site import calibrate_site
from tidewaiter.opinion.site_cues import SiteOutcome
from tidewaiter.vocabulary import Status, Text, tr

SITE_SEED = 20590
"""Seed of the folds and bootstrap draws of site calibrations."""


RECIPE_NAME = "tidewaiter calibrate"


@dataclass(frozen=True)
class Item:
    """One file of a site's material and the independent source it comes from."""

    path: Path
    source: str
    label: str


@dataclass(frozen=True)
class Fitted:
    """What a site calibration gave: sentences for the reader, files for the site's folder."""

    sentences: tuple[Text, ...]
    files: Mapping[str, str]
    settled: frozenset[str] = frozenset()
    """Detectors that these items decided on: moved, fitted or kept as shipped."""


def site_items(genuine: Path, altered: Path | None, *, out: Path) -> list[Item]:
    """Every file of both folders; a direct subfolder is one source, a loose file its own.

    Raises InputError when a folder holds nothing or the two overlap.
    """
    folders = {AS_ISSUED: genuine} | ({MANIPULATED: altered} if altered else {})
    if altered is not None and _overlap(genuine, altered):
        raise InputError(
            f"{genuine.name!r} and {altered.name!r} are the same folder or lie within each other; "
            "keep genuine and altered items apart"
        )
    items = [item for label, folder in folders.items() for item in _items(folder, label, out)]
    for label, folder in folders.items():
        if not any(item.label == label for item in items):
            raise InputError(f"{folder.name!r} holds no files; put the {label} items there")
    return items


def site_name(out: Path) -> str:
    """The name of a site's domain, from the folder of its calibrations."""
    return re.sub(r"[^a-z0-9]+", "-", out.resolve().name.lower()).strip("-") or "site"


def score_item(item: Item, plan: Plan) -> list[dict[str, Any]]:
    """The rows of the score table for one item, as plain values."""
    media = open_media(item.path, plan.limits)
    if isinstance(media, Unexamined):
        return []
    detectors = [d for d in plan.detectors_for(media.exhibit.kind) if d.weighs]
    name = media.exhibit.sha256
    return [
        {
            "detector": finding.detector,
            "version": finding.version,
            "item": name,
            "source": item.source,
            "label": item.label,
            "status": finding.status.value,
            "score": finding.score,
        }
        for finding in find(media, detectors, plan)
    ]


def fit_site(
    rows: Iterable[Mapping[str, Any]], *, domain: str, face_network: Path | None = None
) -> Fitted:
    """Calibrations from the scored items; files only for those that gained on held-out items.

    `face_network` is the folder of the site's own network, if the items were scored by it.
    """
    table = ScoreTable(tuple(_distinct(_row(row) for row in rows)))
    known = calibrations_here(face_network=face_network).usable
    terms = terms_here(face_network)
    recipe = Recipe(
        name=RECIPE_NAME,
        data=f"the material of site {domain}",
        domain=domain,
        origin="site",
        seed=SITE_SEED,
    )
    outcomes = calibrate_site(table, known, terms, recipe)
    return Fitted(
        sentences=(*_counts(table), *(outcome.sentence for outcome in outcomes)),
        files=dict(_files(outcomes)),
        settled=frozenset(
            name
            for outcome in outcomes
            if outcome.action != "refused"
            for name in outcome.detectors
        ),
    )


def superseded(earlier: Mapping[str, str], fitted: Fitted) -> list[str]:
    """Files of earlier site calibrations (name to content) that `fitted` takes the place of.

    Left in the folder they would still be chosen wherever they claim less.
    """
    return [
        name
        for name, content in sorted(earlier.items())
        if name not in fitted.files and _is_superseded(content, fitted)
    ]


def _is_superseded(content: str, fitted: Fitted) -> bool:
    try:
        entry = parse_calibration(content, "")
    except ConfigurationError:  # not one of ours
        return False
    members = {member.detector for member in entry.members}
    return entry.origin == "site" and entry.recipe == RECIPE_NAME and members <= fitted.settled


def _items(folder: Path, label: str, out: Path) -> Iterator[Item]:
    for path in find_exhibits([folder], leave_out=out):
        below = path.relative_to(folder)
        source = below.parts[0] if len(below.parts) > 1 else path.name
        yield Item(path, f"{label}/{source}", label)


def _overlap(one: Path, other: Path) -> bool:
    first, second = one.resolve(), other.resolve()
    return first == second or first in second.parents or second in first.parents


def _row(row: Mapping[str, Any]) -> ScoreRow:
    return ScoreRow(
        **{name: row[name] for name in ("detector", "version", "item", "source", "label")},
        species="altered" if row["label"] == MANIPULATED else "",
        shipping="as_received",
        status=Status(row["status"]),
        score=row["score"],
    )


def _distinct(rows: Iterable[ScoreRow]) -> Iterator[ScoreRow]:
    """Each item once: a copy under another name is no further evidence."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.detector, row.item) not in seen:
            seen.add((row.detector, row.item))
            yield row


def _counts(table: ScoreTable) -> Iterator[Text]:
    for label in (AS_ISSUED, MANIPULATED):
        rows = [row for row in table.rows if row.label == label]
        yield tr(
            "{label}: {items} different items from {sources} sources",
            label=label.replace("_", " "),
            items=len({row.item for row in rows}),
            sources=len({row.source for row in rows}),
        )


def _files(outcomes: Sequence[SiteOutcome]) -> Iterator[tuple[str, str]]:
    for outcome in outcomes:
        if outcome.calibration is not None:
            name = re.sub(r"[^a-z0-9_.+-]+", "-", outcome.calibration.id)
            yield f"{name}.json", dump_calibration(outcome.calibration)
