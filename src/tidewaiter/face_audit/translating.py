"""Turn what a service answered into a `Reply`: rules that hold for every adapter."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from tidewaiter.face_audit.service import Answer, Outcome, Reply, Unanswered

LONGEST_CODE = 80
"""Characters kept of a service's own word for what happened."""

HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]|\xed")
"""What a lone surrogate looks like in JSON; as good characters have it too, only a first look."""

MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading an answer of another form than documented can raise."""


def compared(score: float, given: float, **facts: Any) -> Reply:
    """The reply to a comparison that gave `score`, judged at the threshold in service."""
    outcome = Outcome.MATCH if score >= given else Outcome.NO_MATCH
    return Reply(outcome, score=score, **facts)


def searched(candidates: Mapping[str, float], given: float, **facts: Any) -> Reply:
    """The reply to a search that named `candidates`; who reaches the threshold is returned."""
    told = {_writable(name): score for name, score in candidates.items()}
    ranked = tuple(sorted(told.items(), key=lambda pair: (-pair[1], pair[0])))
    returned = tuple(identity for identity, score in ranked if score >= given)
    outcome = Outcome.MATCH if returned else Outcome.NO_MATCH
    best = ranked[0][1] if ranked else None
    return Reply(outcome, score=best, returned=returned, candidates=ranked, **facts)


def unanswered(way: Unanswered, *, calls: int) -> Reply:
    """The reply where none came: an error worth asking again, perhaps paid."""
    return Reply(Outcome.ERROR, service_code=way.code, latency_ms=way.latency_ms, calls=calls)


def unsuccessful(answer: Answer, code: str = "", *, calls: int) -> Reply:
    """The reply of a service that did not do what was asked, by its HTTP status."""
    return Reply(
        _outcome_of_status(answer.status),
        http=answer.status,
        service_code=clean_code(code) or f"http-{answer.status}",
        latency_ms=answer.latency_ms,
        calls=calls,
        retry_after_s=retry_after_s(answer.headers),
    )


def unreadable(answer: Answer, *, calls: int) -> Reply:
    """The reply where the service said it succeeded in words that cannot be read."""
    return Reply(
        Outcome.ERROR,
        http=answer.status,
        service_code="unreadable-reply",
        latency_ms=answer.latency_ms,
        calls=calls,
    )


def json_of(answer: Answer) -> Any:
    """The body as JSON; None where it is none (a JSON null is no answer either).

    Halves of characters, which no ledger can hold, become question marks.
    """
    try:
        found = json.loads(answer.body)
        if HALF_A_CHARACTER.search(answer.body):
            found = json.loads(_writable(json.dumps(found, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return found


def number_of(value: Any) -> float | None:
    """A finite number, or None; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def clean_code(code: Any) -> str:
    """A service's code as one short printable word or sentence."""
    text = "".join(c if c.isprintable() else " " for c in code) if isinstance(code, str) else ""
    return text.strip()[:LONGEST_CODE]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the service asks; None where it does not, or names a date."""
    try:
        wait_s = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _writable(text: str) -> str:
    """The text as UTF-8 can hold it: without it a run would end at every such reply."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _outcome_of_status(status: int) -> Outcome:
    if status == 429:
        return Outcome.THROTTLED
    # Nothing at the address is a mistake of the protocol, for every trial alike.
    if status in (401, 403, 404, 405):
        return Outcome.DENIED
    if status == 408 or status >= 500 or status < 400:
        return Outcome.ERROR
    return Outcome.REFUSED
