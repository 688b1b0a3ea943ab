"""Send a video on its way again: the transforms an opinion must survive to be stated.

Each writes a new file from the first seconds of a video, always the same bytes for the
same video. Frames are re-encoded with H.264 in one thread; times and rotation are kept,
sound is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.errors import UnsupportedMedia
from tidewaiter.media.clock import USUAL_FPS
from tidewaiter.media.container import choose_stream, open_container, reason_of
from tidewaiter.media.frames import AvFrame
from tidewaiter.media.opening import open_media
from tidewaiter.media.planes import plane_of
from tidewaiter.media.reshipping import CROPPED_SHARE
from tidewaiter.media.video import AvVideo

VideoTransform = Callable[..., None]

MAX_SECONDS = 20.0
"""How much of a video is re-shipped unless asked otherwise."""

# x264's own default, the usual result of "export".
USUAL_CRF = 23
# Messengers bring videos to about this size and quality.
MESSENGER_SIDE = 848
MESSENGER_CRF = 30
# The 90 kHz clock of MPEG systems (ISO/IEC 13818-1, 2.4.2) resolves every usual rate.
TICKS_PER_SECOND = 90_000
NEUTRAL_CHROMA = 128

# x264's macroblock tree gave narrow videos (98 × 66) other bytes from run to run even in
# one thread; without it repeated encodings are alike, which the tests check.
ENCODER_OPTIONS = {"preset": "fast", "x264-params": "mbtree=0"}


@dataclass(frozen=True)
class Recipe:
    """What happens to the frames before they are encoded again."""

    crf: int = USUAL_CRF
    scale: float = 1.0
    longest_side: int | None = None
    every: int = 1
    cropped: bool = False
    grey: bool = False


def reencoded(
    video_path: str | Path,
    out_path: str | Path,
    max_seconds: float = MAX_SECONDS,
    *,
    recipe: Recipe,
) -> None:
    """The first `max_seconds` of a video, encoded again as MP4 after `recipe`.

    Raises what `open_media` raises; UnsupportedMedia where the file is not a video.
    """
    import av

    video = _opened(video_path)
    with av.open(str(out_path), "w", format="mp4") as output:
        writer: _Writer | None = None
        for frame in _frames(video, max_seconds, recipe.every):
            writer = writer or _Writer(output, video, frame.decoded(), recipe)
            writer.write(frame)
        if writer:
            writer.finish()


def remuxed(video_path: str | Path, out_path: str | Path, max_seconds: float = MAX_SECONDS) -> None:
    """The first `max_seconds` of the stream copied packet by packet into Matroska."""
    import av
    from av.error import FFmpegError

    video = _opened(video_path)
    source = open_container(video.source, video.limits)
    try:
        with av.open(str(out_path), "w", format="matroska") as output:
            stream = choose_stream(source, video.source)
            copy = output.add_stream_from_template(stream)
            for packet in _packets(source, stream, max_seconds):
                packet.stream = copy
                output.mux(packet)
    except FFmpegError as error:
        raise UnsupportedMedia(
            f"{video.exhibit.name}: the stream cannot be copied into another container "
            f"({reason_of(error)}); packets without time stamps cannot. Leave this transform out."
        ) from error
    finally:
        source.close()


VIDEO_TRANSFORMS: dict[str, VideoTransform] = {
    "crf_28": partial(reencoded, recipe=Recipe(crf=28)),
    "crf_35": partial(reencoded, recipe=Recipe(crf=35)),
    "half_size": partial(reencoded, recipe=Recipe(scale=0.5)),
    "half_rate": partial(reencoded, recipe=Recipe(every=2)),
    "crop": partial(reencoded, recipe=Recipe(cropped=True)),
    "grey": partial(reencoded, recipe=Recipe(grey=True)),
    "messenger": partial(reencoded, recipe=Recipe(crf=MESSENGER_CRF, longest_side=MESSENGER_SIDE)),
    "remux": remuxed,
}
"""The battery for videos: `(video_path, out_path, max_seconds)`, by name."""


class _Writer:
    """An H.264 encoder whose frames come in as decoded and go out after the recipe."""

    def __init__(self, output: Any, video: AvVideo, first: Any, recipe: Recipe) -> None:
        self._recipe = recipe
        width, height = self._scaled = _even(*_scaled_size(first, recipe))
        self._cut = (0, 0)
        if recipe.cropped:
            left, top = (math.ceil(side * CROPPED_SHARE / 2) for side in (width, height))
            self._cut = _even(left, top, least=0)
        self._size = _even(width - 2 * self._cut[0], height - 2 * self._cut[1])
        self._output = output
        rate = Fraction(video.nominal_fps or USUAL_FPS).limit_denominator(1001) / recipe.every
        options = {"crf": str(recipe.crf), **ENCODER_OPTIONS}
        self._stream = output.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.thread_count = 1
        context.time_base = Fraction(1, TICKS_PER_SECOND)
        context.colorspace, context.color_range = first.colorspace, first.color_range
        if video.rotation_degrees:
            self._stream.set_display_rotation(-video.rotation_degrees)
        self._last = -1

    def write(self, frame: AvFrame) -> None:
        """Encode one frame at its own time, later than the one before."""
        picture = self._pictured(frame.decoded())
        self._last = max(self._last + 1, round(frame.time_s * TICKS_PER_SECOND))
        picture.pts, picture.time_base = self._last, Fraction(1, TICKS_PER_SECOND)
        # Let the encoder choose: a forced type would carry the old structure over.
        picture.pict_type = 0
        self._output.mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Encode what the encoder still holds."""
        self._output.mux(self._stream.encode(None))

    def _pictured(self, source: Any) -> Any:
        import av

        width, height = self._scaled
        # One thread: with more, FFmpeg's scaler gave different pixels from run to run.
        scaled = source.reformat(width=width, height=height, format="yuv420p", threads=1)
        if not (self._recipe.cropped or self._recipe.grey):
            return scaled
        result = av.VideoFrame(*self._size, "yuv420p")
        for index, plane in enumerate(result.planes):
            values = plane_of(scaled, index, 8)
            half = 1 if index == 0 else 2
            left, top = self._cut[0] // half, self._cut[1] // half
            part = values[top : top + plane.height, left : left + plane.width]
            padded = np.zeros((plane.height, plane.line_size), np.uint8)
            padded[:, : plane.width] = NEUTRAL_CHROMA if self._recipe.grey and index else part
            plane.update(padded.tobytes())
        result.colorspace, result.color_range = scaled.colorspace, scaled.color_range
        return result


def _opened(video_path: str | Path) -> AvVideo:
    media = open_media(video_path)
    if not isinstance(media, AvVideo):
        raise UnsupportedMedia(
            f"{media.exhibit.name}: found {media.exhibit.media_type}; needed a video to re-ship"
        )
    return media


def _frames(video: AvVideo, max_seconds: float, every: int) -> Iterator[AvFrame]:
    for item in video.play():
        if not isinstance(item, AvFrame):
            continue
        if item.time_s >= max_seconds:
            return
        if item.index % every == 0:
            yield item


def _packets(source: Any, stream: Any, max_seconds: float) -> Iterator[Any]:
    start: float | None = None
    for packet in source.demux(stream):
        if packet.dts is None and packet.pts is None and not packet.size:
            return
        stamp = packet.dts if packet.dts is not None else packet.pts
        at = float((stamp or 0) * stream.time_base)
        start = at if start is None else start
        if at - start >= max_seconds:
            return
        yield packet


def _scaled_size(first: Any, recipe: Recipe) -> tuple[int, int]:
    scale = recipe.scale
    if recipe.longest_side:
        scale = min(scale, recipe.longest_side / max(first.width, first.height))
    return round(first.width * scale), round(first.height * scale)


def _even(width: int, height: int, least: int = 2) -> tuple[int, int]:
    """4:2:0 needs even sides."""
    return max(least, width // 2 * 2), max(least, height // 2 * 2)
