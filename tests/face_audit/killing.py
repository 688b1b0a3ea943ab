"""Kill runs at chosen steps or moments, let them go on, and compare with undisturbed ones.

    python -m tests.face_audit.killing

is the process whose children are the runs: everything is imported and laid out once, a
run is a fork of it, and a kill costs a fraction of a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.face_audit import killed_run, killed_service_run
from tests.face_audit.making import MadeRecogniser, opening
from tidewaiter.face_audit.auditing import Audit, results
from tidewaiter.face_audit.ledger import book_of
from tidewaiter.outlets.stand_in_server import serving
from tidewaiter.storage.ledger_file import read_ledger

ROOT = Path(__file__).parents[2]
FACTS = {"ledger_sha256": "0" * 64}
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Aftermath:
    """What a run killed and finished later came to."""

    same_tables: bool
    repeated: int
    """Calls billed beyond those recorded and those named as in doubt."""
    in_doubt: int
    over_the_cap: int = 0
    kills: int = 1
    """Kills that met the run before it had ended."""


class Nursery:
    """Runs as children of one process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, folder: Path, *, kill_after_s: float | None = None, **what: Any) -> int:
        """One run; its exit status. With `kill_after_s` it is killed then, wherever it is."""
        order = {"folder": str(folder), "kill_after_s": kill_after_s, **what}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.face_audit.killing"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


def undisturbed(runs: Nursery, folder: Path) -> tuple[int, str]:
    """How many steps a whole run has, and its tables."""
    folder.mkdir()
    assert runs.run(folder, step=0) == 0
    return int((folder / "steps.txt").read_text()), tables(killed_run.AUDIT, folder)


def killed_at(runs: Nursery, steps: list[int], folder: Path, wanted: str) -> Aftermath:
    """Kill at each of the steps in turn, then let the run finish."""
    _emptied(folder)
    for step in steps:
        assert runs.run(folder, step=step) == KILLED
    assert runs.run(folder, step=0) == 0
    billed = Counter((folder / "bills.txt").read_text().split())
    return _aftermath(killed_run.AUDIT, folder, wanted, billed)


def served(runs: Nursery, folder: Path) -> tuple[float, int, str]:
    """Seconds and calls of an undisturbed run against a stand-in with faults, and its tables."""
    _emptied(folder)
    with serving(killed_service_run.standing(0)) as address:
        began = time.monotonic()
        assert runs.run(folder, address=address, max_calls=None) == 0
        seconds = time.monotonic() - began
    calls = book_of(read_ledger(folder / "ledger.jsonl")[1]).calls
    return seconds, calls, tables(killed_service_run.AUDIT, folder)


def killed_after(
    runs: Nursery, seconds: tuple[float, ...], folder: Path, cap: int, wanted: str, seed: int
) -> Aftermath:
    """Kill after so many seconds, again and again, under a cap; then lift it and finish."""
    _emptied(folder)
    kills = 0
    service = killed_service_run.standing(seed)
    with serving(service) as address:
        for moment in seconds:
            ended = runs.run(folder, address=address, max_calls=cap, kill_after_s=moment)
            assert ended in (KILLED, 0)
            kills += ended == KILLED
        assert runs.run(folder, address=address, max_calls=cap) == 0
        over = max(0, sum(service.bill.values()) - cap)
        assert "limit" in (folder / "ended.txt").read_text()
        assert runs.run(folder, address=address, max_calls=None) == 0
        billed = Counter(service.bill)
    found = _aftermath(killed_service_run.AUDIT, folder, wanted, billed)
    return Aftermath(found.same_tables, found.repeated, found.in_doubt, over, kills)


def tables(audit: Audit, folder: Path) -> str:
    """The final tables, without what a crash may change: cost and calls in doubt."""
    rows = read_ledger(folder / "ledger.jsonl")[1]
    record = results(audit, opening(audit), rows, FACTS, MadeRecogniser().card)
    kept = record.model_copy(
        update={"spent": record.spent.model_copy(update={"in_doubt": (), "calls": 0, "cost": ""})}
    )
    return kept.model_dump_json()


def _aftermath(audit: Audit, folder: Path, wanted: str, billed: Counter[str]) -> Aftermath:
    rows = read_ledger(folder / "ledger.jsonl")[1]
    recorded = Counter(row.trial_id for row in rows if row.state == "answered")
    doubted = Counter(row.trial_id for row in book_of(rows).doubtful)
    return Aftermath(
        same_tables=tables(audit, folder) == wanted,
        repeated=(billed - recorded - doubted).total(),
        in_doubt=doubted.total(),
    )


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _raise_children() -> None:
    """Fork a run for every line of standard input; print how each ended."""
    for line in sys.stdin:
        order = json.loads(line)
        kill_after_s, folder = order.pop("kill_after_s"), Path(order.pop("folder"))
        child = os.fork()
        if child == 0:
            os._exit(_status_of(folder, order))
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def _status_of(folder: Path, order: dict[str, Any]) -> int:
    try:
        if "step" in order:
            killed_run.carried_out(folder, order["step"])
        else:
            killed_service_run.carried_out(folder, **order)
    except BaseException:  # noqa: BLE001 - a fork must end here, not in its parent's code
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    _raise_children()
