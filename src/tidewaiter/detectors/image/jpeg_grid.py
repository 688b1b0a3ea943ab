"""Parts of a picture that keep the JPEG grid of another picture."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_grid import LOSSLESS_QUALITY, GridRegion, JpegGrid
from tidewaiter.vocabulary import (
    Box,
    Check,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    tr,
)

# Below it the last compression wipes out earlier grids; benchmarks/detection/jpeg.
MIN_FINAL_QUALITY = 97

# End of the colour scale; beyond it all is red.
MAP_HIGH = 20.0

MAX_BOXES = 6


class JpegGridDetector(Detector):
    """Counts how improbable it is that a part votes for another grid by chance."""

    id = "image.jpeg_grid"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"jpeg.grid"})
    looks_for = tr("parts whose 8 x 8 grid of an earlier JPEG compression lies elsewhere")
    speaks_when = tr(
        "the picture was a JPEG before, was not resized since, and is now stored without "
        "loss or at JPEG quality {quality} or more",
        quality=MIN_FINAL_QUALITY,
    )
    score_unit = tr(
        "−log10 of the expected number of such regions by chance (NFA); above 0: fewer than "
        "one per picture"
    )
    limitations = (
        tr(
            "The guarantee of fewer than one chance region per picture holds only where "
            "votes of different blocks are independent; it is not a likelihood ratio."
        ),
        tr("Resizing, turning or strong recompression removes the trace."),
        tr(
            "A still taken from a video keeps grids that motion compensation moved: regions "
            "appear without manipulation."
        ),
        tr("Collages, frames, logos and captions set in by honest software are found as well."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: −log10 NFA of the most significant region with another grid."""
        grid: JpegGrid = traces["jpeg.grid"]
        gate = _gate(grid)
        closed = [check for check in gate if not check.passed]
        if closed:
            return self.not_applicable(
                tr(
                    "{found}; needed: {needed}",
                    found=closed[0].found,
                    needed=closed[0].needed,
                ),
                gate=gate,
            )
        return self.examined(
            -grid.best_log10_nfa,
            gate=gate,
            evidence=(_map(grid),),
            features={
                "main_log10_nfa": grid.main_log10_nfa,
                "main_share": grid.main_share,
                "voting_share": grid.voting_share,
                "regions": float(sum(region.log10_nfa < 0 for region in grid.regions)),
            },
        )


def _gate(grid: JpegGrid) -> tuple[Check, Check]:
    quality = grid.final_quality
    if quality is None:
        stored = tr("stored with loss, at a quality that cannot be read")
    elif quality == LOSSLESS_QUALITY:
        stored = tr("stored without loss")
    else:
        stored = tr("stored at JPEG quality {quality}", quality=quality)
    return (
        Check(
            name=tr("how the file is stored"),
            found=stored,
            needed=tr("without loss, or JPEG quality {quality}", quality=MIN_FINAL_QUALITY),
            passed=quality is not None and quality >= MIN_FINAL_QUALITY,
        ),
        Check(
            name=tr("grid of an earlier JPEG compression"),
            found=tr("log10 NFA of the main grid {found:.1f}", found=grid.main_log10_nfa),
            needed=tr("below 0"),
            passed=grid.main_origin is not None,
        ),
    )


def _map(grid: JpegGrid) -> HeatMap:
    significant = [region for region in grid.regions if region.log10_nfa < 0]
    return HeatMap(
        caption=tr(
            "Regions with a JPEG grid other than the picture's own ({count} found)",
            count=len(significant),
        ),
        trace="jpeg.grid",
        field="region_map",
        low=0.0,
        high=MAP_HIGH,
        unit=tr("−log10 NFA"),
        regions=tuple(_box(region) for region in significant[:MAX_BOXES]),
    )


def _box(region: GridRegion) -> Box:
    return Box(
        left=region.left,
        top=region.top,
        width=region.width,
        height=region.height,
        label=tr(
            "grid at row {row}, column {column}", row=region.origin[0], column=region.origin[1]
        ),
    )
