"""Let detectors score files of known truth, on all cores, into one score table."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.casework.examination import find
from tidewaiter.casework.plan import Plan
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import TidewaiterError
from tidewaiter.media import Unexamined, open_media
from tidewaiter.opinion.scores import ScoreRow, ScoreTable
from tidewaiter.vocabulary import Finding


@dataclass(frozen=True)
class Truth:
    """What is known of one file: the columns of a score table that do not come from a detector."""

    item: str
    source: str
    label: str
    species: str
    shipping: str


def score_all(
    files: Iterable[tuple[Truth, bytes]], detectors: Sequence[str], *, workers: int
) -> ScoreTable:
    """The scores of `detectors` (ids) on every file; files that cannot be opened are reported."""
    rows: list[ScoreRow] = []
    with _crew(workers) as spread:
        tasks = ((truth, data, tuple(detectors)) for truth, data in files)
        for number, found in enumerate(spread(_score, tasks), start=1):
            rows += found
            if number % 50 == 0:
                print(f"{number} files scored", flush=True)
    return ScoreTable(tuple(rows))


def weighing_detectors(*propositions: str) -> list[str]:
    """Ids of all detectors whose scores are weighed for these propositions."""
    return [
        d.id for d in all_detectors().values() if d.weighs and d.proposition.value in propositions
    ]


def _score(task: tuple[Truth, bytes, tuple[str, ...]]) -> list[ScoreRow]:
    truth, data, detectors = task
    with tempfile.NamedTemporaryFile(prefix="tidewaiter-score-") as file:
        file.write(data)
        file.flush()
        try:
            findings = _findings(Path(file.name), detectors)
        except TidewaiterError as error:
            print(f"{truth.item}: {error}", flush=True)
            return []
    return [_row(truth, finding) for finding in findings]


def _findings(path: Path, detectors: tuple[str, ...]) -> tuple[Finding, ...]:
    plan = Plan(only=detectors, stability=False)
    media = open_media(path, plan.limits)
    if isinstance(media, Unexamined):
        return ()
    return find(media, plan.detectors_for(media.exhibit.kind), plan)


def _row(truth: Truth, finding: Finding) -> ScoreRow:
    return ScoreRow(
        detector=finding.detector,
        version=finding.version,
        item=truth.item,
        source=truth.source,
        label=truth.label,
        species=truth.species,
        shipping=truth.shipping,
        status=finding.status,
        score=finding.score,
    )


@contextlib.contextmanager
def _crew(workers: int) -> Iterator[object]:
    """`map` over processes with one thread each, results in order."""
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        yield lambda work, tasks: pool.imap(work, tasks, chunksize=1)
