"""Read a file of published answers, as text and within limits, without its file names."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tidewaiter.errors import CorruptMedia, InputError, LimitExceeded, UnsupportedMedia
from tidewaiter.evaluation.sources import FloatArray

COLUMNS = ("Src", "Tar", "Src Pred.", "Tar Pred.", "Similarity")
"""What is read; `Filename` holds the authors' own folders and is never kept."""

# The largest published file has 1.7 MB and 5,639 rows, the longest name 30 letters; these
# limits keep a hostile file below 200 MB of memory.
MAX_BYTES = 16 * 1024**2
MAX_ROWS = 100_000
MAX_NAME = 100


@dataclass(frozen=True)
class Answers:
    """The answers of one file, row by row, and the digest of the file."""

    sha256: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    real_named: tuple[str, ...]
    forgery_named: tuple[str, ...]
    similarity: FloatArray


def read_answers(path: Path) -> Answers:
    """Read one file.

    Raises InputError where it is absent, LimitExceeded where it is too large,
    UnsupportedMedia where a column is lacking and CorruptMedia where a row makes no sense.
    """
    content = _content(path)
    rows = list(_rows(path.name, content))
    if not rows:
        raise CorruptMedia(f"{path.name} has a header and no answers; at least one row is needed")
    source, target, real, forgery, similarity = zip(*rows, strict=True)
    return Answers(
        sha256=hashlib.sha256(content).hexdigest(),
        source=source,
        target=target,
        real_named=real,
        forgery_named=forgery,
        similarity=np.array([_number(path.name, *cell) for cell in enumerate(similarity, 2)]),
    )


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"{path.name} is not in the folder")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error
    if len(content) > MAX_BYTES:
        raise LimitExceeded(
            f"{path.name} is larger than {MAX_BYTES // 1024**2} MiB, the most that is read"
        )
    return content


def _rows(name: str, content: bytes) -> Iterator[tuple[str, ...]]:
    try:
        text = content.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(reader, [])
        places = _places(name, header)
        for number, row in enumerate(reader, 2):
            if len(row) != len(header):
                raise CorruptMedia(
                    f"{name}, row {number}: {len(row)} cells; the header has {len(header)}"
                )
            cells = tuple(row[place] for place in places)
            _check_cells(name, number, cells)
            yield cells
    except UnicodeDecodeError as error:
        raise CorruptMedia(f"{name} is not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise CorruptMedia(f"{name} is not a table of comma-separated values ({error})") from error


def _places(name: str, header: list[str]) -> list[int]:
    lacking = [column for column in COLUMNS if header.count(column) != 1]
    if lacking:
        raise UnsupportedMedia(
            f"{name} lacks the column {', '.join(lacking)} (or has it twice); the header "
            f"needs {', '.join(COLUMNS)}"
        )
    return [header.index(column) for column in COLUMNS]


def _check_cells(name: str, number: int, cells: tuple[str, ...]) -> None:
    if number > MAX_ROWS + 1:
        raise LimitExceeded(f"{name} has more than {MAX_ROWS:,} rows, the most that is read")
    if any(len(cell) > MAX_NAME for cell in cells):
        raise CorruptMedia(f"{name}, row {number}: a cell of more than {MAX_NAME} letters")
    if not (cells[0] and cells[1]):
        raise CorruptMedia(f"{name}, row {number}: no person in Src or Tar; both are needed")


def _number(name: str, number: int, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise CorruptMedia(f"{name}, row {number}: the similarity is not a number") from error
    if not 0 <= value <= 100:
        raise CorruptMedia(f"{name}, row {number}: a similarity of {value:g}; 0 to 100 is needed")
    return value
