"""Forged faces of known truth: every species, by name, made from two faces and a seed.

For training, audits, benchmarks and tests only. The same faces and generator state give
the same bytes.
"""

from __future__ import annotations

from types import MappingProxyType
from zlib import crc32

import numpy as np

from tidewaiter.errors import ConfigurationError
from tidewaiter.forgeries.face_forgery import Face, Forgery
from tidewaiter.forgeries.face_marking import marked
from tidewaiter.forgeries.face_morphs import morph_combined, morph_complete, morph_splice
from tidewaiter.forgeries.face_recapture import recapture_print, recapture_screen
from tidewaiter.forgeries.face_reenactment import reenact, reenact_mouth
from tidewaiter.forgeries.face_retouching import (
    retouch_features,
    retouch_inpaint,
    retouch_slim,
    retouch_smooth,
)
from tidewaiter.forgeries.face_species import Family, Species
from tidewaiter.forgeries.face_swaps import swap_feather, swap_lowres, swap_poisson

__all__ = ["SPECIES", "Face", "Family", "Forgery", "Species", "forged", "marked"]

SPECIES = MappingProxyType(
    {
        "swap-poisson": Species("swap", swap_poisson),
        "swap-feather": Species("swap", swap_feather),
        "swap-lowres": Species("swap", swap_lowres),
        "morph-complete": Species("morph", morph_complete),
        "morph-splice": Species("morph", morph_splice),
        "morph-combined": Species("morph", morph_combined),
        "reenact": Species("reenactment", reenact),
        "reenact-mouth": Species("reenactment", reenact_mouth),
        "retouch-inpaint": Species("retouch", retouch_inpaint, uses_donor=False),
        "retouch-smooth": Species("retouch", retouch_smooth, uses_donor=False),
        "retouch-slim": Species("retouch", retouch_slim, uses_donor=False),
        "retouch-features": Species("retouch", retouch_features, uses_donor=False),
        "recapture-screen": Species("recapture", recapture_screen, uses_donor=False),
        "recapture-print": Species("recapture", recapture_print, uses_donor=False),
    }
)
"""Every species by its name, as `family-variant`."""


def forged(
    species: str, host: Face, donor: Face, seed: int, *, share: float | None = None
) -> Forgery:
    """The host's picture forged by the species of that name from a seed of 0 or more.

    Each species draws from a stream of its own; `share` fixes the donor's part in a morph.
    Raises ConfigurationError for an unknown name, UnfitFaces where the two faces cannot be
    made into this forgery.
    """
    if species not in SPECIES:
        raise ConfigurationError(
            f"no species {species!r}; one of {', '.join(SPECIES)} needed; correct the name"
        )
    rng = np.random.default_rng((crc32(species.encode()), seed))
    return SPECIES[species].make(host, donor, rng, share)
