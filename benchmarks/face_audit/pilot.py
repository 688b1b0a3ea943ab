"""The pilot audit of LFW people: 40 of them attacked, two recognisers, every gate.

    python benchmarks/face_audit/pilot.py --out FOLDER --model FOLDER

160 pairs attack: of each person the nearest look-alike and three others. results/pilot.json
holds the timed audit, of one gate, on a machine with nothing else to do:

    … --gates 1

results/gates.json every gate, with a threshold at 0.1 % that rests on 30 errors and more; how the
two networks of gates were fitted says gate_faces.py:

    … --impostors 175 --gate-network GATE --gate-network OTHER --name gates

results/species.json every kind of attack:

    … --impostors 175 --every-species --gates 1 --name species

results/held_out_audit.json every kind of attack, seen and held out, as held_out.py says.

FOLDER of --model holds the files of the recogniser faceres (docs/howto/audit-adapters.md).
Six kinds of attack by default; --every-species takes all, --impostors N lets so many people
more stand for strangers, so that a false match rate of 0.1 % rests on 30 errors; --portraits
takes only pictures in which the head is turned as little as in a document. The first
gate's audit makes every picture and is the one that is timed; the others find them made.

Nobody measured was seen by the face network in training (lfw_people.py), but the kinds of
attack were. Held-out kinds are those of a network that was trained without their family and
given by --left-out or --gate-network. No attack fits a gate's cut. Research faces are not
travellers, and these pictures were taken by the press, not by a gate. Detectors of a file's past
are no gates here: genuine pictures were JPEGs before the capture and forged ones were not, and
a trace of double compression would tell the study, not the attack.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lfw_people import copied

from tidewaiter import wiring_audit
from tidewaiter.face_audit.protocol import ATTACKS
from tidewaiter.face_audit.results import AttackRow, AtThreshold, AuditResults, Planned, Rate
from tidewaiter.face_audit.verdict import worst_row
from tidewaiter.forgeries.faces import SPECIES
from tidewaiter.settings import Settings
from tidewaiter.weights.own import CARD_FILE, FACE_MANIPULATION, SHIPPED
from tidewaiter.wiring_audit import Bench

SIX = (
    "swap-feather",
    "swap-poisson",
    "morph-complete",
    "morph-splice",
    "reenact",
    "recapture-screen",
)
DETECTOR = 'detector = "face.manipulation_network"'
OPINION = 'opinion = "face.manipulated"'
# The lines of NIST SP 800-63-4 and FIDO, for kinds of attack that were seen and held out.
GOAL_SEEN, GOAL_HELD_OUT = 0.07, 0.15
HEAD = """\
audit = "pilot"
[target]
adapter = "dlib"
threshold = {{ fmr = [0.001] }}
[[also]]
adapter = "faceres"
options = {{ model = "{model}" }}
[capture]
jpeg = 90
[licit]
zero_effort = 1000
[split]
hold_out_species = {held_out}
[gate]
{gate}
bpcer = 0.05
on_decline = "pass"
"""
ATTACK = """\
[[attacks]]
species = "{species}"
pairs = {{ lookalike = 1, random = {random} }}
seeds = {seeds}
"""


@dataclass(frozen=True)
class Tried:
    """A gate: its lines of the protocol, a network of its own, attacks it never saw."""

    protocol: str
    network: Path | None = None
    held_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Used:
    """Seconds by the clock and of the processors, and pictures that were made before."""

    seconds: float
    processor_s: float
    found_made: int


def main() -> None:
    """Audit with each gate, and write results/<name>.json."""
    parser = argparse.ArgumentParser(description="pilot audit of LFW people")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--random", type=int, default=3, help="random attackers of each person")
    parser.add_argument("--seeds", type=int, default=1, help="forgeries of each pair and kind")
    parser.add_argument("--impostors", type=int, default=0)
    parser.add_argument("--portraits", action="store_true")
    parser.add_argument("--every-species", action="store_true")
    parser.add_argument("--gates", type=int, help="only so many gates, beginning with the first")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--left-out",
        action="append",
        default=[],
        metavar="FAMILY=FOLDER",
        help="a site network trained without that family (recipes/train_face_network.py)",
    )
    parser.add_argument(
        "--gate-network",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="a network of `tidewaiter fit gate`",
    )
    parser.add_argument("--name", default="pilot")
    given = parser.parse_args()
    copied(
        given.out,
        measured=given.people,
        impostors=given.impostors,
        portraits=given.portraits,
    )
    species = ATTACKS if given.every_species else SIX
    done: dict[str, tuple[AuditResults, Used]] = {}
    for number, (gate, tried) in enumerate(gates(given).items()):
        bench, used = audited(given, number, tried, species)
        done[f"{gate}; what it declines passes"] = (wiring_audit.audit_results(bench), used)
        rejecting = as_if_rejecting(bench)
        done[f"{gate}; what it declines is rejected"] = (
            wiring_audit.audit_results(rejecting),
            used,
        )
        summary = summed_up(done, given)
        path = Path(__file__).parent / "results" / f"{given.name}.json"
        path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def audited(
    given: argparse.Namespace, number: int, gate: Tried, species: tuple[str, ...]
) -> tuple[Bench, Used]:
    """The finished audit with one gate, and the time it took, report included."""
    held_out = [name for name in species if {name, SPECIES[name].family} & gate.held_out]
    head = HEAD.format(
        model=given.model.resolve(), gate=gate.protocol, held_out=json.dumps(held_out)
    )
    protocol = given.out / f"gate{number}-{given.random}-{given.seeds}.toml"
    seeds = list(range(1, given.seeds + 1))
    attacks = (ATTACK.format(species=n, random=given.random, seeds=seeds) for n in species)
    protocol.write_text(head + "".join(attacks), encoding="utf-8")
    folder = protocol.with_suffix("")
    folder.mkdir(exist_ok=True)
    shared = given.out / "pictures"
    shared.mkdir(exist_ok=True)
    if not (folder / wiring_audit.MADE).exists():
        (folder / wiring_audit.MADE).symlink_to(shared.resolve())
    found = len(list(shared.glob("*.png")))
    settings = Settings(face_network=gate.network)
    started, before = time.monotonic(), _processor_s()
    bench, _ = wiring_audit.open_audit(protocol, folder, settings, workers=given.workers)
    wiring_audit.run_audit(bench, workers=given.workers)
    wiring_audit.write_report(bench, "en")
    return bench, Used(time.monotonic() - started, _processor_s() - before, found)


def as_if_rejecting(bench: Bench) -> Bench:
    """The same ledger, read under the same protocol with on_decline = "reject"."""
    protocol = bench.audit.protocol
    assert protocol.gate is not None
    gate = protocol.gate.model_copy(update={"on_decline": "reject"})
    audit = replace(bench.audit, protocol=protocol.model_copy(update={"gate": gate}))
    return replace(bench, audit=audit)


def gates(given: argparse.Namespace) -> dict[str, Tried]:
    """Every gate by name."""
    found = {
        "network": Tried(DETECTOR),
    }
    for folder in given.gate_network:
        made = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))["made"]
        seen = f", never saw a {' or a '.join(made['left_out'])}" if made["left_out"] else ""
        other = f", seed {made['seed']}" if made["seed"] else ""
        line = f"network = {json.dumps(str(folder.resolve()))}"
        found[f"fitted as a gate{other}{seen}"] = Tried(line, held_out=frozenset(made["left_out"]))
    for named in given.left_out:
        family, _, folder = named.partition("=")
        name = f"network that never saw a {family}"
        found[name] = Tried(DETECTOR, Path(folder).resolve(), frozenset({family}))
    found["opinion"] = Tried(OPINION)
    return dict(list(found.items())[: given.gates])


def _processor_s() -> float:
    """Processor time of this process and of its workers that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(kind) for kind in kinds]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def summed_up(
    done: dict[str, tuple[AuditResults, Used]], given: argparse.Namespace
) -> dict[str, object]:
    """The figures of every gate, the timed audit first."""
    results, used = next(iter(done.values()))
    spent = results.spent
    planned = spent.planned
    assert planned is not None
    return {
        "people": results.people,
        "pairs": results.people["targets"] * (1 + given.random),
        "draws_of_each_kind": given.seeds,
        "network": SHIPPED[FACE_MANIPULATION].sha256,
        "species": sorted({row.species for row in results.at[0].attacks}),
        "workers": given.workers,
        **timed(used, planned),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "trials_answered": sum(spent.outcomes.values()),
        "attacks_not_forgeable": spent.unmade,
        "gates": {gate: gate_figures(found) for gate, (found, _) in done.items()},
        "forging_median_ms": {row.species: row.median_ms for row in spent.generation},
        "at": {name(at): table(at) for at in results.at},
    }


def timed(used: Used, planned: Planned) -> dict[str, object]:
    """The time of the first gate's audit, where it made every picture itself."""
    if used.found_made:
        return {"timed": f"no: {used.found_made} pictures had been made before"}
    return {
        "seconds": round(used.seconds),
        "processor_seconds": round(used.processor_s),
        "seconds_planned": round(planned.seconds),
    }


def gate_figures(results: AuditResults) -> dict[str, object]:
    """What a gate reached at the threshold of FMR 0.1 %, against the goals."""
    at, gate = results.at[-1], results.gate
    assert gate is not None
    seen = [row for row in at.attacks if not row.held_out]
    held_out = [row for row in at.attacks if row.held_out]
    return {
        "threshold": name(at),
        "bpcer": cell(at.licit.bpcer),
        "frr_without": cell(at.licit.frr),
        "frr_with": cell(at.licit.frr_gated),
        "worst_seen": against(seen, GOAL_SEEN),
        "worst_held_out": against(held_out, GOAL_HELD_OUT),
        "held_out": sorted({row.species for row in held_out}),
        "iapar": {f"{r.species}": cell(r.accepted_gated) for r in at.attacks if r.pair == "all"},
        "apcer": {f"{r.species}": cell(r.apcer) for r in at.attacks if r.pair == "all"},
        "auc": {row.species: round(row.auc, 3) for row in gate.detection},
        "d_eer": {row.species: round(row.equal_error, 3) for row in gate.detection},
        "bpcer_at": {row.which: row.bpcer_at for row in gate.worst},
        "calibration_bpcer": round(gate.calibration_bpcer, 3),
        "calibration_pictures": gate.calibration_pictures,
    }


def against(rows: list[AttackRow], goal: float) -> dict[str, object] | str:
    """The worst of several kinds of attack with the gate in front, and whether that will do."""
    worst = worst_row(rows, gated=True)
    if worst is None or worst.accepted_gated is None:
        return "none"
    rate = worst.accepted_gated
    reached = rate.value < goal
    return {
        "species": worst.species,
        "iapar": cell(rate),
        "goal": goal,
        "reached": reached,
        "upper_end_below_goal": rate.clustered.upper < goal,
    }


def table(at: AtThreshold) -> dict[str, object]:
    """Honest baselines, attacks by kind of pairs, morphs, further recognisers."""
    licit = at.licit
    return {
        "threshold": at.threshold.value,
        "errors_behind_it": at.threshold.errors,
        "FNMR": cell(licit.fnmr),
        "FTA": cell(licit.fta),
        "FMR": cell(licit.fmr_random),
        "FMR of look-alikes": cell(licit.fmr_look_alike),
        "IAPAR": {f"{row.species}, {row.pair}": cell(row.accepted) for row in at.attacks},
        "same hosts without an attack": {
            row.pair: cell(row.baseline) for row in at.attacks if row.species == "swap-feather"
        },
        "morphs": dict(morphs(at)),
        "further": {
            one.adapter: {
                "threshold": one.threshold.value,
                "FNMR": cell(one.fnmr),
                "FMR": cell(one.fmr_random),
            }
            for one in at.further
        },
    }


def morphs(at: AtThreshold) -> Iterator[tuple[str, dict[str, object]]]:
    """MMPMR, what was foretold, and MAP[r,c] as rows of r."""
    for row in at.morphs:
        yield (
            f"{row.species}, {row.pair}",
            {
                "morphs": row.morphs,
                "MMPMR": cell(row.min_max),
                "P_morph": row.expected,
                "MAP": [[round(share, 3) for share in shares] for shares in row.attack_potential],
            },
        )


def cell(rate: Rate | None) -> dict[str, object] | None:
    """A rate with the ends of its clustered interval and its counts."""
    if rate is None:
        return None
    return {
        "value": round(rate.value, 4),
        "lower": round(rate.clustered.lower, 4),
        "upper": round(rate.clustered.upper, 4),
        "events": rate.events,
        "trials": rate.trials,
        "people": rate.people,
    }


def name(at: AtThreshold) -> str:
    """The threshold's name, marked where too few errors stand behind it."""
    return at.threshold.name + ("" if at.threshold.supported else " (not reportable)")


if __name__ == "__main__":
    main()
