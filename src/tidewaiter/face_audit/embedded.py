"""Recognisers that run in this process: embeddings compared, free, the same score every time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tidewaiter.face_audit.embedding import Embedder, FaceMemory, Template
from tidewaiter.face_audit.keeping import Store
from tidewaiter.face_audit.service import Limits, Outcome, Picture, Price, Reply, ServiceCard
from tidewaiter.face_audit.translating import compared, searched

Similarity = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""Of two embeddings; larger is more alike."""


@dataclass(frozen=True)
class Scale:
    """How an embedded recogniser compares: its adapter's name, the measure and its meaning."""

    adapter: str
    similarity: Similarity
    meaning: str


class EmbeddedRecogniser:
    """Compares embeddings in this process."""

    modes = frozenset({"verify", "identify"})
    limits = Limits()
    price = Price(Decimal(0), calls_per_enrolment=0, calls_per_compare=0, calls_per_search=0)

    def __init__(
        self, embedder: Embedder, scale: Scale, given: float, kept: Store | None = None
    ) -> None:
        """`given` is the threshold as a similarity; `kept` saves embeddings between runs."""
        self._given, self._scale = given, scale
        self._memory = FaceMemory(embedder, kept=kept)
        self._gallery: dict[str, list[Template]] = {}
        self.card = ServiceCard(
            adapter=scale.adapter,
            endpoint="embedded",
            version=embedder.name,
            score_meaning=scale.meaning,
            given_threshold=given,
            remote=False,
            keeps_gallery=False,
        )

    def look_at(self, picture: Picture) -> None:
        """Embed the largest face ahead of a comparison, and keep it."""
        self._memory.template(picture)

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Keep the embedding of each picture's largest face under the identity."""
        return tuple(self._enrolled(identity, picture) for picture in pictures)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:  # noqa: ARG002
        """Similarity of the largest faces of both pictures."""
        started = time.perf_counter()
        one, other = self._memory.template(reference), self._memory.template(probe)
        if one is None or other is None:
            missing = "reference" if one is None else "probe"
            return Reply(Outcome.NO_FACE, service_code=f"no-face-in-{missing}")
        alone = one.alone and other.alone
        return compared(
            self._scale.similarity(one.values, other.values),
            self._given,
            service_code="" if alone else "several-faces",
            latency_ms=_ms_since(started),
        )

    def search(self, probe: Picture, *, trial: str = "") -> Reply:  # noqa: ARG002
        """Each enrolled person's nearest picture."""
        started = time.perf_counter()
        found = self._memory.template(probe)
        if found is None:
            return Reply(Outcome.NO_FACE, service_code="no-face-in-probe")
        candidates = {
            name: max(self._scale.similarity(one.values, found.values) for one in kept)
            for name, kept in self._gallery.items()
        }
        return searched(candidates, self._given, latency_ms=_ms_since(started))

    def _enrolled(self, identity: str, picture: Picture) -> Reply:
        started = time.perf_counter()
        found = self._memory.template(picture)
        if found is None:
            return Reply(Outcome.NO_FACE, service_code="no-face")
        self._gallery.setdefault(identity, []).append(found)
        return Reply(Outcome.ENROLLED, latency_ms=_ms_since(started))


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
