"""How strongly a picture file is compressed, as far as its format says."""

from __future__ import annotations

from dataclasses import dataclass

from tidewaiter.media import Picture
from tidewaiter.traces.jpeg_segments import read_jpeg, table_quality

# Formats whose usual form keeps every pixel. WebP, HEIC, AVIF and JPEG 2000 may or may not.
LOSSLESS_FORMATS = frozenset({"PNG", "BMP", "TIFF"})


@dataclass(frozen=True)
class Compression:
    """Format of the file and, for JPEG, the nearest IJG quality (1..100)."""

    format: str
    quality: int | None = None

    @property
    def lossless(self) -> bool:
        """Whether the format keeps every pixel."""
        return self.format in LOSSLESS_FORMATS

    def at_least(self, quality: int) -> bool:
        """Whether no more was lost than by a JPEG of this quality."""
        return self.lossless or (self.quality is not None and self.quality >= quality)


def compression_of(picture: Picture) -> Compression:
    """What the file's own format and tables say; nothing of earlier compressions."""
    if not picture.data.startswith(b"\xff\xd8\xff"):
        return Compression(picture.format.upper())
    quality = table_quality(read_jpeg(picture.data).tables)
    return Compression("JPEG", quality.quality if quality else None)
