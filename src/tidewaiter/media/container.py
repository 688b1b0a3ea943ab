"""Open a container with FFmpeg so that it can touch nothing but the one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidewaiter.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from tidewaiter.media.source import Source
from tidewaiter.settings import Limits

# Decoders a customs exhibit may need; hundreds of others in the library are never run on
# material from outside. Names are FFmpeg's decoders, not codecs.
DECODERS = frozenset(
    {"h264", "hevc", "vvc", "vp8", "libvpx", "vp9", "libvpx-vp9", "libdav1d", "av1", "mjpeg"}
    | {"mpeg4", "mpeg2video", "mpeg1video", "mpegvideo", "h263", "msmpeg4v1", "msmpeg4v2"}
    | {"msmpeg4", "wmv1", "wmv2", "theora", "prores", "dnxhd", "rawvideo", "ffv1", "huffyuv"}
    | {"ffvhuff", "utvideo", "magicyuv", "cinepak", "msvideo1", "dvvideo", "svq3", "png"}
)


# Decoders of sound, for comparing recordings; as few as cameras, phones and messengers write.
SOUND_DECODERS = frozenset(
    {"aac", "aac_latm", "mp3", "mp3float", "mp2", "opus", "vorbis", "flac", "alac", "ac3", "eac3"}
    | {"amrnb", "amrwb", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_u8", "pcm_f32le"}
    | {"pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav", "g726", "gsm_ms"}
)


def open_container(source: Source, limits: Limits, decoders: frozenset[str] = DECODERS) -> Any:
    """The open container of `source`; raises CorruptMedia or LimitExceeded.

    The demuxer is the one the content asks for: playlists and other formats that name
    further files are never tried, and no protocol but `file` is allowed.
    """
    import av

    try:
        return av.open(
            f"file:{Path(source.path).absolute()}",
            format=source.identity.reader,
            options={"max_pixels": str(limits.max_pixels), "threads": "1"},
            container_options={
                "protocol_whitelist": "file",
                "codec_whitelist": ",".join(sorted(decoders)),
            },
            metadata_errors="replace",
        )
    except MemoryError as error:
        raise out_of_memory(source, limits) from error
    except (av.error.FFmpegError, ValueError, OverflowError, RuntimeError) as error:
        raise CorruptMedia(
            f"{source.shown}: it begins like {source.identity.what}, but its structure cannot be "
            f"read ({reason_of(error)}). Ask for the file again from where it came."
        ) from error


def choose_stream(container: Any, source: Source) -> Any:
    """The largest video stream (then the default, then the first); None if there is only sound.

    Raises CorruptMedia where there is neither, UnsupportedMedia for an unknown codec.
    """
    from av.stream import Disposition

    streams = moving_streams(container)
    if not streams and (container.streams.audio or container.streams.video):
        return None
    if not streams:
        raise CorruptMedia(
            f"{source.shown}: found {source.identity.what} without any stream of pictures or "
            "sound. Ask for the file again from where it came."
        )
    known = [s for s in streams if s.codec_context and s.codec_context.codec.name in DECODERS]
    if not known:
        names = ", ".join(s.codec_context.name if s.codec_context else "unknown" for s in streams)
        raise UnsupportedMedia(
            f"{source.shown}: found video in the codec {names}; needed H.264, HEVC, VP8, VP9, "
            "AV1, MJPEG or MPEG. Ask for the recording in its original format."
        )
    return max(
        known,
        key=lambda s: (
            (s.codec_context.width or 0) * (s.codec_context.height or 0),
            bool(s.disposition & Disposition.default),
            -s.index,
        ),
    )


def moving_streams(container: Any) -> list[Any]:
    """The streams of moving pictures; a cover is none."""
    from av.stream import Disposition

    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def reason_of(error: BaseException) -> str:
    """The library's own words for an error, short and on one line."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(words).split())[:200]


def out_of_memory(source: Source, limits: Limits) -> LimitExceeded:
    """The refusal for material that asks for more memory than the worker may have."""
    return LimitExceeded(
        f"{source.shown}: decoding asked for more memory than the {limits.max_memory_bytes} "
        "bytes allowed. Raise limits.max_memory_bytes in the settings to examine it."
    )
