"""Put faults into the calls by which the custody log reaches its disk, and see what is left.

    python benchmarks/custody/faults.py --faults 10000

Half are one call that fails (EIO, ENOSPC) or kills its process, before or after the call, put in
by strace; half are power cuts: the disk rebuilt from recorded calls with any part of what was not
synced, torn at 512 bytes. After each the log is started again, compared with what was
acknowledged, audited, and everything is handed in again. New plans of batches every 200 faults.
Point TMPDIR at a memory disk; about 50 ms of processor time a fault.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.storage import custody_faults as faults  # noqa: E402
from tidewaiter.evaluation.planning import bound_without_success  # noqa: E402

SEED = 20_262
FAULTS_PER_PLAN = 200


def main() -> None:
    """Inject, count, and write results/faults.json."""
    parser = argparse.ArgumentParser(description="faults under the custody log")
    parser.add_argument("--faults", type=int, default=400)
    wanted = parser.parse_args().faults
    rng = random.Random(SEED)  # noqa: S311 - a seeded draw of points, no secret
    kinds: Counter[str] = Counter()
    wrong: list[str] = []
    started, content = time.monotonic(), ""
    while sum(kinds.values()) < wanted:
        with tempfile.TemporaryDirectory(prefix="tidewaiter-faults-") as name:
            _one_plan(Path(name), rng, kinds, wrong)
        print(sum(kinds.values()), len(wrong), flush=True)
        content = json.dumps(_result(kinds, wrong, started), indent=1)
        (Path(__file__).parent / "results" / "faults.json").write_text(content + "\n", "utf-8")
    print(content)


def _one_plan(folder: Path, rng: random.Random, kinds: Counter[str], wrong: list[str]) -> None:
    plan, base = faults.make_plan(rng), folder / "base"
    base.mkdir()
    faults.make_base(base, plan)
    counts = faults.counted_calls(base, plan)
    points = [(call, n) for call in faults.CALLS for n in range(1, counts[call] + 1)]
    calls = faults.recorded(base, plan)
    for _ in range(FAULTS_PER_PLAN // 2):
        (call, number), fault = rng.choice(points), rng.choice(list(faults.FAULTS))
        outcome, problem = faults.injected(base, plan, call, fault, number)
        kinds[f"{fault}: {outcome}"] += 1
        if problem:
            wrong.append(f"{fault} at {call} {number}: {problem}")
        kinds["power cut"] += 1
        problem = faults.power_cut(base, plan, calls, rng)
        if problem:
            wrong.append(f"power cut: {problem}")


def _result(kinds: Counter[str], wrong: list[str], started: float) -> dict[str, Any]:
    total = sum(kinds.values())
    return {
        "what": "faults under SQLite and a folder of media; acknowledged records lost, forks, "
        "refusals to start, findings of the audit afterwards",
        "seed": SEED,
        "faults": total,
        "wrong": len(wrong),
        "upper bound of the rate, 95 %": bound_without_success(total) if not wrong else None,
        "by kind": dict(sorted(kinds.items())),
        "examples": wrong[:10],
        "wall seconds": round(time.monotonic() - started, 1),
    }


if __name__ == "__main__":
    main()
