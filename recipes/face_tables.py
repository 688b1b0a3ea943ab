"""Which measured faces calibrate the network, by domain.

No row of training sources appears, and none of the untouched tenth, on which a card states
how a calibration does. Genuine and forged rows of a domain come from the same sources with
the same savings: a source without a forgery of its own gives no genuine row either.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from face_measured import Measured
from face_splits import UNTOUCHED_TENTH, tenth_of

from tidewaiter.opinion.choosing import ANY_DOMAIN
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, ScoreRow, ScoreTable
from tidewaiter.vocabulary import Status

PICTURES, VIDEOS = "face.manipulation_network", "face.manipulation_network_video"
PORTRAIT, VIDEO = "standard_portrait", "compressed_video"
DFDC = "dfdc"
AS_RECEIVED, CONTROL, RESHIPPED, STILL_CLIP = (
    "as_received",
    "saved alike",
    "re-shipped: ",
    "still clip",
)
STILL_CLIP = "still clip"
# One original in so many: about as many genuine clips of stills as of people who move.
STILLS_FITTED = 3
# A replayed picture shows an unaltered face; the network is not asked to find it.
NOT_ALTERED = "recapture"
# A portrait as documents demand it: frontal and level, as far as a mesh can tell.
PORTRAIT_SETS = ("lfw", "utkface")
PORTRAIT_YAW_DEGREES = 12.0
PORTRAIT_PITCH_DEGREES = 15.0


def domain_rows(
    pictures: Sequence[Measured], clips: Sequence[Measured]
) -> dict[str, list[Measured]]:
    """Every row that may calibrate, by domain, the untouched tenth included."""
    photos = list(photo_rows(pictures))
    return {
        ANY_DOMAIN: photos,
        PORTRAIT: [row for row in photos if is_portrait(row)],
        VIDEO: [row for row in clips if row.kind in ("ffpp", DFDC)],
    }


def photo_rows(pictures: Sequence[Measured]) -> Iterable[Measured]:
    """As many genuine as forged rows of every source, alike in how they were saved."""
    altered = [row for row in pictures if not row.species.startswith(NOT_ALTERED)]
    chosen_forgeries = {
        row.item for row in altered if row.species == DFDC and row.shipping.startswith(RESHIPPED)
    }
    of_dfdc = {row.source for row in altered if row.item in chosen_forgeries}
    of_ours = {
        row.item.rpartition("/")[0]
        for row in altered
        if row.label == MANIPULATED and row.kind != "ecuador" and row.species != DFDC
    }
    for row in altered:
        if row.shipping.startswith("table: ") or row.kind == "ecuador":
            continue
        if row.label == MANIPULATED:
            kept = row.species != DFDC or row.item in chosen_forgeries
        elif CONTROL in row.shipping:
            kept = row.item in of_ours
        else:
            kept = row.source in of_dfdc
        if kept:
            yield row


def is_portrait(row: Measured) -> bool:
    """One frontal, level face of a set of portraits."""
    return (
        row.kind in PORTRAIT_SETS
        and row.faces == 1
        and row.yaw is not None
        and row.pitch is not None
        and abs(row.yaw) <= PORTRAIT_YAW_DEGREES
        and abs(row.pitch) <= PORTRAIT_PITCH_DEGREES
    )


def untouched(row: Measured) -> bool:
    """Whether no calibration may be fitted on this row's source.

    Of the clips of stills only some are fitted on: with all of them, the eight people in
    real clips would have no say, and likelihood ratios would rest on faces that do not move.
    """
    if row.kind == "ffpp":
        return False
    left_over = row.shipping == STILL_CLIP and zlib.crc32(row.source.encode()) % STILLS_FITTED
    return bool(left_over) or tenth_of(row.source.partition("/")[2]) == UNTOUCHED_TENTH


def score_table(rows: Iterable[Measured], detector: str, version: str) -> ScoreTable:
    """Measured rows as the score table of one detector."""
    return ScoreTable(
        tuple(
            ScoreRow(
                detector=detector,
                version=version,
                item=row.item,
                source=row.source,
                label=row.label if row.label == MANIPULATED else AS_ISSUED,
                species=row.species,
                shipping=row.shipping,
                status=Status(row.status),
                score=row.score,
            )
            for row in rows
        )
    )
