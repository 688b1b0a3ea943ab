"""Which calibration a finding is weighed by: exact version, then domain, then caution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidewaiter.errors import MissingCalibration
from tidewaiter.opinion.calibration import Calibration, Member
from tidewaiter.vocabulary import Finding, Opinion

# The domain of calibrations fitted on everything at hand.
ANY_DOMAIN = "any"


def choose_calibration(
    finding: Finding,
    known: Sequence[Calibration],
    fusion: Calibration | None = None,
    domain: str | None = None,
) -> Calibration | None:
    """The calibration of one finding's detector and version; None where there is none.

    A member of the chosen fusion is weighed by the calibration the fusion was fitted on.
    """
    named = {m.detector: m.calibration for m in fusion.members} if fusion is not None else {}
    fitting = [
        entry
        for entry in known
        if not entry.is_fusion
        and _is_of(entry.members[0], finding)
        and named.get(finding.detector, entry.id) == entry.id
        and entry.proposition is finding.proposition
    ]
    return _best(fitting, domain)


def choose_fusion(
    findings: Sequence[Finding], known: Sequence[Calibration], domain: str | None = None
) -> Calibration | None:
    """The fusion all of whose members are among the findings, in the versions it was fitted on."""
    present = {(finding.detector, finding.version) for finding in findings}
    singles = {entry.id for entry in known if not entry.is_fusion}
    fitting = [
        entry
        for entry in known
        if entry.is_fusion
        and all((m.detector, m.version) in present for m in entry.members)
        and all(m.calibration in singles for m in entry.members)
    ]
    return _best(fitting, domain, most_members=True)


def calibrations_heard(
    findings: Sequence[Finding],
    opinions: Sequence[Opinion],
    known: Sequence[Calibration],
    domain: str | None = None,
) -> tuple[Calibration, ...]:
    """Every calibration that gave a number in the opinions, also where a stronger cue spoke."""
    named = {opinion.calibration for opinion in opinions}
    asked = {opinion.proposition for opinion in opinions}
    for finding in findings:
        if finding.score is not None and finding.proposition in asked:
            fusions = (e for e in known if e.id in named and e.is_fusion)
            own = next((e for e in fusions if e.proposition is finding.proposition), None)
            chosen = choose_calibration(finding, known, own, domain)
            named.add(None if chosen is None else chosen.id)
    return tuple(entry for entry in known if entry.id in named)


def require_calibration(
    detector: str, version: str, known: Sequence[Calibration], domain: str | None = None
) -> Calibration:
    """The calibration of a detector version; raises `MissingCalibration` where there is none."""
    own = [e for e in known if not e.is_fusion and e.members[0].detector == detector]
    exact = [entry for entry in own if entry.members[0].version == version]
    best = _best(exact, domain)
    if best is None:
        others = ", ".join(sorted({entry.members[0].version for entry in own})) or "none"
        raise MissingCalibration(
            f"{detector}: calibrations for version {others} found, version {version} needed; "
            "fit one with `tidewaiter calibrate` or install the release that ships it"
        )
    return best


def _is_of(member: Member, finding: Finding) -> bool:
    return member.detector == finding.detector and member.version == finding.version


def _best(
    fitting: Iterable[Calibration], domain: str | None, *, most_members: bool = False
) -> Calibration | None:
    """The wanted domain first, then a site's own, then any domain's, then what claims least."""

    def rank(entry: Calibration) -> tuple[bool, bool, bool, int, float, str]:
        return (
            domain is not None and entry.domain != domain,
            entry.origin != "site",
            entry.domain != ANY_DOMAIN,
            -len(entry.members) if most_members else 0,
            entry.spoken_upper - entry.spoken_lower,
            entry.id,
        )

    return min(fitting, key=rank, default=None)
