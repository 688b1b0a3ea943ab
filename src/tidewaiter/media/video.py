"""Play a video once: packets and frames, planes instead of whole-frame conversion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.media.material import Frame, Packet, Pixels
from tidewaiter.vocabulary import Exhibit, MediaKind


@dataclass
class AvFrame:
    av_frame: Any
    index: int
    time_s: float
    time_guessed: bool
    shared: dict[str, Any] = field(default_factory=dict)
    _cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def key(self) -> bool:
        return bool(self.av_frame.key_frame)

    @property
    def picture_type(self) -> str:
        return str(self.av_frame.pict_type.name)

    @property
    def width(self) -> int:
        return int(self.av_frame.width)

    @property
    def height(self) -> int:
        return int(self.av_frame.height)

    def rgb(self) -> Pixels:
        if "rgb" not in self._cache:
            self._cache["rgb"] = self.av_frame.to_ndarray(format="rgb24")
        return self._cache["rgb"]

    def thumbnail(self, height: int = 180) -> Pixels:
        import cv2

        height = min(height, self.height)
        key = ("thumbnail", height)
        if key not in self._cache:
            width = round(self.width * height / self.height)
            self._cache[key] = cv2.resize(self.rgb(), (width, height), interpolation=cv2.INTER_AREA)
        return self._cache[key]

    def luma_thumbnail(self, height: int = 180) -> Any:
        import cv2

        return cv2.cvtColor(self.thumbnail(height), cv2.COLOR_RGB2GRAY)

    def crop(self, corners: Any, width: int, height: int) -> Pixels:
        import cv2

        goal = np.float32([[0, 0], [width - 1, 0], [0, height - 1]])
        matrix = cv2.getAffineTransform(np.float32(corners), goal)
        return cv2.warpAffine(self.rgb(), matrix, (width, height), flags=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class AvVideo:
    exhibit: Exhibit
    codec: str
    pixel_format: str
    nominal_fps: float | None
    rotation_degrees: int
    path: str

    def play(self) -> Iterator[Packet | Frame]:
        import av

        with av.open(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            index = 0
            for packet in container.demux(stream):
                base = float(packet.time_base) if packet.time_base else 0.0
                if packet.size:
                    yield Packet(
                        packet.size,
                        packet.is_keyframe,
                        None if packet.pts is None else packet.pts * base,
                        None if packet.dts is None else packet.dts * base,
                        packet.is_corrupt,
                    )
                for frame in packet.decode():
                    yield AvFrame(frame, index, float(frame.time or 0), frame.time is None)
                    index += 1


def open_video(path: Path, digest: str, byte_length: int, name: str) -> AvVideo:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        exhibit = Exhibit(
            sha256=digest,
            byte_length=byte_length,
            name=name,
            kind=MediaKind.VIDEO,
            media_type="video/mp4",
            width=context.width,
            height=context.height,
            duration_s=float(container.duration or 0) / av.time_base,
        )
        rate = stream.average_rate
        return AvVideo(
            exhibit, context.name, str(context.pix_fmt), float(rate) if rate else None, 0, str(path)
        )
