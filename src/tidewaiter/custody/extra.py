"""A leaf inside a proof file, small enough that a proof among a million records keeps within 2 kB.

`extra` of a proof file holds either the leaf's bytes as they are, or byte 0x01 and a raw deflate
stream (with the dictionary below) followed by the digests and signatures taken out of it, which
no compression makes smaller. The proof does not vouch for any of it: hashing the leaf does.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping

from tidewaiter.custody.commitments import COMMITMENT_SALT_LENGTH
from tidewaiter.custody.record import MOST_LEAF_BYTES
from tidewaiter.errors import MalformedText

_PACKED = b"\x01"
# Canonical JSON escapes control characters, so these three never occur in a leaf.
_DIGEST_MARK, _SIGNATURE_MARK, _SALTS_MARK = b"\x02", b"\x03", b"\x04"
_TAKEN_OUT = re.compile(rb"[0-9a-f]{64}|[A-Za-z0-9+/]{86}==")
_MOST_SALTS = 64
_SALT_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


def pack_extra(leaf: bytes, salts: Mapping[str, bytes] | None = None) -> bytes:
    """A leaf, and the salts of those commitments that its reader may open, for a proof file."""
    given = sorted((salts or {}).items())
    taken: list[bytes] = []
    text = _TAKEN_OUT.sub(lambda found: _take_out(found[0], taken), leaf)
    text += b"".join(_SALTS_MARK + name.encode("ascii") for name, _ in given)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_USUAL_BYTES)
    packed = _PACKED + deflater.compress(text) + deflater.flush()
    packed += b"".join(taken) + b"".join(salt for _, salt in given)
    if unpack_extra(packed) != (leaf, dict(given)):
        raise MalformedText("this leaf, or a salt with it, does not fit into a proof file")
    return packed


def unpack_extra(extra: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The leaf in the extra data of a proof file, and salts by field; a bare leaf as it is.

    Raises MalformedText.
    """
    if not extra.startswith(_PACKED):
        return extra, {}
    text, raw = _inflate(extra[1:])
    body, *names = text.split(_SALTS_MARK)
    leaf, raw = _put_back(body, raw)
    if len(raw) != COMMITMENT_SALT_LENGTH * len(names) or len(names) > _MOST_SALTS:
        raise MalformedText("the extra data of the proof does not hold the salts it names")
    salts = {}
    for number, name in enumerate(names):
        if not _SALT_NAME.fullmatch(name) or name.decode("ascii") in salts:
            raise MalformedText("a salt in the extra data of the proof has no name of its own")
        at = COMMITMENT_SALT_LENGTH * number
        salts[name.decode("ascii")] = raw[at : at + COMMITMENT_SALT_LENGTH]
    return leaf, salts


def _take_out(found: bytes, taken: list[bytes]) -> bytes:
    if len(found) == 64:
        taken.append(bytes.fromhex(found.decode("ascii")))
        return _DIGEST_MARK
    raw = base64.b64decode(found)
    if base64.b64encode(raw) != found:
        return found
    taken.append(raw)
    return _SIGNATURE_MARK


def _inflate(packed: bytes) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(-15, zdict=_USUAL_BYTES)
    try:
        text = inflater.decompress(packed, 2 * MOST_LEAF_BYTES)
    except zlib.error as error:
        raise MalformedText("the extra data of the proof does not inflate") from error
    if not inflater.eof:
        raise MalformedText("the extra data of the proof is cut short, or more than a record")
    return text, inflater.unused_data


def _put_back(body: bytes, raw: bytes) -> tuple[bytes, bytes]:
    parts, at = [], 0
    for part in re.split(rb"([\x02\x03])", body):
        if part == _DIGEST_MARK:
            parts.append(raw[at : at + 32].hex().encode("ascii"))
            at += 32
        elif part == _SIGNATURE_MARK:
            parts.append(base64.b64encode(raw[at : at + 64]))
            at += 64
        else:
            parts.append(part)
    leaf = b"".join(parts)
    if at > len(raw) or len(leaf) > MOST_LEAF_BYTES:
        raise MalformedText("the extra data of the proof lacks digests, or is more than a record")
    return leaf, raw[at:]


_USUAL_BYTES = (
    b'"media_type":"video/mp4","method":"mask","request":"\x02","result":"","source":"\x02"'
    b'"level":"ingest","by":"ingest-1","class":"routine","level":"import"'
    b'{"blob":"\x02","boot":"","by":"dock-1","bytes":,"camera_no":,"claimed_ms":17'
    b',"class":"routine-90","commit":{"manifest":"\x02","media":"\x02","name":"\x02",'
    b'"officer":"\x02"},"device":"bwc-00","end_ms":17,"epoch":0,"kind":"segment",'
    b'"level":"dock","level":"device","prev":"\x02","recording":"bwc-00/20","seq":,'
    b'"sig":"\x03","start_ms":17,"uptime_ms":,"v":1}\x04media\x04manifest'
)
"""What a deflated record may refer back to; part of the format, never to be changed."""
