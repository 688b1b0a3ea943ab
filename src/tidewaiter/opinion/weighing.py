"""Weigh findings: one opinion per proposition, calibrated and bounded, or "cannot tell".

Only an examined finding with a calibration of exactly its detector's version speaks.
Cues for one proposition depend on each other and are never added: a fusion fitted on
joint data weighs them together, otherwise the strongest bounded cue speaks alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tidewaiter.opinion.applying import Spoken, speak, speak_together, strongest
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.choosing import choose_calibration, choose_fusion
from tidewaiter.opinion.verbal import scale
from tidewaiter.vocabulary import (
    Contribution,
    Finding,
    MediaKind,
    Opinion,
    Proposition,
    Status,
    Text,
    Verdict,
    tr,
)

# A likelihood ratio of 10: the least that ENFSI's scale calls moderate support. Below it a
# single cue would sway one genuine exhibit in a few; Markov's inequality allows at most one
# genuine exhibit in ten to reach it even where the calibration is only right on average.
SUPPORT_LOG10_LR = 1.0

PROPOSITIONS: Mapping[MediaKind, frozenset[Proposition]] = {
    MediaKind.PICTURE: frozenset(
        {Proposition.FACE_MANIPULATED, Proposition.IMAGE_ALTERED, Proposition.IMAGE_GENERATED}
    ),
    MediaKind.VIDEO: frozenset(
        {
            Proposition.FACE_MANIPULATED,
            Proposition.IMAGE_GENERATED,
            Proposition.VIDEO_ALTERED,
            Proposition.AUDIO_SYNTHETIC,
            Proposition.AUDIO_ALTERED,
        }
    ),
    MediaKind.SOUND: frozenset({Proposition.AUDIO_SYNTHETIC, Proposition.AUDIO_ALTERED}),
    MediaKind.DOCUMENT: frozenset(
        {Proposition.DOCUMENT_ALTERED, Proposition.SEAL_COPIED, Proposition.SIGNATURE_FORGED}
    ),
}
"""What can be asked about each kind of exhibit."""


def weigh(
    findings: Iterable[Finding],
    calibrations: Sequence[Calibration],
    *,
    kind: MediaKind | None = None,
    domain: str | None = None,
) -> tuple[Opinion, ...]:
    """One opinion for every proposition that a finding addresses, in the vocabulary's order.

    With `kind`, propositions that cannot be asked about such an exhibit are left out.
    `domain` names the site or kind of material; without it, or where no calibration knows
    it, a site's calibration goes first and then the one that claims least.
    """
    by_proposition: dict[Proposition, list[Finding]] = {}
    for finding in findings:
        by_proposition.setdefault(finding.proposition, []).append(finding)
    return tuple(
        _opinion(proposition, by_proposition[proposition], calibrations, domain)
        for proposition in Proposition
        if proposition in by_proposition and (kind is None or proposition in PROPOSITIONS[kind])
    )


def verdict_of(spoken: Spoken, *, bound_upper: float) -> tuple[Verdict, Text | None]:
    """The verdict on a bounded likelihood ratio, and why where it cannot tell."""
    if spoken.log10_lr >= SUPPORT_LOG10_LR and spoken.lower > 0:
        return Verdict.SUPPORTS_MANIPULATED, None
    if spoken.log10_lr <= -SUPPORT_LOG10_LR and spoken.upper < 0:
        return Verdict.SUPPORTS_AS_ISSUED, None
    if abs(spoken.log10_lr) >= SUPPORT_LOG10_LR:
        reason = tr("the interval of the likelihood ratio includes 1, so it may point either way")
    elif spoken.log10_lr >= 0 and bound_upper < SUPPORT_LOG10_LR:
        reason = tr(
            "validation data and design allow a likelihood ratio of at most {bound:.1f}; "
            "{needed:.0f} is needed",
            bound=10.0**bound_upper,
            needed=10.0**SUPPORT_LOG10_LR,
        )
    else:
        reason = tr(
            "the evidence is too weak: a likelihood ratio of {found:.1f}; at least {needed:.0f}, "
            "or at most {mirrored:.1f}, is needed",
            found=10.0**spoken.log10_lr,
            needed=10.0**SUPPORT_LOG10_LR,
            mirrored=10.0**-SUPPORT_LOG10_LR,
        )
    return Verdict.CANNOT_TELL, reason


@dataclass(frozen=True)
class _Hearing:
    """The findings on one proposition, the calibration of each and what it gives."""

    findings: Sequence[Finding]
    calibrations: Mapping[str, Calibration]
    spoken: Mapping[str, Spoken]


def _opinion(
    proposition: Proposition,
    findings: Sequence[Finding],
    calibrations: Sequence[Calibration],
    domain: str | None,
) -> Opinion:
    known = [entry for entry in calibrations if entry.proposition is proposition]
    fusion = choose_fusion(findings, known, domain)
    hearing = _hear(findings, known, fusion, domain)
    if not hearing.spoken:
        return _silence(proposition, hearing)
    heard = _members(fusion, hearing)
    if fusion is not None and heard:
        return _judged(fusion, speak_together(fusion, heard), hearing, set(heard))
    chosen = strongest(sorted(hearing.spoken.items()))
    opinion = _judged(hearing.calibrations[chosen], hearing.spoken[chosen], hearing, {chosen})
    return _unless_contradicted(opinion, hearing.spoken)


def _hear(
    findings: Sequence[Finding],
    known: Sequence[Calibration],
    fusion: Calibration | None,
    domain: str | None,
) -> _Hearing:
    found = {
        finding.detector: choose_calibration(finding, known, fusion, domain) for finding in findings
    }
    calibrations = {name: entry for name, entry in found.items() if entry is not None}
    spoken = {
        finding.detector: speak(calibrations[finding.detector], finding.score)
        for finding in findings
        if finding.score is not None and finding.detector in calibrations
    }
    return _Hearing(findings, calibrations, spoken)


def _members(fusion: Calibration | None, hearing: _Hearing) -> dict[str, Spoken]:
    """What the speaking members of the fusion give."""
    names = [] if fusion is None else [member.detector for member in fusion.members]
    return {name: hearing.spoken[name] for name in names if name in hearing.spoken}


def _silence(proposition: Proposition, hearing: _Hearing) -> Opinion:
    examined = any(finding.status is Status.EXAMINED for finding in hearing.findings)
    if examined:
        reason = tr("none of the detectors that examined this exhibit has a calibration")
    else:
        reason = tr("no detector could examine this exhibit; see their reasons")
    return Opinion(
        proposition=proposition,
        log10_lr=0.0,
        lower=0.0,
        upper=0.0,
        calibration=None,
        verbal=scale(0.0),
        verdict=Verdict.CANNOT_TELL,
        contributors=_contributions(hearing, set()),
        reason=reason,
    )


def _judged(
    calibration: Calibration, spoken: Spoken, hearing: _Hearing, heard: set[str]
) -> Opinion:
    verdict, reason = verdict_of(spoken, bound_upper=calibration.spoken_upper)
    return Opinion(
        proposition=calibration.proposition,
        log10_lr=spoken.log10_lr,
        lower=spoken.lower,
        upper=spoken.upper,
        bound_lower=calibration.spoken_lower,
        bound_upper=calibration.spoken_upper,
        calibration=calibration.id,
        domain=calibration.domain,
        verbal=scale(spoken.log10_lr),
        verdict=verdict,
        contributors=_contributions(hearing, heard),
        reason=reason,
    )


def _unless_contradicted(opinion: Opinion, spoken: Mapping[str, Spoken]) -> Opinion:
    """Two cues that support opposite sides, and no joint data to weigh them: cannot tell."""
    if opinion.verdict is Verdict.CANNOT_TELL:
        return opinion
    side = 1 if opinion.log10_lr > 0 else -1
    against = [
        name for name, entry in sorted(spoken.items()) if -side * entry.log10_lr >= SUPPORT_LOG10_LR
    ]
    if not against:
        return opinion
    reason = tr("{detector} supports the other side as well", detector=against[0])
    return opinion.model_copy(update={"verdict": Verdict.CANNOT_TELL, "reason": reason})


def _contributions(hearing: _Hearing, heard: set[str]) -> tuple[Contribution, ...]:
    return tuple(_contribution(finding, hearing, heard) for finding in hearing.findings)


def _contribution(finding: Finding, hearing: _Hearing, heard: set[str]) -> Contribution:
    spoken = hearing.spoken.get(finding.detector)
    if spoken is None:
        reason = _why_silent(finding)
        return Contribution(detector=finding.detector, log10_lr=None, speaks=False, reason=reason)
    speaks = finding.detector in heard
    return Contribution(
        detector=finding.detector,
        log10_lr=spoken.log10_lr,
        lower=spoken.lower,
        upper=spoken.upper,
        speaks=speaks,
        reason=None if speaks else _why_not_counted(len(heard)),
    )


def _why_silent(finding: Finding) -> Text:
    if finding.reason is not None:
        return finding.reason
    if finding.score is None:
        return tr("states a fact; facts carry no likelihood ratio")
    return tr("no calibration for version {version}; shown only", version=finding.version)


def _why_not_counted(heard: int) -> Text:
    if heard > 1:
        return tr("is not part of the fused calibration; cues are never added")
    return tr("another cue is stronger; cues that depend on each other are never added")
