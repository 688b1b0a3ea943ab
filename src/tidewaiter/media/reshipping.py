"""Send a picture on its way again: the transforms an opinion must survive to be stated.

Each turns an opened picture into the bytes of a new file, always the same for the same
picture. Pixels are taken upright and metadata are dropped, as services that forward
pictures do.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from tidewaiter.media.material import Picture
from tidewaiter.vocabulary import Text, tr

PictureTransform = Callable[[Picture], bytes]

# Quality of a copy saved by an ordinary program after an edit of its geometry.
SAVED_QUALITY = 95
# Enlarging stops here: a copy of more pixels would cost more than the examination itself.
MOST_ENLARGED_PIXELS = 50_000_000
THUMBNAIL_SIDE = 64
# Messengers bring pictures to about this size and quality (handbook of this project, 3.16).
MESSENGER_SIDE = 1600
MESSENGER_QUALITY = 75
CROPPED_SHARE = 0.05
SCREENSHOT_SCALE = 0.75


def recompressed(picture: Picture, quality: int) -> bytes:
    """Saved again as JPEG of the given quality, 4:2:0."""
    return _jpeg(_upright(picture), quality)


def resized(picture: Picture, scale: float) -> bytes:
    """Scaled by `scale` and saved as a JPEG."""
    return _jpeg(_scaled(_upright(picture), scale), SAVED_QUALITY)


def from_thumbnail(picture: Picture) -> bytes:
    """Shrunk to 64 pixels on the long side and enlarged to its former size."""
    image = _upright(picture)
    small = _scaled(image, min(1.0, THUMBNAIL_SIDE / max(image.size)))
    return _jpeg(small.resize(image.size, _bicubic()), SAVED_QUALITY)


def cropped(picture: Picture) -> bytes:
    """One twentieth of each side cut away, half of it at either end."""
    image = _upright(picture)
    left, top = (math.ceil(side * CROPPED_SHARE / 2) for side in image.size)
    box = (left, top, max(image.width - left, left + 1), max(image.height - top, top + 1))
    return _jpeg(image.crop(box), SAVED_QUALITY)


def as_screenshot(picture: Picture) -> bytes:
    """Scaled to three quarters, sharpened and saved without loss, as a screenshot is."""
    from PIL import ImageFilter

    image = _scaled(_upright(picture), SCREENSHOT_SCALE)
    sharpened = image.filter(ImageFilter.UnsharpMask(radius=1, percent=80, threshold=0))
    return _saved(sharpened, "PNG", compress_level=3)


def as_messaged(picture: Picture) -> bytes:
    """Brought to at most 1600 pixels on the long side, JPEG 75, metadata gone."""
    image = _upright(picture)
    return _jpeg(_scaled(image, min(1.0, MESSENGER_SIDE / max(image.size))), MESSENGER_QUALITY)


PICTURE_TRANSFORMS: dict[str, PictureTransform] = {
    "jpeg_90": partial(recompressed, quality=90),
    "jpeg_70": partial(recompressed, quality=70),
    "jpeg_40": partial(recompressed, quality=40),
    "half_size": partial(resized, scale=0.5),
    "double_size": partial(resized, scale=2.0),
    "from_thumbnail": from_thumbnail,
    "crop": cropped,
    "screenshot": as_screenshot,
    "messenger": as_messaged,
}
"""The battery for pictures, by the name that the report's stability table uses."""

TRANSFORM_LABELS: dict[str, Text] = {
    "jpeg_90": tr("saved again as JPEG, quality 90"),
    "jpeg_70": tr("saved again as JPEG, quality 70"),
    "jpeg_40": tr("saved again as JPEG, quality 40"),
    "half_size": tr("reduced to half its size"),
    "double_size": tr("enlarged to twice its size"),
    "from_thumbnail": tr("enlarged from a thumbnail of 64 pixels"),
    "crop": tr("5 % cut off each dimension"),
    "screenshot": tr("taken as a screenshot"),
    "messenger": tr("sent through a messenger"),
    "crf_28": tr("encoded again, good quality (CRF 28)"),
    "crf_35": tr("encoded again, poor quality (CRF 35)"),
    "half_rate": tr("every second frame dropped"),
    "grey": tr("turned to black and white"),
    "remux": tr("copied into another container"),
}
"""What each transform does, for readers; videos share names with pictures where they can."""


def _upright(picture: Picture) -> Any:
    from PIL import Image

    return Image.fromarray(picture.upright)


def _scaled(image: Any, scale: float) -> Any:
    from PIL import Image

    room = math.sqrt(MOST_ENLARGED_PIXELS / (image.width * image.height))
    scale = min(scale, max(1.0, room))
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _bicubic() -> Any:
    from PIL import Image

    return Image.Resampling.BICUBIC


def _jpeg(image: Any, quality: int) -> bytes:
    return _saved(image, "JPEG", quality=quality, subsampling="4:2:0")


def _saved(image: Any, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
