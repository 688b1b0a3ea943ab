"""What is to be done with every exhibit of one run, and what it was done with."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import ConfigurationError
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import terms_of
from tidewaiter.opinion.loading import Calibrations, dump_calibration, load_calibrations
from tidewaiter.settings import Limits, Settings
from tidewaiter.traces.provenance import TRUST_ANCHORS
from tidewaiter.vocabulary import MediaKind, Versions
from tidewaiter.weights.pinned import model_digests

LIBRARIES = (
    "av",
    "c2pa-python",
    "numpy",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "pillow-heif",
    "pyjpegio",
    "scipy",
)
"""Distributions whose version can change a number in a report."""


class Plan(BaseModel):
    """How to examine: which detectors, with or without stability, limits, language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    only: tuple[str, ...] = ()
    stability: bool = True
    language: str = "en"
    limits: Limits = Limits()
    trust_list: Path | None = None
    calibrations: Path | None = None

    def detectors_for(self, kind: MediaKind) -> tuple[Detector, ...]:
        """The chosen detectors that examine this kind of material, by id."""
        chosen = [d for d in all_detectors().values() if kind in d.media]
        return tuple(d for d in chosen if not self.only or d.id in self.only)

    def fingerprint(self) -> str:
        """Changes whenever the same bytes could give another report."""
        detectors = ",".join(f"{d.id}/{d.version}" for d in all_detectors().values())
        parts = (
            self.model_dump_json(),
            detectors,
            versions_used().model_dump_json(),
            *(f"{c.id}={digest_of(c)}" for c in _calibrations(self)),
            hashlib.sha256((_trust_list(self) or "").encode()).hexdigest(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def plan_for(settings: Settings, *, only: tuple[str, ...] = (), stability: bool = True) -> Plan:
    """A plan from the operator's settings and one run's choices.

    Raises ConfigurationError for a detector that does not exist.
    """
    unknown = sorted(set(only) - set(all_detectors()))
    if unknown:
        raise ConfigurationError(
            f"there is no detector {unknown[0]!r}; `tidewaiter detectors` lists those there are"
        )
    return Plan(
        only=tuple(sorted(only)),
        stability=stability,
        language=settings.language,
        limits=settings.limits,
        trust_list=settings.trust_list,
        calibrations=settings.calibrations,
    )


def trace_options(plan: Plan) -> dict[str, object]:
    """What the operator hands to traces. Raises ConfigurationError for an unreadable trust list."""
    pem = _trust_list(plan)
    return {} if pem is None else {TRUST_ANCHORS: pem}


def installed_versions() -> dict[str, str]:
    """The version of every detector by id: calibrations must fit them."""
    return {detector.id: detector.version for detector in all_detectors().values()}


def calibrations_here(site: Path | None = None) -> Calibrations:
    """The shipped calibrations and a site's own that fit the detectors of this installation."""
    terms = terms_of(all_detectors().values())
    return load_calibrations(installed_versions(), site, terms=terms)


def digest_of(calibration: Calibration) -> str:
    """SHA-256 of a calibration's file as it is written."""
    return hashlib.sha256(dump_calibration(calibration).encode()).hexdigest()


@cache
def versions_used() -> Versions:
    """Tidewaiter, Python, and the libraries and models that make numbers."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return Versions(
        tidewaiter=version("tidewaiter"),
        python=platform.python_version(),
        libraries=found,
        models=model_digests(),
    )


def _calibrations(plan: Plan) -> tuple[Calibration, ...]:
    return calibrations_here(plan.calibrations).usable


def _trust_list(plan: Plan) -> str | None:
    if plan.trust_list is None:
        return None
    try:
        return plan.trust_list.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the trust list {plan.trust_list.name!r} cannot be read as PEM text ({error}); "
            "correct trust_list in the settings"
        ) from error
