"""CPU time of the stream and timeline traces per frame, as a ratio to decoding alone.

Run: python benchmarks/speed/video_traces.py [FILE…]; without a file, a 720p clip is
rendered and encoded by x264. The luma thumbnail, shared with other traces, is timed apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.media import Packet, open_media
from tidewaiter.testing.scenes import write_clip
from tidewaiter.traces.base import collect_video

HERE = Path(__file__).parent
ROUNDS = 3
NEEDS = {"timeline", "packets", "repeats", "breaks", "double_encoding"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(path) for path in files or [_rendered(Path(folder))]]
    text = json.dumps(rows, indent=1) + "\n"
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "video_traces.json").write_text(text)
    sys.stdout.write(text)


def measure(path: Path) -> dict[str, Any]:
    """Median CPU seconds of decoding, with thumbnails, and with all traces."""
    video: Any = open_media(path)
    frames = sum(1 for item in video.play() if not isinstance(item, Packet))
    decode = _median_s(lambda: [None for _ in video.play()])
    thumbnails = _median_s(lambda: _with_thumbnails(video))
    traces = _median_s(lambda: collect_video(video, NEEDS))
    return {
        "file": path.name,
        "size": f"{video.exhibit.width}x{video.exhibit.height}",
        "frames": frames,
        "decode_ms_per_frame": round(1000 * decode / frames, 3),
        "thumbnail_over_decode": round((thumbnails - decode) / decode, 3),
        "traces_over_decode_without_thumbnail": round((traces - thumbnails) / decode, 3),
    }


def _with_thumbnails(video: Any) -> None:
    for item in video.play():
        if not isinstance(item, Packet):
            item.luma_thumbnail()


def _median_s(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def _rendered(folder: Path) -> Path:
    """10 s of 720p: a textured picture under a moving one, with sensor noise."""
    rng = np.random.default_rng(1)
    still = np.kron(rng.integers(60, 180, (90, 160)), np.ones((8, 8))).astype(np.float32)
    clip = []
    for number in range(250):
        picture = still + rng.normal(scale=2.0, size=still.shape)
        picture[200:400, 3 * number : 3 * number + 300] = still[:200, :300]
        clip.append(np.clip(picture, 0, 255).astype(np.uint8))
    return write_clip(folder / "720p.mp4", clip, options={"preset": "veryfast", "crf": "26"})


if __name__ == "__main__":
    main()
