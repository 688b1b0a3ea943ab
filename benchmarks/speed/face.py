"""Cost of the face stack: CPU time of decoding with it against decoding alone.

Runs both alternately on real talking heads at 480p, 720p and 1080p (scaled and encoded
anew for the run, never kept) and reports the median [min, max] of the ratio, and CPU
milliseconds per second of video and per mesh. Models are loaded before the clock starts.

    python benchmarks/speed/face.py [--runs 5] [--seconds 10] [--clip FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tidewaiter.media import Packet, open_media
from tidewaiter.traces.base import Traces
from tidewaiter.traces.faces import FacesInVideo
from tidewaiter.vocabulary import MediaKind

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "face.json"
CLIP = HERE.parents[1] / "../shared/data/ffpp_c23/real/811.mp4"
RATES = {"480p": (480, "1M"), "720p": (720, "4M"), "1080p": (1080, "8M")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clip", type=Path, default=CLIP)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = {}
        for name, (height, bit_rate) in RATES.items():
            path = Path(folder) / f"{name}.mp4"
            scaled(options.clip, path, (height, bit_rate), options.seconds)
            rows[name] = compare(path, options.runs)
            print(name, json.dumps(rows[name]))
    result = {
        "command": f"python benchmarks/speed/face.py --runs {options.runs}",
        "load_average": os.getloadavg(),
        "clips": rows,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def scaled(clip: Path, path: Path, size: tuple[int, str], seconds: int) -> None:
    height, bit_rate = size
    command = ["ffmpeg", "-v", "error", "-t", str(seconds), "-i", str(clip), "-an"]
    command += ["-vf", f"scale=-2:{height}", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, "-c:v", "libx264", "-b:v", bit_rate, str(path)], check=True)


def compare(path: Path, runs: int) -> dict[str, Any]:
    played(path, FacesInVideo())
    alone, followed, meshes = [], [], 0
    for _ in range(runs):
        alone.append(played(path, None)[0])
        cost, meshes, span = played(path, FacesInVideo())
        followed.append(cost)
    ratios = [b / a for a, b in zip(alone, followed, strict=True)]
    added = statistics.median(b - a for a, b in zip(alone, followed, strict=True))
    return {
        "decode_s": [round(value, 3) for value in spread(alone)],
        "ratio_to_decode": [round(value, 2) for value in spread(ratios)],
        "added_ms_per_video_s": round(1000 * added / span, 1),
        "added_ms_per_mesh": round(1000 * added / max(meshes, 1), 1),
    }


def played(path: Path, trace: FacesInVideo | None) -> tuple[float, int, float]:
    """CPU seconds, meshes placed and seconds of video."""
    start, now = time.process_time(), 0.0
    for item in open_media(path).play():
        if isinstance(item, Packet):
            continue
        now = item.time_s
        if trace is not None:
            trace.feed(item)
    faces = trace.result(Traces(MediaKind.VIDEO, {})) if trace else None
    cost = time.process_time() - start
    return cost, sum(track.time_s.size for track in faces.tracks) if faces else 0, now


def spread(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


if __name__ == "__main__":
    main()
