"""A small administration in memory: founders, cameras, a dock, and the leaves they write."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

from tidewaiter.custody.approvals import approve
from tidewaiter.custody.commitments import Opening, commit
from tidewaiter.custody.device import DeviceState, emit, rotate
from tidewaiter.custody.record import parse_record, public_key, sign_record

START_MS = 1_766_400_000_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000
FOUNDERS = (
    ("amara", "amara", "vigilance"),
    ("bilal", "bilal", "legal"),
    ("chen", "chen", "retention"),
    ("chen-2", "chen", "command"),
    ("dora", "dora", "storage"),
)


def secret_of(name: str) -> bytes:
    return hashlib.sha256(b"test secret " + name.encode()).digest()


def key_text(name: str) -> str:
    return base64.b64encode(public_key(secret_of(name))).decode()


def salt_of(name: str) -> bytes:
    return hashlib.sha256(b"test salt " + name.encode()).digest()[:16]


class World:
    """Writes honest leaves; tests then alter what they attack."""

    def __init__(self, *, founded: bool = True) -> None:
        self.leaves: list[bytes] = []
        self.states: dict[str, DeviceState] = {}
        self.openings: list[Opening] = []
        self.now_ms = START_MS
        self.requests = 0
        if founded:
            self.found()

    def add(self, leaf: bytes) -> bytes:
        self.leaves.append(leaf)
        return leaf

    def found(self) -> bytes:
        people = [
            {"id": name, "person": person, "role": role, "key": key_text(name)}
            for name, person, role in FOUNDERS
        ]
        fields = {"policy": "the policy of this test", "people": people}
        return self.act("policy", fields, by=[name for name, _, _ in FOUNDERS])

    def act(self, kind, fields, *, by=None, who="dora", request="") -> bytes:
        """An entry of a person, with the approvals of these people."""
        self.requests += 1
        whole = {
            **fields,
            "kind": kind,
            "device": who,
            "epoch": 0,
            "claimed_ms": self.now_ms,
        }
        if by is not None:
            whole["request"] = request or f"request-{self.requests}"
            whole["approvals"] = [approve(whole, name, 0, secret_of(name)) for name in by]
        return self.add(sign_record(whole, secret_of(who)))

    def enrol(self, name, *, holder="device", by=("amara", "bilal"), person="", role="", unit=""):
        fields = {"subject": name, "holder": holder, "key": key_text(name), "key_epoch": 0}
        optional = {"person": person, "role": role, "unit": unit}
        fields |= {field: value for field, value in optional.items() if value}
        leaf = self.act("key.enrol", fields, by=by)
        self.states[name] = DeviceState(name, 0, secret=secret_of(name))
        return leaf

    def camera(self, name, dock) -> None:
        """A camera that cannot sign: its dock does."""
        self.states[name] = replace(self.states[dock], device=name, by=dock, seq=0, prev="0" * 64)

    def tell(self, device, kind, fields, *, after_ms=0, logged=True) -> bytes:
        """The device's next record; lost on the way if not logged."""
        self.now_ms += after_ms
        leaf, self.states[device] = emit(self.states[device], kind, self.now_ms, fields)
        return self.add(leaf) if logged else leaf

    def heartbeat(self, device, *, after_ms=MINUTE_MS, logged=True, boot="boot-1") -> bytes:
        fields = {"uptime_ms": self.now_ms + after_ms - START_MS + 5_000, "boot": boot}
        return self.tell(device, "heartbeat", fields, after_ms=after_ms, logged=logged)

    def stop(self, device, reason="docked", *, after_ms=MINUTE_MS) -> bytes:
        return self.tell(device, "stop", {"reason": reason}, after_ms=after_ms)

    def segment(
        self, device, medium=b"", *, after_ms=MINUTE_MS, logged=True, level="device", **more
    ):
        """A segment whose sealed bytes are b"sealed " + medium."""
        state = self.states[device]
        medium = medium or f"medium {device} {state.seq}".encode()
        digest, salt = hashlib.sha256(medium).hexdigest(), salt_of(f"{device} {state.seq}")
        fields = {
            "recording": f"{device}/{state.seq}",
            "blob": hashlib.sha256(b"sealed " + medium).hexdigest(),
            "bytes": len(medium) + 7,
            "level": level,
            "commit": {"media": commit("media", salt, digest)},
            "start_ms": self.now_ms,
            "end_ms": self.now_ms + after_ms,
            "class": "routine",
            **more,
        }
        leaf = self.tell(device, "segment", fields, after_ms=after_ms, logged=logged)
        self.openings.append(Opening(parse_record(leaf).digest, "media", salt, digest))
        return leaf

    def rotate(self, device, fields=None) -> bytes:
        following = f"{device} {self.states[device].epoch + 1}"
        leaf, self.states[device] = rotate(
            self.states[device], secret_of(following), self.now_ms, fields
        )
        return self.add(leaf)

    def define_class(self, name="routine", days=90) -> bytes:
        return self.act(
            "retention",
            {"class": name, "days": days, "basis": "Instruction"},
            by=("amara", "bilal"),
        )

    def erase(self, recording, *, by=("amara", "bilal"), who="dora") -> bytes:
        fields = {"recording": recording, "basis": "term over", "scope": ["media"]}
        return self.act("erase", fields | {"backups": [], "openings_out": []}, by=by, who=who)
