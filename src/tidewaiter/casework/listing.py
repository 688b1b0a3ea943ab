"""List detectors with their calibrations and whether they can run on this installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tidewaiter.casework.plan import calibrations_here, installed_versions
from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.traces.base import in_order, picture_traces, video_traces
from tidewaiter.vocabulary import MediaKind, Text, tr


class Entry(BaseModel):
    """One detector as a reader needs it."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: str
    proposition: str
    media: tuple[str, ...]
    looks_for: Text
    speaks_when: Text
    limitations: tuple[Text, ...]
    calibration: str | None
    error_rates: Text
    runs_here: bool
    obstacle: str | None

    def lines(self, translate: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        """Label and value of each line of the printed list."""
        yield tr("looks for").render(translate), self.looks_for.render(translate)
        yield tr("speaks when").render(translate), self.speaks_when.render(translate)
        yield tr("proposition").render(translate), f"{self.proposition} ({', '.join(self.media)})"
        yield tr("error rates").render(translate), self.error_rates.render(translate)
        here = tr("yes") if self.runs_here else tr("no: {obstacle}", obstacle=str(self.obstacle))
        yield tr("runs here").render(translate), here.render(translate)


def list_detectors(
    site_calibrations: Path | None = None, face_network: Path | None = None
) -> list[Entry]:
    """Every detector, by id, in the version that runs with the site's own face network, if any."""
    calibrations = calibrations_here(site_calibrations, face_network).usable
    versions = installed_versions(face_network)
    return [
        _entry(detector, versions[detector.id], calibrations)
        for detector in all_detectors().values()
    ]


def obstacle_of(detector: Detector) -> str | None:
    """Why this detector cannot run here; None when it can."""
    for kind in sorted(detector.media):
        known = picture_traces() if kind is MediaKind.PICTURE else video_traces()
        for name in sorted(detector.needs):
            if name not in known:
                return f"the trace {name} is not part of this installation"
        for name in in_order(detector.needs, known):
            obstacle = known[name].obstacle()
            if obstacle is not None:
                return str(obstacle)
    return None


def _entry(detector: Detector, version: str, calibrations: tuple[Calibration, ...]) -> Entry:
    calibration = _calibration_of((detector.id, version), calibrations)
    obstacle = obstacle_of(detector)
    return Entry(
        id=detector.id,
        version=version,
        proposition=detector.proposition.value,
        media=tuple(sorted(kind.value for kind in detector.media)),
        looks_for=detector.looks_for,
        speaks_when=detector.speaks_when,
        limitations=detector.limitations,
        calibration=calibration.id if calibration else None,
        error_rates=_error_rates(detector, calibration),
        runs_here=obstacle is None,
        obstacle=obstacle,
    )


def _error_rates(detector: Detector, calibration: Calibration | None) -> Text:
    if not detector.weighs:
        return tr("states facts; carries no likelihood ratio")
    if calibration is None:
        return tr("not calibrated: shown in reports, weighs nothing")
    measures = calibration.measures
    if measures is None:
        return tr("calibrated, but without items held out to measure on")
    return tr(
        "speaks up to log10 LR {upper:.2f}; on held-out sources support is wrongly given to "
        "{false:.1%} of genuine items ({false_lower:.1%} to {false_upper:.1%}) and found in "
        "{found:.1%} of manipulated ones ({found_lower:.1%} to {found_upper:.1%}); "
        "Cllr {cllr:.2f}; {genuine} genuine and {manipulated} manipulated sources",
        upper=calibration.spoken_upper,
        false=measures.false_support.value,
        false_lower=measures.false_support.lower,
        false_upper=measures.false_support.upper,
        found=measures.found.value,
        found_lower=measures.found.lower,
        found_upper=measures.found.upper,
        cllr=measures.cllr_spoken,
        genuine=calibration.as_issued.sources,
        manipulated=calibration.manipulated.sources,
    )


def _calibration_of(
    own: tuple[str, str], calibrations: tuple[Calibration, ...]
) -> Calibration | None:
    """The calibration of this very detector and version that speaks for it alone."""
    alone = (c for c in calibrations if not c.is_fusion)
    return next((c for c in alone if (c.members[0].detector, c.members[0].version) == own), None)
