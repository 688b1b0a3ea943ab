"""Carry out what people decide about recordings: requests, holds, erasures, keys of devices."""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.casework.custody_class_keys import ROTATION, ask_to_rotate, rotate_class
from tidewaiter.casework.custody_erasing import ask_to_erase, erase
from tidewaiter.casework.custody_log import Receipt
from tidewaiter.casework.custody_redacting import redact
from tidewaiter.casework.custody_requests import (
    REQUEST_SUFFIX,
    Request,
    approved,
    ask,
    carry_out,
    decode_request,
    epoch_of,
    lacking_approvals,
)
from tidewaiter.casework.custody_site import (
    Site,
    Waiting,
    content_entry,
    keys_so_far,
    known_state,
    retention_entries,
)
from tidewaiter.casework.custody_taking import must_be_name
from tidewaiter.custody.device import DeviceState, rotate
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import ED25519_NOTE, SEED_BYTES, SigningKey, VerifierKey
from tidewaiter.custody.record import parse_record, public_key, sign_record
from tidewaiter.errors import ConfigurationError, InputError, MalformedText
from tidewaiter.storage.key_file import read_keys, write_keys
from tidewaiter.wiring_custody import Outcome as TakenOutcome
from tidewaiter.wiring_custody import confirm, write_whole
from tidewaiter.wiring_custody_files import read_handed_over
from tidewaiter.wiring_custody_site import SitePlace, opened_site

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Decided:
    """What became of a decision: its entry, or the request that waits for approvals."""

    entry: int | None
    request_file: Path | None = None
    lacking: str = ""


def decide(
    place: SitePlace, kind: str, fields: Mapping[str, Any], approvers: Sequence[Path] = ()
) -> Decided:
    """Ask for an action, let those approve whose keys are here, and do it if that is enough."""
    with opened_site(place) as site:
        return settle(place, site, ask(site, kind, fields), approvers)


def decide_erasure(
    place: SitePlace,
    recording: str,
    basis: str,
    backups: Sequence[str],
    approvers: Sequence[Path] = (),
    *,
    early: bool = False,
) -> Decided:
    """Ask for a recording to be erased; do it if those who approve are here."""
    with opened_site(place) as site:
        request = ask_to_erase(site, recording, basis, backups, early=early)
        return settle(place, site, request, approvers)


def decide_rotation(
    place: SitePlace,
    retention: str,
    basis: str,
    backups: Sequence[str],
    approvers: Sequence[Path] = (),
) -> Decided:
    """Ask for a new key of a retention class; do it if those who approve are here."""
    with opened_site(place) as site:
        request = ask_to_rotate(site, place.class_keys(), retention, basis, backups)
        return settle(place, site, request, approvers)


def decide_hold(
    place: SitePlace, recording: str, basis: str, *, lift: bool, approvers: Sequence[Path] = ()
) -> Decided:
    """Place a hold, which takes nobody's approval, or lift one, which takes two."""
    fields = {"recording": recording, "basis": basis, "state": "lifted" if lift else "placed"}
    with opened_site(place) as site:
        content_entry(site.store, recording)
        if lift:
            return settle(place, site, ask(site, "hold", fields), approvers)
        receipt = site.say("hold", fields)
        confirm(place, site, TakenOutcome())
        return Decided(receipt.index)


def decide_category(
    place: SitePlace, recording: str, retention: str, basis: str, approvers: Sequence[Path] = ()
) -> Decided:
    """Put a recording into another class; what shortens its life takes two people."""
    fields = {"recording": recording, "class": retention, "basis": basis}
    with opened_site(place) as site:
        content_entry(site.store, recording)
        site.class_key(retention)
        judge = Judge(whole_log=False, check_signatures=False)
        for one in retention_entries(site.store, recording):
            judge.feed_record(one.index, one.record)
        whole = site.said("category", fields)
        record = parse_record(sign_record(whole, bytes(32)))
        if judge.retention.shortens(record):
            return settle(place, site, ask(site, "category", fields), approvers)
        receipt = site.say("category", fields)
        confirm(place, site, TakenOutcome())
        return Decided(receipt.index)


def carry_out_file(place: SitePlace, path: Path) -> Decided:
    """Carry out the request in a file. Raises IntegrityError where approvals are missing."""
    request = read_request(path)
    with opened_site(place) as site:
        return _done(place, site, request)


def approve_file(path: Path, key_file: Path, place: SitePlace | None) -> Request:
    """Add one approval to the request in a file; with a site at hand the key is looked up."""
    request, key = read_request(path), read_keys(key_file)[0]
    epoch = 0
    if place is not None:
        with contextlib.closing(place.open_store(read_only=True)) as store:
            epoch = epoch_of(keys_so_far(store), key)
    request = approved(request, key, epoch)
    write_whole(path, request.encode())
    return request


def read_request(path: Path) -> Request:
    """The request in a file. Raises UnknownExhibit, InputError, MalformedText."""
    return decode_request(read_handed_over(path))


def settle(place: SitePlace, site: Site, request: Request, approvers: Sequence[Path]) -> Decided:
    """Approve with the keys that are here; carry out, or write the request into a file."""
    history = keys_so_far(site.store)
    for path in approvers:
        key = read_keys(path)[0]
        request = approved(request, key, epoch_of(history, key))
    lacking = lacking_approvals(site, request)
    if not lacking:
        return _done(place, site, request)
    path = place.folder / "requests" / f"{request.name}{REQUEST_SUFFIX}"
    return Decided(None, write_whole(path, request.encode()), lacking)


def make_key(name: str, path: Path) -> str:
    """Make a key in a new file; gives its public part. Raises ConfigurationError."""
    key = SigningKey(must_be_name(name, "a holder of keys"), ED25519_NOTE, os.urandom(SEED_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_keys(path, [key])
    return str(key.verifier)


def key_in(vkey: str) -> str:
    """The bare public key, in base64, of a verifier key. Raises InputError."""
    try:
        key = VerifierKey.parse(vkey)
    except MalformedText as error:
        raise InputError(f"--vkey: {error}") from error
    if key.algorithm != ED25519_NOTE:
        raise InputError(f"--vkey: the key of {key.name} is not one to sign records with")
    return base64.b64encode(key.public).decode("ascii")


def holders(place: SitePlace) -> list[str]:
    """A line on every holder of keys in the log, and on every device that is signed for here."""
    with opened_site(place, ask_witnesses=False) as site:
        history = keys_so_far(site.store)
        here = {one.device: one for one in site.agent.states()}
    lines = []
    for name, holder in history.holders.items():
        known = history.epochs[name, history.newest[name]]
        said = [holder.kind, *(one for one in (holder.role, holder.unit) if one)]
        said.append(f"key {history.newest[name]}")
        if known.revoked is not None:
            said.append(f"revoked by entry {known.revoked}")
        if name in here:
            said.append("signs here")
        lines.append(f"{name}: {', '.join(said)}")
    for name, state in here.items():
        if state.by:
            lines.append(f"{name}: camera, {state.by} signs for it, {state.seq} records")
        elif name not in history.holders:
            lines.append(f"{name}: has a key here that is not enrolled yet")
    return lines


def add_camera(place: SitePlace, name: str, dock: str, file_number: str) -> None:
    """Let a dock sign for a camera that cannot."""
    must_be_name(name, "a camera")
    with opened_site(place, ask_witnesses=False) as site:
        signer = known_state(site.agent, dock)
        if signer.by:
            raise ConfigurationError(f"{dock!r} is a camera that cannot sign, not a dock")
        site.agent.add(DeviceState(name, signer.epoch, by=dock), file_number)


def enrol(
    place: SitePlace, fields: Mapping[str, Any], approvers: Sequence[Path], file_number: str = ""
) -> Decided:
    """Ask for a key to be enrolled; one without a key of its own gets one here."""
    name = must_be_name(str(fields["subject"]), "a holder of keys")
    with opened_site(place) as site:
        whole = dict(fields)
        if "key" not in whole:
            state = site.agent.state(name) or DeviceState(name, 0, secret=os.urandom(SEED_BYTES))
            if keys_so_far(site.store).newest.get(name) is not None:
                raise ConfigurationError(f"{name!r} is enrolled already; rotate its key instead")
            if site.agent.state(name) is None:
                site.agent.add(state, file_number)
            whole["key"] = base64.b64encode(public_key(state.secret)).decode("ascii")
        whole.setdefault("key_epoch", 0)
        return settle(place, site, ask(site, "key.enrol", whole), approvers)


def rotate_key(place: SitePlace, device: str) -> int:
    """Give a device a new key, named by the old one, which is then destroyed."""
    with opened_site(place) as site:
        state = known_state(site.agent, device)
        if state.by:
            raise InputError(f"{device} has no key of its own; rotate that of {state.by}")
        leaf, following = rotate(state, os.urandom(SEED_BYTES), site.now_ms())
        site.agent.step(following, Waiting(leaf))
        site.hand_in()
        confirm(place, site, TakenOutcome())
        return following.epoch


def tell(place: SitePlace, device: str, kind: str, fields: Mapping[str, Any]) -> int:
    """Log a heartbeat or a stop of a device that this site signs for; gives its number."""
    with opened_site(place, ask_witnesses=False) as site:
        number = known_state(site.agent, device).seq
        site.tell(device, kind, {**fields, **_uptime()})
        site.hand_in()
        return number


def revoke(place: SitePlace, subject: str, since_ms: int, basis: str, key_file: Path) -> int:
    """Revoke the keys of a holder, signed by a person; gives the entry."""
    key = read_keys(key_file)[0]
    with opened_site(place) as site:
        epoch = epoch_of(keys_so_far(site.store), key)
        fields = {"kind": "key.revoke", "subject": subject, "since_ms": since_ms, "basis": basis}
        signed = {**fields, "device": key.name, "epoch": epoch, "claimed_ms": site.now_ms()}
        (receipt,) = site.log.append([sign_record(signed, key.seed)])
        confirm(place, site, TakenOutcome())
        return receipt.index


def say(place: SitePlace, kind: str, fields: Mapping[str, Any]) -> int:
    """Log an entry of the site's own service and ask the witnesses; gives its index."""
    with opened_site(place) as site:
        receipt = site.say(kind, fields)
        confirm(place, site, TakenOutcome())
        return receipt.index


def _done(place: SitePlace, site: Site, request: Request) -> Decided:
    kind = request.fields["kind"]
    index: int | None
    if kind == "derive":
        index = redact(site, request)
    else:
        receipt = _carried_out(place, site, request)
        index = None if receipt is None else receipt.index
    confirm(place, site, TakenOutcome())
    return Decided(index)


def _carried_out(place: SitePlace, site: Site, request: Request) -> Receipt | None:
    """The entry of a request, and what follows from it; None where both were there before."""
    if request.fields["kind"] == "erase":
        return erase(site, request)
    if request.fields["kind"] == ROTATION:
        return rotate_class(site, place.class_keys(), request)
    if request.fields["kind"] == "retention" and not lacking_approvals(site, request):
        # Before the entry: a key without a class opens nothing, a class without a key is none.
        _must_have_class_key(place, request.fields["class"])
    return carry_out(site, request)


def _must_have_class_key(place: SitePlace, retention: str) -> None:
    if place.class_keys().current(retention) is None:
        place.make_class_key(retention)


def _uptime() -> dict[str, Any]:
    """How long this machine has run, and since which start, where it says so."""
    uptime: dict[str, Any] = {"uptime_ms": time.monotonic_ns() // 1_000_000}
    with contextlib.suppress(OSError):
        uptime["boot"] = BOOT_ID.read_text(encoding="ascii").strip()
    return uptime
