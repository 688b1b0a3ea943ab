"""Signatures that a recording brought along are told by the verifier, and prove nothing there."""

from __future__ import annotations

from tidewaiter.custody.commitments import commit
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.custody.verdict import Notebook
from tidewaiter.custody.verify_files import HandedIn, LoggedEntry, check_files

SALT, CONTENT = bytes(16), "ab" * 32


def told(**more):
    fields = {
        "v": 1, "kind": "import", "device": "ingest", "epoch": 1, "claimed_ms": 1,
        "level": "import", "recording": "import/1", "blob": "cd" * 32, "bytes": 9,
        "commit": {"media": commit("media", SALT, CONTENT)}, **more,
    }  # fmt: skip
    entry = LoggedEntry(7, parse_record(sign_record(fields, bytes(32))), {"media": SALT})
    notes = Notebook()
    check_files([entry], [], [HandedIn("a.mp4", CONTENT, 3)], notes)
    return notes


def test_they_are_named_under_what_is_not_proven():
    notes = told(signatures=["onvif", "onvif:authentic", "onvif:signer-unknown"])
    (line,) = notes.not_proven
    assert "entry 7 noted onvif, onvif:authentic, onvif:signer-unknown" in line
    assert "nothing here rests on them" in line
    assert notes.proven == told().proven


def test_nothing_is_said_where_there_were_none():
    assert told().not_proven == []
