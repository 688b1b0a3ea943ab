"""Open an exhibit: find what it is from its content and hand out its pixels or frames."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tidewaiter.errors import LimitExceeded
from tidewaiter.media.files import digest_of, opened_file, read_all, state_of
from tidewaiter.media.material import Media, Unexamined
from tidewaiter.media.picture import open_picture
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.media.source import Source
from tidewaiter.media.video import open_video
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import MediaKind

PICTURE_MEMORY_SHARE = 4
"""A picture's file is held in memory beside its pixels; it may take one part in this many."""


def open_media(path: str | Path, limits: Limits | None = None, *, name: str | None = None) -> Media:
    """Open a picture or video; `name` is what the reader sees (default: the file's name).

    Sound and documents come back as `Unexamined`. Raises UnsupportedMedia, CorruptMedia,
    LimitExceeded, UnknownExhibit or a plain InputError, each one sentence that says what
    was found. Must run in a worker that may be killed: third-party decoders can crash on
    hostile files, and a limit on memory needs the operating system.
    """
    limits, path = limits or Limits(), Path(path)
    shown = shown_name(name or path.name or str(path))
    with opened_file(path, limits, shown) as file:
        identity = identify(file.read(HEAD_BYTES), shown)
        state = state_of(path)
        length = state[2]
        if identity.kind is MediaKind.PICTURE:
            _check_picture_file(length, limits, shown)
            data = read_all(file, shown)
            digest = hashlib.sha256(data).hexdigest()
            return open_picture(Source(path, shown, length, digest, identity), limits, data)
        source = Source(path, shown, length, digest_of(file, shown), identity, state)
        if identity.kind is MediaKind.VIDEO:
            return open_video(source, limits)
    return Unexamined(source.exhibit(), identity.what)


def _check_picture_file(length: int, limits: Limits, shown: str) -> None:
    allowed = limits.max_memory_bytes // PICTURE_MEMORY_SHARE
    if length > allowed:
        raise LimitExceeded(
            f"{shown}: found a picture file of {length} bytes; at most {allowed} (a quarter of "
            "limits.max_memory_bytes) can be held. Raise that setting to examine it."
        )
