"""Actions that two people of different roles must approve, and the check that they did.

An approval signs `tidewaiter/approval/v1` and the SHA-256 of the action: all that the entry says
except where it stands in its signer's chain. The verifier compares persons, not keys, since one
person may hold two. That two names of the log are two people is the word of those who enrolled
them: nothing here can know it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from tidewaiter.custody.key_history import Holder, KeyHistory
from tidewaiter.custody.record import (
    Record,
    bytes_signed_by,
    canonical,
    sign_bytes,
)
from tidewaiter.custody.record_kinds import KINDS, TWO_PERSONS

APPROVED_AS = b"tidewaiter/approval/v1\n"
ROLES_THAT_NEVER_APPROVE = frozenset({"storage", "log", "recording"})
"""Who runs the machines, or holds the camera, does not decide what becomes of recordings."""

# Known only when the entry is logged, after the approvals were given.
_NOT_PART_OF_THE_ACTION = {"approvals", "sig", "seq", "prev", "epoch", "claimed_ms", "uptime_ms"}
_ALWAYS_TWO = {kind for kind, (required, _) in KINDS.items() if required >= TWO_PERSONS}


def needs_two(record: Record, *, holder_kind: str = "device", shortens: bool = True) -> bool:
    """Whether the entry counts only with two approvals.

    `holder_kind` is what its signer is (devices and docks rotate their keys alone); `shortens`
    whether a change of category shortens the recording's life, which is assumed where unknown.
    """
    if record.kind == "category":
        return shortens
    if record.kind == "access":
        return bool(record.fields["act"] == "release")
    if record.kind == "hold":
        return bool(record.fields["state"] == "lifted")
    if record.kind == "key.rotate":
        return holder_kind in {"person", "service"}
    return record.kind in _ALWAYS_TWO


def action_digest(fields: Mapping[str, Any]) -> bytes:
    """SHA-256 of the action that the fields of an entry describe."""
    action = {n: v for n, v in fields.items() if n not in _NOT_PART_OF_THE_ACTION} | {"v": 1}
    return hashlib.sha256(canonical(action)).digest()


def approve(fields: Mapping[str, Any], by: str, epoch: int, secret: bytes) -> dict[str, Any]:
    """One approval of the action, to be put into the `approvals` of its entry."""
    signature = sign_bytes(secret, APPROVED_AS + action_digest(fields))
    return {"by": by, "epoch": epoch, "sig": base64.b64encode(signature).decode("ascii")}


def missing_approvals(index: int, record: Record, history: KeyHistory) -> str:
    """What the entry's approvals lack; empty where two people of different roles approved it.

    The founding entry is approved by all whom it names.
    """
    if "people" in record.fields:
        return _founders_missing(record)
    counted, spoilt = _judged(index, record, history)
    pairs = combinations(counted, 2)
    if any(one.person != other.person and one.role != other.role for one, other in pairs):
        return ""
    people = list(dict.fromkeys(holder.person for holder in counted))
    if len(people) > 1:
        spoilt.append(f"all who approved have the role {counted[0].role}")
    named = ", ".join(people) or "nobody"
    return f"approved by {named}; two people of different roles needed{_listed(spoilt)}"


def approvers(index: int, record: Record, history: KeyHistory) -> tuple[str, ...]:
    """The people whose approvals of the entry count, each once, as they stand in it.

    Not for the founding entry. Whether they are enough `missing_approvals` says.
    """
    counted, _ = _judged(index, record, history)
    return tuple(dict.fromkeys(holder.person for holder in counted))


def _judged(index: int, record: Record, history: KeyHistory) -> tuple[list[Holder], list[str]]:
    """The holders whose approvals count, and why others do not."""
    counted: list[Holder] = []
    spoilt: list[str] = []
    for one in record.fields.get("approvals", ()):
        problem = _why_it_does_not_count(index, record, one, history)
        if problem:
            spoilt.append(problem)
            continue
        holder = history.holders[one["by"]]
        if any(holder.person == other.person for other in counted):
            spoilt.append(f"{holder.person} approved twice")
        counted.append(holder)
    return counted, spoilt


def _founders_missing(record: Record) -> str:
    people = {one["id"]: one for one in record.fields["people"]}
    signed = {
        one["by"]
        for one in record.fields["approvals"]
        if one["by"] in people
        and one["epoch"] == 0
        and _approval_fits(record, one, base64.b64decode(people[one["by"]]["key"]))
    }
    if len({people[name]["person"] for name in signed}) < 2:
        return "the founding entry is signed by fewer than two of the people it names"
    if len({people[name]["role"] for name in signed}) < 2:
        return "all founders have one role; two roles needed"
    if signed != people.keys():
        return f"the founding entry is not signed by {', '.join(sorted(people.keys() - signed))}"
    return ""


def _why_it_does_not_count(
    index: int, record: Record, one: Mapping[str, Any], history: KeyHistory
) -> str:
    name = one["by"]
    standing = history.standing(name, one["epoch"], index)
    if standing.key is None or standing.problem:
        return standing.problem
    holder = history.holders[name]
    if holder.kind != "person":
        return f"{name} is a {holder.kind}, not a person"
    if holder.role in ROLES_THAT_NEVER_APPROVE:
        return f"{name} has the role {holder.role}, which approves nothing"
    if holder.person == history.person_of(record.signer):
        return f"{name} is who asked for it"
    if not _approval_fits(record, one, standing.key):
        return f"the signature of {name} is not over this action"
    return ""


def _approval_fits(record: Record, one: Mapping[str, Any], key: bytes) -> bool:
    message = APPROVED_AS + action_digest(record.fields)
    return bytes_signed_by(key, message, base64.b64decode(one["sig"]))


def _listed(problems: list[str]) -> str:
    return f" ({'; '.join(problems)})" if problems else ""
