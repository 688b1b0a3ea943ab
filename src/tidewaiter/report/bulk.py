"""Turn the evidence of a report into pictures, named by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.report import drawing
from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.vocabulary import Evidence, Exhibit, Finding, HeatMap, Regions, Report

Frames = Mapping[float, Pixels]
"""Upright frames of a video by their time in seconds."""


def finish_evidence(
    report: Report, traces: Traces, pixels: Pixels | Frames, orientation: int = 1
) -> tuple[Report, dict[str, bytes]]:
    """The report with the digest of every drawn picture, and the PNG files by digest.

    `pixels` is the picture as stored (H x W x 3, RGB), or for a video the frames at
    `frames_needed`. Evidence whose array or frame is missing keeps no digest; the page
    then says that there is no picture, with its places in numbers.
    """
    pictures: dict[str, bytes] = {}
    source = _Source(report.exhibit, pixels, orientation)

    def finished(finding: Finding) -> Finding:
        evidence = tuple(
            _finish(item, finding, traces, source, pictures) for item in finding.evidence
        )
        return finding.model_copy(update={"evidence": evidence})

    findings = tuple(finished(finding) for finding in report.findings)
    return report.model_copy(update={"findings": findings}), pictures


def frames_needed(report: Report) -> tuple[float, ...]:
    """Times in seconds of the frames that `finish_evidence` draws on, each once, in order."""
    items = (item for finding in report.findings for item in finding.evidence)
    times = {item.time_s for item in items if isinstance(item, Regions)}
    return tuple(sorted(time for time in times if time is not None))


class _Source:
    """Hands out grounds, each made once: a report has many maps over one picture."""

    def __init__(self, exhibit: Exhibit, pixels: Pixels | Frames, orientation: int) -> None:
        self._exhibit = exhibit
        self._pixels = pixels
        self._orientation = orientation
        self._made: dict[float | None, drawing.Ground | None] = {}

    def ground(self, time_s: float | None) -> drawing.Ground | None:
        if time_s not in self._made:
            self._made[time_s] = self._make(time_s)
        return self._made[time_s]

    def _make(self, time_s: float | None) -> drawing.Ground | None:
        if isinstance(self._pixels, np.ndarray):
            height, width = self._pixels.shape[:2]
            return drawing.ground(self._pixels, width, height, self._orientation)
        frame = self._pixels.get(time_s) if time_s is not None else None
        width, height = self._exhibit.width, self._exhibit.height
        if frame is None:
            plain = time_s is None and width is not None and height is not None
            return drawing.blank(width or 1, height or 1) if plain else None
        rows, columns = frame.shape[:2]
        width, height = width or columns, height or rows
        if (width > height) != (columns > rows):
            # The frame is upright, the exhibit's size is as stored.
            width, height = height, width
        return drawing.ground(frame, width, height)


def _finish(
    item: Evidence, finding: Finding, traces: Traces, source: _Source, pictures: dict[str, bytes]
) -> Evidence:
    png: bytes | None = None
    if isinstance(item, HeatMap):
        on = source.ground(_time_of(finding)) or source.ground(None)
        png = _drawn_map(item, on, traces)
    elif isinstance(item, Regions):
        png = _drawn_boxes(item, source.ground(item.time_s))
    if png is None:
        return item
    digest = hashlib.sha256(png).hexdigest()
    pictures[digest] = png
    return item.model_copy(update={"sha256": digest})


def _time_of(finding: Finding) -> float | None:
    """The frame a video's map is drawn over: that of the finding's first regions."""
    regions = (item.time_s for item in finding.evidence if isinstance(item, Regions))
    return next((time for time in regions if time is not None), None)


def _drawn_map(item: HeatMap, on: drawing.Ground | None, traces: Traces) -> bytes | None:
    values = _array(traces, item.trace, item.field)
    if on is None or values is None:
        return None
    return drawing.heat_map(on, values, (item.low, item.high), item.area, item.regions)


def _array(traces: Traces, trace: str, field: str) -> NDArray[Any] | None:
    taken = traces.get(trace)
    values = None if isinstance(taken, Untaken) else getattr(taken, field, None)
    return values if isinstance(values, np.ndarray) and values.ndim == 2 and values.size else None


def _drawn_boxes(item: Regions, on: drawing.Ground | None) -> bytes | None:
    linked = {index for pair in item.pairs for index in pair}
    if on is None or any(not 0 <= index < len(item.boxes) for index in linked):
        return None
    return drawing.boxes(on, item.boxes, item.pairs)
