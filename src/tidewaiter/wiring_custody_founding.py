"""Found a custody site: keys, policy, an empty log, and the entries that everything rests on."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.approvals import ROLES_THAT_NEVER_APPROVE, approve
from tidewaiter.custody.device import DeviceState
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import ED25519_NOTE, SEED_BYTES, SigningKey
from tidewaiter.custody.record import public_key, sign_record
from tidewaiter.errors import ConfigurationError, MalformedText
from tidewaiter.storage.custody_agent import SqliteAgent
from tidewaiter.storage.custody_secrets import SqliteSecrets
from tidewaiter.storage.key_file import read_keys, write_keys
from tidewaiter.wiring_custody_site import (
    CONFIGURATION,
    SitePlace,
    now_ms,
    parse_policy,
    write_secret,
)

FEWEST_FOUNDERS = 3
"""One who asks, and two of different roles who approve: nobody approves an own request."""

KEY_SUFFIX = ".key"
FOR_WITNESSES = "for-witnesses"
"""The file that a witness needs as its --logs: the log's public key."""


@dataclass(frozen=True)
class Founder:
    """One of the people who found a log: the first name, who it is, the role, the key's file."""

    name: str
    role: str
    key_file: Path


@dataclass(frozen=True)
class Plan:
    """What a new site shall be."""

    origin: str
    founders: tuple[Founder, ...]
    witness_lines: tuple[str, ...] = ()
    """`NAME VKEY [URL]` of each, as in a policy file."""

    quorum: int = 0
    classes: tuple[tuple[str, int], ...] = (("routine", 90), ("proceedings", 3650))
    basis: str = "founding of the log"


def found_site(folder: Path, plan: Plan) -> list[str]:
    """Make a site in a folder that has none; gives the keys to hand out, a line each.

    A `custody.toml` that stands there already is kept: it says where log and media go.
    Raises ConfigurationError where there is a site, or the founders cannot found one.
    """
    _must_be_enough(plan.founders)
    if len({name for name, _ in plan.classes}) != len(plan.classes):
        raise ConfigurationError("two classes have one name; each is kept for so many days")
    log_key = SigningKey(plan.origin, ED25519_NOTE, os.urandom(SEED_BYTES))
    policy = policy_for(plan, log_key)
    made = not (folder / CONFIGURATION).exists()
    if made:
        # A string of JSON is one of TOML.
        write_secret(
            folder / CONFIGURATION, f"origin = {json.dumps(plan.origin, ensure_ascii=False)}\n"
        )
    place = SitePlace(folder)
    if place.settings.origin != plan.origin:
        raise ConfigurationError(
            f"{CONFIGURATION} is for the log {place.settings.origin!r}, not {plan.origin!r}"
        )
    if place.path(place.settings.log_key).exists():
        raise ConfigurationError(f"{folder.name!r} holds a custody site; it is never made anew")
    people = [_key_of(founder) for founder in plan.founders]
    service = DeviceState(place.settings.service, 0, secret=os.urandom(SEED_BYTES))
    # Before anything is made: half a site could not be founded again.
    leaves = _founding(plan, people, policy, service)
    with contextlib.closing(place.create_store()) as store:
        place.path(place.settings.log_key).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_keys(place.path(place.settings.log_key), [log_key])
        write_secret(place.path(place.settings.policy), policy)
        write_secret(folder / FOR_WITNESSES, f"log {log_key.verifier}\nquorum none\n")
        for name, _ in plan.classes:
            place.make_class_key(name)
        SqliteSecrets(place.path(place.settings.secrets), create=True).close()
        agent = SqliteAgent(place.path(place.settings.agent), create=True)
        try:
            agent.add(service)
            open_log(store, log_key).append(leaves)
        finally:
            agent.close()
    keys = [f"log {log_key.verifier}"]
    return keys + [f"{one.name} ({one.role}) {one.key_file}" for one in plan.founders]


def policy_for(plan: Plan, log_key: SigningKey) -> str:
    """The policy file of a new site. Raises ConfigurationError for witnesses that are none."""
    lines = [f"log {log_key.verifier}"]
    lines += [f"witness {line}" for line in plan.witness_lines]
    names = [line.split()[0] for line in plan.witness_lines if line.split()]
    if names:
        lines += [f"group witnesses {plan.quorum or len(names)} {' '.join(names)}"]
    lines += [f"quorum {'witnesses' if names else 'none'}", ""]
    text = "\n".join(lines)
    parse_policy(text.encode("utf-8"), "the policy made of --witness and --quorum")
    return text


def _must_be_enough(founders: Sequence[Founder]) -> None:
    approvers = [one for one in founders if one.role not in ROLES_THAT_NEVER_APPROVE]
    if len({one.name for one in founders}) != len(founders):
        raise ConfigurationError("two founders have one name; each person needs an own one")
    enough = len({one.role for one in approvers}) >= 2
    if len(founders) < FEWEST_FOUNDERS or len(approvers) < 2 or not enough:
        raise ConfigurationError(
            f"{len(founders)} founders, of whom {len(approvers)} may approve; {FEWEST_FOUNDERS} "
            "are needed, two of them of different roles that may approve (not storage, log or "
            "recording): nobody approves what they asked for, and no role alone decides"
        )


def _key_of(founder: Founder) -> SigningKey:
    """A founder's key: the one brought along, or a new one in a new file."""
    if founder.key_file.exists():
        key = read_keys(founder.key_file)[0]
        if key.name != founder.name:
            raise ConfigurationError(f"{founder.key_file.name!r} is the key of {key.name!r}")
        return key
    key = SigningKey(founder.name, ED25519_NOTE, os.urandom(SEED_BYTES))
    founder.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_keys(founder.key_file, [key])
    return key


def _founding(
    plan: Plan, people: Sequence[SigningKey], policy: str, service: DeviceState
) -> list[bytes]:
    """Entry 0 names the founders; then the service is enrolled, and retention classes defined."""
    requester, approvers = _parts(plan.founders, people)
    named = [
        {"id": one.name, "person": one.name, "role": founder.role, "key": _public(one)}
        for founder, one in zip(plan.founders, people, strict=True)
    ]
    enrolment = {"subject": service.device, "holder": "service", "key_epoch": 0}
    enrolment["key"] = base64.b64encode(public_key(service.secret)).decode("ascii")
    entries: list[tuple[str, dict[str, Any], Sequence[SigningKey]]] = [
        ("policy", {"policy": policy, "people": named}, people),
        ("key.enrol", enrolment, approvers),
    ]
    entries += [
        ("retention", {"class": name, "days": days, "basis": plan.basis}, approvers)
        for name, days in plan.classes
    ]
    judge, leaves = Judge(), []
    for index, entry in enumerate(entries):
        try:
            leaves.append(_approved(requester, *entry))
        except MalformedText as error:
            raise ConfigurationError(f"a log cannot be founded so: {error}") from error
        for one in judge.feed(index, leaves[-1]):
            raise ConfigurationError(f"these founders cannot found a log: {one.text}")
    return leaves


def _parts(
    founders: Sequence[Founder], people: Sequence[SigningKey]
) -> tuple[SigningKey, list[SigningKey]]:
    """Who asks, and who approves: one who may not approve asks, if there is one."""
    both = list(zip(founders, people, strict=True))
    both.sort(key=lambda one: one[0].role not in ROLES_THAT_NEVER_APPROVE)
    return both[0][1], [key for founder, key in both[1:] if _may_approve(founder)]


def _may_approve(founder: Founder) -> bool:
    return founder.role not in ROLES_THAT_NEVER_APPROVE


def _approved(
    requester: SigningKey, kind: str, fields: dict[str, Any], approvers: Sequence[SigningKey]
) -> bytes:
    whole = {
        **fields,
        "kind": kind,
        "device": requester.name,
        "epoch": 0,
        "claimed_ms": now_ms(),
        "request": f"request-{os.urandom(8).hex()}",
    }
    whole["approvals"] = [approve(whole, one.name, 0, one.seed) for one in approvers]
    return sign_record(whole, requester.seed)


def _public(key: SigningKey) -> str:
    return base64.b64encode(key.verifier.public).decode("ascii")
