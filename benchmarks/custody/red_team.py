"""Run the red team's attacks, and audit honest histories: 0 findings are due in those.

    python benchmarks/custody/red_team.py --histories 1000

The attacks are the tests of tests/attacks/test_custody_red_team.py, run here for the record, on
SQLite with a folder and on PostgreSQL with a strict object store; the twentieth, which needs
pictures, is in tests/cli/test_custody_redact.py and runs through the commands. An honest history
is a few shifts of three cameras with signed outages, key rotations, erasures with two approvals,
drifting clocks, records handed in twice, restarts, and witnesses that are sometimes away.
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
REDACTION = ROOT / "tests/cli/test_custody_redact.py"
HEADING = re.compile(r"^# (\d+ .*)$", re.MULTILINE)


RESULT = Path(__file__).parent / "results" / "red_team.json"
WRITTEN_EVERY = 50


def main() -> None:
    """Attack, audit, and write results/red_team.json as far as it goes."""
    parser = argparse.ArgumentParser(description="red team and honest histories")
    parser.add_argument("--histories", type=int, default=100, help="0: the attacks alone")
    parser.add_argument("--no-attacks", action="store_true", help="the histories alone")
    options = parser.parse_args()
    if not options.no_attacks:
        _write("attacks", _attacks())
    if options.histories:
        _honest(options.histories)
    print(RESULT.read_text(encoding="utf-8"))


def _write(part: str, found: dict[str, Any]) -> None:
    """Put one part into the results; the other stays as it was measured."""
    whole = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    whole[part] = found
    RESULT.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _attacks() -> dict[str, Any]:
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    command += [str(ATTACKS), str(REDACTION)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    outcomes: Counter[str] = Counter()
    for outcome, where in re.findall(
        r"^(PASSED|FAILED|ERROR|SKIPPED) .*\[(.*)\]$", done.stdout, re.MULTILINE
    ):
        outcomes[f"{where.split('-')[0]}: {outcome.lower()}"] += 1
    by_command = re.compile(r"^(PASSED|FAILED|ERROR) \S*test_custody_redact", re.MULTILINE)
    for outcome in by_command.findall(done.stdout):
        outcomes[f"commands: {outcome.lower()}"] += 1
    headings = (file.read_text(encoding="utf-8") for file in (ATTACKS, REDACTION))
    classes = [heading for text in headings for heading in HEADING.findall(text)]
    return {"classes": classes, "tests": dict(sorted(outcomes.items()))}


def _honest(wanted: int) -> None:
    started, records, alarms = time.monotonic(), 0, []
    for done in range(1, wanted + 1):
        seed = done - 1
        with tempfile.TemporaryDirectory(prefix="tidewaiter-honest-") as name:
            audited = honest_history(Path(name), seed)
        records += audited.records
        if audited.discrepancies:
            alarms.append([seed, *[f"{one.name}: {one.text}" for one in audited.discrepancies]])
        if done % WRITTEN_EVERY and done != wanted:
            continue
        found = {
            "histories": done,
            "records": records,
            "with findings": len(alarms),
            "upper bound of the rate, 95 %": None if alarms else bound_without_success(done),
            "examples": alarms[:5],
            "wall seconds": round(time.monotonic() - started, 1),
        }
        _write("honest", found)


if __name__ == "__main__":
    main()
