"""The quantised luma coefficients of a JPEG file, as they lie in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.block_dct import BLOCK, Plane, plane_from_coefficients
from tidewaiter.traces.jpeg_segments import JpegLayout, read_jpeg, table_quality
from tidewaiter.vocabulary import Status, Text, tr

JPEG_START = b"\xff\xd8\xff"

# ITU-T T.81 table B.1: baseline, extended and progressive Huffman frames.
READABLE_FRAMES = {"SOF0": "baseline", "SOF1": "extended", "SOF2": "progressive"}

# libjpeg's numbers for colour spaces (J_COLOR_SPACE).
GREYSCALE, YCBCR = 1, 3


@dataclass(frozen=True)
class JpegCoefficients:
    """Quantised luma of a JPEG file.

    `quantised` is (block rows, block columns, 8, 8), int16, and covers the picture to the
    right and bottom edge; `table` is 8 x 8 in the same (vertical, horizontal) order.
    `quality` is the nearest IJG quality, `own_table` says that the tables only come near.
    """

    quantised: NDArray[np.int16]
    table: NDArray[np.int32]
    height: int
    width: int
    sampling: tuple[str, ...]
    progressive: bool
    quality: int
    own_table: bool

    @cached_property
    def luma(self) -> Plane:
        """Decoded luma, height x width, rounded, 0..255; free of chroma and colour rounding."""
        return plane_from_coefficients(self.quantised, self.table, (self.height, self.width))

    @property
    def quality_label(self) -> str:
        """The quality as shown to a reader, "≈" before it where the tables are not IJG's."""
        return f"≈{self.quality}" if self.own_table else str(self.quality)


class JpegCoefficientsTrace(PictureTrace):
    """Reads coefficients and tables of greyscale and YCbCr JPEG files of 8 bits."""

    name: ClassVar[str] = "jpeg.coefficients"

    def measure(
        self,
        picture: Picture,
        earlier: Traces,  # noqa: ARG002 - needs nothing taken before
    ) -> JpegCoefficients | Untaken:
        """The coefficients; `Untaken` for other formats, colour models and cut-off files."""
        data = picture.data
        if not data.startswith(JPEG_START):
            return _not_for(
                tr("the file is {found}; a JPEG file is needed", found=picture.format or "?")
            )
        layout = read_jpeg(data)
        unreadable = _unreadable(layout)
        if unreadable is not None:
            return _not_for(unreadable)
        try:
            with _as_file(data) as path:
                return _read(path, layout)
        except (RuntimeError, ValueError) as error:
            return _not_for(tr("the JPEG library reports: {problem}", problem=str(error)))


def _not_for(reason: Text) -> Untaken:
    return Untaken(Status.NOT_APPLICABLE, reason)


def _unreadable(layout: JpegLayout) -> Text | None:
    """Why a file is not handed to the library, judged from its markers."""
    frames = [segment.name for segment in layout.segments if segment.name.startswith("SOF")]
    if len(frames) != 1 or frames[0] not in READABLE_FRAMES:
        return tr(
            "the JPEG file has the frames {found}; one baseline or progressive frame is needed",
            found=", ".join(frames) or "–",
        )
    if layout.end is None:
        return tr("the JPEG file ends before its picture does; a whole file is needed")
    if len(layout.sampling) not in (1, 3):
        return tr(
            "the JPEG file has {found} colour components; 1 or 3 are needed",
            found=len(layout.sampling),
        )
    # Luma at less than full resolution is legal and has no grid of 8 pixels.
    factors = [tuple(int(n) for n in text.split("x")) for text in layout.sampling]
    if any(factors[0][axis] < other[axis] for other in factors for axis in (0, 1)):
        return tr("luma is stored at less than full resolution; full resolution is needed")
    if not layout.tables:
        return tr("the JPEG file holds no quantisation table; one is needed")
    return None


def _read(path: str, layout: JpegLayout) -> JpegCoefficients | Untaken:
    import jpegio

    file = jpegio.read(path)
    if file.data_precision != 8:
        return _not_for(tr("{found} bits a sample; 8 are needed", found=int(file.data_precision)))
    if file.jpeg_color_space not in (GREYSCALE, YCBCR):
        return _not_for(tr("the JPEG file stores RGB or CMYK; luma and chroma are needed"))
    table = _luma_table(file, layout)
    if table is None:
        return _not_for(tr("the quantisation table of luma is missing or invalid"))
    coefficients = file.coef_arrays[0]
    rows, columns = coefficients.shape[0] // BLOCK, coefficients.shape[1] // BLOCK
    blocks = coefficients.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3)
    nearest = table_quality(layout.tables)
    return JpegCoefficients(
        quantised=np.clip(blocks, -32768, 32767).astype(np.int16),
        table=table,
        height=int(file.image_height),
        width=int(file.image_width),
        sampling=layout.sampling,
        progressive=layout.progressive,
        quality=nearest.quality if nearest else 0,
        own_table=not (nearest and nearest.exact),
    )


def _luma_table(file: Any, layout: JpegLayout) -> NDArray[np.int32] | None:
    """Luma's table. The library lists tables without their slots, so count the slots here."""
    slots = [slot for slot, _ in layout.tables]
    wanted = file.comp_info[0].quant_tbl_no
    if wanted not in slots or len(slots) != len(file.quant_tables):
        return None
    table = np.array(file.quant_tables[slots.index(wanted)], dtype=np.int32)
    return table if table.min() >= 1 else None


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path under which the library finds the bytes: in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("picture")
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture.jpg")  # noqa: PTH118 - the library wants a string
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
        yield path
