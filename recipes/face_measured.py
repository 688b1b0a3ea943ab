"""What was measured of every picture and clip: one row each, and its file."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One item: what is known of it, what the product said, and what was measured beside.

    `score` is the detector's and absent where it declined; `network` is the network's on the
    best face (of a clip: the detector's aggregate) also outside the gates; `looks_mean` is
    the plain mean over a clip's longest track, `gap` how far two looks at a picture differ.
    Places and sizes are in pixels of the item;
    `heat_inside` and `mask_share` compare the heat map with the known mask of a forgery of
    ours.
    """

    item: str
    source: str
    kind: str
    part: str
    label: str
    species: str
    shipping: str
    status: str
    score: float | None = None
    network: float | None = None
    looks_mean: float | None = None
    gap: float | None = None
    side: float | None = None
    yaw: float | None = None
    pitch: float | None = None
    presence: float | None = None
    sharpness: float | None = None
    outside: float | None = None
    face_contrast: float | None = None
    face_brightness: float | None = None
    faces: float | None = None
    heat_inside: float | None = None
    mask_share: float | None = None
    byte_length: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    detail: float | None = None
    black: float | None = None
    colour: float | None = None


COLUMNS = tuple(field.name for field in fields(Measured))
TEXTS = COLUMNS[:8]
DIGITS = 5


def write_measured(path: Path, rows: Iterable[Measured]) -> None:
    """Rows as compressed CSV, the same bytes for the same rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in sorted(rows, key=lambda entry: (entry.item, entry.shipping)):
        writer.writerow({name: _short(value) for name, value in asdict(row).items()})
    write_compressed(path, out.getvalue())


def read_measured(path: Path) -> list[Measured]:
    """What `write_measured` wrote."""
    text = gzip.decompress(path.read_bytes()).decode()
    return [
        Measured(**{name: _read(name, value) for name, value in row.items()})
        for row in csv.DictReader(io.StringIO(text))
    ]


def write_compressed(path: Path, text: str) -> None:
    """Text as gzip without a time stamp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(text.encode())
    path.write_bytes(buffer.getvalue())


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _read(name: str, value: str) -> Any:
    if name in TEXTS:
        return value
    return float(value) if value else None
