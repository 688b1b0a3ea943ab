"""Audit the same people as files and through a virtual camera: method by instrument.

    python benchmarks/face_audit/injection.py --out FOLDER --measured 6 --calibrating 8

LFW people as in pilot.py, four kinds of attack of four families, one look-alike and one random
attacker of each person measured, at the threshold that dlib's users take, 0.6. The direct
audit is carried out first, then `audit inject` by either method; every picture passes headless
Chromium's fake camera. --gate puts the shipped face network in front, and tells picture by
picture whether it says the same of a file and of what came through the camera. Needs Chromium;
four minutes of processor time.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lfw_people import copied
from scipy.stats import spearmanr

from tidewaiter import wiring_audit, wiring_injection
from tidewaiter.face_audit.injection import METHODS, Method, through_camera
from tidewaiter.face_audit.ledger import Row
from tidewaiter.face_audit.results import AtThreshold, AuditResults, Rate
from tidewaiter.settings import Settings

# Fewer pictures have no rank correlation worth a number.
FEWEST_CORRELATED = 5
SPECIES = ("swap-feather", "morph-splice", "reenact", "recapture-screen")
HEAD = """\
audit = "injection"
[target]
adapter = "dlib"
threshold = { fmr = [] }
[capture]
jpeg = 90
[licit]
zero_effort = 10
"""
GATE = """\
[gate]
detector = "face.manipulation_network"
bpcer = 0.05
on_decline = "pass"
"""
ATTACK = """\
[[attacks]]
species = "{species}"
pairs = {{ lookalike = 1, random = 1 }}
"""


def main() -> None:
    """Audit three ways, and write results/injection.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--measured", type=int, default=6, help="people who are attacked")
    parser.add_argument("--calibrating", type=int, default=8, help="people beside them")
    parser.add_argument("--gate", action="store_true")
    arguments = parser.parse_args()
    people = copied(arguments.out, measured=arguments.measured)
    people.write_text(_fewer(people.read_text(encoding="utf-8"), arguments.calibrating), "utf-8")
    protocol = arguments.out / "audit.toml"
    attacks = "".join(ATTACK.format(species=species) for species in SPECIES)
    head = HEAD + (GATE if arguments.gate else "")
    protocol.write_text(head + attacks, encoding="utf-8")
    bench, _ = wiring_audit.open_audit(protocol, arguments.out / "audit", Settings())
    wiring_audit.run_audit(bench)
    direct = wiring_audit.write_report(bench, "en")
    result: dict[str, Any] = {"people": direct.people, "as files": _summary(direct)}
    for way in METHODS:
        found = wiring_injection.inject(bench, way, None, "en")
        result[f"injected, {way}"] = {
            "pictures_filmed": sum(found.labels.values()),
            "names_of_the_camera": found.labels,
            **_summary(found.results),
        }
        if arguments.gate:
            answers = _both(bench, METHODS[way])
            result[f"gate, as files and injected, {way}"] = _agreement(
                answers, direct, found.results
            )
    path = Path(__file__).parent / "results" / "injection.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _fewer(listed: str, calibrating: int) -> str:
    """The list of people without those who calibrate beyond the first few."""
    head, *rows = listed.splitlines()
    names = list(dict.fromkeys(row.split(",")[0] for row in rows if row.endswith(",calibrate")))
    dropped = set(names[calibrating:])
    return "\n".join([head, *(row for row in rows if row.split(",")[0] not in dropped)]) + "\n"


def _summary(results: AuditResults) -> dict[str, Any]:
    return {at.threshold.name: _at(at) for at in results.at}


def _at(at: AtThreshold) -> dict[str, str]:
    rates = {
        "FMR, look-alikes": at.licit.fmr_look_alike,
        "FRR": at.licit.frr,
        "FRR behind the gate": at.licit.frr_gated,
        "BPCER": at.licit.bpcer,
    }
    for row in at.attacks:
        if row.pair == "all":
            rates[f"{row.species}, accepted"] = row.accepted
            rates[f"{row.species}, accepted behind the gate"] = row.accepted_gated
    return {name: _brief(rate) for name, rate in rates.items() if rate is not None}


@dataclass(frozen=True)
class Answers:
    """What the gate said of one picture as a file and of the same picture injected."""

    role: str
    as_file: Row
    injected: Row


def _both(bench: wiring_audit.Bench, method: Method) -> list[Answers]:
    """Every picture the gate was asked about both ways, once."""
    ways = (
        (bench.audit, bench.folder),
        (through_camera(bench.audit, method), bench.folder / method.name),
    )
    answers: dict[str, list[Row]] = {}
    roles: dict[str, str] = {}
    for audit, folder in ways:
        _, book = wiring_audit.audit_status(folder)
        seen = set()
        for trial in audit.trials:
            answered = book.answered.get(trial.id)
            gated = book.gated.get(answered.probe_sha256) if answered else None
            if gated is not None and trial.probe.key not in seen:
                seen.add(trial.probe.key)
                roles.setdefault(trial.probe.key, str(trial.role))
                answers.setdefault(trial.probe.key, []).append(gated)
    return [Answers(roles[key], *two) for key, two in answers.items() if len(two) == len(ways)]


def _agreement(
    answers: list[Answers], direct: AuditResults, injected: AuditResults
) -> dict[str, Any]:
    """How far the gate says the same of a picture as a file and through the camera."""
    assert direct.gate is not None
    assert injected.gate is not None
    cuts = [direct.gate.cut, injected.gate.cut]
    out: dict[str, Any] = {"cut as files, injected": cuts}
    for role in ("all", *sorted({answer.role for answer in answers})):
        some = [a for a in answers if role in ("all", a.role)]
        both = [
            (a.as_file.gate_score, a.injected.gate_score)
            for a in some
            if a.as_file.gate_score is not None and a.injected.gate_score is not None
        ]
        verdicts = [
            (_turned_away(a.as_file, cuts[0]), _turned_away(a.injected, cuts[1])) for a in some
        ]
        out[role] = {
            "pictures": len(some),
            "declined as files, injected": [
                sum(a.as_file.gate_declined for a in some),
                sum(a.injected.gate_declined for a in some),
            ],
            "turned away as files, injected": [sum(v[k] for v in verdicts) for k in (0, 1)],
            "same verdict": sum(one == other for one, other in verdicts),
            "median change of score": _median([other - one for one, other in both]),
            "median size of the change": _median([abs(other - one) for one, other in both]),
            "rank correlation of scores": _correlation(both),
        }
    return out


def _turned_away(row: Row, cut: float | None) -> bool:
    """By this protocol: what the gate declines, passes; what it fails on, does not."""
    if row.gate_score is None:
        return not row.gate_declined
    return cut is not None and row.gate_score >= cut


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def _correlation(both: list[tuple[float, float]]) -> float | None:
    if len(both) < FEWEST_CORRELATED:
        return None
    return round(float(spearmanr(*zip(*both, strict=True)).statistic), 3)


def _brief(rate: Rate) -> str:
    """Events of trials, the rate and its interval over people, in percent."""
    ends = f"{100 * rate.clustered.lower:.1f} to {100 * rate.clustered.upper:.1f}"
    return f"{rate.events}/{rate.trials} = {100 * rate.value:.1f} % [{ends}]"


if __name__ == "__main__":
    main()
