"""Take the manifest of a recording; one that cannot be played is still named by its digest."""

from __future__ import annotations

from pathlib import Path

from tidewaiter.custody.manifest import Manifest
from tidewaiter.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from tidewaiter.media.files import digest_of, opened_file
from tidewaiter.media.recording import open_recording
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.settings import Limits
from tidewaiter.traces.fingerprints import ClockBox, fingerprints_of

UNKNOWN_MEDIA_TYPE = "application/octet-stream"


def take_manifest(
    path: Path, limits: Limits, *, name: str | None = None, clock: ClockBox = ()
) -> Manifest:
    """The manifest of a file, in one decode; run it in a worker that may be killed.

    Material that is no video, is broken or beyond a limit gives a manifest without
    fingerprints that says why. Raises UnknownExhibit or InputError where there is no such file.
    """
    try:
        recording = open_recording(path, limits, name=name)
        prints = fingerprints_of(recording, clock)
    except (UnsupportedMedia, CorruptMedia, LimitExceeded) as error:
        return bare_manifest(path, limits, str(error), name=name)
    source = recording.source
    width, height = recording.size
    return Manifest(
        sha256=source.sha256,
        byte_length=source.byte_length,
        media_type=source.identity.media_type,
        name=source.shown,
        codec=recording.codec,
        width=width,
        height=height,
        fps=round(recording.nominal_fps or 0.0, 6),
        sound_codec=recording.sound_codec,
        sound_rate=recording.sound_rate,
        clock=clock,
        prints=prints,
    )


def bare_manifest(path: Path, limits: Limits, reason: str, *, name: str | None = None) -> Manifest:
    """A manifest that stands for the bytes alone and says why; no decoder is run.

    The limit on bytes does not apply: what is handed in is recorded whatever its size.
    """
    shown = shown_name(name or path.name or str(path))
    unlimited = limits.model_copy(update={"max_bytes": max(limits.max_bytes, 1 << 62)})
    with opened_file(path, unlimited, shown) as file:
        try:
            media_type = identify(file.read(HEAD_BYTES), shown).media_type
        except UnsupportedMedia:
            media_type = UNKNOWN_MEDIA_TYPE
        digest = digest_of(file, shown)
        length = file.tell()
    return Manifest(digest, length, media_type, shown, reason=reason)
