"""Which kinds of record there are, and which fields each of them must and may have.

The first record of a log is a `policy` that names its founders with their keys; everything
that may be signed or approved later follows from it by entries of the log itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from tidewaiter.errors import MalformedText

LARGEST_RECORD_NUMBER = 2**53 - 1
"""Beyond it, JSON readers of other languages round (RFC 8785, section 3.2.2.3)."""

LONGEST_TEXT = 16_384
LONGEST_LIST = 512
LEVELS = ("device", "dock", "ingest", "import")
"""Claim levels: who signed first. Nothing before that first signature is covered."""

HOLDERS = ("device", "dock", "service", "person")
ROLES = (
    "recording",
    "storage",
    "log",
    "retention",
    "redaction",
    "vigilance",
    "legal",
    "command",
)
"""Roles of persons; who runs the machines has another role than who decides."""

STOP_REASONS = ("officer", "battery", "storage-full", "docked", "fault", "privacy-pause")
ACCESS_ACTS = ("view", "export", "share", "search", "release")
WITNESS_ACTS = ("add", "remove")
HOLD_STATES = ("placed", "lifted")
DEVICE_STATES = ("recording", "docked", "idle")
NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")

REQUIRED_ALWAYS = {"v", "kind", "device", "epoch", "claimed_ms", "sig"}
OPTIONAL_ALWAYS = {"by", "seq", "prev", "uptime_ms", "boot", "level", "commit", "note"}
TWO_PERSONS = {"request", "approvals"}

KINDS: dict[str, tuple[set[str], set[str]]] = {
    "policy": ({"policy"} | TWO_PERSONS, {"people"}),
    "witness": ({"act", "name", "vkey"} | TWO_PERSONS, set()),
    "key.enrol": (
        {"subject", "holder", "key", "key_epoch"} | TWO_PERSONS,
        {"person", "role", "unit"},
    ),
    "key.rotate": ({"key", "key_epoch"}, TWO_PERSONS),
    "key.revoke": ({"subject", "since_ms", "basis"}, set()),
    "key.class": ({"class", "fingerprint", "basis"} | TWO_PERSONS, {"backups"}),
    "expect": ({"from_ms", "to_ms", "operation", "max_silence_s"}, {"subject", "unit"}),
    "segment": (
        {"seq", "prev", "level", "recording", "blob", "bytes", "commit"},
        {"start_ms", "end_ms", "camera_no", "media_type", "class", "signatures", "manifest_blob"},
    ),
    "heartbeat": ({"seq", "prev", "uptime_ms"}, {"state", "battery", "free_mb", "last_segment"}),
    "stop": ({"seq", "prev", "reason"}, {"last_segment"}),
    "ingest": (
        {"recording", "entry"},
        {"class", "offset_ms", "manifest_blob", "signatures"},
    ),
    "silence": ({"subject", "from_ms", "to_ms"}, set()),
    "access": ({"act", "recording"}, {"basis"} | TWO_PERSONS),
    "category": ({"recording", "class", "basis"}, TWO_PERSONS),
    "retention": ({"class", "days", "basis"} | TWO_PERSONS, set()),
    "hold": ({"recording", "state", "basis"}, TWO_PERSONS),
    "erase": ({"recording", "basis", "scope", "backups", "openings_out"} | TWO_PERSONS, set()),
    "derive": (
        {"source", "recording", "result", "blob", "bytes", "method", "tool", "commit"}
        | TWO_PERSONS,
        {"masks", "dropped", "media_type", "class", "basis", "manifest_blob"},
    ),
    "clock": ({"subject", "device_ms", "offset_ms"}, set()),
    "import": (
        {"level", "recording", "blob", "bytes", "commit"},
        {"media_type", "class", "found", "signatures", "start_ms", "end_ms", "manifest_blob"},
    ),
    "examination": ({"exhibit", "report", "software"}, {"recording"}),
    "decision": ({"basis", "outcome"}, {"recording", "report", "exhibit"}),
}
"""Per kind: the fields it must have and those it may have, beside those of every record."""

_WORDS_OF_KIND = {
    "hold": ("state", HOLD_STATES),
    "heartbeat": ("state", DEVICE_STATES),
    "access": ("act", ACCESS_ACTS),
    "witness": ("act", WITNESS_ACTS),
}
"""Fields that have other words in another kind."""


def check_fields(fields: Mapping[str, Any]) -> None:
    """Accept the fields of one record, `sig` included, or raise MalformedText."""
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MalformedText(
            f"a record of kind {_shown(kind)}; this version knows {', '.join(KINDS)}"
        )
    if fields.get("v") != 1:
        raise MalformedText(f"a {kind} record of format {_shown(fields.get('v'))}; 1 is known")
    required, optional = KINDS[kind]
    missing = (REQUIRED_ALWAYS | required) - fields.keys()
    if missing:
        raise MalformedText(f"a {kind} record without {', '.join(sorted(missing))}")
    unknown = fields.keys() - REQUIRED_ALWAYS - OPTIONAL_ALWAYS - required - optional
    if unknown:
        raise MalformedText(f"a {kind} record with {_shown(sorted(unknown))}, which it cannot have")
    if ("seq" in fields) != ("prev" in fields):
        raise MalformedText(f"a {kind} record with one of seq and prev; both or neither needed")
    for name, value in fields.items():
        if not _CHECKS[name](value):
            raise MalformedText(f"{name} of a {kind} record is {_shown(value)}; {_RULES[name]}")
    _check_kind(kind, fields)


def decode_base64(text: str, length: int) -> bytes | None:
    """The bytes of canonical padded base64 of exactly `length` bytes, else None."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(raw) != length or base64.b64encode(raw).decode("ascii") != text:
        return None
    return raw


def _check_kind(kind: str, fields: Mapping[str, Any]) -> None:
    if (
        kind == "key.enrol"
        and fields["holder"] == "person"
        and not {"person", "role"} <= set(fields)
    ):
        raise MalformedText("a key.enrol record of a person without person and role")
    chosen = _WORDS_OF_KIND.get(kind)
    if chosen and fields.get(chosen[0], chosen[1][0]) not in chosen[1]:
        raise MalformedText(
            f"{chosen[0]} of a {kind} record is {fields[chosen[0]]}; one of {', '.join(chosen[1])} "
            "needed"
        )
    if kind == "expect" and ("subject" in fields) == ("unit" in fields):
        raise MalformedText("an expect record needs a subject or a unit, one of them")
    if kind in {"segment", "import", "derive"} and "media" not in fields["commit"]:
        raise MalformedText(f"a {kind} record without a commitment to its medium")
    for first, last in (("from_ms", "to_ms"), ("start_ms", "end_ms")):
        if (first in fields) != (last in fields):
            raise MalformedText(f"a {kind} record with one of {first} and {last}; both needed")
        if first in fields and fields[first] > fields[last]:
            raise MalformedText(f"a {kind} record whose {first} lies after its {last}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_RECORD_NUMBER


def _is_integer(value: object) -> bool:
    return type(value) is int and -LARGEST_RECORD_NUMBER <= value <= LARGEST_RECORD_NUMBER


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAMED.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and HEX_DIGEST.fullmatch(value) is not None


def _is_key(value: object) -> bool:
    return isinstance(value, str) and decode_base64(value, 32) is not None


def _is_signature(value: object) -> bool:
    return isinstance(value, str) and decode_base64(value, 64) is not None


def _is_commit(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= LONGEST_LIST
        and all(_is_name(name) and _is_digest(digest) for name, digest in value.items())
    )


def _one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in words


def _list_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list)
        and len(value) <= LONGEST_LIST
        and all(check(item) for item in value)
    )


def _object_of(**checks: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == checks.keys()
        and all(check(value[name]) for name, check in checks.items())
    )


_COUNT = (_is_count, "a whole number from 0 to 2^53 - 1 needed")
_INTEGER = (_is_integer, "a whole number within 2^53 needed")
_NAME = (_is_name, "a name of up to 128 letters, digits, dots, dashes, colons and slashes needed")
_TEXT = (_is_text, f"a text of up to {LONGEST_TEXT} characters needed")
_DIGEST = (_is_digest, "64 hexadecimal digits needed")
_KEY = (_is_key, "base64 of a public key of 32 bytes needed")


def _word(*words: str) -> tuple[Callable[[object], bool], str]:
    return _one_of(*words), f"one of {', '.join(words)} needed"


_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(("v", "epoch", "key_epoch", "seq", "uptime_ms", "bytes", "camera_no"), _COUNT),
    **dict.fromkeys(("battery", "free_mb", "days", "max_silence_s"), _COUNT),
    **dict.fromkeys(("claimed_ms", "since_ms", "from_ms", "to_ms", "start_ms", "end_ms"), _INTEGER),
    **dict.fromkeys(("device_ms", "offset_ms"), _INTEGER),
    **dict.fromkeys(("kind", "device", "by", "subject", "unit", "person", "class", "boot"), _NAME),
    **dict.fromkeys(("recording", "result", "operation", "request", "name", "media_type"), _NAME),
    **dict.fromkeys(("note", "policy", "vkey", "basis", "tool", "software", "outcome"), _TEXT),
    **dict.fromkeys(
        ("prev", "blob", "manifest_blob", "entry", "source", "exhibit", "report", "last_segment"),
        _DIGEST,
    ),
    "fingerprint": _DIGEST,
    "key": _KEY,
    "sig": (_is_signature, "base64 of a signature of 64 bytes needed"),
    "level": _word(*LEVELS),
    "holder": _word(*HOLDERS),
    "role": _word(*ROLES),
    "reason": _word(*STOP_REASONS),
    "state": _word(*HOLD_STATES, *DEVICE_STATES),
    "act": _word(*ACCESS_ACTS, *WITNESS_ACTS),
    "method": _word("mask", "drop", "both"),
    "commit": (_is_commit, "field names with 64 hexadecimal digits each needed"),
    "found": (_list_of(_is_name), "a list of names needed"),
    "scope": (_list_of(_is_name), "a list of names needed"),
    "signatures": (_list_of(_is_name), "a list of names needed"),
    "backups": (_list_of(_is_text), "a list of texts needed"),
    "openings_out": (_list_of(_is_text), "a list of texts needed"),
    "dropped": (_list_of(_is_digest), "a list of digests needed"),
    "people": (
        _list_of(_object_of(id=_is_name, person=_is_name, role=_one_of(*ROLES), key=_is_key)),
        "a list of people with id, person, role and key needed",
    ),
    "approvals": (
        _list_of(_object_of(by=_is_name, epoch=_is_count, sig=_is_signature)),
        "a list of approvals with by, epoch and sig needed",
    ),
    "masks": (
        _list_of(
            _object_of(
                **dict.fromkeys(("from_ms", "to_ms", "x", "y", "width", "height"), _is_count)
            )
        ),
        "a list of masks with from_ms, to_ms, x, y, width and height needed",
    ),
}
_CHECKS = {name: check for name, (check, _) in _FIELDS.items()}
_RULES = {name: rule for name, (_, rule) in _FIELDS.items()}
