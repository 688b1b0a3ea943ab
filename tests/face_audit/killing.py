"""Kill a run at chosen steps, let it go on, and compare with one that nobody disturbed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.face_audit.making import MadeRecogniser, audit, opening
from tidewaiter.face_audit.auditing import results
from tidewaiter.face_audit.ledger import book_of
from tidewaiter.storage.ledger_file import read_ledger

ROOT = Path(__file__).parents[2]
FACTS = {"ledger_sha256": "0" * 64}


@dataclass(frozen=True)
class Aftermath:
    """What a run killed once and finished later came to."""

    same_tables: bool
    repeated: int
    """Calls billed beyond those recorded and those named as in doubt."""
    in_doubt: int


def run(folder: Path, step: int) -> int:
    """One process over the folder's ledger; its exit status."""
    command = [sys.executable, "-m", "tests.face_audit.killed_run", str(folder), str(step)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def undisturbed(folder: Path) -> tuple[int, str]:
    """How many steps a whole run has, and its tables."""
    folder.mkdir()
    assert run(folder, 0) == 0
    return int((folder / "steps.txt").read_text()), tables(folder)


def killed_at(steps: list[int], folder: Path, wanted: str) -> Aftermath:
    """Kill at each of the steps in turn, then let the run finish."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for step in steps:
        assert run(folder, step) == -signal.SIGKILL
    assert run(folder, 0) == 0
    billed = Counter((folder / "bills.txt").read_text().split())
    rows = read_ledger(folder / "ledger.jsonl")[1]
    recorded = Counter(row.trial_id for row in rows if row.state == "answered")
    doubted = Counter(row.trial_id for row in book_of(rows).doubtful)
    return Aftermath(
        same_tables=tables(folder) == wanted,
        repeated=(billed - recorded - doubted).total(),
        in_doubt=doubted.total(),
    )


def tables(folder: Path) -> str:
    """The final tables, without what a crash may change: cost and calls in doubt."""
    found = audit()
    rows = read_ledger(folder / "ledger.jsonl")[1]
    record = results(found, opening(found), rows, FACTS, MadeRecogniser().card)
    kept = record.model_copy(
        update={"spent": record.spent.model_copy(update={"in_doubt": (), "calls": 0, "cost": ""})}
    )
    return kept.model_dump_json()
