"""A camera that signs on board, as its maker would build it on `tidewaiter.custody.camera`."""

from __future__ import annotations

import base64
import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

from tidewaiter.custody.camera import Segment, SignedSegment, sign_segment
from tidewaiter.custody.device import DeviceState, emit, rotate
from tidewaiter.custody.handover import format_lines
from tidewaiter.custody.record import public_key
from tidewaiter.custody.sealed_secrets import seal_secret

START_MS = 1_766_400_000_000


class BoardCamera:
    """Keeps its own key, numbers and clock, and writes a card."""

    def __init__(self, name: str, card: Path, *, key: str = "", site_key: bytes = b"") -> None:
        self.card, self.now_ms, self.site_key = card, START_MS, site_key
        self.state = DeviceState(name, 0, secret=hashlib.sha256(f"{key or name}".encode()).digest())
        self.leaves: list[bytes] = []
        self.secrets: list[bytes] = []
        self._drawn = itertools.count()
        card.mkdir(exist_ok=True)

    @property
    def public(self) -> str:
        return base64.b64encode(public_key(self.state.secret)).decode()

    def random(self, length: int) -> bytes:
        """A test's chance: never twice the same, and the same in every run."""
        seed = f"{self.state.device} {next(self._drawn)}".encode()
        return hashlib.sha256(seed).digest()[:length]

    def record(self, file: str, medium: bytes, *, sealed=False, **fields) -> SignedSegment:
        start, self.now_ms = self.now_ms, self.now_ms + 10_000
        segment = Segment(file, self.now_ms, start, self.now_ms, {"officer": "4711"}, fields)
        parts: list[bytes] = []
        signed = sign_segment(
            self.state, segment, [medium[:5], medium[5:]], self.random,
            keep_sealed=parts.append, chunk_length=4096,
        )  # fmt: skip
        self.take(signed)
        (self.card / file).write_bytes(b"".join(parts) if sealed else medium)
        return signed

    def take(self, signed: SignedSegment) -> None:
        self.state = signed.following
        self.leaves.append(signed.leaf)
        sealed = self.site_key and seal_secret(signed.secret, self.site_key)
        self.secrets.append(sealed or signed.secret.format())

    def tell(self, kind: str, **fields) -> bytes:
        self.now_ms += 10_000
        leaf, self.state = emit(self.state, kind, self.now_ms, fields)
        self.leaves.append(leaf)
        return leaf

    def heartbeat(self) -> bytes:
        return self.tell("heartbeat", uptime_ms=self.now_ms - START_MS, boot="boot-1")

    def rotate(self) -> bytes:
        fresh = hashlib.sha256(self.state.secret).digest()
        leaf, self.state = rotate(self.state, fresh, self.now_ms)
        self.leaves.append(leaf)
        return leaf

    def skip(self) -> None:
        """A record that is lost on board: its number is gone."""
        self.state = replace(self.state, seq=self.state.seq + 1)

    def write(self, name: str = "shift") -> Path:
        path = self.card / f"{name}.records"
        path.write_bytes(format_lines(self.leaves))
        path.with_suffix(".secrets").write_bytes(format_lines(self.secrets))
        return path
