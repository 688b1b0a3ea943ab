"""The embedded recogniser: dlib's residual network, offline, free, the same score every time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from tidewaiter.face_audit.embedding import Embedder, FaceMemory, Template, distance
from tidewaiter.face_audit.service import (
    Limits,
    Outcome,
    Picture,
    Price,
    Reply,
    ServiceCard,
)
from tidewaiter.face_audit.translating import compared, searched

# The value of dlib's own face recognition example, by which its users decide.
DEFAULT_DISTANCE = 0.6


class DlibRecogniser:
    """Compares embeddings in this process. Scores are minus the Euclidean distance."""

    modes = frozenset({"verify", "identify"})
    limits = Limits()
    price = Price(Decimal(0))

    def __init__(self, embedder: Embedder, *, given: float = -DEFAULT_DISTANCE) -> None:
        """`given` is the threshold as a similarity, so minus the largest distance accepted."""
        self._given = given
        self._memory = FaceMemory(embedder)
        self._gallery: dict[str, list[Template]] = {}
        self.card = ServiceCard(
            adapter="dlib",
            endpoint="embedded",
            version=embedder.name,
            score_meaning="minus the Euclidean distance of the embeddings, 0 at best",
            given_threshold=given,
            remote=False,
            keeps_gallery=False,
        )

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Keep the embedding of each picture's largest face under the identity."""
        return tuple(self._enrolled(identity, picture) for picture in pictures)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:  # noqa: ARG002
        """Distance of the largest faces of both pictures."""
        started = time.perf_counter()
        one, other = self._memory.template(reference), self._memory.template(probe)
        if one is None or other is None:
            missing = "reference" if one is None else "probe"
            return Reply(Outcome.NO_FACE, service_code=f"no-face-in-{missing}")
        score = -distance(one, other)
        alone = one.alone and other.alone
        return compared(
            score,
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
        candidates = {name: _nearest(found, kept) for name, kept in self._gallery.items()}
        return searched(candidates, self._given, latency_ms=_ms_since(started))

    def _enrolled(self, identity: str, picture: Picture) -> Reply:
        started = time.perf_counter()
        found = self._memory.template(picture)
        if found is None:
            return Reply(Outcome.NO_FACE, service_code="no-face")
        self._gallery.setdefault(identity, []).append(found)
        return Reply(Outcome.ENROLLED, latency_ms=_ms_since(started))


def _nearest(probe: Template, kept: Sequence[Template]) -> float:
    values = np.stack([template.values for template in kept])
    return -float(np.linalg.norm(values - probe.values, axis=1).min())


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
