"""Kill a run of an audit at random points, let it go on, and compare its tables.

    python benchmarks/face_audit/kills.py --kills 200

Every kill is a SIGKILL at a random step of a run over a made service with faults: before a
ledger line, in its midst, after it, or after the service billed a call whose reply is not
recorded. Nothing is killed twice. Two processes a kill, about 8 s on a loaded core.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.face_audit.killing import killed_at, undisturbed  # noqa: E402
from tidewaiter.evaluation.planning import bound_without_success  # noqa: E402

SEED = 20_311


def main() -> None:
    """Kill, count, and write results/kills.json."""
    parser = argparse.ArgumentParser(description="kill -9 at random points")
    parser.add_argument("--kills", type=int, default=200)
    kills = parser.parse_args().kills
    rng = random.Random(SEED)  # noqa: S311 - a seeded draw of points, no secret
    different = repeated = doubted = 0
    with tempfile.TemporaryDirectory(prefix="tidewaiter-kills-") as name:
        steps, wanted = undisturbed(Path(name) / "whole")
        for _ in range(kills):
            after = killed_at([rng.randrange(1, steps)], Path(name) / "killed", wanted)
            different += not after.same_tables
            repeated += after.repeated
            doubted += after.in_doubt
    result = {
        "kills": kills,
        "steps_of_a_whole_run": steps,
        "seed": SEED,
        "runs_with_other_tables": different,
        "share_with_other_tables_at_most_95": round(bound_without_success(kills), 4)
        if not different
        else None,
        "calls_repeated_though_recorded": repeated,
        "calls_in_doubt_and_named": doubted,
    }
    path = Path(__file__).parent / "results" / "kills.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
