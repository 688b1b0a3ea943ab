"""JPEG ghosts, shown as a picture and a curve; they are never scored."""

from __future__ import annotations

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_ghosts import QUALITIES, JpegGhosts
from tidewaiter.vocabulary import Finding, HeatMap, MediaKind, Proposition, Series, tr


class JpegGhostsDetector(Detector):
    """Shows which parts change least when the picture is saved again."""

    id = "image.jpeg_ghosts"
    version = "1"
    proposition = Proposition.IMAGE_ALTERED
    media = frozenset({MediaKind.PICTURE})
    needs = frozenset({"jpeg.ghosts"})
    looks_for = tr("parts that change least at a JPEG quality below that of the file")
    speaks_when = tr("the file is a JPEG of quality above 45 with textured parts")
    score_unit = tr("none: shown, not scored")
    limitations = (
        tr("Flat, dark and blown-out parts look like ghosts; they are left out of the picture."),
        tr("Parts pasted off the grid show no ghost here."),
        tr("Different texture alone makes differences; only a person may read this picture."),
    )
    weighs = False

    def examine(self, traces: Traces) -> Finding:
        """No score; the ghost picture and the curve."""
        ghosts: JpegGhosts = traces["jpeg.ghosts"]
        picture = HeatMap(
            caption=tr(
                "Change of each part when saved again at quality {quality}, where parts "
                "differ most; low: changes little",
                quality=ghosts.ghost_quality,
            ),
            trace="jpeg.ghosts",
            field="ghost_map",
            low=0.0,
            high=1.0,
            unit=tr("share of the part's own largest change"),
        )
        curve = Series(
            caption=tr(
                "Mean change of textured parts by quality; the file has quality {quality}. A "
                "dip below that is what an earlier saving leaves.",
                quality=ghosts.quality_label,
            ),
            x=tuple(float(quality) for quality in QUALITIES),
            y=ghosts.difference,
            x_label=tr("JPEG quality of saving again"),
            y_label=tr("change"),
        )
        return self.examined(
            concludes=tr(
                "Saved again at {count} qualities, parts of the picture differ most from each "
                "other at quality {quality}; this is shown and not weighed.",
                count=len(QUALITIES),
                quality=ghosts.ghost_quality,
            ),
            evidence=(picture, curve),
            features={
                "ghost_quality": float(ghosts.ghost_quality),
                "spread": ghosts.spread,
                "textured_share": ghosts.textured_share,
            },
        )
