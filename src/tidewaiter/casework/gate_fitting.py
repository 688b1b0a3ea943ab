"""Fit the face network to stand before face recognition: cut, learn attacks, try, decide.

What `casework.face_fitting` does, for another question. A gate meets one camera and must
stop whatever would pass for a person, replays too, so all families of attacks are learned,
as that camera ships them; and it may not decline, so scores count however a face was taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.casework.face_fitting import (
    DONORS,
    MOST_HOSTS,
    FitRequest,
    Tasks,
    absolute_or_none,
    as_json,
    cut_all,
    cut_into,
    evenly,
    learned,
    network_in_use,
    packed,
    pairs_to_learn,
)
from tidewaiter.casework.face_material import FaceFile, face_files, paired
from tidewaiter.casework.gate_card import gate_card, gate_page
from tidewaiter.casework.gate_choice import GateDecision, decide_gate, shown_of
from tidewaiter.errors import InputError, TidewaiterError
from tidewaiter.vocabulary import Text, tr
from tidewaiter.weights.own import CARD_FILE, GATE, NETWORK_FILE

FORGED = "forged"
"""The family of attacks that the operator's own files are."""


@dataclass(frozen=True)
class GateOutcome:
    """The decision and what to install: texts by file name, and where the network lies."""

    decision: GateDecision
    texts: Mapping[str, str]
    network: Path
    log: Path


def check_left_out(left_out: Sequence[str]) -> None:
    """Raise InputError where one is neither family nor species, or where all are left out."""
    from tidewaiter.training.trials import GATE_FAMILIES, kinds_of

    species = sorted(name for names in kinds_of(GATE_FAMILIES).values() for name in names)
    unknown = sorted(set(left_out) - {*GATE_FAMILIES, *species})
    if unknown or kinds_of(GATE_FAMILIES, left_out).keys() <= set(left_out):
        found = repr(unknown[0]) if unknown else "every attack"
        raise InputError(
            f"{found} was given to --leave-out; some of {', '.join(GATE_FAMILIES)} can be left "
            f"out, and some species of them: {', '.join(species)}"
        )


def fit_gate(request: FitRequest, tasks: Tasks, say: Callable[[Text], None]) -> GateOutcome:
    """A gate's network, tried against the network in use, and the decision on it.

    Raises InputError where there is too little to fit or to judge on.
    """
    from tidewaiter.training.trials import GATE_FAMILIES, kinds_of

    own = network_in_use(request.face_network)
    files = face_files(request.genuine, request.forged, out=request.out, seed=request.seed)
    files = cut_all(files, request, tasks, say)
    fit_on = [file for file in files if not file.held_out]
    held_out = [file for file in files if file.held_out]
    say(
        tr(
            "fitted on {fit} sources, judged on {held} others",
            fit=len({file.source for file in fit_on}),
            held=len({file.source for file in held_out}),
        )
    )
    crops = packed(paired(fit_on), tasks)
    fit: dict[str, Any] = {
        "base": str(own.path),
        "crops": str(tasks.folder / "crops"),
        "folder": str(tasks.folder / "learned"),
        "left_out": sorted(request.left_out),
        "rate": request.rate,
        "seed": request.seed,
        "purpose": GATE,
    }
    fit["pairs"] = pairs_to_learn(crops, fit, request, tasks)
    candidate = learned(fit, tasks)
    kinds = kinds_of(GATE_FAMILIES, request.left_out)
    shown = shown_of(_tried(held_out, kinds, candidate, request, tasks))
    decision = decide_gate(shown, request.left_out)
    content = (candidate / NETWORK_FILE).read_bytes()
    made = {
        "genuine_sources": len({file.source for file in fit_on if not file.forged}),
        "crops": crops,
        "forged_files": sum(file.forged for file in files),
        "left_out": fit["left_out"],
        "pairs": fit["pairs"],
        "rate": request.rate,
        "seed": request.seed,
        "base_sha256": own.sha256,
    }
    card = gate_card(made, decision, hashlib.sha256(content).hexdigest())
    texts = {
        "scores.json": as_json([asdict(one) for one in shown]),
        "card.md": gate_page(card),
        CARD_FILE: as_json(card),
    }
    log = tasks.folder / "learned" / "log.csv"
    return GateOutcome(decision, texts, candidate / NETWORK_FILE, log)


def _tried(
    held_out: Sequence[FaceFile],
    kinds: Mapping[str, Sequence[str]],
    candidate: Path,
    request: FitRequest,
    tasks: Tasks,
) -> Iterator[dict[str, Any]]:
    """What both networks say of every held-out picture and of attacks made from it."""
    genuine = [file for file in held_out if not file.forged]
    rng = np.random.default_rng([request.seed, 2])
    payloads = []
    for file in evenly(held_out, MOST_HOSTS):
        others = [other for other in genuine if other.source != file.source]
        donors = [others[i] for i in rng.permutation(len(others))[:DONORS]]
        payload = {
            "step": "try gate",
            "hosts": str(cut_into(file, tasks)),
            "donors": [str(cut_into(donor, tasks)) for donor in donors],
            "kinds": {} if file.forged else kinds,
            "family": FORGED if file.forged else "",
            "source": file.source,
            "number": file.number,
            "seed": request.seed,
            "limits": request.limits.model_dump(mode="json"),
            "networks": [absolute_or_none(request.face_network), str(candidate)],
        }
        payloads.append((f"try/{file.number}", payload))
    for result in tasks.do(tr("trying both networks"), payloads, side_by_side=True):
        if isinstance(result, TidewaiterError):
            continue
        yield from result["rows"]
