"""The embedded recogniser: dlib's residual network, offline, free, the same score every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.face_audit.embedded import EmbeddedRecogniser, Scale
from tidewaiter.face_audit.embedding import Embedder
from tidewaiter.face_audit.keeping import Store

# The value of dlib's own face recognition example, by which its users decide.
DEFAULT_DISTANCE = 0.6


class DlibRecogniser(EmbeddedRecogniser):
    """Scores are minus the Euclidean distance of 128 numbers."""

    def __init__(
        self, embedder: Embedder, *, given: float = -DEFAULT_DISTANCE, kept: Store | None = None
    ) -> None:
        """`given` is the threshold as a similarity, so minus the largest distance accepted."""
        super().__init__(embedder, _SCALE, given, kept)


def _nearness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return -float(np.linalg.norm(one - other))


_SCALE = Scale("dlib", _nearness, "minus the Euclidean distance of the embeddings, 0 at best")
