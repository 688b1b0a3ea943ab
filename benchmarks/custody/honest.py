"""How often the judge of entries finds something wrong with a history in which nothing is.

    python benchmarks/custody/honest.py --histories 1000

Histories are random: shifts, outages with signed stops, key rotations, late docking in any
order, drift and clocks set right, restarts, holds, changes of category, erasures, lost devices,
recordings that were due and made. Each is judged whole, with the times of its witnesses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.custody.honest_history import honest_world  # noqa: E402
from tests.custody.record_kit import START_MS  # noqa: E402
from tidewaiter.custody.judging import Judge  # noqa: E402
from tidewaiter.evaluation.intervals import clopper_pearson  # noqa: E402

RESULT = Path(__file__).parent / "results" / "honest.json"


def main() -> None:
    """Judge the histories and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    names: Counter[str] = Counter()
    alarmed = entries = outages = 0
    judging_s = 0.0
    for seed in range(options.first_seed, options.first_seed + options.histories):
        world, times = honest_world(seed)
        begun = time.process_time()
        judge = Judge(times=times)
        found = [one for at, leaf in enumerate(world.leaves) for one in judge.feed(at, leaf)]
        absences = judge.absences(START_MS, world.now_ms)
        judging_s += time.process_time() - begun
        found += absences.discrepancies
        names.update(one.name for one in found)
        alarmed += bool(found)
        entries += len(world.leaves)
        outages += len(absences.outages)
    share = clopper_pearson(alarmed, options.histories)
    result = {
        "what": "honest histories with any finding, of the judge of entries",
        "histories": options.histories,
        "first_seed": options.first_seed,
        "with_a_finding": alarmed,
        "share_interval_95": [round(share.lower, 5), round(share.upper, 5)],
        "findings": dict(names),
        "entries": entries,
        "signed_outages": outages,
        "entries_judged_per_processor_s": round(entries / judging_s),
    }
    print(json.dumps(result, indent=1))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(alarmed))


if __name__ == "__main__":
    main()
