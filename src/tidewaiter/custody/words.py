"""By which words a record is looked up: its recording, its digests, its place in a chain.

The index of words is derived from records and may be made anew from them at any time. It is
never evidence: whoever finds a record by it reads the record and looks for the word there.
"""

from __future__ import annotations

import json
import re

# Enough to tell digests apart; what is found is compared with the whole of it.
_DIGEST_BYTES = 8
_LONGEST = 128
# A digest goes to a random place of the index, which costs an append more than any other word:
# manifests go without, and are found by reading the log.
_DIGESTS = ("blob", "exhibit", "report")
_HEX = re.compile(r"[0-9a-f]{64}")
_LARGEST_SEQ = 2**63


def content_word(recording: str) -> bytes:
    """The word of the records that bring content of a recording, or of a copy made from one."""
    return b"r" + recording.encode("utf-8", "replace")


def digest_word(digest: str) -> bytes:
    """The word of the records that name a medium, an exhibit or a report."""
    return b"d" + bytes.fromhex(digest)[:_DIGEST_BYTES]


def link_word(device: str, seq: int) -> bytes:
    """The word of a record in its device's chain; neighbours of a chain are neighbours here."""
    return b"s" + device.encode("utf-8", "replace") + b"\0" + seq.to_bytes(8, "big")


def words_of(body: bytes) -> list[bytes]:
    """The words of a leaf; none where it is no record. Nothing is judged here."""
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return []
    if not isinstance(fields, dict):
        return []
    found = []
    recording = fields.get("result", fields.get("recording"))
    if "blob" in fields and _is_short(recording):
        found.append(content_word(str(recording)))
    digests = [fields[name] for name in _DIGESTS if name in fields]
    found += [digest_word(one) for one in digests if isinstance(one, str) and _HEX.fullmatch(one)]
    device, seq = fields.get("device"), fields.get("seq")
    if type(seq) is int and 0 <= seq < _LARGEST_SEQ and _is_short(device):
        found.append(link_word(str(device), seq))
    return found


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
