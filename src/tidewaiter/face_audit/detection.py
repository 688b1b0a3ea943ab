"""The gate by itself: how well its scores tell genuine pictures from each species of attack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import numpy as np

from tidewaiter.evaluation.presentation_attacks import (
    apcer_at_bpcer,
    bpcer_at_apcer,
    detection_equal_error,
)
from tidewaiter.evaluation.rates import auc
from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.face_audit.observations import Seen
from tidewaiter.face_audit.results import DetectionRow, WorstDetection
from tidewaiter.face_audit.trials import Role

# BPCER10, BPCER20 and BPCER100, and APCER at these BPCERs (ISO/IEC 30107-3).
BPCER_AT = (10, 20, 100)
APCER_AT = (0.1, 0.05, 0.01)


def detection_rows(test: Sequence[Seen], held_out: Collection[str]) -> Iterator[DetectionRow]:
    """AUC and D-EER of each species, on the measured people's pictures."""
    genuine, people = _genuine(test), _people_by_species(test)
    for species, scores in _by_species(test).items():
        if genuine.size and scores.size:
            yield DetectionRow(
                species=species,
                held_out=species in held_out,
                attacks=int(scores.size),
                genuine=int(genuine.size),
                people=min(people[species], people[""]),
                auc=_auc(scores, genuine),
                equal_error=detection_equal_error(genuine, scores).rate,
            )


def worst_detection(test: Sequence[Seen], held_out: Collection[str]) -> Iterator[WorstDetection]:
    """BPCERn and the worst APCER at a BPCER, over all species, the seen and the held-out ones."""
    genuine, attacks, people = _genuine(test), _by_species(test), _people_by_species(test)
    groups: dict[Literal["all", "seen", "held out"], dict[str, FloatArray]] = {
        "all": attacks,
        "seen": {name: s for name, s in attacks.items() if name not in held_out},
        "held out": {name: s for name, s in attacks.items() if name in held_out},
    }
    for name, chosen in groups.items():
        if genuine.size and chosen and (name == "all" or held_out):
            yield WorstDetection(
                which=name,
                species=len(chosen),
                people=min(people[species] for species in ("", *chosen)),
                bpcer_at={str(n): bpcer_at_apcer(genuine, chosen, 1 / n) for n in BPCER_AT},
                apcer_at={
                    f"{100 * share:g}": apcer_at_bpcer(genuine, chosen, share) for share in APCER_AT
                },
            )


def gate_scores(chosen: Sequence[Seen]) -> FloatArray:
    """Scores of pictures, each once; a gate that failed rejects, as the highest score does."""
    once = {s.probe_sha256: s for s in chosen if not s.missing}.values()
    return np.array(
        [np.inf if s.gate_failed or s.gate_score is None else s.gate_score for s in once],
        dtype=np.float64,
    )


def _genuine(test: Sequence[Seen]) -> FloatArray:
    return gate_scores([s for s in test if s.trial.role is Role.MATED])


def _by_species(test: Sequence[Seen]) -> dict[str, FloatArray]:
    attacks = [s for s in test if s.trial.role is Role.ATTACK]
    names = dict.fromkeys(s.trial.species for s in attacks)
    return {name: gate_scores([s for s in attacks if s.trial.species == name]) for name in names}


def _people_by_species(test: Sequence[Seen]) -> dict[str, int]:
    """People attacked by each species; under "" those with genuine pictures."""
    found: dict[str, set[str]] = {"": set()}
    for seen in test:
        if seen.trial.role in (Role.MATED, Role.ATTACK) and not seen.missing:
            found.setdefault(seen.trial.species, set()).add(seen.trial.target)
    return {species: len(names) for species, names in found.items()}


def _auc(attacks: FloatArray, genuine: FloatArray) -> float:
    both = np.minimum(np.concatenate([attacks, genuine]), np.finfo(np.float64).max)
    return auc(both, np.arange(both.size) < attacks.size)
