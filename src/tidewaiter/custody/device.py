"""The side of a device or a dock: gap-free numbers, a chain of digests, keys that go forward.

Everything here returns the next state beside the leaf. The caller writes that state to disk,
with fsync, before the leaf leaves the machine: a crash in between then costs a number, which
shows as a gap of one; the other order would use a number twice, which looks like a forgery.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidewaiter.custody.record import (
    NO_PREVIOUS,
    canonical,
    parse_canonical,
    public_key,
    sign_record,
)
from tidewaiter.errors import MalformedText


@dataclass(frozen=True)
class DeviceState:
    """What a device, or a dock for a camera that cannot sign, must remember between records."""

    device: str
    epoch: int
    seq: int = 0
    """The number that the next record gets."""

    prev: str = NO_PREVIOUS
    secret: bytes = field(default=b"", repr=False)
    by: str = ""
    """The dock that signs, where the device itself cannot."""

    def format(self) -> bytes:
        """The state as canonical JSON without the secret, which is kept apart."""
        return canonical({
            "device": self.device, "epoch": self.epoch, "seq": self.seq,
            "prev": self.prev, "by": self.by,
        })  # fmt: skip

    @classmethod
    def parse(cls, text: bytes, secret: bytes) -> DeviceState:
        """The state that `format` wrote. Raises MalformedText."""
        found = parse_canonical(text)
        if not isinstance(found, dict) or found.keys() != {"device", "epoch", "seq", "prev", "by"}:
            raise MalformedText("a device state without device, epoch, seq, prev and by")
        return cls(secret=secret, **found)


def emit(
    state: DeviceState, kind: str, claimed_ms: int, fields: Mapping[str, Any]
) -> tuple[bytes, DeviceState]:
    """The leaf of the device's next record, and the state to store before it goes out."""
    whole = {
        **fields,
        "kind": kind,
        "device": state.device,
        "epoch": state.epoch,
        "seq": state.seq,
        "prev": state.prev,
        "claimed_ms": claimed_ms,
    }
    if state.by:
        whole["by"] = state.by
    leaf = sign_record(whole, state.secret)
    return leaf, replace(state, seq=state.seq + 1, prev=hashlib.sha256(leaf).hexdigest())


def rotate(
    state: DeviceState, secret: bytes, claimed_ms: int, fields: Mapping[str, Any] | None = None
) -> tuple[bytes, DeviceState]:
    """The leaf in which the old key names the new one, and the state with the new secret.

    Whoever steals the new key cannot sign as the old one: the caller destroys the old secret
    once the state is stored.
    """
    key = base64.b64encode(public_key(secret)).decode("ascii")
    named = {**(fields or {}), "key": key, "key_epoch": state.epoch + 1}
    leaf, following = emit(state, "key.rotate", claimed_ms, named)
    return leaf, replace(following, epoch=state.epoch + 1, secret=secret)
