"""The stored bytes of a video, for measurements that read the container and not the frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tidewaiter.errors import UnknownExhibit
from tidewaiter.media.material import Video


@contextmanager
def stored_bytes(video: Video) -> Iterator[BinaryIO]:
    """The file of `video`, open for reading and seeking; raises UnknownExhibit if it is gone."""
    try:
        stream = Path(video.path).open("rb")  # noqa: SIM115 - closed below; only opening is tried
    except OSError as error:
        raise UnknownExhibit(
            f"{video.exhibit.name}: the file was there and is no longer readable; examine it again"
        ) from error
    with stream:
        yield stream
