"""Content Credentials of a picture: who signed it, and whether it changed since."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.generation import GENERATED_SOURCES
from tidewaiter.traces.provenance import Credentials, CredentialState
from tidewaiter.vocabulary import Fact, Facts, Finding, MediaKind, Proposition, Text, tr


class ContentCredentials(Detector):
    """States which of five things was found; a fact, never a likelihood ratio."""

    id = "provenance.content_credentials"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"file.credentials"})
    looks_for = tr("a signature of the maker inside the file (Content Credentials, C2PA)")
    speaks_when = tr("the format can carry Content Credentials: JPEG, PNG, TIFF, WebP, HEIC, MP4 …")
    score_unit = tr("none: a fact")
    limitations = (
        tr(
            "A valid signature says who signed and that the bytes have not changed since; "
            "it does not say that what is shown is true."
        ),
        tr("Most files carry no Content Credentials, and every messenger removes them."),
        tr(
            "Read without a network: withdrawn certificates are not noticed, and a signature "
            "without a time stamp is judged by today's date."
        ),
    )
    weighs = False

    def examine(self, traces: Traces) -> Finding:
        """The state in words, with a table of what the signer states."""
        found: Credentials = traces["file.credentials"]
        caption = tr("What the Content Credentials state")
        return self.examined(
            concludes=_conclusion(found),
            evidence=[Facts(caption=caption, rows=_rows(found))],
            features={
                "present": float(found.state is not CredentialState.NONE),
                "changed": float(found.changed),
                "trusted": float(found.state is CredentialState.TRUSTED),
            },
        )


def _conclusion(found: Credentials) -> Text:
    signer = found.issuer or found.name
    if found.state is CredentialState.NONE:
        return tr("The file carries no Content Credentials. That says nothing about it.")
    if found.state is CredentialState.ELSEWHERE:
        return tr(
            "The file names Content Credentials kept elsewhere ({url}); they were not fetched.",
            url=found.remote_url,
        )
    if found.state is CredentialState.TRUSTED:
        return tr(
            "Signed by {signer}, who is on the trust list; the file has not changed since.",
            signer=signer,
        )
    if found.state is CredentialState.UNTRUSTED:
        return tr(
            "Not changed since it was signed, but the signer, who calls itself “{signer}”, "
            "is not on the trust list; anyone may have written that name.",
            signer=signer,
        )
    if found.changed:
        return tr(
            "The file was changed after it was signed: the signature no longer fits the bytes."
        )
    return tr(
        "The file carries Content Credentials that do not hold; see the table for the reason."
    )


def _rows(found: Credentials) -> tuple[Fact, ...]:
    rows = [
        Fact(name=tr("state"), value=_STATES[found.state], contradicts=_contradiction(found)),
        Fact(
            name=tr("trust list"),
            value=tr("given") if found.trust_list_given else tr("none given: no signer is trusted"),
        ),
    ]
    stated = (
        (tr("signer's organisation"), found.issuer),
        (tr("signer's name"), found.name),
        (tr("signed at"), found.signed_at),
        (tr("made with"), found.generator),
        (tr("kept at"), found.remote_url),
    )
    rows += [Fact(name=name, value=_plain(value)) for name, value in stated if value]
    if found.ingredients:
        value = tr("{count}", count=found.ingredients)
        rows.append(Fact(name=tr("earlier files it was made from"), value=value))
    rows += [
        _action_row(action.action, action.software, action.source_type) for action in found.actions
    ]
    rows += [Fact(name=tr("check that failed"), value=_plain(code)) for code in found.failures]
    return tuple(rows)


_STATES = {
    CredentialState.NONE: tr("none"),
    CredentialState.ELSEWHERE: tr("kept elsewhere, not fetched"),
    CredentialState.BROKEN: tr("present but broken"),
    CredentialState.UNTRUSTED: tr("valid, signer not on the trust list"),
    CredentialState.TRUSTED: tr("valid and trusted"),
}


def _contradiction(found: Credentials) -> Text | None:
    return tr("the bytes of this file are not those that were signed") if found.changed else None


def _action_row(action: str, software: str, source_type: str) -> Fact:
    name = tr("stated step")
    if source_type in GENERATED_SOURCES:
        value = tr(
            "{action} {software}: made by an image generator, wholly or in part ({source})",
            action=action,
            software=software,
            source=source_type,
        )
    else:
        words = (action, software, source_type)
        value = _plain(" · ".join(word for word in words if word))
    return Fact(name=name, value=value)


def _plain(words: str) -> Text:
    return tr("{words}", words=words)
