"""The faces that are attacked: held-out forgeries, and genuine faces of held-out people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
# The recipes import one another by their bare names.
sys.path.insert(0, str(ROOT / "recipes"))

from face_corpus import AS_RECEIVED, FaceTask, made, picture_tasks  # noqa: E402
from face_splits import REPORT  # noqa: E402

from tidewaiter.errors import UnfitFaces  # noqa: E402
from tidewaiter.forgeries.faces import SPECIES  # noqa: E402
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED  # noqa: E402

# Families that put somebody else, or another expression, into a face.
OWN_FAMILIES = ("swap", "morph", "reenactment")
DFDC = "dfdc"


@dataclass(frozen=True)
class Item:
    """One face picture of known truth; `kind` says which material it is of."""

    number: int
    kind: str
    source: str
    forged: bool
    task: FaceTask

    @property
    def name(self) -> str:
        """A file name of its own."""
        return f"{'forged' if self.forged else 'genuine'}-{self.number:04d}"

    def data(self) -> bytes:
        """The picture's file. Raises UnfitFaces where the forgery cannot be made."""
        return made(self.task).data


def forged_items(shared_data: Path, count: int, seed: int) -> list[Item]:
    """DFDC forgeries and our own by turns, one of each original or person."""
    tasks = [t for t in _reported(shared_data) if t.truth.label == MANIPULATED]
    dfdc = [t for t in tasks if t.truth.species == DFDC]
    species = {name for name, kind in SPECIES.items() if kind.family in OWN_FAMILIES}
    own = [t for t in tasks if t.truth.species in species]
    return _items({"DFDC": dfdc, "own": own}, count, seed, forged=True)


def genuine_items(shared_data: Path, count: int, seed: int) -> list[Item]:
    """DFDC originals, LFW and UTKFace pictures by turns, one of each original or person."""
    tasks = [t for t in _reported(shared_data) if t.truth.label == AS_ISSUED]
    kinds = {
        kind: [t for t in tasks if t.kind == name and not t.saved_quality]
        for kind, name in (("DFDC", DFDC), ("LFW", "lfw"), ("UTKFace", "utkface"))
    }
    return _items(kinds, count, seed, forged=False)


def can_be_made(item: Item) -> bool:
    """Whether the two faces of a forgery fit each other."""
    try:
        item.data()
    except UnfitFaces:
        return False
    return True


def _reported(shared_data: Path) -> list[FaceTask]:
    tasks = picture_tasks(shared_data)
    return [t for t in tasks if t.part == REPORT and t.truth.shipping == AS_RECEIVED]


def _items(kinds: dict[str, list[FaceTask]], count: int, seed: int, *, forged: bool) -> list[Item]:
    rng = np.random.default_rng([seed, int(forged)])
    shuffled = [
        [(kind, tasks[i]) for i in rng.permutation(len(tasks))] for kind, tasks in kinds.items()
    ]
    turns = [pair for row in zip_longest(*shuffled) for pair in row if pair is not None]
    return [
        Item(number, kind, task.truth.source, forged, task)
        for number, (kind, task) in enumerate(islice(_one_of_each(turns), count))
    ]


def _one_of_each(turns: Iterable[tuple[str, FaceTask]]) -> Iterator[tuple[str, FaceTask]]:
    """The first task of every source."""
    seen: set[str] = set()
    for kind, task in turns:
        if task.truth.source not in seen:
            seen.add(task.truth.source)
            yield kind, task
