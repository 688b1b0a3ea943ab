"""Everything a file says about itself besides its pixels, in one trace per kind of material."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, BinaryIO

from tidewaiter.media import Picture, Video
from tidewaiter.media.stored import stored_bytes
from tidewaiter.traces.base import PictureTrace, Traces, VideoTrace
from tidewaiter.traces.encoder_marks import EncoderMarks, read_encoder_marks
from tidewaiter.traces.exif import Exif, read_exif
from tidewaiter.traces.generation import generated_source, names_generator
from tidewaiter.traces.heif_items import is_heif, read_heif
from tidewaiter.traces.jpeg_segments import JpegLayout, TableQuality, read_jpeg, table_quality
from tidewaiter.traces.matroska import MatroskaLayout, read_matroska
from tidewaiter.traces.mp4_boxes import Mp4Layout, read_mp4
from tidewaiter.traces.png_chunks import SIGNATURE as PNG_SIGNATURE
from tidewaiter.traces.png_chunks import PngLayout, read_png
from tidewaiter.traces.riders import Photoshop, profile_name, read_photoshop
from tidewaiter.traces.riff_chunks import RiffLayout, read_riff
from tidewaiter.traces.software import names_editor
from tidewaiter.traces.thumbnails import ThumbnailMatch, compare_thumbnail
from tidewaiter.traces.trailing import Trailing, read_trailing
from tidewaiter.traces.xmp import Xmp, read_xmp
from tidewaiter.vocabulary import Text


@dataclass(frozen=True)
class PictureFacts:
    """What a picture file says; a part that is absent is None.

    `width` and `height` are those of the pixels. `texts` are (keyword, words) of PNG.
    """

    width: int
    height: int
    jpeg: JpegLayout | None = None
    table_quality: TableQuality | None = None
    png: PngLayout | None = None
    exif: Exif | None = None
    xmp: Xmp | None = None
    photoshop: Photoshop | None = None
    profile: str = ""
    thumbnail: ThumbnailMatch | None = None
    trailing: Trailing | None = None
    problems: tuple[Text, ...] = ()

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Words beside the pixels, by keyword."""
        return self.png.texts if self.png else ()

    @property
    def camera(self) -> str:
        """Maker and model that the EXIF names, or an empty string."""
        return f"{self._exif('make')} {self._exif('model')}".strip()

    @property
    def editor(self) -> str:
        """The first editing program that the file names, or an empty string."""
        named = [self._exif("software"), self._xmp("xmp:CreatorTool"), self._xmp("tiff:Software")]
        named += [event.software for event in (self.xmp.history if self.xmp else ())]
        named += [words for keyword, words in self.texts if keyword in ("Software", "Comment")]
        return next((words for words in named if names_editor(words)), "")

    @property
    def states_generation(self) -> bool:
        """Whether the file says of itself that an image generator made it or part of it."""
        named = [self._exif("software"), self._exif("make")]
        named += [self._xmp(key) for key in ("xmp:CreatorTool", "photoshop:Credit")]
        named += [words for keyword, words in self.texts if keyword in ("Software", "Source")]
        return (
            bool(self.png and self.png.recipes)
            or bool(self.exif and self.exif.recipe)
            or bool(self._xmp("Iptc4xmpExt:AISystemUsed"))
            or generated_source(self._xmp("Iptc4xmpExt:DigitalSourceType"))
            or any(names_generator(words) for words in named)
        )

    def _exif(self, name: str) -> str:
        return self.exif.texts.get(name, "") if self.exif else ""

    def _xmp(self, name: str) -> str:
        return self.xmp.values.get(name, "") if self.xmp else ""


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says; exactly the layout of its container is not None, if any is."""

    byte_length: int
    marks: EncoderMarks
    mp4: Mp4Layout | None = None
    matroska: MatroskaLayout | None = None
    riff: RiffLayout | None = None
    xmp: Xmp | None = None
    problems: tuple[Text, ...] = ()


class PictureFileFacts(PictureTrace):
    """EXIF, XMP, IPTC, tables, segments, thumbnail and trailing bytes of a picture file."""

    name = "file.facts"

    def measure(self, picture: Picture, earlier: Traces) -> Any:  # noqa: ARG002 - contract
        """PictureFacts; parts that cannot be read are named in its `problems`."""
        return _picture_facts(picture)


class VideoFileFacts(VideoTrace):
    """Boxes, chunks, encoder names and times of a video file; decodes nothing."""

    name = "file.facts"

    def begin(self, video: Video) -> None:
        """Read the container; the frames that follow are not needed."""
        with stored_bytes(video) as stream:
            self._facts = read_video_facts(stream, video.exhibit.byte_length)

    def result(self, earlier: Traces) -> Any:  # noqa: ARG002 - contract
        """VideoFacts."""
        return self._facts


def read_video_facts(stream: BinaryIO, byte_length: int) -> VideoFacts:
    """Read the container of a seekable stream; never raises for what the bytes say."""
    head = stream.read(16)
    mp4 = matroska = riff = None
    media_offset = 0
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        mp4 = read_mp4(stream, byte_length)
        media_offset = mp4.media_offset or 0
    elif head.startswith(b"\x1a\x45\xdf\xa3"):
        matroska = read_matroska(stream, byte_length)
    elif head.startswith((b"RIFF", b"RF64")):
        riff = read_riff(stream, byte_length)
    packet = mp4.xmp if mp4 else riff.xmp if riff else None
    xmp = read_xmp(packet) if packet else None
    parts = (mp4, matroska, riff, xmp)
    return VideoFacts(
        byte_length=byte_length,
        marks=read_encoder_marks(stream, media_offset),
        mp4=mp4,
        matroska=matroska,
        riff=riff,
        xmp=xmp,
        problems=tuple(problem for part in parts if part for problem in part.problems),
    )


@dataclass(frozen=True)
class _Payloads:
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    photoshop: bytes | None = None
    end: int | None = None
    problems: tuple[Text, ...] = ()


def _picture_facts(picture: Picture) -> PictureFacts:
    data = picture.data
    jpeg = read_jpeg(data) if data.startswith(b"\xff\xd8") else None
    png = read_png(data) if data.startswith(PNG_SIGNATURE) else None
    payloads = _payloads(data, jpeg, png)
    exif = read_exif(payloads.exif) if payloads.exif else None
    xmp = read_xmp(payloads.xmp) if payloads.xmp else None
    photoshop = read_photoshop(payloads.photoshop) if payloads.photoshop else None
    parts = (payloads, exif, xmp, photoshop)
    return PictureFacts(
        width=picture.rgb.shape[1],
        height=picture.rgb.shape[0],
        jpeg=jpeg,
        table_quality=table_quality(jpeg.tables) if jpeg else None,
        png=png,
        exif=exif,
        xmp=xmp,
        photoshop=photoshop,
        profile=profile_name(payloads.icc) if payloads.icc else "",
        thumbnail=compare_thumbnail(exif.thumbnail, picture) if exif and exif.thumbnail else None,
        trailing=read_trailing(data, payloads.end),
        problems=tuple(problem for part in parts if part for problem in part.problems),
    )


def _payloads(data: bytes, jpeg: JpegLayout | None, png: PngLayout | None) -> _Payloads:
    """Where each format keeps its metadata, and where it ends."""
    if jpeg:
        return _Payloads(jpeg.exif, jpeg.xmp, jpeg.icc, jpeg.photoshop, jpeg.end, jpeg.problems)
    if png:
        return _Payloads(png.exif, png.xmp, png.icc, None, png.end, png.problems)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _Payloads(exif=data)
    if is_heif(data):
        items = read_heif(data)
        return _Payloads(exif=items.exif, xmp=items.xmp, problems=items.problems)
    if data[:4] == b"RIFF":
        riff = read_riff(io.BytesIO(data), len(data))
        exif = riff.exif.removeprefix(b"Exif\0\0") if riff.exif else None
        return _Payloads(exif, riff.xmp, riff.icc, None, riff.end, riff.problems)
    return _Payloads()
