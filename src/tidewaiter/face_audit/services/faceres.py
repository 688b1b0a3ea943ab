"""A second embedded recogniser, so that morphs can be tried against two: MobileNet, VGGFace2.

Another network, trained by others on other faces than dlib's; faces are located and
aligned as for dlib. Its files are not shipped: an option names the folder that has them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.face_audit.embedded import EmbeddedRecogniser, Scale
from tidewaiter.face_audit.embedding import Embedder
from tidewaiter.face_audit.keeping import Store

# Nobody names one for the cosine; near FMR 0.1 % on LFW people (benchmarks/face_audit).
DEFAULT_COSINE = 0.63


class FaceresRecogniser(EmbeddedRecogniser):
    """Scores are the cosine of 1024 numbers."""

    def __init__(
        self, embedder: Embedder, *, given: float = DEFAULT_COSINE, kept: Store | None = None
    ) -> None:
        """`given` is the lowest cosine accepted."""
        super().__init__(embedder, _SCALE, given, kept)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one @ other)


_SCALE = Scale("faceres", _cosine, "cosine of the embeddings, 1 at best")
