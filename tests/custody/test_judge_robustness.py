"""No sequence of well-formed entries, however absurd, makes the judge or the verifier fail."""

from __future__ import annotations

import random

from tests.custody.record_kit import START_MS, World, key_text, secret_of
from tidewaiter.custody.approvals import approve
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import sign_record
from tidewaiter.custody.record_kinds import (
    ACCESS_ACTS,
    DEVICE_STATES,
    HOLD_STATES,
    KINDS,
    LEVELS,
    ROLES,
    STOP_REASONS,
    WITNESS_ACTS,
)

NAMES = ("amara", "bilal", "bwc-1", "bwc-2", "dock-1", "nobody")
WORDS = {
    "level": LEVELS,
    "holder": ("device", "dock", "service", "person"),
    "role": ROLES,
    "reason": STOP_REASONS,
    "method": ("mask", "drop", "both"),
}
OF_KIND = {"hold": HOLD_STATES, "heartbeat": DEVICE_STATES, "access": ACCESS_ACTS}


class Absurd:
    """Well-formed records whose fields were drawn from a hat."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def leaf(self) -> bytes:
        kind = self.random.choice(sorted(KINDS))
        required, optional = KINDS[kind]
        chosen = required | {name for name in sorted(optional) if self.random.random() < 0.5}
        chosen |= {"seq", "prev"} if self.random.random() < 0.5 else set()
        if kind == "key.enrol":
            chosen |= {"person", "role"}
        if kind == "expect":
            chosen = chosen - {"subject", "unit"} | {self.random.choice(["subject", "unit"])}
        if "start_ms" in chosen or "end_ms" in chosen:
            chosen |= {"start_ms", "end_ms"}
        who = self.random.choice(NAMES)
        fields = {name: self.value(kind, name) for name in sorted(chosen)}
        fields |= {"kind": kind, "device": who, "epoch": self.random.randint(0, 2)}
        fields["claimed_ms"] = self.time()
        if self.random.random() < 0.3:
            fields["by"] = self.random.choice(NAMES)
        if "approvals" in fields:
            by = self.random.choices(NAMES, k=self.random.randint(0, 3))
            fields["approvals"] = [approve(fields, name, 0, secret_of(name)) for name in by]
        return sign_record(fields, secret_of(fields.get("by", who)))

    def time(self) -> int:
        return START_MS + self.random.choice([0, 1, -(10**9), 10**9, 2**52, -START_MS - 2**52])

    def value(self, kind: str, name: str):
        draw = self.random
        if name in WORDS:
            return draw.choice(WORDS[name])
        if name in {"state", "act"}:
            return draw.choice(OF_KIND.get(kind, WITNESS_ACTS))
        if name in {"from_ms", "start_ms"}:
            return START_MS - draw.randint(0, 10**6)
        if name in {"to_ms", "end_ms"}:
            return START_MS + draw.randint(0, 2**50)
        if name.endswith("_ms"):
            return draw.choice([0, 5, START_MS, 2**50])
        if name in {"prev", "blob", "manifest_blob", "entry", "source", "exhibit", "report"}:
            return f"{draw.randint(0, 3):064x}"
        if name in {"last_segment", "fingerprint"}:
            return "00" * 32
        return self.other(name)

    def other(self, name: str):
        draw = self.random
        if name == "key":
            return key_text(draw.choice([*NAMES, "x", "y"]))
        if name == "commit":
            return {"media": "ab" * 32}
        if name == "people":
            people = draw.sample(NAMES, draw.randint(0, 3))
            return [{"id": n, "person": n, "role": "legal", "key": key_text(n)} for n in people]
        if name in {"scope", "signatures", "found", "backups", "openings_out", "dropped"}:
            return []
        if name == "masks":
            return []
        if name in {"subject", "unit", "person", "recording", "result", "class", "name", "request"}:
            return draw.choice(NAMES)
        if name in {"basis", "policy", "vkey", "tool", "software", "outcome", "note"}:
            return draw.choice(["", "\x1b[2J", "Straße 7"])
        if name in {"boot", "operation", "media_type"}:
            return "one"
        return draw.choice([0, 1, 2, 7, 2**53 - 1])


def test_the_judge_survives_everything_that_parses():
    heard = set()
    for seed in range(24):
        absurd, world = Absurd(seed), World(founded=seed % 4 != 0)
        if seed % 2:
            world.enrol("bwc-1", by=("amara", "bilal"))
        leaves = [*world.leaves, *(absurd.leaf() for _ in range(25))]
        judge = Judge(whole_log=seed % 3 != 0)
        for index, leaf in enumerate(leaves):
            heard |= {one.name for one in judge.feed(index, leaf)}
        heard |= {one.name for one in judge.absences(0, 2**52).discrepancies}
    expected = {"unknown-key", "bad-signature", "approval-missing", "device-fork", "sequence-gap"}
    assert len(heard & (expected | {"entry-without-effect", "segment-replayed"})) >= 5, heard
