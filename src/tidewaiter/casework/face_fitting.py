"""Refit the face network to a site's own faces: cut, learn, try both networks, decide.

Everything slow or dangerous is a task for a worker: files are hostile, and a night's work
must survive a stop. The steps of this process only read what the tasks gave.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tidewaiter.casework.batch import task_key
from tidewaiter.casework.face_card import Made, card_of, card_page
from tidewaiter.casework.face_choice import Decision, decide
from tidewaiter.casework.face_material import (
    LEAST_USABLE,
    FaceFile,
    face_files,
    kept_faces,
    pack,
    paired,
)
from tidewaiter.errors import InputError, MissingWeights, TidewaiterError
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Text, tr
from tidewaiter.weights.own import (
    CARD_FILE,
    EXAMINE,
    NETWORK_FILE,
    OwnNetwork,
    shipped_network,
    site_network,
)
from tidewaiter.weights.pinned import why_unusable

BATCH_PAIRS = 16
CHUNK_STEPS = 60
# Longer makes a small site's faces known by heart, shorter teaches nothing.
PAIRS_PER_CROP, LEAST_PAIRS, MOST_PAIRS = 40, 4_000, 60_000
# What is left of the hours for cutting faces and trying both networks.
TRAINING_SHARE = 0.8
MOST_HOSTS = 240
# One clip takes as long as ten pictures and more.
MOST_CLIPS = 60
DONORS = 6


@dataclass(frozen=True)
class FitRequest:
    """What to fit to what, and how long; `face_network` is the folder in use, if any."""

    genuine: Path
    forged: Path | None
    out: Path
    hours: float
    pairs: int | None
    rate: float
    seed: int
    limits: Limits
    face_network: Path | None = None
    purpose: str = EXAMINE
    """What the network is for: to examine, or GATE."""

    left_out: tuple[str, ...] = ()
    """Families and species of attacks that a gate's network shall never see."""


@dataclass(frozen=True)
class FitOutcome:
    """The decision and what to install: texts by file name, and where the network lies."""

    decision: Decision
    texts: Mapping[str, str]
    network: Path
    log: Path


class Tasks(Protocol):
    """Workers over a durable record, in a folder of their own."""

    folder: Path

    def do(
        self, phase: Text, tasks: Sequence[tuple[str, dict[str, Any]]], *, side_by_side: bool
    ) -> list[dict[str, Any] | TidewaiterError]:
        """Finish every task; results or errors in their order."""
        ...


def check_training() -> None:
    """Raise MissingWeights, naming the extra, where networks cannot be trained here."""
    for library in ("torch", "onnx"):
        if find_spec(library) is None:
            raise MissingWeights(
                f"{library} is not installed; fitting a network needs it; install it with: "
                "pip install 'tidewaiter[training]'"
            )
    reason = why_unusable()
    if reason is not None:
        raise MissingWeights(reason)


def network_in_use(folder: Path | None) -> OwnNetwork:
    """The site's network of the settings, else the shipped one, its bytes checked."""
    own = shipped_network() if folder is None else site_network(folder)
    own.content()
    return own


def fingerprint(request: FitRequest) -> str:
    """Changes with anything that would make what an earlier run left useless."""
    own = network_in_use(request.face_network)
    files = face_files(request.genuine, request.forged, out=request.out, seed=request.seed)
    states = [task_key(file.path) for file in files]
    parts = [states, own.sha256, request.hours, request.pairs, request.rate, request.seed]
    if request.purpose != EXAMINE:
        parts += [request.purpose, sorted(request.left_out)]
    return hashlib.sha256(ascii(parts).encode()).hexdigest()


def fit_face(request: FitRequest, tasks: Tasks, say: Callable[[Text], None]) -> FitOutcome:
    """A candidate, tried against the network in use, and the decision on it.

    Raises InputError where there is too little to fit or to judge on.
    """
    from tidewaiter.training.trials import left_out_families

    own = network_in_use(request.face_network)
    files = face_files(request.genuine, request.forged, out=request.out, seed=request.seed)
    files = cut_all(files, request, tasks, say)
    fit_on = [file for file in files if not file.held_out]
    held_out = [file for file in files if file.held_out]
    left_out = left_out_families(f"{request.seed}/{sorted({f.source for f in held_out})}")
    _say_counts(fit_on, held_out, left_out, say)
    crops = packed(paired(fit_on), tasks)
    fit: dict[str, Any] = {
        "base": str(own.path),
        "crops": str(tasks.folder / "crops"),
        "folder": str(tasks.folder / "learned"),
        "left_out": list(left_out),
        "rate": request.rate,
        "seed": request.seed,
    }
    fit["pairs"] = pairs_to_learn(crops, fit, request, tasks)
    candidate = learned(fit, tasks)
    rows = _tried(held_out, left_out, candidate, request, tasks)
    made = Made(
        genuine_sources=len({f.source for f in fit_on if not f.forged}),
        crops=crops,
        forged_files=sum(f.forged for f in files),
        held_out_sources=len({f.source for f in held_out if not f.forged}),
        left_out=left_out,
        pairs=fit["pairs"],
        rate=request.rate,
        seed=request.seed,
        base_sha256=own.sha256,
    )
    decision = decide(rows, (request.face_network, candidate), left_out, request.out)
    content = (candidate / NETWORK_FILE).read_bytes()
    card = card_of(made, decision, hashlib.sha256(content).hexdigest())
    texts = {**decision.files, "card.md": card_page(card), CARD_FILE: as_json(card)}
    log = tasks.folder / "learned" / "log.csv"
    return FitOutcome(decision, texts, candidate / NETWORK_FILE, log)


def cut_all(
    files: Sequence[FaceFile], request: FitRequest, tasks: Tasks, say: Callable[[Text], None]
) -> list[FaceFile]:
    """Cut the faces out of every file; those that hold one, and no copies.

    Raises InputError where too few sources are left.
    """
    payloads = [(file.key, _cut_payload(file, request, tasks)) for file in files]
    results = tasks.do(tr("cutting faces out"), payloads, side_by_side=True)
    cut_files = []
    for file, result in zip(files, results, strict=True):
        if isinstance(result, TidewaiterError):
            say(tr("left out: {name}: {problem}", name=file.path.name, problem=str(result)))
        else:
            cut_files.append((file, result))
    kept = list(kept_faces(cut_files))
    without = sum(not result["faces"] for _, result in cut_files)
    if without:
        say(tr("left out: {count} files without a face fit to be asked about", count=without))
    copies = len(cut_files) - without - len(kept)
    if copies:
        say(tr("left out: {count} copies of other files", count=copies))
    _enough(kept)
    return kept


def _enough(files: Sequence[FaceFile]) -> None:
    sides = [
        {f.source for f in files if not f.forged and f.held_out is side} for side in (False, True)
    ]
    if min(len(side) for side in sides) < LEAST_USABLE:
        raise InputError(
            f"{len(sides[0])} sources with a usable face to fit on and {len(sides[1])} to judge "
            f"on; {LEAST_USABLE} of each needed; add pictures of more people, the face at least "
            "64 pixels long, sharp and turned to the camera"
        )


def _say_counts(
    fit_on: Sequence[FaceFile],
    held_out: Sequence[FaceFile],
    left_out: Sequence[str],
    say: Callable[[Text], None],
) -> None:
    say(
        tr(
            "fitted on {fit} sources, judged on {held} others and on forgeries the fit never "
            "sees: {families}",
            fit=len({file.source for file in fit_on}),
            held=len({file.source for file in held_out}),
            families=", ".join(left_out),
        )
    )
    if any(file.forged for file in fit_on) and not _has_partners(fit_on):
        say(
            tr(
                "no forged file has the name or the folder of a genuine one: they are paired at "
                "random, and differences between cameras may be learned for forgery"
            )
        )


def _has_partners(files: Sequence[FaceFile]) -> bool:
    genuine = {file.source for file in files if not file.forged}
    return any(file.source in genuine for file in files if file.forged)


def packed(files: Sequence[FaceFile], tasks: Tasks) -> int:
    """Put the faces to learn from into one store of crops; how many they are."""
    places = {file.number: cut_into(file, tasks) for file in files}
    return pack(files, places, tasks.folder / "crops")


def pairs_to_learn(crops: int, fit: Mapping[str, Any], request: FitRequest, tasks: Tasks) -> int:
    """Pairs to train on: what was asked for or suits the crops, as far as the hours allow."""
    if request.pairs is not None:
        return max(request.pairs // BATCH_PAIRS, 1) * BATCH_PAIRS
    wanted = min(max(PAIRS_PER_CROP * crops, LEAST_PAIRS), MOST_PAIRS)
    payload = {"step": "pace", **fit, "pairs": wanted}
    (result,) = _all_good(
        tasks.do(tr("measuring the pace"), [("pace", payload)], side_by_side=False)
    )
    possible = request.hours * 3600 * TRAINING_SHARE / result["seconds"]
    return max(min(wanted // BATCH_PAIRS, int(possible)), 1) * BATCH_PAIRS


def learned(fit: Mapping[str, Any], tasks: Tasks) -> Path:
    """The folder of the candidate, as a site's network is laid out."""
    steps = int(fit["pairs"]) // BATCH_PAIRS
    stops = [*range(CHUNK_STEPS, steps, CHUNK_STEPS), steps]
    learning = [(f"learn/{stop}", {"step": "learn", **fit, "until": stop}) for stop in stops]
    _all_good(tasks.do(tr("training"), learning, side_by_side=False))
    folder = tasks.folder / "candidate"
    writing = {"step": "write", **fit, "into": str(folder)}
    _all_good(tasks.do(tr("writing the network"), [("write", writing)], side_by_side=False))
    return folder


def _tried(
    held_out: Sequence[FaceFile],
    left_out: Sequence[str],
    candidate: Path,
    request: FitRequest,
    tasks: Tasks,
) -> list[dict[str, Any]]:
    """The scores of both networks on every held-out item."""
    chosen = evenly(held_out, MOST_HOSTS)
    genuine = [file for file in chosen if not file.forged]
    with_clip = {file.number for file in evenly(genuine, MOST_CLIPS)}
    rng = np.random.default_rng([request.seed, 1])
    payloads = []
    for file in chosen:
        others = [other for other in genuine if other.source != file.source]
        donors = [others[i] for i in rng.permutation(len(others))[:DONORS]]
        payload = {
            "step": "try",
            "path": os.path.abspath(file.path),  # noqa: PTH100 - a link under its own name
            "hosts": str(cut_into(file, tasks)),
            "donors": [str(cut_into(donor, tasks)) for donor in donors],
            "clip": not file.forged and file.number in with_clip,
            "families": [] if file.forged else list(left_out),
            "label": MANIPULATED if file.forged else AS_ISSUED,
            "source": file.source,
            "number": file.number,
            "seed": request.seed,
            "limits": request.limits.model_dump(mode="json"),
            "networks": [absolute_or_none(request.face_network), str(candidate)],
        }
        payloads.append((f"try/{file.number}", payload))
    results = tasks.do(tr("trying both networks"), payloads, side_by_side=True)
    return [row for result in results if isinstance(result, dict) for row in result["rows"]]


def evenly(files: Sequence[FaceFile], most: int) -> list[FaceFile]:
    """At most so many, every source before any source twice."""
    seen: dict[tuple[str, bool], int] = {}
    ranked = []
    for file in files:
        rank = seen.get((file.source, file.forged), 0)
        seen[file.source, file.forged] = rank + 1
        ranked.append((rank, file.number, file))
    kept = sorted(ranked, key=lambda entry: entry[:2])[:most]
    return sorted((file for _, _, file in kept), key=lambda file: file.number)


def _cut_payload(file: FaceFile, request: FitRequest, tasks: Tasks) -> dict[str, Any]:
    return {
        "step": "cut",
        "path": os.path.abspath(file.path),  # noqa: PTH100 - a link under its own name
        "into": str(cut_into(file, tasks)),
        "held_out": file.held_out,
        "limits": request.limits.model_dump(mode="json"),
    }


def cut_into(file: FaceFile, tasks: Tasks) -> Path:
    """Where the faces of a file are put."""
    return tasks.folder / "cut" / f"{file.number:06d}.npz"


def _all_good(results: Sequence[dict[str, Any] | TidewaiterError]) -> list[dict[str, Any]]:
    for result in results:
        if isinstance(result, TidewaiterError):
            raise result
    return [result for result in results if isinstance(result, dict)]


def absolute_or_none(folder: Path | None) -> str | None:
    """A folder as workers find it from anywhere; None where none is given."""
    return None if folder is None else str(folder.resolve())


def as_json(values: object) -> str:
    """Plain values as the text of a file."""
    return json.dumps(values, indent=1, ensure_ascii=False, default=asdict) + "\n"
