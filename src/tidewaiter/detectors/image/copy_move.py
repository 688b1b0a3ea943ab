"""Parts of a picture copied within it: places that share even their noise."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.copy_move import CopyMove, Rectangle, RepeatedRegion
from tidewaiter.vocabulary import (
    Box,
    Check,
    Evidence,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    Regions,
    tr,
)

# Share of the picture that must have structure above rounding; a flat or blown-out
# picture has nothing to compare.
MIN_LIVE_SHARE = 0.05

# Agreement from which a pair of places is drawn; see benchmarks/detection/pixels.
SHOWN_FROM = 0.1

MAX_SHOWN = 6


class CopyMoveDetector(Detector):
    """Tells a copied region from two similar things by the noise they share."""

    id = "image.copy_move"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"copy_move"})
    looks_for = tr("parts of the picture copied to another place in it, also turned or scaled")
    speaks_when = tr(
        "the picture has at least {side} pixels a side and is not flat or blown out", side=128
    )
    score_unit = tr("agreement of noise (Fisher z, lower limit; 0: none)")
    limitations = (
        tr(
            "Strong compression and scaling remove the noise by which a copy is told from similar "
            "goods: at JPEG quality 75, or reduced to three quarters, half the copies are missed."
        ),
        tr("A copy that was blurred, repainted or scaled by more than a third may be missed."),
        tr(
            "Screenshots, drawings and rendered pictures repeat themselves exactly without "
            "any manipulation."
        ),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: the best region's agreement above chance, 0 where no two places agree."""
        taken: CopyMove = traces["copy_move"]
        live = Check(
            name=tr("structure to compare"),
            found=tr("{share:.0%} of the picture", share=taken.live_share),
            needed=tr("{share:.0%}", share=MIN_LIVE_SHARE),
            passed=taken.live_share >= MIN_LIVE_SHARE,
        )
        if not live.passed:
            reason = tr(
                "{found:.1%} of the picture has structure to compare; {needed:.0%} needed",
                found=taken.live_share,
                needed=MIN_LIVE_SHARE,
            )
            return self.not_applicable(reason, gate=[live])
        best = taken.regions[0] if taken.regions else None
        score = best.score if best else 0.0
        return self.examined(
            score, gate=[live], evidence=_evidence(taken), features=_features(taken, best)
        )


def _features(taken: CopyMove, best: RepeatedRegion | None) -> dict[str, float]:
    return {
        "correlation": best.agreement.correlation if best else 0.0,
        "control": best.agreement.control if best else 0.0,
        "plain_px": float(best.agreement.plain_px) if best else 0.0,
        "area_px": float(best.area_px) if best else 0.0,
        "places_alike": float(taken.looked_alike),
        "keypoints": float(taken.keypoints),
    }


def _evidence(taken: CopyMove) -> list[Evidence]:
    heat = HeatMap(
        caption=tr(
            "Places that share their noise with another place. {alike} pairs of places look "
            "alike; only shared noise marks a copy.",
            alike=taken.looked_alike,
        ),
        trace="copy_move",
        field="map",
        low=0.0,
        high=1.0,
        unit=tr("agreement"),
    )
    shown = [region for region in taken.regions if region.score >= SHOWN_FROM]
    return [heat, _outlined(shown[:MAX_SHOWN])] if shown else [heat]


def _outlined(shown: list[RepeatedRegion]) -> Regions:
    boxes: list[Box] = []
    for number, region in enumerate(shown, start=1):
        boxes += [_box(region.origin, number), _box(region.copy, number)]
    return Regions(
        caption=tr("Pairs of places that agree; which of a pair is the original is not known."),
        boxes=tuple(boxes),
        pairs=tuple((2 * i, 2 * i + 1) for i in range(len(shown))),
    )


def _box(sides: Rectangle, number: int) -> Box:
    left, top, width, height = sides
    return Box(left=left, top=top, width=width, height=height, label=tr("{number}", number=number))
