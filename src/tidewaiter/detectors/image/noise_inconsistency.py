"""Parts of a picture whose noise is quieter or stronger than the rest explains."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.noise import NoiseLevels, OddWindow
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    Series,
    tr,
)

# Examination handbook, 3.1: noise statistics may speak from about a megapixel; 1,000
# homogeneous blocks of 16 pixels are what such a picture has when half of it is usable.
MIN_COMPARED = 1000

# Where compression has emptied the diagonal band of half the blocks, the rest is not
# noise but what quantisation chose to keep.
MAX_DEAD_SHARE = 0.5


class NoiseInconsistencyDetector(Detector):
    """Counts extreme noise levels in windows, a contrario."""

    id = "image.noise_inconsistency"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"noise"})
    looks_for = tr("a part of the picture whose noise does not fit the rest at like brightness")
    speaks_when = tr(
        "about a megapixel or more, and compression has left noise in at least half of it"
    )
    score_unit = tr("−log10 of the expected number of such windows by chance")
    limitations = (
        tr(
            "Depth of field, in-camera noise reduction and textures also change the noise from "
            "place to place: many genuine pictures show uneven noise."
        ),
        tr("Recompression evens out the noise and hides inserted parts."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: −log10 NFA of the oddest window; unbounded, larger is odder."""
        taken: NoiseLevels = traces["noise"]
        gate = _gate(taken)
        if not gate[0].passed:
            reason = tr(
                "{found} homogeneous blocks with noise; {needed} needed",
                found=taken.compared,
                needed=MIN_COMPARED,
            )
            return self.not_applicable(reason, gate=gate)
        if not gate[1].passed:
            reason = tr(
                "compression has removed the noise from {found:.0%} of the picture; "
                "at most {needed:.0%} allowed",
                found=taken.dead_share,
                needed=MAX_DEAD_SHARE,
            )
            return self.not_applicable(reason, gate=gate)
        score = -taken.odd.log10_nfa if taken.odd else 0.0
        features = {"compared": float(taken.compared), "dead_share": taken.dead_share}
        return self.examined(score, gate=gate, evidence=_evidence(taken), features=features)


def _gate(taken: NoiseLevels) -> list[Check]:
    return [
        Check(
            name=tr("homogeneous blocks with noise"),
            found=tr("{found}", found=taken.compared),
            needed=tr("{needed}", needed=MIN_COMPARED),
            passed=taken.compared >= MIN_COMPARED,
        ),
        Check(
            name=tr("share emptied by compression"),
            found=tr("{found:.0%}", found=taken.dead_share),
            needed=tr("at most {needed:.0%}", needed=MAX_DEAD_SHARE),
            passed=taken.dead_share <= MAX_DEAD_SHARE,
        ),
    ]


def _evidence(taken: NoiseLevels) -> list[Evidence]:
    heat = HeatMap(
        caption=tr("Noise against what is usual at the same brightness in this picture."),
        trace="noise",
        field="map",
        low=-3.0,
        high=3.0,
        unit=tr("robust standard deviations (below 0: quieter)"),
        regions=(_box(taken.odd),) if taken.odd else (),
    )
    curve = Series(
        caption=tr("Usual noise level by brightness"),
        x=taken.brightness,
        y=taken.usual_level,
        x_label=tr("brightness, grey levels"),
        y_label=tr("noise, grey levels"),
    )
    return [heat, curve]


def _box(odd: OddWindow) -> Box:
    label = tr("quieter") if odd.side == "quieter" else tr("noisier")
    return Box(left=odd.left, top=odd.top, width=odd.width, height=odd.height, label=label)
