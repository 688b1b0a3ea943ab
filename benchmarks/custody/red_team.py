"""Run the red team's attacks, and audit honest histories: 0 findings are due in those.

    python benchmarks/custody/red_team.py --histories 1000

The attacks are the tests of tests/attacks/test_custody_red_team.py, run here for the record, on
SQLite with a folder and on PostgreSQL with a strict object store. An honest history is a few
shifts of three cameras with signed outages, key rotations, erasures with two approvals, drifting
clocks, records handed in twice, restarts, and witnesses that are sometimes away.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.attacks.custody_histories import honest_history  # noqa: E402
from tidewaiter.evaluation.planning import bound_without_success  # noqa: E402

ATTACKS = ROOT / "tests/attacks/test_custody_red_team.py"
HEADING = re.compile(r"^# (\d+ .*)$", re.MULTILINE)


def main() -> None:
    """Attack, audit, and write results/red_team.json."""
    parser = argparse.ArgumentParser(description="red team and honest histories")
    parser.add_argument("--histories", type=int, default=100)
    wanted = parser.parse_args().histories
    result = {"attacks": _attacks(), "honest": _honest(wanted)}
    path = Path(__file__).parent / "results" / "red_team.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _attacks() -> dict[str, Any]:
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(ATTACKS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    outcomes: Counter[str] = Counter()
    for outcome, where in re.findall(
        r"^(PASSED|FAILED|ERROR|SKIPPED) .*\[(.*)\]$", done.stdout, re.MULTILINE
    ):
        outcomes[f"{where.split('-')[0]}: {outcome.lower()}"] += 1
    classes = HEADING.findall(ATTACKS.read_text(encoding="utf-8"))
    return {"classes": classes, "tests": dict(sorted(outcomes.items()))}


def _honest(wanted: int) -> dict[str, Any]:
    started, records, alarms = time.monotonic(), 0, []
    for seed in range(wanted):
        with tempfile.TemporaryDirectory(prefix="tidewaiter-honest-") as name:
            audited = honest_history(Path(name), seed)
        records += audited.records
        if audited.discrepancies:
            alarms.append([seed, *[f"{one.name}: {one.text}" for one in audited.discrepancies]])
        if seed % 50 == 49:
            print(seed + 1, len(alarms), flush=True)
    return {
        "histories": wanted,
        "records": records,
        "with findings": len(alarms),
        "upper bound of the rate, 95 %": None if alarms else bound_without_success(wanted),
        "examples": alarms[:5],
        "wall seconds": round(time.monotonic() - started, 1),
    }


if __name__ == "__main__":
    main()
