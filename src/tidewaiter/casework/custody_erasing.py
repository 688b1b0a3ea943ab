"""Erase a recording and keep the proof that it existed, why it went, and who approved.

The entry comes first, and only then are key, salts and sealed bytes destroyed: a crash between
leaves a recording that the log calls erased, and doing it again finishes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tidewaiter.casework.custody_log import Receipt
from tidewaiter.casework.custody_requests import Request, ask, carry_out
from tidewaiter.casework.custody_site import (
    Site,
    content_entry,
    entries_of,
    retention_entries,
)
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.retention import DAY_MS
from tidewaiter.errors import InputError, IntegrityError

SCOPE = ("media", "manifest", "salts")
MEDIA = ("blob", "manifest_blob")
_GIVES_AWAY = frozenset({"export", "share", "release"})


def ask_to_erase(
    site: Site, recording: str, basis: str, backups: Sequence[str], *, early: bool = False
) -> Request:
    """Write down the erasure of a recording for two people to approve.

    The request names the openings that were handed out before: those stay out. One before the
    recording's date must be asked for as `early`, and says so to whoever approves it.
    Raises InputError where there is no such recording, IntegrityError while it is held or due.
    """
    content_entry(site.store, recording)
    held = holds_on(site, recording)
    if held:
        raise IntegrityError(
            f"{recording} is on hold ({'; '.join(held)}); two people must lift the hold first: "
            "`tidewaiter custody hold --lift`"
        )
    before = before_its_date(site, recording)
    if before and not early:
        raise IntegrityError(
            f"{recording} is {before}; nothing was erased. If the law wants it gone before that, "
            "ask with --early: those who approve, and the log, will be told"
        )
    fields: dict[str, Any] = {
        "recording": recording,
        "basis": basis,
        "scope": list(SCOPE),
        "backups": list(backups),
        "openings_out": [
            f"entry {one.index}: {one.record.fields['act']}"
            for one in entries_of(site.store, recording)
            if one.record.kind == "access" and one.record.fields["act"] in _GIVES_AWAY
        ],
    }
    if before:
        fields["note"] = before
    return ask(site, "erase", fields)


def erase(site: Site, request: Request) -> Receipt | None:
    """Carry out an approved erasure; one whose entry is there already is finished.

    None where the entry was there. Raises IntegrityError where approvals are missing.
    """
    recording = str(request.fields["recording"])
    receipt = None
    if not _is_logged(site, request):
        held = holds_on(site, recording)
        if held:
            raise IntegrityError(f"{recording} came under a hold ({'; '.join(held)}) meanwhile")
        before = before_its_date(site, recording)
        if before and "note" not in request.fields:
            raise IntegrityError(
                f"{recording} is {before}, which those who approved {request.name} were not told; "
                "ask anew with --early"
            )
        receipt = carry_out(site, request)
    destroy(site, recording)
    return receipt


def destroy(site: Site, recording: str) -> bool:
    """Destroy what opens a recording, then its sealed bytes.

    False where object storage keeps the sealed bytes under a lock: nobody can read them.
    """
    # An entry about a copy made from it belongs to the copy, which goes by its own erasure.
    own = [
        one.record
        for one in entries_of(site.store, recording)
        if one.record.fields.get("result", one.record.recording) == recording
    ]
    site.secrets.forget(recording, [record.digest for record in own])
    site.agent.forget(recording)
    digests = [record.fields[name] for record in own for name in MEDIA if name in record.fields]
    gone = [site.blobs.discard(digest) for digest in digests]
    return all(gone)


def before_its_date(site: Site, recording: str) -> str:
    """Until when a recording must be kept, in words; empty where its date has come or it has none.

    A class that nobody gave any days sets no date.
    """
    judge = Judge(whole_log=False, check_signatures=False)
    for one in retention_entries(site.store, recording):
        judge.feed_record(one.index, one.record)
    due_ms, now_ms = judge.retention.expires_ms(recording), site.now_ms()
    if due_ms is None or now_ms >= due_ms:
        return ""
    day = datetime.fromtimestamp(due_ms / 1000, UTC)
    return f"to be kept until {day:%Y-%m-%d %H:%M} UTC, {(due_ms - now_ms) / DAY_MS:.1f} days more"


def holds_on(site: Site, recording: str) -> list[str]:
    """The bases of the holds in force; a lifted one takes the oldest with it."""
    bases: list[str] = []
    for one in entries_of(site.store, recording):
        if one.record.kind != "hold":
            continue
        if one.record.fields["state"] == "placed":
            bases.append(str(one.record.fields["basis"]))
        elif bases:
            bases.pop(0)
    return bases


def _is_logged(site: Site, request: Request) -> bool:
    named = f'"request":"{request.name}"'.encode()
    entries = entries_of(site.store, str(request.fields["recording"]))
    logged = [one for one in entries if named in one.record.body]
    if logged and logged[0].record.kind != "erase":
        raise InputError(f"{request.name} is no erasure in this log")
    return bool(logged)
