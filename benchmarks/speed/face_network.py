"""Cost of the face network: milliseconds a face on one core, and its share of a video.

A face is cut from a picture, measured, and shown to the network as it is and mirrored;
CPU milliseconds, median [min, max]. On a talking head at 480p, 720p and 1080p (scaled and
encoded anew for the run, never kept) decoding alone, with faces followed, and with the
network on top run alternately. Models are loaded before the clock starts.

    python benchmarks/speed/face_network.py [--network DIR] [--runs 5] [--seconds 10]

DIR is a folder of `tidewaiter fit face`; without it the shipped network is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from face import CLIP, RATES, scaled

from tidewaiter.media import Packet, open_media
from tidewaiter.traces.base import Traces, VideoTrace
from tidewaiter.traces.face_crop import face_view
from tidewaiter.traces.face_geometry import cut_repeating
from tidewaiter.traces.face_manipulation_video import FaceManipulationInVideo
from tidewaiter.traces.face_network import FACE_NETWORK, ask, ask_twice
from tidewaiter.traces.face_quality import quality_of
from tidewaiter.traces.faces import FacesInVideo
from tidewaiter.vocabulary import MediaKind
from tidewaiter.weights.own import OwnNetwork, shipped_network, site_network

RESULTS = Path(__file__).parent / "results" / "face_network.json"
FACES = (100, 300, 1000)
REPEATS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clip", type=Path, default=CLIP)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    own = site_network(options.network) if options.network else shipped_network()
    result: dict[str, Any] = {
        "command": f"python benchmarks/speed/face_network.py --runs {options.runs}",
        "network": own.sha256,
        "load_average": os.getloadavg(),
        "a face": per_face(own),
        "clips": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (height, bit_rate) in RATES.items():
            path = Path(folder) / f"{name}.mp4"
            scaled(options.clip, path, (height, bit_rate), options.seconds)
            result["clips"][name] = in_video(path, options.runs, own)
            print(name, json.dumps(result["clips"][name]))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["a face"]))


def per_face(own: OwnNetwork) -> dict[str, list[float]]:
    """Milliseconds for one run, for both, and for all that a face of a picture costs."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (1600, 2000, 3)).astype(np.uint8)
    crop = pixels[:160, :160].copy()
    costs = {
        "one run, ms": taken(lambda: ask(crop, own)),
        "two looks, ms": taken(lambda: ask_twice(crop, own)),
    }
    for extent in FACES:
        points = rng.uniform(-0.5, 0.5, (468, 3)).astype(np.float32) * extent
        points[33], points[263] = (-0.3 * extent, 0, 0), (0.3 * extent, 0, 0)
        points[:, :2] += (1000, 800)
        costs[f"cut, measured and asked both ways, {extent} pixels, ms"] = taken(
            partial(whole, pixels, points, own)
        )
    return costs


def whole(pixels: Any, points: Any, own: OwnNetwork) -> None:
    crop, corners = face_view(partial(cut_repeating, pixels), points)
    quality_of(crop, corners, points, 0.99, (pixels.shape[1], pixels.shape[0]))
    ask_twice(crop, own)


def taken(run: Callable[[], object]) -> list[float]:
    run()
    costs = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        costs.append(1000 * (time.process_time() - start))
    return [round(value, 2) for value in spread(costs)]


def in_video(path: Path, runs: int, own: OwnNetwork) -> dict[str, Any]:
    followed(path, own)
    alone, faces, asked = [], [], []
    looks, span = 0, 1.0
    for _ in range(runs):
        alone.append(played(path, [])[0])
        faces.append(played(path, [FacesInVideo()])[0])
        cost, looks, span = followed(path, own)
        asked.append(cost)
    added = [c - b for b, c in zip(faces, asked, strict=True)]
    return {
        "decode_s": [round(value, 3) for value in spread(alone)],
        "network_to_decode": [
            round(v, 2) for v in spread([d / a for a, d in zip(alone, added, strict=True)])
        ],
        "added_ms_per_video_s": round(1000 * statistics.median(added) / span, 1),
        "added_ms_per_look": round(1000 * statistics.median(added) / max(looks, 1), 1),
        "looks_per_s": round(looks / span, 2),
    }


def followed(path: Path, own: OwnNetwork) -> tuple[float, int, float]:
    network = FaceManipulationInVideo()
    network.options = {FACE_NETWORK: own}
    cost, span = played(path, [FacesInVideo(), network])
    return cost, sum(len(looks.time_s) for looks in network._looks.values()), span  # noqa: SLF001


def played(path: Path, traces: list[VideoTrace]) -> tuple[float, float]:
    """CPU seconds and seconds of video."""
    start, now = time.process_time(), 0.0
    for item in open_media(path).play():
        if isinstance(item, Packet):
            continue
        now = item.time_s
        for trace in traces:
            trace.feed(item)
    for trace in traces[:1]:
        trace.result(Traces(MediaKind.VIDEO, {}))
    return time.process_time() - start, now


def spread(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


if __name__ == "__main__":
    main()
