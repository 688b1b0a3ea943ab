"""What each state of Content Credentials says to the reader."""

from __future__ import annotations

import pytest

from tidewaiter.detectors.provenance.content_credentials import ContentCredentials
from tidewaiter.detectors.provenance.content_credentials_video import VideoContentCredentials
from tidewaiter.traces.base import Traces
from tidewaiter.traces.provenance import Action, Credentials, CredentialState
from tidewaiter.vocabulary import Facts, Finding, MediaKind, Proposition, Status


def examined(found: Credentials) -> Finding:
    return ContentCredentials().find(Traces(MediaKind.PICTURE, {"file.credentials": found}))


def rows(finding: Finding) -> dict[str, str]:
    (table,) = finding.evidence
    assert isinstance(table, Facts)
    return {str(row.name): str(row.value) for row in table.rows}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Credentials(CredentialState.NONE), "carries no Content Credentials"),
        (Credentials(CredentialState.ELSEWHERE, remote_url="http://x"), "http://x"),
        (Credentials(CredentialState.BROKEN, changed=True), "changed after it was signed"),
        (Credentials(CredentialState.BROKEN, failures=("claim.cbor.invalid",)), "do not hold"),
        (Credentials(CredentialState.UNTRUSTED, issuer="Acme"), "calls itself “Acme”"),
        (Credentials(CredentialState.TRUSTED, issuer="Acme"), "Signed by Acme"),
    ],
)
def test_each_state_is_a_fact_in_words(found: Credentials, words: str) -> None:
    finding = examined(found)
    assert finding.status is Status.EXAMINED
    assert finding.score is None
    assert words in str(finding.concludes)


def test_only_changed_bytes_are_a_contradiction() -> None:
    for found in (
        Credentials(CredentialState.BROKEN, changed=True),
        Credentials(CredentialState.BROKEN),
        Credentials(CredentialState.UNTRUSTED),
    ):
        (table,) = examined(found).evidence
        assert isinstance(table, Facts)
        assert any(row.contradicts for row in table.rows) is found.changed


def test_a_stated_generator_is_named_in_plain_words() -> None:
    action = Action("c2pa.created", "Painter", "trainedAlgorithmicMedia")
    table = rows(examined(Credentials(CredentialState.UNTRUSTED, actions=(action,))))
    assert "made by an image generator" in table["stated step"]


def test_video_speaks_about_the_video() -> None:
    found = Credentials(CredentialState.NONE)
    finding = VideoContentCredentials().find(Traces(MediaKind.VIDEO, {"file.credentials": found}))
    assert finding.proposition is Proposition.VIDEO_ALTERED
    assert finding.detector == "provenance.content_credentials_video"
    assert examined(found).proposition is Proposition.IMAGE_ALTERED
