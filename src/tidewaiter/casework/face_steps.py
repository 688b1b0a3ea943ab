"""What workers do for a fit: cut faces, learn, write a network, try both on held-out items."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tidewaiter.casework.examination import find
from tidewaiter.casework.face_choice import FORGED, PICTURE_DETECTOR, VIDEO_DETECTOR
from tidewaiter.casework.face_material import cut, read_hosts
from tidewaiter.casework.plan import Plan
from tidewaiter.media import Picture, Unexamined, open_media
from tidewaiter.opinion.network_choice import AS_RECEIVED
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED
from tidewaiter.settings import Limits
from tidewaiter.traces.face_gate import gate_scores
from tidewaiter.weights.own import (
    CARD_FILE,
    EXAMINE,
    NETWORK_FILE,
    gate_network,
    shipped_network,
    site_network,
)

DETECTORS = (PICTURE_DETECTOR, VIDEO_DETECTOR)
NICENESS = 10


def run_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker does with one task of a fit."""
    _be_nice()
    return _STEPS[payload["step"]](payload)


def _cut_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    limits = Limits.model_validate(payload["limits"])
    return cut(
        Path(payload["path"]), Path(payload["into"]), held_out=payload["held_out"], limits=limits
    )


def _pace_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    from tidewaiter.training.fitting import seconds_per_step

    return {"seconds": seconds_per_step(_fit(payload))}


def _learn_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    from tidewaiter.training.fitting import learn_until

    return {"loss": learn_until(_fit(payload), payload["until"])}


def _write_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    from tidewaiter.training.fitting import write_candidate

    folder = Path(payload["into"])
    folder.mkdir(parents=True, exist_ok=True)
    write_candidate(_fit(payload), folder / NETWORK_FILE)
    digest = hashlib.sha256((folder / NETWORK_FILE).read_bytes()).hexdigest()
    purpose = payload.get("purpose", EXAMINE)
    card = {"network": {"file": NETWORK_FILE, "sha256": digest}, "purpose": purpose}
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")
    return {}


def _try_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    from tidewaiter.training.trials import kinds_of, trials

    plans = [
        Plan(
            only=DETECTORS,
            stability=False,
            limits=Limits.model_validate(payload["limits"]),
            face_network=None if folder is None else Path(folder),
        )
        for folder in payload["networks"]
    ]
    rows = _scored(Path(payload["path"]), plans, payload, "", AS_RECEIVED, 0)
    donors = [read_hosts(Path(path))[0] for path in payload["donors"]]
    with tempfile.TemporaryDirectory(prefix="tidewaiter-fit-") as folder:
        for index, host in enumerate(read_hosts(Path(payload["hosts"]))):
            seed = 1000 * payload["number"] + index + payload["seed"]
            clip = payload["clip"] and index == 0
            for trial in trials(host, donors, kinds_of(payload["families"]), seed, clip=clip):
                path = Path(folder) / "trial"
                path.write_bytes(trial.data)
                rows += _scored(path, plans, payload, trial.family, trial.way, index)
    return {"rows": rows}


def _scored(
    path: Path,
    plans: Sequence[Plan],
    payload: Mapping[str, Any],
    family: str,
    way: str,
    index: int,
) -> list[dict[str, Any]]:
    rows = []
    media = open_media(path, plans[0].limits)
    if isinstance(media, Unexamined):
        return []
    forged = bool(family) or payload["label"] == MANIPULATED
    for plan in plans:
        detectors = plan.detectors_for(media.exhibit.kind)
        rows += [
            {
                "detector": finding.detector,
                "version": finding.version,
                "item": f"{payload['number']}/{index}/{family}",
                "source": payload["source"],
                "label": MANIPULATED if forged else AS_ISSUED,
                "species": family or (FORGED if forged else ""),
                "shipping": way,
                "status": finding.status.value,
                "score": finding.score,
            }
            for finding in find(media, detectors, plan)
        ]
    return rows


def _try_gate_step(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Both networks' scores of a host and of attacks made from it, as a camera saves them."""
    from tidewaiter.training.trials import SAVED, trials

    limits = Limits.model_validate(payload["limits"])
    in_use, candidate = payload["networks"]
    first = shipped_network() if in_use is None else site_network(Path(in_use))
    networks = (first, gate_network(Path(candidate)))
    donors = [read_hosts(Path(path))[0] for path in payload["donors"]]
    rows = []
    with tempfile.TemporaryDirectory(prefix="tidewaiter-fit-") as folder:
        for index, host in enumerate(read_hosts(Path(payload["hosts"]))):
            seed = 1000 * payload["number"] + index + payload["seed"]
            for trial in trials(host, donors, payload["kinds"], seed, ways=(SAVED,)):
                path = Path(folder) / "trial"
                path.write_bytes(trial.data)
                opened = open_media(path, limits)
                scores = gate_scores(opened, *networks) if isinstance(opened, Picture) else None
                if scores is None:
                    continue
                family = trial.family or payload["family"]
                item = f"{payload['number']}/{index}/{family}"
                source = payload["source"]
                rows.append({"item": item, "source": source, "family": family, "scores": scores})
    return {"rows": rows}


_STEPS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "cut": _cut_step,
    "pace": _pace_step,
    "learn": _learn_step,
    "write": _write_step,
    "try": _try_step,
    "try gate": _try_gate_step,
}


def _fit(payload: Mapping[str, Any]) -> Any:
    from tidewaiter.training.fitting import Fit

    return Fit(
        base=Path(payload["base"]),
        crops=Path(payload["crops"]),
        folder=Path(payload["folder"]),
        left_out=tuple(payload["left_out"]),
        pairs=payload["pairs"],
        rate=payload["rate"],
        seed=payload["seed"],
        purpose=payload.get("purpose", EXAMINE),
    )


def _be_nice() -> None:
    """Leave the machine to others; once, for each call adds to it."""
    if hasattr(os, "nice") and os.nice(0) < NICENESS:
        os.nice(NICENESS - os.nice(0))
