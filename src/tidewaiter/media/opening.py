"""From a path to opened material: identify by content, check limits, decode."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tidewaiter.media.material import Media, Picture
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Exhibit, MediaKind


def open_media(path: str | Path, limits: Limits | None = None, *, name: str | None = None) -> Media:
    """Open a picture or video; `name` is what the reader sees (default: the file's name).

    Raises UnsupportedMedia, CorruptMedia, LimitExceeded, UnknownExhibit. Must run in a
    worker that may be killed: third-party decoders can crash on hostile files.
    """
    import io

    import numpy as np
    from PIL import Image

    from tidewaiter.media.video import open_video

    path = Path(path)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    shown = name or path.name
    try:
        image = Image.open(io.BytesIO(data))
    except Exception:  # noqa: BLE001
        return open_video(path, digest, len(data), shown)
    orientation = image.getexif().get(0x0112, 1)
    exhibit = Exhibit(
        sha256=digest,
        byte_length=len(data),
        name=shown,
        kind=MediaKind.PICTURE,
        media_type=Image.MIME.get(image.format or "", "image/unknown"),
        width=image.width,
        height=image.height,
    )
    return Picture(
        exhibit, data, image.format or "", np.asarray(image.convert("RGB")), orientation or 1
    )
