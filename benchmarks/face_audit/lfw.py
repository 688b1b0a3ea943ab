"""Audit the embedded recogniser on LFW people of ../shared/data, by the product's own command.

    python benchmarks/face_audit/lfw.py --people 40 --out FOLDER

People with at least four pictures, half of them calibrating; every attack species, one
look-alike and one random attacker of each person measured. Research faces are not
travellers, and LFW pictures were taken by the press, not by a gate.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path

from tidewaiter import wiring_audit
from tidewaiter.face_audit.auditing import estimated
from tidewaiter.face_audit.demonstration import people_text
from tidewaiter.face_audit.protocol import ATTACKS
from tidewaiter.face_audit.results import AtThreshold, Rate
from tidewaiter.settings import Settings

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw_deepfunneled"
PICTURES = 4
PAIRS = "pairs = { lookalike = 1, random = 1 }"
HEAD = """\
audit = "lfw"
[target]
adapter = "dlib"
threshold = { fmr = [0.01, 0.001] }
[licit]
zero_effort = 1000
[split]
calibrate = 0.5
"""


def main() -> None:
    """Audit, and write results/lfw.json."""
    parser = argparse.ArgumentParser(description="audit dlib on LFW")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    protocol = prepared(arguments.people, arguments.out)
    started = time.monotonic()
    bench, _ = wiring_audit.open_audit(protocol, arguments.out / "audit", Settings())
    wiring_audit.run_audit(bench)
    results = wiring_audit.write_report(bench, "en")
    seconds = time.monotonic() - started
    plan = estimated(bench.audit, bench.recogniser)
    summary = {
        "people": results.people,
        "people_in_all": arguments.people,
        "trials_planned": sum(plan.trials.values()),
        "trials_answered": sum(results.spent.outcomes.values()),
        "trials_unmade": results.spent.unmade,
        "seconds": round(seconds),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "seconds_planned": round(plan.seconds),
        "rows": [row for at in results.at for row in rows_of(at)],
    }
    path = Path(__file__).parent / "results" / "lfw.json"
    path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def prepared(count: int, out: Path) -> Path:
    """Copy the people's pictures out of the shared data; write list and protocol beside them."""
    listed: dict[str, list[str]] = {}
    for person in sorted(DATA.iterdir()):
        files = sorted(person.glob("*.jpg"))[:PICTURES]
        if len(files) == PICTURES and len(listed) < count:
            (out / person.name).mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copyfile(file, out / person.name / file.name)
            listed[person.name] = [f"{person.name}/{file.name}" for file in files]
    (out / "identities.csv").write_text(people_text(listed), encoding="utf-8")
    attacks = "".join(f'[[attacks]]\nspecies = "{name}"\n{PAIRS}\n' for name in ATTACKS)
    (out / "audit.toml").write_text(HEAD + attacks, encoding="utf-8")
    return out / "audit.toml"


def rows_of(at: AtThreshold) -> list[dict[str, object]]:
    """Honest baselines and every attack at one threshold, one row each."""
    name = at.threshold.name + ("" if at.threshold.supported else " (not reportable)")
    licit = {
        "FNMR": at.licit.fnmr,
        "FMR": at.licit.fmr_random,
        "FMR of look-alikes": at.licit.fmr_look_alike,
    }
    rows = [{"threshold": name, "what": what, **cells(rate)} for what, rate in licit.items()]
    rows += [
        {
            "threshold": name,
            "what": f"{row.species}, {row.pair}",
            **cells(row.accepted),
            "without_attack_percent": percent(row.baseline),
        }
        for row in at.attacks
    ]
    for morph in at.morphs:
        what = f"{morph.species}, {morph.pair}: MMPMR"
        rows.append({"threshold": name, "what": what, **cells(morph.min_max)})
    return rows


def cells(rate: Rate | None) -> dict[str, object]:
    """A rate with its counts and the ends of its clustered interval, in percent."""
    if rate is None:
        return {}
    return {
        "events": rate.events,
        "trials": rate.trials,
        "people": rate.people,
        "percent": percent(rate),
        "lower": round(100 * rate.clustered.lower, 1),
        "upper": round(100 * rate.clustered.upper, 1),
    }


def percent(rate: Rate | None) -> float | None:
    """The rate in percent, to a tenth."""
    return None if rate is None else round(100 * rate.value, 1)


if __name__ == "__main__":
    main()
