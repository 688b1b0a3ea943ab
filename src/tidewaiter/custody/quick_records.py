"""The commonest records read by one regular expression each, for logs of millions of them.

What an expression matches is canonical and would be accepted by `parse_record` with these very
values; each field's own pattern is part of it. What it does not match says nothing at all: such
a leaf goes the ordinary way.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tidewaiter.custody.record_kinds import (
    DEVICE_STATES,
    KINDS,
    LEVELS,
    OPTIONAL_ALWAYS,
    REQUIRED_ALWAYS,
    STOP_REASONS,
)

QUICK_KINDS = ("heartbeat", "segment", "stop")


class QuickEntry(NamedTuple):
    """The values of a record that decide how it is judged; None where a field is absent."""

    blob: str | None
    boot: str | None
    by: str | None
    camera_no: str | None
    claimed_ms: str
    retention: str | None
    """The field `class`."""
    device: str
    end_ms: str | None
    epoch: str
    level: str | None
    manifest_blob: str | None
    prev: str
    reason: str | None
    recording: str | None
    seq: str
    sig: str
    start_ms: str | None
    uptime_ms: str | None


_CAPTURED = tuple("class" if name == "retention" else name for name in QuickEntry._fields)

_NAME = r'"([A-Za-z0-9][A-Za-z0-9._:/-]{0,127})"'
_DIGEST = r'"([0-9a-f]{64})"'
# Fifteen digits stay below 2^53; a larger number goes the ordinary way.
_COUNT = r"(0|[1-9][0-9]{0,14})"
_INTEGER = r"(0|-?[1-9][0-9]{0,14})"
# In canonical base64 of 64 bytes the last letter holds four bits that are zero.
_SIGNATURE = r'"([A-Za-z0-9+/]{85}[AQgw]==)"'
_PLAIN_NAME = r'"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}"'


# What segments commit to, in canonical order; each stands once or not at all.
_COMMITTED = ("file", "manifest", "media", "name", "officer")


def _word(*words: str) -> str:
    return f'"({"|".join(map(re.escape, words))})"'


def _commitments() -> str:
    """To the medium always, to the rest if the record says so."""
    at = _COMMITTED.index("media")
    before = [f'(?:"{name}":{_DIGEST},)?' for name in _COMMITTED[:at]]
    after = [f'(?:,"{name}":{_DIGEST})?' for name in _COMMITTED[at + 1 :]]
    return "".join([r"\{", *before, '"media":', _DIGEST, *after, r"\}"])


_PATTERNS: dict[str, str] = {
    **dict.fromkeys(("epoch", "seq", "uptime_ms", "bytes", "camera_no", "battery"), _COUNT),
    "free_mb": _COUNT,
    **dict.fromkeys(("claimed_ms", "start_ms", "end_ms"), _INTEGER),
    **dict.fromkeys(("device", "by", "class", "boot", "recording", "media_type"), _NAME),
    **dict.fromkeys(("prev", "blob", "manifest_blob", "last_segment"), _DIGEST),
    "sig": _SIGNATURE,
    "level": _word(*LEVELS),
    "state": _word(*DEVICE_STATES),
    "reason": _word(*STOP_REASONS),
    "commit": _commitments(),
    "signatures": r"(\[(?:" + _PLAIN_NAME + r"(?:," + _PLAIN_NAME + r"){0,31})?\])",
}
_KIND = '"kind":"'
_NEVER = r"((?!))?"


def _expression(kind: str) -> re.Pattern[str]:
    """All fields of the kind in canonical order; what is not asked for is not captured."""
    required, optional = KINDS[kind]
    must = REQUIRED_ALWAYS | required
    parts = []
    for name in sorted(must | OPTIONAL_ALWAYS | optional | set(_CAPTURED)):
        if name in {"kind", "v"}:
            parts.append({"kind": f'"kind":"{kind}",', "v": '"v":1'}[name])
        elif name not in must | OPTIONAL_ALWAYS | optional:
            parts.append(_NEVER)
        elif name in _PATTERNS:
            pattern = _PATTERNS[name]
            if name not in _CAPTURED:
                pattern = _uncaptured(pattern)
            part = f'"{name}":{pattern},'
            parts.append(part if name in must else f"(?:{part})?")
        elif name in must:
            raise ValueError(f"{kind} records must have {name}, and no pattern reads it")
    return re.compile(r"\{" + "".join(parts) + r"\}")


def _uncaptured(pattern: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


_EXPRESSIONS = {kind[:4]: _expression(kind) for kind in QUICK_KINDS}


def read_quickly(body: bytes) -> QuickEntry | None:
    """The values of a leaf of one of the quick kinds; None says nothing about it."""
    # Bytes beyond ASCII become letters that no pattern has.
    text = body.decode("latin-1")
    at = text.find(_KIND) + len(_KIND)
    expression = _EXPRESSIONS.get(text[at : at + 4])
    match = expression.fullmatch(text) if expression else None
    if match is None:
        return None
    entry = QuickEntry._make(match.groups())
    if entry.start_ms is None or entry.end_ms is None:
        return entry if entry.start_ms is entry.end_ms else None
    return entry if int(entry.start_ms) <= int(entry.end_ms) else None


def signed_part(body: bytes, entry: QuickEntry) -> bytes:
    """The canonical bytes of a quick record without its signature: what was signed."""
    # Quotes within a text are escaped, so that this stands once in a record of these kinds.
    return body.replace(b'"sig":"%s",' % entry.sig.encode(), b"", 1)
