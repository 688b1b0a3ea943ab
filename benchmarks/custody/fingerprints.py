"""Speed of fingerprinting 720p25 over real time and over bare decoding, in CPU time of one core.

    python benchmarks/custody/fingerprints.py [--runs 3]

`manifest` is everything that ingest does with a recording: digest of the file, demuxing, hashes of
pictures and sound, one decode, small pictures, sound bands, and the manifest's bytes. `decode`
plays the same file with PyAV and does nothing with it. `pictures only` is exact comparison's part:
demuxing and hashing. Floor and product alternate in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.casework.manifests import take_manifest
from tidewaiter.settings import Limits
from tidewaiter.traces.fingerprints import PictureHashes

GOAL = 10.0
SECONDS, FPS, RATE = 20, 25, 48_000
CODECS = {
    "H.264, 1 Mb/s": ("libx264", "1M", {"preset": "veryfast"}),
    "H.264, 4 Mb/s": ("libx264", "4M", {"preset": "veryfast"}),
    "HEVC, 1 Mb/s": ("libx265", "1M", {"preset": "ultrafast", "x265-params": "log-level=none"}),
}
RESULTS = Path(__file__).parent / "results" / "fingerprints.json"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description="speed of fingerprinting")
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    result: dict[str, Any] = {"goal, times real time": GOAL, "seconds of video": SECONDS}
    with tempfile.TemporaryDirectory() as folder:
        for name, choice in CODECS.items():
            path = _clip(Path(folder) / "clip.mp4", *choice)
            result[name] = _measured(path, runs)
            print(name, result[name], flush=True)
    result["load average"] = [round(load, 1) for load in os.getloadavg()]
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _measured(path: Path, runs: int) -> dict[str, Any]:
    works: dict[str, Callable[[Path], object]] = {
        "decode": _decode,
        "manifest": lambda file: take_manifest(file, Limits()).encode(),
        "pictures only": _hash,
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            started = time.process_time()
            work(path)
            taken[name].append(time.process_time() - started)
    median = {name: statistics.median(values) for name, values in taken.items()}
    return {
        f"{name}, times real time": {
            "value": round(SECONDS / median[name], 1),
            "lower": round(SECONDS / max(values), 1),
            "upper": round(SECONDS / min(values), 1),
        }
        for name, values in taken.items()
    } | {"manifest over decode": round(median["manifest"] / median["decode"], 3)}


def _decode(path: Path) -> None:
    import av

    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for _ in container.decode(video=0):
            pass


def _hash(path: Path) -> None:
    import av

    from tidewaiter.media.recording import CodedPacket

    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        codec = context.codec.canonical_name
        hashes = PictureHashes(codec, bytes(context.extradata or b""))
        for packet in container.demux(video=0):
            if packet.size:
                coded = CodedPacket(packet.size, packet.is_keyframe, 0.0, 0.0, data=bytes(packet))
                hashes.feed(coded)


def _clip(path: Path, codec: str, rate: str, options: dict[str, str]) -> Path:
    """A still scene with noise, walkers and a tone: 1280 x 720 at 25 frames a second."""
    import av

    random = np.random.default_rng(5)
    ground = np.kron(random.uniform(40, 200, (18, 32)), np.ones((40, 40)))
    grain = random.normal(0, 3, (8, 720, 1280))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=options | {"b": rate})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.bit_rate = int(rate[:-1]) * 1_000_000
        stream.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        for index in range(SECONDS * FPS):
            picture = ground + grain[index * 5 % 8]
            left = index * 7 % 1200
            picture[300:480, left : left + 80] = 230
            luma = np.clip(picture, 16, 235).astype(np.uint8)
            whole = np.concatenate([luma, np.full((360, 1280), 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(whole, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        tone = (0.2 * np.sin(np.arange(SECONDS * RATE) / 30)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            piece = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE, start, Fraction(1, RATE)
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
    return path


if __name__ == "__main__":
    main()
