"""Kill runs of an audit at random points, let them go on, and compare their tables.

    python benchmarks/face_audit/kills.py --steps 200 --moments 200

`steps`: SIGKILL at a random step of a run over a made service with faults: before a ledger
line, in its midst, after it, or after the service billed a call whose reply is not recorded.
`moments`: SIGKILL from outside at a random moment, of a run that speaks HTTP to a stand-in
which throttles, fails, truncates and drops after billing; under a cap of two thirds of the
calls, which is then lifted. Every kill has a run of its own. Billed calls are the service's
own count. A kind of which 0 are asked for keeps the result it has. About a second of processor
time a kill; the ledger waits for the disk at every row, so point TMPDIR at a memory disk.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.face_audit.killing import (  # noqa: E402
    Aftermath,
    Nursery,
    killed_after,
    killed_at,
    nursery,
    served,
    undisturbed,
)
from tidewaiter.evaluation.planning import bound_without_success  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "kills.json"
SEED = 20_311
CAP_SHARE = 2 / 3


def main() -> None:
    """Kill, count, and write results/kills.json."""
    parser = argparse.ArgumentParser(description="kill -9 at random points")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--moments", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidewaiter-kills-") as name, nursery() as runs:
        if arguments.steps:
            _keep("steps", _at_steps(runs, Path(name), arguments.steps))
        if arguments.moments:
            _keep("moments", _at_moments(runs, Path(name), arguments.moments))
    print(RESULTS.read_text(encoding="utf-8"))


def _keep(kind: str, found: dict[str, Any]) -> None:
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = {"seed": SEED, **{k: kept[k] for k in ("steps", "moments") if k in kept}, kind: found}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _at_steps(runs: Nursery, folder: Path, kills: int) -> dict[str, Any]:
    rng = random.Random(SEED)  # noqa: S311 - a seeded draw of points, no secret
    steps, wanted = undisturbed(runs, folder / "whole")
    after = [
        killed_at(runs, [rng.randrange(1, steps)], folder / "killed", wanted) for _ in range(kills)
    ]
    return {"steps_of_a_whole_run": steps, **_counted(after)}


def _at_moments(runs: Nursery, folder: Path, kills: int) -> dict[str, Any]:
    rng = random.Random(SEED + 1)  # noqa: S311
    seconds, calls, wanted = served(runs, folder / "served")
    cap, after = round(calls * CAP_SHARE), list[Aftermath]()
    while sum(found.kills for found in after) < kills:
        moment = rng.uniform(0, seconds * CAP_SHARE)
        seed = rng.randrange(1, 1_000_000)
        after.append(killed_after(runs, (moment,), folder / "killed", cap, wanted, seed))
    return {
        "calls_of_a_whole_run": calls,
        "cap": cap,
        "calls_billed_beyond_the_cap": sum(found.over_the_cap for found in after),
        **_counted(found for found in after if found.kills),
    }


def _counted(after: Iterable[Aftermath]) -> dict[str, Any]:
    found = list(after)
    different = sum(not one.same_tables for one in found)
    return {
        "kills": len(found),
        "runs_with_other_tables": different,
        "share_with_other_tables_at_most_95": None
        if different
        else round(bound_without_success(len(found)), 4),
        "calls_repeated_though_recorded": sum(one.repeated for one in found),
        "calls_in_doubt_and_named": sum(one.in_doubt for one in found),
    }


if __name__ == "__main__":
    main()
