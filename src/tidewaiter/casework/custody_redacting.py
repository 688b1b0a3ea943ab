"""Log a redacted copy: what was masked, who approved, and that it is no original.

A copy is logged only after the comparer found nothing changed outside the masks, above its
calibrated thresholds; the verifier names the copy a copy whoever shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tidewaiter.casework.custody_finding import find_content
from tidewaiter.casework.custody_requests import Request, ask, carry_out
from tidewaiter.casework.custody_site import Site, content_entry
from tidewaiter.casework.custody_taking import HandedIn, seal_medium
from tidewaiter.custody.commitments import Opening
from tidewaiter.errors import InputError, IntegrityError

PARTS_OF_A_WHOLE = 10_000
"""Units of a mask's place: ten thousandths of the picture's width and height."""

MASKED = "mask"


@dataclass(frozen=True)
class Redaction:
    """What a redacted copy hides, and why."""

    source: str
    masks: Sequence[dict[str, int]]
    basis: str
    tool: str


def ask_to_redact(site: Site, redaction: Redaction, copy: HandedIn) -> Request:
    """Seal a redacted copy and write down its derivation for two people to approve.

    Whether the copy is faithful has been found out before. Raises InputError for a copy that is
    in custody already, or a source that is not.
    """
    source = content_entry(site.store, redaction.source).record
    before = site.agent.taken(copy.sha256)
    if before:
        raise InputError(f"{copy.name} is in custody already, as {before}")
    result = f"copy/{site.random(6).hex()}"
    kept = site.secrets.wrapped_key(redaction.source)
    if kept is None:
        raise InputError(f"{redaction.source} was erased; nothing of it is left to redact")
    retention = kept[0]
    sealed = seal_medium(site, result, copy, retention)
    fields: dict[str, Any] = {
        **sealed.fields,
        "recording": redaction.source,
        "source": source.digest,
        "result": result,
        "method": MASKED,
        "masks": list(redaction.masks),
        "tool": redaction.tool,
        "basis": redaction.basis,
    }
    request = ask(site, "derive", fields)
    # The entry, and with it the digest that openings go by, is not there before it is approved.
    site.secrets.keep_key(result, retention, sealed.wrapped)
    site.secrets.keep_openings(
        [Opening(request.name, name, salt, value) for name, salt, value in sealed.openings]
    )
    return request


def redact(site: Site, request: Request) -> int:
    """Log an approved redaction, or finish one that was logged; gives its entry.

    Raises IntegrityError without approvals.
    """
    waiting = site.secrets.openings(request.name)
    if not waiting:
        raise IntegrityError(
            f"{request.name} was not asked for here, or was carried out: the salts of its copy "
            "are not waiting"
        )
    result = str(request.fields["result"])
    logged = find_content(site.store, result)
    if logged is None or logged.record.fields.get("request") != request.name:
        carry_out(site, request)
    entry = content_entry(site.store, result)
    digest = entry.record.digest
    site.secrets.keep_openings([Opening(digest, one.field, one.salt, one.value) for one in waiting])
    # Forgetting takes the key of a recording along, so it names none that has one.
    site.secrets.forget(request.name, [request.name])
    return entry.index
