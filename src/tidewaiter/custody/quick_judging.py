"""Judges the entries of a long log: those that leave nothing to say by a short way.

The short way takes in a record if every test of `Judge.feed_record` would pass and its effects
are those of one more link of a chain; it then leaves the judge in the same state. Whatever it
does not know goes the ordinary way, so every finding is the ordinary judge's.
"""

from __future__ import annotations

import base64
from array import array
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from tidewaiter.custody.chains import Allowed, DeviceChain, Link, Run
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.quick_records import QuickEntry, read_quickly, signed_part
from tidewaiter.custody.record import SIGNED_AS, Record, parse_record
from tidewaiter.errors import MalformedText

_KEPT = 8
_FOREVER = 2**63
_NOTHING: list[Discrepancy] = []
# Keys as OpenSSL has them; making one takes as long as a tenth of a signature.
_MOST_KEYS = 4096


class _Settled(NamedTuple):
    """What was found out about a signer, its epoch, the device and the level."""

    device: str
    key: bytes
    chain: DeviceChain
    signed: array[int]
    speaks_for_itself: bool


class QuickJudge:
    """A judge with a short way; `judge` has what follows from the entries so far."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._settled: dict[tuple[str | None, str, str, str | None], _Settled] = {}
        self._confirmed_until, self._latest_ms = -1, _FOREVER

    def feed(self, index: int, body: bytes) -> tuple[list[Discrepancy], QuickEntry | Record | None]:
        """Judge the entry at this index; gives it as it was read, None if it is malformed."""
        entry = read_quickly(body)
        if entry is not None and self._passes(index, body, entry):
            return _NOTHING, entry
        try:
            record = parse_record(body)
        except MalformedText as error:
            text = f"entry {index}: {error}"
            return [Discrepancy("record-malformed", text, index, index)], None
        if record.kind == "policy" or record.kind.startswith("key."):
            self._settled.clear()
        return self.judge.feed_record(index, record), record

    def _passes(self, index: int, body: bytes, entry: QuickEntry) -> bool:
        named = (entry.by, entry.device, entry.epoch, entry.level)
        settled = self._settled.get(named) or self._settle(index, body, named)
        judge = self.judge
        if settled is None or (entry.blob and entry.blob in judge.blobs):
            return False
        run, link = settled.chain.runs[-1], _link(index, entry)
        if not _follows(run, link, entry, settled.chain.allowed):
            return False
        if index >= self._confirmed_until:
            self._bound(index)
        if link.claimed_ms > self._latest_ms:
            return False
        if (
            judge.check_signatures
            and judge.verified.get(index) != settled.key
            and not is_quickly_signed(body, entry, settled.key)
        ):
            return False
        if entry.camera_no is not None and not _counts_on(settled.chain, int(entry.camera_no)):
            return False
        self._take_in(run, link, entry, settled, sha256(body))
        return True

    def _settle(
        self, index: int, body: bytes, named: tuple[str | None, str, str, str | None]
    ) -> _Settled | None:
        record = parse_record(body)
        key = self.judge.settled_key(index, record)
        chain = self.judge.chains.get(record.device)
        signed = self.judge.signed.get(record.signer)
        if key is None or chain is None or signed is None:
            return None
        is_own = record.signer == record.device
        settled = _Settled(record.device, key, chain, signed, is_own)
        self._settled[named] = settled
        return settled

    def _bound(self, index: int) -> None:
        """Up to which entry which time is the latest that contradicts no witness."""
        times = self.judge.times
        place = bisect_right(times.sizes, index)
        if place < len(times.sizes):
            self._confirmed_until = times.sizes[place]
            self._latest_ms = times.times_ms[place] + self.judge.allowed.offset_ms
        else:
            self._confirmed_until = self._latest_ms = _FOREVER

    def _take_in(
        self, run: Run, link: Link, entry: QuickEntry, settled: _Settled, digest: Any
    ) -> None:
        judge, chain = self.judge, settled.chain
        settled.signed.append(link.index)
        chain.speaks_for_itself |= settled.speaks_for_itself
        run.tail, run.last_digest, run.is_keys_only = link, digest.hexdigest(), False
        run.digests += digest.digest()[:_KEPT]
        if entry.blob is None or entry.recording is None:
            return
        if entry.camera_no is not None:
            chain.camera_no = int(entry.camera_no)
        judge.blobs[entry.blob] = link.index
        if entry.start_ms is not None and entry.end_ms is not None:
            chain.cover(int(entry.start_ms), int(entry.end_ms))
        named = entry.retention or ""
        recording = entry.recording
        judge.retention.bring(link.index, recording, link.claimed_ms, named, judge.times)


def _follows(run: Run, link: Link, entry: QuickEntry, allowed: Allowed) -> bool:
    """Whether it is the direct successor of the newest, in time and by a steady clock."""
    tail = run.tail
    if link.seq != tail.seq + 1 or entry.prev != run.last_digest or tail.stop_reason:
        return False
    elapsed_ms = link.claimed_ms - tail.claimed_ms
    off_ms = min(elapsed_ms, 0)
    if link.uptime_ms is not None and tail.uptime_ms is not None and link.boot == tail.boot:
        by_uptime = link.uptime_ms - tail.uptime_ms
        off_ms = elapsed_ms - by_uptime
        elapsed_ms = max(elapsed_ms, by_uptime)
    return elapsed_ms <= allowed.silence_ms and -allowed.offset_ms <= off_ms <= allowed.offset_ms


def is_quickly_signed(body: bytes, entry: QuickEntry, key: bytes) -> bool:
    """Whether this public key of 32 bytes signed the leaf."""
    # Its letters were matched when the entry was read: 64 bytes in canonical base64.
    signature = base64.b64decode(entry.sig)
    return _fits(key)(signature, SIGNED_AS + signed_part(body, entry))


@lru_cache(_MOST_KEYS)
def _fits(key: bytes) -> Callable[[bytes, bytes], bool]:
    """What says whether a signature over a message is by this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(key)

    def fits(signature: bytes, message: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return fits


def _link(index: int, entry: QuickEntry) -> Link:
    return Link(
        index,
        int(entry.seq),
        int(entry.claimed_ms),
        None if entry.uptime_ms is None else int(entry.uptime_ms),
        entry.boot or "",
        entry.reason or "",
    )


def _counts_on(chain: DeviceChain, camera_no: int) -> bool:
    return chain.camera_no is None or camera_no <= chain.camera_no + 1
