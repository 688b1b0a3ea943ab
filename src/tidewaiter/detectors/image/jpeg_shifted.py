"""Parts of a JPEG that were JPEG before on another grid."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_shifted import WINDOW_CELLS, JpegShifted
from tidewaiter.vocabulary import Box, Check, Finding, HeatMap, MediaKind, Proposition, tr

# Below it the last saving leaves too little of older steps, and clean pictures score as
# high as spliced ones; benchmarks/detection/jpeg.
MIN_FINAL_QUALITY = 85

# Share of low-frequency coefficients beyond half a step; flatter pictures hold no lattice.
MIN_ACTIVE_SHARE = 0.05

MAP_HIGH = 12.0


class JpegShiftedDetector(Detector):
    """Weighs the 63 other grids on windows against each other and the rest of the picture."""

    id = "image.jpeg_shifted"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"jpeg.shifted"})
    looks_for = tr("parts cut out of another JPEG and pasted off its grid")
    speaks_when = tr(
        "the file is a JPEG of quality {quality} or more with enough texture",
        quality=MIN_FINAL_QUALITY,
    )
    score_unit = tr("standard deviations above the other shifts and the rest of the picture")
    limitations = (
        tr("The part must have been saved more coarsely before, with tables like those of IJG."),
        tr("Resizing or turning the part before pasting removes the trace."),
        tr("The largest of thousands of comparisons is taken: values up to about 7 are usual."),
        tr("Collages and logos set in by honest software are found as well."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score: the best window's excess at its best shift and quality."""
        shifted: JpegShifted = traces["jpeg.shifted"]
        gate = _gate(shifted)
        closed = [check for check in gate if not check.passed]
        if closed:
            reason = tr(
                "{name}: {found}; {needed} needed",
                name=closed[0].name,
                found=closed[0].found,
                needed=closed[0].needed,
            )
            return self.not_applicable(reason, gate=gate)
        return self.examined(
            shifted.score,
            gate=gate,
            evidence=(_map(shifted),),
            features={
                "first_quality": float(shifted.first_quality),
                "whole_picture": shifted.whole_picture,
                "active_share": shifted.active_share,
                "quality": float(shifted.quality),
            },
        )


def _gate(shifted: JpegShifted) -> tuple[Check, Check]:
    return (
        Check(
            name=tr("JPEG quality of the file"),
            found=tr("{quality}", quality=shifted.quality_label),
            needed=tr("{quality} or more", quality=MIN_FINAL_QUALITY),
            passed=shifted.quality >= MIN_FINAL_QUALITY,
        ),
        Check(
            name=tr("coefficients that can show older steps"),
            found=tr("{share:.1%}", share=shifted.active_share),
            needed=tr("{share:.0%}", share=MIN_ACTIVE_SHARE),
            passed=shifted.active_share >= MIN_ACTIVE_SHARE,
        ),
    )


def _map(shifted: JpegShifted) -> HeatMap:
    cell, (row, column) = shifted.cell_px, shifted.at
    rows, columns = shifted.shifted_map.shape
    box = Box(
        left=column * cell + shifted.shift[1],
        top=row * cell + shifted.shift[0],
        width=WINDOW_CELLS * cell,
        height=WINDOW_CELLS * cell,
        label=tr("{score:.1f}", score=shifted.score),
    )
    return HeatMap(
        caption=tr(
            "Agreement with an earlier JPEG of quality near {quality} whose grid was shifted "
            "by {rows} rows and {columns} columns",
            quality=shifted.first_quality,
            rows=shifted.shift[0],
            columns=shifted.shift[1],
        ),
        trace="jpeg.shifted",
        field="shifted_map",
        low=0.0,
        high=MAP_HIGH,
        unit=tr("standard deviations"),
        # Windows overlap by half: each pixel of the map is drawn where its middle lies.
        area=Box(left=cell // 2, top=cell // 2, width=columns * cell, height=rows * cell),
        regions=(box,),
    )
