"""Examine one exhibit: open, take traces, let detectors look, weigh, try stability, report."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tidewaiter.casework.plan import (
    Plan,
    calibrations_of,
    digest_of,
    trace_options,
    versions_of,
)
from tidewaiter.detectors.base import Detector
from tidewaiter.errors import TidewaiterError
from tidewaiter.media import Picture, Unexamined, Video, open_media
from tidewaiter.media.material import Pixels
from tidewaiter.media.reshipping import PICTURE_TRANSFORMS
from tidewaiter.media.reshipping_video import VIDEO_TRANSFORMS
from tidewaiter.media.still import frames_at
from tidewaiter.opinion import stability as comparing
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.choosing import calibrations_heard
from tidewaiter.opinion.loading import Ignored
from tidewaiter.opinion.weighing import weigh
from tidewaiter.report.bulk import finish_evidence, frames_needed
from tidewaiter.traces.base import Traces, collect_picture, collect_video
from tidewaiter.vocabulary import (
    Exhibit,
    Finding,
    Opinion,
    Proposition,
    Report,
    Stability,
    Text,
    Verdict,
    Versions,
    tr,
)

STABILITY_EXCERPT_S = 20.0
"""Videos are re-shipped from their first seconds only; the report says so."""


PREVIEW_SIDE = 360
"""Longest side of the small picture of the exhibit at the head of its report, in pixels."""


@dataclass(frozen=True)
class Examination:
    """A report, the pictures its evidence names by digest, and the calibrations used."""

    report: Report
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    calibrations: tuple[Calibration, ...] = ()
    preview: bytes | None = None


@dataclass(frozen=True)
class _Looked:
    """What one look at opened material gave."""

    traces: Traces
    findings: tuple[Finding, ...]
    opinions: tuple[Opinion, ...]


def examine_file(path: Path, plan: Plan, *, name: str | None = None) -> Examination:
    """Examine the file at `path`; `name` is what the reader sees.

    Must run in a worker that may be killed. Raises InputError and its kinds for what
    cannot be opened; a detector that declines or fails is part of the report.
    """
    media = open_media(path, plan.limits, name=name)
    if isinstance(media, Unexamined):
        return Examination(_recognised_only(media.exhibit, plan))
    detectors = plan.detectors_for(media.exhibit.kind)
    found = calibrations_of(plan)
    calibrations = found.usable
    looked = _look(media, detectors, calibrations, plan)
    opinions, stability = _try_stability(media, looked.opinions, calibrations, plan)
    heard = calibrations_heard(looked.findings, opinions, calibrations, plan.domain)
    report = Report(
        exhibit=_exhibit(media, found.ignored),
        findings=looked.findings,
        opinions=opinions,
        stability=stability,
        versions=_versions(heard, plan),
    )
    shown = _shown(media, report)
    report, pictures = _draw(report, looked.traces, media, shown)
    return Examination(report, pictures, heard, _preview(media, shown))


def find(media: Picture | Video, detectors: Sequence[Detector], plan: Plan) -> tuple[Finding, ...]:
    """The findings of these detectors on opened material, from one decode."""
    traces = _collect(media, detectors, plan)
    return tuple(detector.find(traces) for detector in detectors)


def _look(
    media: Picture | Video,
    detectors: Sequence[Detector],
    calibrations: Sequence[Calibration],
    plan: Plan,
) -> _Looked:
    traces = _collect(media, detectors, plan)
    findings = tuple(detector.find(traces) for detector in detectors)
    opinions = weigh(findings, calibrations, kind=media.exhibit.kind, domain=plan.domain)
    return _Looked(traces, findings, opinions)


def _collect(media: Picture | Video, detectors: Sequence[Detector], plan: Plan) -> Traces:
    needs = {name for detector in detectors for name in detector.needs}
    options = trace_options(plan)
    if isinstance(media, Picture):
        return collect_picture(media, needs, options=options)
    return collect_video(media, needs, options=options)


def _try_stability(
    media: Picture | Video,
    opinions: tuple[Opinion, ...],
    calibrations: Sequence[Calibration],
    plan: Plan,
) -> tuple[tuple[Opinion, ...], Stability]:
    """Re-ship the exhibit and withdraw what does not survive; see docs/adr/0004."""
    told = [o.proposition for o in opinions if o.verdict is not Verdict.CANNOT_TELL]
    if not plan.stability:
        return opinions, Stability(state="not_asked", reason=tr("left out by the user's choice"))
    if not told:
        reason = tr("no opinion says more than “cannot tell”, so there is none to lose")
        return opinions, Stability(state="not_needed", reason=reason)
    detectors = _speaking_for(told, media, plan)
    reshipped: dict[str, tuple[Opinion, ...]] = {}
    problems = []
    for transform, copy in _reshipped_copies(media, plan):
        if isinstance(copy, Text):
            problems.append(f"{transform}: {copy}")
        else:
            reshipped[transform] = _look(copy, detectors, calibrations, plan).opinions
    judged = [opinion for opinion in opinions if opinion.proposition in told]
    outcomes = comparing.compare(judged, reshipped)
    stability = Stability(
        state="examined" if reshipped else "failed",
        reason=_stability_reason(media, problems),
        transforms=tuple(reshipped),
        outcomes=outcomes,
    )
    return comparing.apply(opinions, outcomes), stability


def _speaking_for(
    propositions: Sequence[Proposition], media: Picture | Video, plan: Plan
) -> tuple[Detector, ...]:
    detectors = plan.detectors_for(media.exhibit.kind)
    return tuple(d for d in detectors if d.weighs and d.proposition in propositions)


def _reshipped_copies(
    media: Picture | Video, plan: Plan
) -> Iterator[tuple[str, Picture | Video | Text]]:
    """Every re-shipped copy, opened; or why it could not be made."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-reshipped-") as folder:
        for name, write in _transforms(media).items():
            path = Path(folder) / f"copy-{name}"
            try:
                write(path)
                copy = open_media(path, plan.limits)
            except TidewaiterError as error:
                yield name, tr("{problem}", problem=str(error))
                continue
            if isinstance(copy, Unexamined):
                yield name, tr("the copy holds nothing to examine")
            else:
                yield name, copy
            path.unlink(missing_ok=True)


def _transforms(media: Picture | Video) -> dict[str, Callable[[Path], object]]:
    """The battery for this material: each writes its copy to a path."""
    if isinstance(media, Picture):
        return {
            name: partial(_write_picture, media, transform)
            for name, transform in PICTURE_TRANSFORMS.items()
        }
    source = Path(media.path)
    return {
        name: partial(_write_video, source, transform)
        for name, transform in VIDEO_TRANSFORMS.items()
    }


def _write_picture(picture: Picture, transform: Callable[[Picture], bytes], path: Path) -> None:
    path.write_bytes(transform(picture))


def _write_video(
    source: Path, transform: Callable[[Path, Path, float], object], path: Path
) -> None:
    transform(source, path, STABILITY_EXCERPT_S)


def _stability_reason(media: Picture | Video, problems: Sequence[str]) -> Text:
    failed = "; ".join(problems)[:400]
    if isinstance(media, Picture):
        if problems:
            return tr("copies that could not be made: {problems}", problems=failed)
        return tr("the picture was re-shipped in every way of the battery and examined again")
    seconds = min(STABILITY_EXCERPT_S, media.exhibit.duration_s or STABILITY_EXCERPT_S)
    if problems:
        return tr(
            "copies of the first {seconds:.0f} s that could not be made: {problems}",
            seconds=seconds,
            problems=failed,
        )
    return tr(
        "the first {seconds:.0f} s were re-shipped in every way of the battery and examined again",
        seconds=seconds,
    )


def _shown(media: Picture | Video, report: Report) -> dict[float, Pixels]:
    """The frames of a video that the report shows: the first, and those with places on them."""
    if isinstance(media, Picture):
        return {}
    return frames_at(media, (0.0, *frames_needed(report)))


def _draw(
    report: Report, traces: Traces, media: Picture | Video, shown: dict[float, Pixels]
) -> tuple[Report, Mapping[str, bytes]]:
    if isinstance(media, Picture):
        return finish_evidence(report, traces, media.rgb, media.orientation)
    return finish_evidence(report, traces, shown)


def _preview(media: Picture | Video, shown: dict[float, Pixels]) -> bytes | None:
    """The exhibit as a person sees it, small, as PNG."""
    from PIL import Image

    pixels = media.upright if isinstance(media, Picture) else shown.get(0.0)
    if pixels is None:
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _exhibit(media: Picture | Video, ignored: Sequence[Ignored]) -> Exhibit:
    """The exhibit, with what was met while a video was played and what could not be used."""
    met = tuple(getattr(media, "notes", ()))
    unused = tuple(
        tr("the calibration {id} was not used: {reason}", id=entry.id, reason=entry.reason)
        for entry in ignored
    )
    return media.exhibit.model_copy(update={"notes": (*media.exhibit.notes, *met, *unused)})


def _recognised_only(exhibit: Exhibit, plan: Plan) -> Report:
    reason = tr("recognised, but not examined yet: this version examines pictures and videos")
    return Report(
        exhibit=exhibit.model_copy(update={"notes": (*exhibit.notes, reason)}),
        findings=(),
        opinions=(),
        stability=Stability(state="not_needed", reason=reason),
        versions=versions_of(plan),
    )


def _versions(heard: Sequence[Calibration], plan: Plan) -> Versions:
    digests = {calibration.id: digest_of(calibration) for calibration in heard}
    return versions_of(plan).model_copy(update={"calibrations": digests})
