"""A redaction that stops half-way is finished by carrying it out again."""

from __future__ import annotations

import hashlib
import io

import pytest

from tests.custody.record_kit import START_MS, secret_of
from tests.custody.small_site import opened_small_site, small_world
from tidewaiter.casework.custody_redacting import Redaction, ask_to_redact, redact
from tidewaiter.casework.custody_requests import approved
from tidewaiter.casework.custody_site import content_entry
from tidewaiter.casework.custody_taking import HandedIn, ingest
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.errors import IntegrityError, StorageError


def handed_in(data):
    digest = hashlib.sha256(data).hexdigest()
    return HandedIn(f"{digest[:4]}.mp4", digest, "video/mp4", b"prints", lambda: io.BytesIO(data))


@pytest.fixture
def site(tmp_path):
    with opened_small_site(tmp_path, lambda: START_MS, create=True) as opened:
        opened.log.append(small_world().leaves)
        yield opened


def asked(site, *by):
    (source,) = ingest(site, [handed_in(b"recording")], "routine")
    mask = dict.fromkeys(("from_ms", "to_ms", "x", "y", "width", "height"), 1)
    wanted = Redaction(source.recording, [mask], "Art. 6", "a tool")
    request = ask_to_redact(site, wanted, handed_in(b"redacted"))
    for name in by:
        request = approved(request, SigningKey(name, ED25519_NOTE, secret_of(name)))
    return request


def test_a_redaction_that_was_logged_and_not_finished_is_finished(site, monkeypatch):
    request = asked(site, "amara", "bilal")
    kept = site.secrets.keep_openings

    def full(_openings):
        raise StorageError("disk is full")

    monkeypatch.setattr(site.secrets, "keep_openings", full)
    with pytest.raises(StorageError):
        redact(site, request)
    monkeypatch.setattr(site.secrets, "keep_openings", kept)
    index = redact(site, request)
    entry = content_entry(site.store, str(request.fields["result"]))
    assert entry.index == index
    assert {one.field for one in site.secrets.openings(entry.record.digest)} == {
        "media", "manifest", "name",
    }  # fmt: skip
    assert site.secrets.openings(request.name) == []


def test_one_approval_carries_out_nothing(site):
    with pytest.raises(IntegrityError):
        redact(site, asked(site, "amara"))


def test_a_redaction_that_is_finished_is_not_done_twice(site):
    request = asked(site, "amara", "bilal")
    redact(site, request)
    before = site.log.head
    with pytest.raises(IntegrityError, match="was carried out"):
        redact(site, request)
    assert site.log.head == before
