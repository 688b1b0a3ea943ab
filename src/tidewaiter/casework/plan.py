"""What is to be done with every exhibit of one run, and what it was done with."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import ConfigurationError
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import Terms, terms_of
from tidewaiter.opinion.loading import Calibrations, dump_calibration, load_calibrations
from tidewaiter.settings import Limits, Settings
from tidewaiter.traces.face_network import FACE_NETWORK
from tidewaiter.traces.provenance import TRUST_ANCHORS
from tidewaiter.vocabulary import MediaKind, Versions
from tidewaiter.weights.own import (
    CALIBRATIONS_FOLDER,
    FACE_MANIPULATION,
    OwnNetwork,
    own_digests,
    site_network,
)
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
    face_network: Path | None = None
    domain: str | None = None

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
            versions_of(self).model_dump_json(),
            *(f"{c.id}={digest_of(c)}" for c in calibrations_of(self).usable),
            hashlib.sha256((_trust_list(self) or "").encode()).hexdigest(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def plan_for(
    settings: Settings,
    *,
    only: tuple[str, ...] = (),
    stability: bool = True,
    domain: str | None = None,
) -> Plan:
    """A plan from the operator's settings and one run's choices.

    Raises ConfigurationError for a detector or a domain that does not exist.
    """
    unknown = sorted(set(only) - set(all_detectors()))
    if unknown:
        raise ConfigurationError(
            f"there is no detector {unknown[0]!r}; `tidewaiter detectors` lists those there are"
        )
    plan = Plan(
        only=tuple(sorted(only)),
        stability=stability,
        language=settings.language,
        limits=settings.limits,
        trust_list=settings.trust_list,
        calibrations=settings.calibrations,
        face_network=settings.face_network,
        domain=domain,
    )
    _check_domain(plan)
    return plan


def trace_options(plan: Plan) -> dict[str, object]:
    """What the operator hands to traces.

    Raises ConfigurationError for an unreadable trust list, or a folder without a network.
    """
    pem, network = _trust_list(plan), _site_network(plan.face_network)
    options: dict[str, object] = {} if pem is None else {TRUST_ANCHORS: pem}
    return options if network is None else {**options, FACE_NETWORK: network}


def installed_versions(face_network: Path | None = None) -> dict[str, str]:
    """The version of every detector by id, as calibrations must name it.

    Those that run the face network are marked when a site's network takes its place.
    """
    network = _site_network(face_network)
    marked = () if network is None else _running_the_face_network()
    return {
        detector.id: detector.version + (network.mark if network and detector.id in marked else "")
        for detector in all_detectors().values()
    }


def terms_here(face_network: Path | None = None) -> dict[str, Terms]:
    """The terms of every weighing detector of this installation, with those versions."""
    versions = installed_versions(face_network)
    terms = terms_of(all_detectors().values())
    return {name: replace(own, version=versions[name]) for name, own in terms.items()}


def calibrations_of(plan: Plan) -> Calibrations:
    """The calibrations that may speak under this plan, and those that may not."""
    return calibrations_here(plan.calibrations, plan.face_network)


def calibrations_here(site: Path | None = None, face_network: Path | None = None) -> Calibrations:
    """The shipped calibrations and a site's own that fit the detectors of this installation.

    Those that came with a site's face network are a site's own as well.
    """
    folders = [] if site is None else [site]
    if face_network is not None and (face_network / CALIBRATIONS_FOLDER).is_dir():
        folders.append(face_network / CALIBRATIONS_FOLDER)
    return load_calibrations(
        installed_versions(face_network),
        *folders,
        terms=terms_here(face_network),
        replaced=() if face_network is None else _running_the_face_network(),
    )


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
        models={**model_digests(), **own_digests()},
    )


def versions_of(plan: Plan) -> Versions:
    """The same, with the networks that this plan chooses."""
    models = {**model_digests(), **own_digests(_site_network(plan.face_network))}
    return versions_used().model_copy(update={"models": dict(sorted(models.items()))})


def _running_the_face_network() -> tuple[str, ...]:
    return tuple(d.id for d in all_detectors().values() if FACE_MANIPULATION in d.needs)


def _site_network(folder: Path | None) -> OwnNetwork | None:
    return None if folder is None else site_network(folder)


def _check_domain(plan: Plan) -> None:
    if plan.domain is None:
        return
    known = sorted({entry.domain for entry in calibrations_of(plan).usable})
    if plan.domain not in known:
        raise ConfigurationError(
            f"no calibration knows the domain {plan.domain!r}; there are: {', '.join(known)}"
        )


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
