"""Make the pictures of an audit before they are shown: forge, embed and judge them in workers.

The run itself asks one trial after the other, as its ledger needs. What costs time in it
does not depend on order, and opens files that came from outside: so killable workers within
limits do that first, on as many cores as wanted. Forgeries and embeddings go into the folder
of the audit, what the gate says into the queue, which a later run reads again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tidewaiter.errors import UnfitFaces
from tidewaiter.face_audit.embedded import EmbeddedRecogniser
from tidewaiter.face_audit.gate import GateAnswer, GateKeeper
from tidewaiter.face_audit.material import Material, Shown
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.protocol import Protocol, Target
from tidewaiter.face_audit.service import Picture, Recogniser
from tidewaiter.face_audit.trials import Probe, met_by_further
from tidewaiter.jobs.queue import Queue, Task
from tidewaiter.jobs.supervisor import run
from tidewaiter.outlets.opening import Described, open_recogniser
from tidewaiter.settings import Settings
from tidewaiter.storage.kept import FolderOfBytes
from tidewaiter.storage.reports import write_whole
from tidewaiter.vocabulary import Noun
from tidewaiter.wiring_gates import gate_of

HANDLER = "tidewaiter.wiring_makers:make"
QUEUE, WORKSHOP = "making.queue", "making.json"
EMBEDDED = frozenset({"dlib", "faceres"})
"""Adapters whose embeddings can be made ahead."""


class Workshop(Noun):
    """What a worker needs to know: a protocol, where its files lie and are kept."""

    protocol: Protocol
    home: Path
    kept: Path
    settings: Settings


@dataclass
class Made:
    """Pictures that were made, and what the gate said of them."""

    material: Material
    gate: GateKeeper | None = None
    judged: dict[str, GateAnswer] = field(default_factory=dict)
    """By probe, as long as it was not shown; then by picture."""

    def show(self, probe: Probe) -> Shown:
        """What a probe presents; raises as `Material.show`."""
        shown = self.material.show(probe)
        if probe.key in self.judged:
            self.judged[shown.picture.sha256] = self.judged.pop(probe.key)
        return shown

    def judge(self, picture: Picture) -> GateAnswer:
        """What the gate says of a picture."""
        known = self.judged.get(picture.sha256)
        if known is not None:
            return known
        assert self.gate is not None
        return self.gate(picture)


def made_ahead(
    workshop: Workshop,
    probes: Sequence[tuple[Probe, bool]],
    workers: int,
    on_made: Callable[[int, int], None],
) -> dict[str, GateAnswer]:
    """Make each probe that is not made; what the gate says, by probe, of those it is asked about.

    A probe on which a worker failed counts as one on which the gate failed.
    """
    folder = workshop.kept.parent
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / WORKSHOP, workshop.model_dump_json())
    queue = Queue(folder / QUEUE)
    try:
        queue.forget([task.key for task in queue.tasks() if task.state == "failed"])
        queue.add(
            (f"{probe.key}/{judged}", _payload(folder / WORKSHOP, probe, judged=judged))
            for probe, judged in sorted(probes, key=lambda one: _photos(one[0]))
        )
        done = 0

        def count(_task: Task) -> None:
            nonlocal done
            done += 1
            on_made(done, len(probes))

        limits = workshop.settings.limits
        run(queue, HANDLER, workers=workers, limits=limits, on_finished=count)
        finished = {task.key: task for task in queue.tasks()}
    finally:
        queue.close()
    return {
        probe.key: _answer(finished[f"{probe.key}/{judged}"]) for probe, judged in probes if judged
    }


def make(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Make one probe in a worker: forge it, embed its face, ask the gate."""
    maker = _maker(payload["workshop"])
    probe = _probe(payload["probe"])
    try:
        picture = maker.material.show(probe).picture
    except UnfitFaces:
        return {}
    for recogniser in maker.audited:
        recogniser.look_at(picture)
    for recogniser in maker.further if met_by_further(probe.species) else ():
        recogniser.look_at(picture)
    if maker.gate is None or not payload["judged"]:
        return {}
    return asdict(maker.gate(picture))


def recogniser_of(
    target: Target, protocol: Protocol, home: Path, kept: FolderOfBytes | None
) -> Recogniser:
    """The recogniser that a [target] or an [[also]] describes; nothing is sent."""
    return open_recogniser(
        Described(
            adapter=target.adapter,
            mode=target.mode,
            is_distance=target.score == "distance",
            given=target.threshold.given,
            options=target.options,
            price_per_call=protocol.limits.price_per_call,
            environment=os.environ,
            folder=home,
            kept=kept,
        )
    )


def embedded(kept: FolderOfBytes | None) -> Recogniser:
    """The embedded recogniser as it is, to tell who looks like whom."""
    return open_recogniser(
        Described("dlib", "verify", False, None, {}, None, os.environ, Path(), kept)  # noqa: FBT003
    )


@dataclass(frozen=True)
class _Maker:
    material: Material
    audited: tuple[EmbeddedRecogniser, ...]
    further: tuple[EmbeddedRecogniser, ...]
    gate: GateKeeper | None


@cache
def _maker(workshop: str) -> _Maker:
    """Of this worker, for all its tasks."""
    said = Workshop.model_validate_json(Path(workshop).read_text(encoding="utf-8"))
    kept, protocol = FolderOfBytes(said.kept), said.protocol

    def embedding(*targets: Target) -> tuple[EmbeddedRecogniser, ...]:
        here = [target for target in targets if target.adapter in EMBEDDED]
        opened = [recogniser_of(target, protocol, said.home, kept) for target in here]
        return tuple(r for r in opened if isinstance(r, EmbeddedRecogniser))

    return _Maker(
        Material(said.home, kept, said.settings.limits, protocol.capture),
        embedding(protocol.target),
        embedding(*protocol.also),
        gate_of(protocol.gate, said.settings, said.home),
    )


def _photos(probe: Probe) -> tuple[str, ...]:
    """By its photos, so that a worker has located their faces when the next kind needs them."""
    made_from = (photo.file for photo in probe.choices[0] if photo is not None)
    return tuple(sorted(made_from))


def _payload(workshop: Path, probe: Probe, *, judged: bool) -> dict[str, Any]:
    return {"workshop": str(workshop), "probe": asdict(probe), "judged": judged}


def _probe(said: Mapping[str, Any]) -> Probe:
    plain = Probe(**{**said, "host": _photo(said["host"]), "donor": None, "instead": ()})
    pairs = tuple((_photo(host), _photo(donor)) for host, donor in said["instead"])
    return replace(plain, donor=_photo(said["donor"]), instead=pairs)  # type: ignore[arg-type]


def _photo(said: Mapping[str, Any] | None) -> Photo | None:
    return None if said is None else Photo(**said)


def _answer(task: Task) -> GateAnswer:
    if task.state == "failed":
        return GateAnswer(None, str((task.error or {}).get("message", "")))
    return GateAnswer(**task.result) if task.result else GateAnswer(None, "not made")
