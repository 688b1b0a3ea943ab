"""Decode layer against `ffmpeg -threads 1 -an -f null -` on the same file, in CPU time.

Runs floor and product alternately in processes of their own and reports the median
[min, max] of the ratio. `layer` counts from `open_media` to the last frame, digest and
packet table included, over the whole of ffmpeg; `layer_to_steady_floor` takes ffmpeg's own
start (the same command for one frame) off the floor; `process` adds Python's start and imports.

    python benchmarks/speed/decode.py [--runs 5] [--seconds 20] [--also FILE…]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "decode.json"
GOAL = 1.05
PROGRAM = "benchmarks/speed/decode.py"
CLIPS = {
    "480p H.264 4:4:4": ("854x480", "libx264", "yuv444p", "600k"),
    "720p H.264": ("1280x720", "libx264", "yuv420p", "4M"),
    "1080p H.264": ("1920x1080", "libx264", "yuv420p", "8M"),
    "720p HEVC": ("1280x720", "libx265", "yuv420p", "1M"),
}
PLAY = """
import sys, time, av, cv2, numpy
from tidewaiter.media import Packet, open_media
start = time.process_time()
frames = packets = 0
for item in open_media(sys.argv[1]).play():
    if isinstance(item, Packet):
        packets += 1
    else:
        frames += 1
print(time.process_time() - start, frames, packets)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--also", nargs="*", default=[], help="further videos, shown by number")
    options = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        clips = {
            name: make_clip(Path(folder) / f"{i}.mp4", spec, options.seconds)
            for i, (name, spec) in enumerate(CLIPS.items())
        }
        clips |= {f"own file {i + 1}": Path(path) for i, path in enumerate(options.also)}
        for name, path in clips.items():
            rows[name] = compare(path, options.runs)
            print(name, json.dumps(rows[name]))
    result = {"goal": GOAL, "command": shown_command(options), **machine(), "clips": rows}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def shown_command(options: argparse.Namespace) -> str:
    """The command to run again, without this machine's paths."""
    also = " --also FILE" * bool(options.also)
    return f"python {PROGRAM} --runs {options.runs} --seconds {options.seconds}{also}"


def make_clip(path: Path, spec: tuple[str, str, str, str], seconds: int) -> Path:
    """Moving, noisy, seeded pictures with B-frames, as a camera's would be to a decoder."""
    size, encoder, pixel_format, rate = spec
    source = f"testsrc2=size={size}:rate=25,noise=alls=6:allf=t:all_seed=1"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-t", str(seconds)]
    command += ["-c:v", encoder, "-pix_fmt", pixel_format, "-b:v", rate, "-preset", "fast"]
    if encoder == "libx265":
        command += ["-x265-params", "log-level=none"]
    subprocess.run([*command, str(path)], check=True)
    return path


def compare(path: Path, runs: int) -> dict[str, object]:
    floors, layers, steady, processes = [], [], [], []
    floor_command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-an"]
    for _ in range(runs):
        floor, _ = cpu_of([*floor_command, "-f", "null", "-"])
        start, _ = cpu_of([*floor_command, "-frames:v", "1", "-f", "null", "-"])
        process, output = cpu_of([sys.executable, "-c", PLAY, str(path)])
        layer, frames, packets = output.split()
        floors.append(floor)
        layers.append(float(layer) / floor)
        steady.append(float(layer) / (floor - start))
        processes.append(process / floor)
    return {
        "frames": int(frames),
        "packets": int(packets),
        "floor_ms_per_frame": round(1000 * statistics.median(floors) / int(frames), 3),
        "layer": spread(layers),
        "layer_to_steady_floor": spread(steady),
        "process": spread(processes),
    }


def cpu_of(command: list[str]) -> tuple[float, str]:
    """User and system seconds of a child process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **one_thread}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def machine() -> dict[str, object]:
    import av

    floor = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True)
    return {
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "av": av.__version__,
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "ffmpeg": floor.stdout.split()[2],
        "threads": 1,
    }


if __name__ == "__main__":
    main()
