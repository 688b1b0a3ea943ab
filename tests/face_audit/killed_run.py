"""A run over a real ledger that kills itself, as kill -9 would, at its n-th step.

A step is a moment before or after a ledger line, in its midst, or after the service has
billed a call whose reply is not yet recorded. Step 0 runs to the end. The service writes
down what it billed, apart from the ledger.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.face_audit.making import MadeRecogniser, audit, number, opening, photo, show
from tidewaiter.face_audit.driver import Ports, carry_out
from tidewaiter.face_audit.gate import GateAnswer
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.service import Outcome, Reply
from tidewaiter.storage.ledger_file import LedgerFile

LIMITS = Limits(retries=3, max_calls=4000)
AUDIT = audit()


class Fate:
    def __init__(self, last: int) -> None:
        self.left = last

    def step(self) -> bool:
        self.left -= 1
        return self.left == 0


class MortalLedger(LedgerFile):
    def __init__(self, path: Path, first, fate: Fate) -> None:
        self.fate = fate
        super().__init__(path, first)

    def _write(self, line: str) -> None:
        if self.fate.step():
            die()
        if self.fate.step():
            self._file.write(line.encode()[: len(line) // 2])
            die()
        super()._write(line)
        if self.fate.step():
            die()


class BillingRecogniser(MadeRecogniser):
    """Fails for one reply in eight, by the trial and how often it was billed before."""

    def __init__(self, bills: Path, fate: Fate) -> None:
        super().__init__()
        self.bills, self.fate = bills, fate
        bills.touch()

    def compare(self, reference, probe, *, trial=""):
        with self.bills.open("a") as file:
            file.write(f"{trial}\n")
        if self.fate.step():
            die()
        fate = number("reply", trial, probe.name)
        if fate < 1 / 16:
            return Reply(Outcome.ERROR, http=500, calls=1)
        if fate < 1 / 8:
            return Reply(Outcome.NO_FACE, calls=1)
        return super().compare(reference, probe, trial=trial)


class NoWaiting:
    def now(self) -> str:
        return ""

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def gate(picture) -> GateAnswer:
    return GateAnswer(number("gate", picture.name))


def carried_out(folder: Path, last: int) -> None:
    """Run over the folder's ledger and die at step `last`."""
    fate = Fate(last)
    recogniser = BillingRecogniser(folder / "bills.txt", fate)
    with MortalLedger(folder / "ledger.jsonl", opening(AUDIT), fate) as ledger:
        ports = Ports(recogniser, ledger, photo, show, NoWaiting(), gate=gate)
        ending = carry_out(AUDIT.trials, AUDIT.gallery, ports, LIMITS)
        assert ending.reason is None
    (folder / "steps.txt").write_text(str(last - fate.left))
