"""Open a picture: limits before pixels, every conversion said openly."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tidewaiter.errors import CorruptMedia, InputError, LimitExceeded
from tidewaiter.media.attached import attached_notes
from tidewaiter.media.material import Picture, Pixels
from tidewaiter.media.samples import as_rgb, sample_notes
from tidewaiter.media.source import Source, check_dimensions
from tidewaiter.media.truncation import kept_rows
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Text, tr

ORIENTATION_TAG = 0x0112
"""EXIF 2.32, 4.6.4."""


def open_picture(source: Source, limits: Limits, data: bytes) -> Picture:
    """The picture whose whole file is `data`, decoded once.

    `exhibit.notes` says what was converted, cut off or left out. Raises CorruptMedia and
    LimitExceeded; whatever a decoder throws at hostile data becomes one of them.
    """
    with _strict_pillow():
        try:
            return _opened(source, limits, data)
        except InputError:
            raise
        except MemoryError as error:
            raise LimitExceeded(
                f"{source.shown}: decoding asked for more memory than the "
                f"{limits.max_memory_bytes} bytes allowed. Raise limits.max_memory_bytes in the "
                "settings to examine it."
            ) from error
        except Exception as error:  # Decoders throw anything at hostile data.
            raise _corrupt(source, error) from error


def _opened(source: Source, limits: Limits, data: bytes) -> Picture:
    from PIL import Image

    image = _headed(source, data)
    check_dimensions(image.width, image.height, limits, source.shown)
    # From here on Pillow may know the limit, for pictures inside the picture.
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    notes = [*_sequence_notes(image), *sample_notes(image, data)]
    rgb, broken = _pixels(image, source, data)
    orientation, doubt = _orientation(image)
    notes += [*broken, *doubt, *attached_notes(data)]
    height, width = rgb.shape[:2]
    exhibit = source.exhibit(width=width, height=height, notes=notes)
    # A multi-picture JPEG is a JPEG as far as its first picture is concerned.
    return Picture(exhibit, data, source.identity.reader, rgb, orientation)


def _headed(source: Source, data: bytes) -> Any:
    """The picture with its header read and nothing decoded."""
    from PIL import Image

    if source.identity.reader == "HEIF":
        _register_heif()
    return Image.open(io.BytesIO(data), formats=[source.identity.reader])


def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )


@contextmanager
def _strict_pillow() -> Iterator[None]:
    """Pillow strict about truncation and silent; sizes are refused by us, by name."""
    from PIL import Image, ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def _pixels(image: Any, source: Source, data: bytes) -> tuple[Pixels, list[Text]]:
    """RGB as stored, and what to say if the file ends before its picture does."""
    from PIL import ImageFile

    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error) and "broken data stream" not in str(error):
            raise
    else:
        return as_rgb(image), []
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    partial = _headed(source, data)
    rgb = as_rgb(partial)
    first, last = kept_rows(rgb, data, source.identity.reader)
    if last <= first:
        raise CorruptMedia(
            f"{source.shown}: the file ends after {len(data)} bytes, before the first rows of its "
            f"{partial.width} × {partial.height} picture. Ask for the complete file."
        )
    if last - first == partial.height:
        return rgb, [tr("the file ends early; a part of the picture may be filling")]
    return rgb[first:last], [
        tr(
            "the file ends early: rows {first} to {last} of {height} could be decoded and were "
            "examined",
            first=first + 1,
            last=last,
            height=partial.height,
        )
    ]


def _orientation(image: Any) -> tuple[int, list[Text]]:
    """The EXIF orientation, 1 where there is none or where it makes no sense."""
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - any parse failure means the same: unreadable
        return 1, [tr("the EXIF block cannot be read; the picture was taken as upright")]
    if isinstance(value, int) and 1 <= value <= 8:
        return value, []
    return 1, [
        tr(
            "the EXIF orientation is {found}; 1 to 8 exist; the picture was taken as upright",
            found=repr(value)[:40],
        )
    ]


def _sequence_notes(image: Any) -> list[Text]:
    """Several pictures in one file: the first is examined, the others are named."""
    count = _picture_count(image)
    if count < 2:
        return []
    if getattr(image, "is_animated", False) and image.format in {"GIF", "WEBP", "PNG", "AVIF"}:
        return [
            tr("the picture is animated: {count} frames; only the first was examined", count=count)
        ]
    return [
        tr("the file holds {count} pictures; only the first was examined", count=count),
    ]


# A file may chain pictures without end; beyond this many the exact number says nothing more.
MOST_PICTURES_COUNTED = 10_000


def _picture_count(image: Any) -> int:
    return min(int(getattr(image, "n_frames", 1)), MOST_PICTURES_COUNTED)


def _corrupt(source: Source, error: Exception) -> CorruptMedia:
    words = " ".join(str(error).split())[:200]
    if "cannot identify" in words:
        words = "its header breaks the rules of the format"
    return CorruptMedia(
        f"{source.shown}: it begins like {source.identity.what}, but cannot be decoded "
        f"({words or type(error).__name__}). Ask for the file again from where it came."
    )
