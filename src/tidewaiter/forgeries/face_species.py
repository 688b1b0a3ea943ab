"""One way to forge a face, with the checks that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tidewaiter.forgeries.face_blending import greyed_like
from tidewaiter.forgeries.face_edges import continued, outside_of, restored
from tidewaiter.forgeries.face_forgery import Face, Forgery, checked
from tidewaiter.forgeries.face_mesh import must_fit

Family = Literal["swap", "morph", "reenactment", "retouch", "recapture"]
Recipe = Callable[..., Forgery]
"""Of host, donor and generator; a morph's also takes `share`, the donor's part."""


@dataclass(frozen=True)
class Species:
    """One way to forge a face; `uses_donor` says whether a second face matters."""

    family: Family
    recipe: Recipe
    uses_donor: bool = True

    def make(
        self, host: Face, donor: Face, rng: np.random.Generator, share: float | None = None
    ) -> Forgery:
        """Forge the host's picture; the same generator state gives the same bytes.

        `share` fixes the donor's part in a morph, which is drawn without it. Raises
        UnfitFaces where the two faces cannot be made into this forgery.
        """
        checked(host)
        if self.uses_donor:
            must_fit(host.points, checked(donor).points)
            donor = replace(donor, pixels=greyed_like(donor.pixels, host.pixels))
        outside = outside_of(host.pixels)
        whole = replace(host, pixels=continued(host.pixels, outside))
        fixed = {} if share is None else {"share": share}
        return restored(self.recipe(whole, donor, rng, **fixed), host.pixels, outside)
