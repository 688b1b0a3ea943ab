"""Prove an installation offline: parts present, workers killable, known exhibits examined."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.casework.listing import obstacle_of
from tidewaiter.casework.plan import calibrations_here, versions_used
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import TidewaiterError
from tidewaiter.testing.samples import clean_video, spliced_picture, untouched_picture
from tidewaiter.vocabulary import Proposition, Report, Status, Text, Verdict, tr

Examine = Callable[[Path], Report]


@dataclass(frozen=True)
class Step:
    """One thing proved, or found wanting."""

    name: Text
    found: Text
    passed: bool


def prove(
    examine: Examine, site_calibrations: Path | None = None, face_network: Path | None = None
) -> Iterator[Step]:
    """Every step in turn; `examine` runs in a worker as in daily use."""
    yield _libraries()
    yield _detectors()
    yield _calibrations(site_calibrations, face_network)
    with tempfile.TemporaryDirectory(prefix="tidewaiter-selftest-") as name:
        folder = Path(name)
        yield from _exhibits(examine, folder)
        yield _refuses(examine, folder)


def _libraries() -> Step:
    missing = [n for n, v in versions_used().libraries.items() if v == "not installed"]
    if missing:
        found = tr("not installed: {names}", names=", ".join(missing))
    else:
        found = tr("{count} present", count=len(versions_used().libraries))
    return Step(tr("libraries"), found, not missing)


def _detectors() -> Step:
    obstacles = {d.id: obstacle_of(d) for d in all_detectors().values()}
    stuck = {name: obstacle for name, obstacle in obstacles.items() if obstacle}
    if stuck:
        first, obstacle = next(iter(stuck.items()))
        found = tr(
            "{count} cannot run here; {first}: {obstacle}",
            count=len(stuck),
            first=first,
            obstacle=str(obstacle),
        )
    else:
        found = tr("all {count} can run here", count=len(obstacles))
    return Step(tr("detectors and models"), found, not stuck)


def _calibrations(site: Path | None, face_network: Path | None) -> Step:
    try:
        loaded = calibrations_here(site, face_network)
    except TidewaiterError as error:
        return Step(tr("calibrations"), tr("{problem}", problem=str(error)), passed=False)
    if loaded.ignored:
        first = loaded.ignored[0]
        found = tr("{id} is ignored: {reason}", id=first.id, reason=first.reason)
    else:
        found = tr("{count} in use", count=len(loaded.usable))
    return Step(tr("calibrations"), found, not loaded.ignored and bool(loaded.usable))


def _exhibits(examine: Examine, folder: Path) -> Iterator[Step]:
    untouched, spliced, video = (folder / n for n in ("untouched.jpg", "spliced.jpg", "clip.mp4"))
    untouched.write_bytes(untouched_picture())
    spliced.write_bytes(spliced_picture())
    clean_video(video)
    yield _judged(tr("an untouched picture"), examine, untouched, altered=False)
    yield _judged(tr("a spliced picture"), examine, spliced, altered=True)
    yield _judged(tr("an untouched video"), examine, video, altered=False)
    yield _repeats(examine, spliced)


def _judged(name: Text, examine: Examine, path: Path, *, altered: bool) -> Step:
    """An altered sample must be supported as such; an untouched one must not."""
    try:
        report = examine(path)
    except TidewaiterError as error:
        return Step(name, tr("{problem}", problem=str(error)), passed=False)
    failed = [f.detector for f in report.findings if f.status is Status.FAILED]
    if failed:
        return Step(name, tr("failed: {names}", names=", ".join(failed)), passed=False)
    against = [o for o in report.opinions if o.verdict is Verdict.SUPPORTS_MANIPULATED]
    as_expected = bool(against) == altered
    altered_so = {o.proposition for o in against} == {Proposition.IMAGE_ALTERED}
    found = (
        tr("the evidence supports manipulation")
        if against
        else tr("the evidence does not support manipulation")
    )
    return Step(name, found, as_expected and (not altered or altered_so))


def _repeats(examine: Examine, path: Path) -> Step:
    name = tr("same bytes, same report")
    try:
        same = examine(path) == examine(path)
    except TidewaiterError as error:
        return Step(name, tr("{problem}", problem=str(error)), passed=False)
    return Step(name, tr("equal") if same else tr("two examinations differ"), same)


def _refuses(examine: Examine, folder: Path) -> Step:
    name = tr("a broken file")
    path = folder / "broken.jpg"
    path.write_bytes(untouched_picture()[:300])
    try:
        examine(path)
    except TidewaiterError as error:
        return Step(name, tr("refused: {problem}", problem=str(error)), passed=True)
    return Step(name, tr("was not refused"), passed=False)
