"""Build the gate that a protocol names, from detectors, opinions, a network or a program."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tidewaiter.casework.examination import find
from tidewaiter.casework.plan import Plan, calibrations_of, plan_for
from tidewaiter.detectors.base import Detector
from tidewaiter.errors import ConfigurationError, MissingWeights, TidewaiterError
from tidewaiter.face_audit.gate import GateAnswer, GateKeeper
from tidewaiter.face_audit.protocol import Gate
from tidewaiter.face_audit.service import Picture
from tidewaiter.face_audit.translating import number_of
from tidewaiter.media import Picture as OpenedPicture
from tidewaiter.media import open_media
from tidewaiter.opinion.weighing import weigh
from tidewaiter.settings import Limits, Settings
from tidewaiter.traces.face_gate import gate_scores
from tidewaiter.vocabulary import Finding, MediaKind, Proposition, Status
from tidewaiter.weights.own import OwnNetwork, gate_network, site_network

# Characters kept of what went wrong in a gate.
LONGEST_PROBLEM = 200


def gate_of(gate: Gate | None, settings: Settings, home: Path) -> GateKeeper | None:
    """The gate, or None; `home` is the protocol's folder.

    Raises ConfigurationError for one that does not exist.
    """
    if gate is None:
        return None
    if gate.program:
        return _program(gate.program, gate.timeout_s)
    if gate.network is not None:
        return _network(gate_network(home / gate.network), settings.limits)
    plan = plan_for(settings, only=(gate.detector,) if gate.detector else (), stability=False)
    detectors = plan.detectors_for(MediaKind.PICTURE)
    proposition = None
    if gate.opinion is not None:
        proposition = _proposition(gate.opinion)
        detectors = tuple(d for d in detectors if d.proposition is proposition and d.weighs)
    if not detectors:
        raise ConfigurationError(
            f"nothing examines pictures for the gate {gate.detector or gate.opinion!r}; "
            "`tidewaiter detectors` lists what does"
        )
    return _examining(plan, detectors, proposition)


def gate_digest(gate: Gate | None, settings: Settings, home: Path) -> str | None:
    """The digest of the network behind the gate; None for the shipped one and for programs."""
    if gate is None or gate.program:
        return None
    if gate.network is not None:
        return gate_network(home / gate.network).sha256
    return None if settings.face_network is None else site_network(settings.face_network).sha256


def check_gate(gate: Gate, keeper: GateKeeper, picture: Picture) -> None:
    """Raises ConfigurationError where the gate cannot run at all, found on one picture."""
    answer = keeper(picture)
    if answer.unavailable:
        raise ConfigurationError(
            f"the gate {gate.name!r} cannot run here: {answer.problem}; install what it needs, or "
            "name another gate"
        )


def _proposition(name: str) -> Proposition:
    try:
        return Proposition(name)
    except ValueError as error:
        known = ", ".join(Proposition)
        raise ConfigurationError(f"there is no opinion {name!r}; one of {known}") from error


def _examining(
    plan: Plan, detectors: Sequence[Detector], proposition: Proposition | None
) -> GateKeeper:
    calibrations = calibrations_of(plan).usable

    def judge(picture: Picture) -> GateAnswer:
        try:
            findings = _findings(picture, detectors, plan)
        except TidewaiterError as error:
            return GateAnswer(None, str(error)[:LONGEST_PROBLEM])
        if proposition is None:
            finding = findings[0]
            return GateAnswer(
                finding.score,
                str(finding.reason or "")[:LONGEST_PROBLEM],
                declined=finding.status is Status.NOT_APPLICABLE,
                unavailable=finding.status is Status.UNAVAILABLE,
            )
        opinions = weigh(findings, calibrations, kind=MediaKind.PICTURE, domain=plan.domain)
        told = [o for o in opinions if o.proposition is proposition and o.calibration]
        if not told:
            return GateAnswer(None, "no calibrated finding speaks on this picture", declined=True)
        return GateAnswer(told[0].log10_lr)

    return judge


def _findings(picture: Picture, detectors: Sequence[Detector], plan: Plan) -> tuple[Finding, ...]:
    opened = _opened(picture, plan.limits)
    return () if opened is None else find(opened, detectors, plan)


def _network(network: OwnNetwork, limits: Limits) -> GateKeeper:
    def judge(picture: Picture) -> GateAnswer:
        try:
            opened = _opened(picture, limits)
            scores = None if opened is None else gate_scores(opened, network)
        except MissingWeights as error:
            return GateAnswer(None, str(error)[:LONGEST_PROBLEM], unavailable=True)
        except TidewaiterError as error:
            return GateAnswer(None, str(error)[:LONGEST_PROBLEM])
        if scores is None:
            return GateAnswer(None, "no face was found in the picture", declined=True)
        return GateAnswer(scores[0])

    return judge


def _opened(picture: Picture, limits: Limits) -> OpenedPicture | None:
    """The picture decoded; None for a file of another kind."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-gate-") as folder:
        path = Path(folder) / "probe"
        path.write_bytes(picture.content)
        opened = open_media(path, limits, name=picture.name)
        return opened if isinstance(opened, OpenedPicture) else None


def _program(arguments: Sequence[str], timeout_s: float) -> GateKeeper:
    """A program that reads the picture on standard input and prints {"score": number}."""

    def judge(picture: Picture) -> GateAnswer:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own program, without a shell
                list(arguments),
                input=picture.content,
                capture_output=True,
                timeout=timeout_s,
                check=True,
            )
            score = number_of(json.loads(done.stdout)["score"])
        except OSError as error:
            problem = f"the program does not start ({error.strerror})"
            return GateAnswer(None, problem, unavailable=True)
        except subprocess.SubprocessError as error:
            return GateAnswer(None, type(error).__name__)
        except (ValueError, KeyError, TypeError, RecursionError):
            score = None
        if score is None:
            return GateAnswer(None, 'the program did not print {"score": number}')
        return GateAnswer(score)

    return judge
