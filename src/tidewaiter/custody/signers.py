"""Which key signed each record, worked out before the record is judged.

A key found here says only that a signature fits it: whether that key counted at that place of
the log is the judge's to say. So nothing is trusted that comes from here but arithmetic.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

from tidewaiter.custody.quick_judging import is_quickly_signed
from tidewaiter.custody.quick_records import read_quickly
from tidewaiter.custody.record import Record, parse_record, signature_fits
from tidewaiter.custody.store import StoredLeaf
from tidewaiter.errors import MalformedText

# More keys than these under one name and epoch are an attack; the judge tries the one that counts.
MOST_TRIED = 4
# How canonical JSON spells the field; texts cannot hold it, since quotes in them are escaped.
_BRINGS_A_KEY = b'"key":"'


def candidate_keys(leaves: Iterable[StoredLeaf]) -> dict[tuple[str, int], tuple[bytes, ...]]:
    """By signer and epoch, the keys that any entry gives them, rightly or not."""
    found: dict[tuple[str, int], tuple[bytes, ...]] = {}
    for leaf in leaves:
        if _BRINGS_A_KEY not in leaf.body:
            continue
        try:
            record = parse_record(leaf.body)
        except MalformedText:
            continue
        for name, epoch, key in _keys_of(record):
            known = found.get((name, epoch), ())
            if key not in known and len(known) < MOST_TRIED:
                found[name, epoch] = (*known, key)
    return found


def keys_that_fit(
    bodies: Sequence[bytes], keys: Mapping[tuple[str, int], tuple[bytes, ...]]
) -> list[bytes | None]:
    """For each leaf the candidate key that signed it; None where none did."""
    return [_key_that_fits(body, keys) for body in bodies]


def _key_that_fits(body: bytes, keys: Mapping[tuple[str, int], tuple[bytes, ...]]) -> bytes | None:
    entry = read_quickly(body)
    if entry is not None:
        signer = entry.by or entry.device
        tried = keys.get((signer, int(entry.epoch)), ())
        return next((key for key in tried if is_quickly_signed(body, entry, key)), None)
    try:
        record = parse_record(body)
    except MalformedText:
        return None
    tried = keys.get((record.signer, record.epoch), ())
    return next((key for key in tried if signature_fits(record, key)), None)


def _keys_of(record: Record) -> list[tuple[str, int, bytes]]:
    fields = record.fields
    if record.kind == "policy":
        people = fields.get("people", ())
        return [(one["id"], 0, base64.b64decode(one["key"])) for one in people]
    if record.kind == "key.enrol":
        return [(fields["subject"], fields["key_epoch"], base64.b64decode(fields["key"]))]
    if record.kind == "key.rotate":
        return [(record.signer, fields["key_epoch"], base64.b64decode(fields["key"]))]
    return []
