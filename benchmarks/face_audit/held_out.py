r"""Every kind of attack before a gate that learned it, and before one that never saw it.

Two networks are fitted as gate_faces.py says, on the same faces and pairs; what one of them never
saw the other learned. Of each family at least one species is left out and one is learned:

    tidewaiter fit gate --genuine FACES --out A --pairs 12000 --leave-out recapture-print \
        --leave-out swap-feather --leave-out morph-splice --leave-out morph-combined \
        --leave-out reenact-mouth
    tidewaiter fit gate --genuine FACES --out B --pairs 12000 --leave-out recapture-screen \
        --leave-out swap-poisson --leave-out swap-lowres --leave-out morph-complete \
        --leave-out reenact
    tidewaiter fit gate --genuine FACES --out AGAIN --pairs 12000 --seed 1
    python benchmarks/face_audit/pilot.py --out FOLDER --model FOLDER --impostors 175 \
        --every-species --random 0 --seeds 4 --gate-network GATE --gate-network A \
        --gate-network B --gate-network OTHER --gate-network AGAIN --gates 6 \
        --name held_out_audit
    python benchmarks/face_audit/held_out.py GATE A B OTHER AGAIN

Every person is attacked with the pictures of one look-alike, four times, from other photos and
with another draw of the kind's chances (how coarse, how strong, how it is blended).

GATE and OTHER are those of gates.json; another seed also chooses other people to fit on. Writes
results/held_out.json: the share of attacks that pass gate and recognition (IAPAR) at a false match
rate of 0.1 %, species by species, with the cards. The network that every fit began from had
learned swaps, morphs and reenactments, all species of them; only of replays it knew nothing. "Held
out" therefore means held out of the fit, and of everything for replays only.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tidewaiter.face_audit.protocol import ATTACKS
from tidewaiter.forgeries.faces import SPECIES
from tidewaiter.weights.own import CARD_FILE

RESULTS = Path(__file__).parent / "results"
# The pilot's goals: seen and held out (handbook of the face audit).
GOALS = {"seen": 0.07, "held out": 0.15}
GOAL_BPCER = 0.05
DECLINES = "; what it declines passes"
SHIPPED = "network"


def main() -> None:
    """Write results/held_out.json."""
    parser = argparse.ArgumentParser(description="every species, seen and held out")
    parser.add_argument("fits", type=Path, nargs="+", help="folders of tidewaiter fit gate")
    given = parser.parse_args()
    audit = json.loads((RESULTS / "held_out_audit.json").read_text(encoding="utf-8"))
    gates = {
        name.removesuffix(DECLINES): figures
        for name, figures in audit["gates"].items()
        if name.endswith(DECLINES)
    }
    cards = [json.loads((fit / CARD_FILE).read_text(encoding="utf-8")) for fit in given.fits]
    found = {
        "people": audit["people"],
        "pairs": audit["pairs"],
        "species": {name: of_species(name, gates, audit) for name in audit["species"]},
        "gates": {name: of_gate(figures) for name, figures in gates.items()},
        "cards": cards,
    }
    path = RESULTS / "held_out.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def of_species(name: str, gates: Mapping[str, Any], audit: Mapping[str, Any]) -> dict[str, Any]:
    """IAPAR without a gate, through each that learned every species, and that never saw this."""
    threshold = next(iter(gates.values()))["threshold"]
    found = {"no gate": audit["at"][threshold]["IAPAR"][f"{name}, all"]}
    for gate, figures in gates.items():
        left_out = figures["held_out"]
        if gate != SHIPPED and (name in left_out or not left_out):
            found[known(name, left_out) + other_seed(gate)] = figures["iapar"][name]
    return found


def known(name: str, left_out: Collection[str]) -> str:
    """What a gate that these species were left out of knows of one of them, or of all."""
    family = {one for one in ATTACKS if SPECIES[one].family == SPECIES[name].family}
    if name not in left_out:
        return "seen"
    return "held out with its family" if family <= {*left_out} else "held out"


def other_seed(gate: str) -> str:
    """What pilot.py adds to the name of a gate fitted with another seed than 0."""
    found = re.search(r", seed \d+", gate)
    return found.group() if found else ""


def of_gate(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Its price, the worst species on either side, and which of the goals that reaches."""
    by_side: dict[str, dict[str, Any]] = {"seen": {}, "held out": {}}
    for name, cell in figures["iapar"].items():
        by_side["held out" if name in figures["held_out"] else "seen"][name] = cell
    return {"bpcer": figures["bpcer"], "bpcer_reached": figures["bpcer"]["value"] <= GOAL_BPCER} | {
        f"worst {side}": worst(cells, GOALS[side]) for side, cells in by_side.items() if cells
    }


def worst(cells: Mapping[str, Any], goal: float) -> dict[str, Any]:
    """The species that passes most often, and whether so few are below the goal."""
    name = max(cells, key=lambda one: cells[one]["value"])
    return {"species": name, "iapar": cells[name], "reached": cells[name]["value"] < goal}


if __name__ == "__main__":
    main()
