"""Actions that two people must approve: asked for, approved, and only then carried out.

A request is a file that travels: whoever approves signs exactly what the entry will say, on
any machine. The verifier checks those signatures again, years later; what this module refuses
only spares an honest operator a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tidewaiter.casework.custody_log import Receipt
from tidewaiter.casework.custody_site import Site, keys_so_far
from tidewaiter.custody.approvals import approve, missing_approvals, needs_two
from tidewaiter.custody.key_history import KeyHistory
from tidewaiter.custody.keys import SigningKey
from tidewaiter.custody.record import canonical, parse_canonical, parse_record, sign_record
from tidewaiter.custody.record_kinds import check_fields
from tidewaiter.errors import InputError, IntegrityError, MalformedText

REQUEST_SUFFIX = ".request"
_FORMAT = "tidewaiter/request/v1"
_ID_LENGTH = 8
_NO_SIGNATURE = "A" * 86 + "=="
_LATER = {"v", "epoch", "claimed_ms", "uptime_ms", "seq", "prev", "sig", "approvals"}
"""Known when the entry is logged; not part of what is approved, so not the request's to say."""


@dataclass(frozen=True)
class Request:
    """An action as its entry will say it, and the approvals given so far."""

    fields: Mapping[str, Any]
    approvals: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """What the request is called; an entry carries the name, so it serves once."""
        return str(self.fields["request"])

    def encode(self) -> bytes:
        """The request as canonical JSON."""
        return canonical({
            "format": _FORMAT, "action": dict(self.fields),
            "approvals": [dict(one) for one in self.approvals],
        })  # fmt: skip


def decode_request(data: bytes) -> Request:
    """The request that `encode` wrote. Raises MalformedText."""
    found = parse_canonical(data)
    if not isinstance(found, dict) or found.keys() != {"format", "action", "approvals"}:
        raise MalformedText("a request without format, action and approvals")
    if found["format"] != _FORMAT or not isinstance(found["action"], dict):
        raise MalformedText(f"a request of another format than {_FORMAT}")
    if not isinstance(found["approvals"], list):
        raise MalformedText("a request whose approvals are no list")
    request = Request(found["action"], tuple(found["approvals"]))
    _must_be_an_action(request)
    return request


def ask(site: Site, kind: str, fields: Mapping[str, Any]) -> Request:
    """Write down an action of the site's service, for two people to approve."""
    said = site.said(kind, fields)
    action = {name: value for name, value in said.items() if name not in _LATER}
    request = Request(action | {"request": f"request-{site.random(_ID_LENGTH).hex()}"})
    _must_be_an_action(request)
    return request


def approved(request: Request, key: SigningKey, epoch: int = 0) -> Request:
    """The request with one more approval; the key's name is the person's in the log."""
    if any(one["by"] == key.name for one in request.approvals):
        raise InputError(f"{key.name} has approved {request.name} already; another person is due")
    given = approve(_whole(request), key.name, epoch, key.seed)
    return replace(request, approvals=(*request.approvals, given))


def epoch_of(history: KeyHistory, key: SigningKey) -> int:
    """Which of a person's keys this is. Raises InputError where the log does not know it."""
    for (name, epoch), known in history.epochs.items():
        if name == key.name and known.key == key.verifier.public:
            return epoch
    raise InputError(f"no entry of this log enrols this key of {key.name}")


def carry_out(site: Site, request: Request) -> Receipt:
    """Log the entry of an approved request.

    Raises IntegrityError where approvals are missing or do not count, InputError where the
    request was carried out before: approvals serve once.
    """
    named = f'"request":"{request.name}"'.encode()
    for leaf in site.store.leaves_with([named]):
        raise InputError(f"{request.name} was carried out by entry {leaf.index}; ask anew")
    lacking = lacking_approvals(site, request)
    if lacking:
        raise IntegrityError(f"{request.name} ({request.fields['kind']}) was not done: {lacking}")
    return site.log_signed(_entry(site, request))


def lacking_approvals(site: Site, request: Request) -> str:
    """What the approvals of a request lack at this moment; empty where they are enough."""
    history = keys_so_far(site.store)
    record = parse_record(
        sign_record(_entry(site, request), bytes(32))  # the signature plays no part here
    )
    holder = history.holders.get(record.signer)
    if not needs_two(record, holder_kind=holder.kind if holder else "device"):
        return ""
    return missing_approvals(site.log.head.size, record, history)


def _entry(site: Site, request: Request) -> dict[str, Any]:
    """The fields of the entry, as approved, with what is known only now."""
    now = site.said(str(request.fields["kind"]), {})
    if request.fields["device"] != now["device"]:
        raise InputError(
            f"{request.name} was asked for by {request.fields['device']}; only there can it be "
            "carried out"
        )
    return {**now, **request.fields, "approvals": [dict(one) for one in request.approvals]}


def _whole(request: Request) -> dict[str, Any]:
    return {**request.fields, "approvals": []}


def _must_be_an_action(request: Request) -> None:
    """The fields must make an entry, so that nobody approves what cannot be logged."""
    early = _LATER & request.fields.keys()
    if early:
        raise MalformedText(f"a request that says {', '.join(sorted(early))}; its entry will")
    later: dict[str, Any] = {"v": 1, "epoch": 0, "claimed_ms": 0, "sig": _NO_SIGNATURE}
    approvals = [dict(one) if isinstance(one, dict) else one for one in request.approvals]
    check_fields({**later, **request.fields, "approvals": approvals})
    if not isinstance(request.fields.get("request"), str):
        raise MalformedText("a request that has no name")
