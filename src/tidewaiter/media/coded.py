"""The coded units of a video, picture by picture, without decoding anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tidewaiter.errors import CorruptMedia, LimitExceeded
from tidewaiter.media.container import choose_stream, open_container, reason_of
from tidewaiter.media.files import opened_file, state_of
from tidewaiter.media.nal import UNIT_CODECS, Splitter
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.media.source import Source
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import MediaKind


def unit_codec(path: Path, limits: Limits) -> str:
    """The codec, h264 or hevc, of pictures that come in such units; empty for all else.

    Must run in a worker that may be killed, as `coded_pictures`. Raises CorruptMedia,
    UnsupportedMedia, LimitExceeded, UnknownExhibit or InputError.
    """
    source = _source(path, limits)
    if source.identity.kind is not MediaKind.VIDEO:
        return ""
    with closing(open_container(source, limits)) as container:
        stream = choose_stream(container, source)
        if stream is None:
            return ""
        name = str(stream.codec_context.codec.canonical_name)
    return name if name in UNIT_CODECS else ""


def coded_pictures(path: Path, limits: Limits) -> Iterator[Iterator[bytes]]:
    """The units of every packet of pictures, in file order; each is read before the next.

    Raises CorruptMedia where the file breaks off or lies about a length, LimitExceeded.
    """
    from av.error import FFmpegError

    source = _source(path, limits)
    with closing(open_container(source, limits)) as container:
        stream = choose_stream(container, source)
        context = stream.codec_context
        splitter = Splitter(str(context.codec.canonical_name), bytes(context.extradata or b""))
        count = 0
        try:
            for packet in container.demux(stream):
                count += 1
                if count > limits.max_frames:
                    raise LimitExceeded(
                        f"{source.shown}: more than {limits.max_frames} coded pictures. Raise "
                        "limits.max_frames in the settings to read it."
                    )
                if packet.size:
                    yield splitter.in_order(bytes(packet))
        except FFmpegError as error:
            raise CorruptMedia(
                f"{source.shown}: the file breaks off ({reason_of(error)})"
            ) from error


def _source(path: Path, limits: Limits) -> Source:
    shown = shown_name(path.name or str(path))
    with opened_file(path, limits, shown) as file:
        identity = identify(file.read(HEAD_BYTES), shown)
        state = state_of(path)
    # Nothing here depends on the digest, so the file is not read a second time for it.
    return Source(path, shown, state[2], "", identity, state)
