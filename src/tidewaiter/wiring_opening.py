"""Open the listed pictures of an audit in workers that may be killed, before all else.

The audit's own process reads only what the workers kept of each: whether it shows a face,
where, its embedding, a small copy. What cannot be opened there ends the audit before
anything is spent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tidewaiter.errors import InputError, TidewaiterError
from tidewaiter.face_audit.embedded import EmbeddedRecogniser
from tidewaiter.face_audit.embedding import FaceMemory, dlib_embedder
from tidewaiter.face_audit.material import Material
from tidewaiter.face_audit.people import Person, Photo, some_of
from tidewaiter.face_audit.protocol import Protocol
from tidewaiter.jobs.queue import Queue, Task
from tidewaiter.jobs.supervisor import run
from tidewaiter.storage.kept import FolderOfBytes
from tidewaiter.storage.reports import write_whole
from tidewaiter.wiring import error_named
from tidewaiter.wiring_makers import EMBEDDED, WORKSHOP, Workshop, embedded, recogniser_of

HANDLER = "tidewaiter.wiring_opening:open_listed"


def open_all(
    workshop: Workshop,
    people: Sequence[Person],
    workers: int = 1,
    on_checked: Callable[[int], None] = lambda _count: None,
) -> None:
    """Open every picture of `people` that no earlier run has opened.

    Raises InputError and its kinds naming a picture that cannot be opened, MissingWeights
    where faces cannot be located here.
    """
    kept = FolderOfBytes(workshop.kept)
    material = Material(workshop.home, kept, workshop.settings.limits)
    firsts = {first_of(person) for person in people if person.photos}
    todo = [p for person in people for p in person.photos if not material.is_open(p)]
    if not todo:
        return
    said = workshop.kept.parent / WORKSHOP
    said.parent.mkdir(parents=True, exist_ok=True)
    write_whole(said, workshop.model_dump_json())
    with tempfile.TemporaryDirectory(prefix="tidewaiter-opening-") as folder:
        queue = Queue(Path(folder) / "queue.sqlite")
        queue.add(
            (
                f"{number}",
                {"workshop": str(said), "photo": asdict(photo), "paired": photo in firsts},
            )
            for number, photo in enumerate(todo)
        )

        def count(_task: Task) -> None:
            on_checked(1)

        run(queue, HANDLER, workers=workers, limits=workshop.settings.limits, on_finished=count)
        failed = [task for task in queue.tasks() if task.error is not None]
        queue.close()
    if failed:
        raise _unopened(failed)


def first_of(person: Person) -> Photo:
    """The picture by which a person's looks are told: an enrolment, where there is one."""
    return (*person.enrolled, *person.probes)[0]


def open_listed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Open one listed picture in a worker, and keep what the audit will ask about it."""
    opener, photo = _opener(payload["workshop"]), Photo(**payload["photo"])
    picture = opener.material.photo(photo)
    opener.material.open(photo)
    for recogniser in opener.recognisers:
        recogniser.look_at(picture)
    if opener.pairing is not None and payload["paired"]:
        opener.pairing.look_at(picture)
    if opener.places is not None:
        opener.places.known(picture)
    return {}


def _unopened(failed: Sequence[Task]) -> TidewaiterError:
    """What is wrong with the first picture, and which others cannot be opened either."""
    error = failed[0].error
    assert error is not None, "only failed tasks are given"
    found = error_named(error["type"], error["message"])
    others = sorted({task.payload["photo"]["file"] for task in failed[1:]})
    if not others or not isinstance(found, InputError):
        return found
    more = f"{len(others)} more cannot be opened: {some_of(others)}."
    return error_named(error["type"], f"{error['message']} {more}")


@dataclass(frozen=True)
class _Opener:
    """`pairing` tells who looks like whom, `places` finds faces before a service is asked."""

    material: Material
    recognisers: tuple[EmbeddedRecogniser, ...]
    pairing: EmbeddedRecogniser | None
    places: FaceMemory | None


@cache
def _opener(workshop: str) -> _Opener:
    """Of this worker, for all its tasks."""
    said = Workshop.model_validate_json(Path(workshop).read_text(encoding="utf-8"))
    kept, protocol = FolderOfBytes(said.kept), said.protocol
    here = [target for target in protocol.recognisers if target.adapter in EMBEDDED]
    opened = [recogniser_of(target, protocol, said.home, kept) for target in here]
    pairing = embedded(kept) if wants_lookalikes(protocol) else None
    elsewhere = len(here) < len(protocol.recognisers)
    return _Opener(
        Material(said.home, kept, said.settings.limits),
        tuple(r for r in opened if isinstance(r, EmbeddedRecogniser)),
        pairing if isinstance(pairing, EmbeddedRecogniser) else None,
        FaceMemory(dlib_embedder(), kept=kept) if elsewhere else None,
    )


def wants_lookalikes(protocol: Protocol) -> bool:
    """Whether people are to be paired by looks."""
    return bool(protocol.licit.lookalike or any(a.pairs.lookalike for a in protocol.attacks))
