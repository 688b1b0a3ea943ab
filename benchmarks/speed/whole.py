"""Whole examinations against decoding alone: CPU time, memory, throughput, start-up.

    python benchmarks/speed/whole.py --shared-data ../shared/data [--part video picture …]

The floor of a video is `ffmpeg -threads 1 -f null` on the same file in the same run; that of
a picture is one fast JPEG decode (OpenCV's libjpeg-turbo). Floor and product alternate;
medians of user plus system seconds, with the smallest and largest. Clips with a face are
lengthened copies of a FaceForensics++ original (packets repeated, nothing re-encoded), at
480 rows re-encoded.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results" / "whole.json"
# As the supervisor gives them to its workers.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENCV_FOR_THREADS_NUM": "1",
}
EXAMINE = (
    "import sys; from pathlib import Path\n"
    "from tidewaiter.casework.examination import examine_file\n"
    "from tidewaiter.casework.outcome import reports_of\n"
    "from tidewaiter.casework.plan import Plan\n"
    "reports_of(examine_file(Path(sys.argv[1]), Plan(stability=False)), 'en')\n"
)
BATTERY = (
    "import sys, time, json; from pathlib import Path\n"
    "from tidewaiter.casework.plan import Plan\n"
    "from tidewaiter.media import open_media\n"
    "from tidewaiter.traces.base import collect_picture\n"
    "import cv2, numpy as np; cv2.setNumThreads(1)\n"
    "data = np.fromfile(sys.argv[1], np.uint8)\n"
    "def cpu(f, n):\n"
    "    times = []\n"
    "    for _ in range(n):\n"
    "        t = time.process_time(); f(); times.append(time.process_time() - t)\n"
    "    return sorted(times)[n // 2]\n"
    "from tidewaiter.vocabulary import MediaKind\n"
    "needs = {n for d in Plan().detectors_for(MediaKind.PICTURE) if d.id.startswith('image.')"
    " for n in d.needs}\n"
    "media = lambda: open_media(Path(sys.argv[1]))\n"
    "collect_picture(media(), needs)\n"
    "floor = cpu(lambda: cv2.imdecode(data, cv2.IMREAD_COLOR), 9)\n"
    "whole = cpu(lambda: collect_picture(media(), needs), 3)\n"
    "print(json.dumps([floor, whole]))\n"
)
RENDER = (
    "import sys; from pathlib import Path; import numpy as np\n"
    "from tidewaiter.forgeries.goods import render_wall\n"
    "from tidewaiter.forgeries.pictures import jpeg_bytes\n"
    "wall = render_wall('cartons', np.random.default_rng(12), height=3000, width=4000)\n"
    "Path(sys.argv[1]).write_bytes(jpeg_bytes(wall.rgb, 90))\n"
)
VIDEOS = [
    # name, original, rows or None to keep, seconds
    ("480p 60 s", "183.mp4", 480, 60),
    ("720p 10 s", "183.mp4", None, 10),
    ("720p 60 s", "183.mp4", None, 60),
    ("720p 600 s", "183.mp4", None, 600),
    ("1080p 10 s", "920.mp4", None, 10),
    ("1080p 60 s", "920.mp4", None, 60),
    ("1080p 600 s", "920.mp4", None, 600),
]


def main() -> None:
    arguments = _arguments()
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="tidewaiter-bench-") as folder:
        for part in arguments.part:
            kept[part] = PARTS[part](arguments.shared_data, Path(folder), arguments.runs)
            kept["load_average"] = [round(value, 2) for value in os.getloadavg()]
            print(part, json.dumps(kept[part], indent=1))
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def videos(shared: Path, folder: Path, runs: int) -> dict[str, object]:
    """CPU time of whole examinations over that of decoding, and peak memory."""
    rows: dict[str, object] = {}
    for name, original, height, seconds in VIDEOS:
        clip = _clip(shared / "ffpp_c23" / "real" / original, folder, height, seconds)
        repeats = 1 if seconds >= 600 else runs
        floors, wholes, peaks = [], [], []
        for _ in range(repeats):
            command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(clip), "-an"]
            floors.append(_measured([*command, "-f", "null", "-"])[0])
            seconds_used, peak = _measured([sys.executable, "-c", EXAMINE, str(clip)])
            wholes.append(seconds_used)
            peaks.append(peak)
        floor, whole = statistics.median(floors), statistics.median(wholes)
        rows[name] = {
            "decode_s": round(floor, 2),
            "whole_s": round(whole, 2),
            "ratio": round(whole / floor, 2),
            "whole_min_max_s": [round(min(wholes), 2), round(max(wholes), 2)],
            "runs": repeats,
            "peak_MiB": round(max(peaks) / 1024),
        }
        print(name, rows[name], flush=True)
        clip.unlink()
    return rows


def picture(_shared: Path, folder: Path, _runs: int) -> dict[str, object]:
    """The classical battery on 12 megapixels over one fast decode."""
    path = folder / "twelve.jpg"
    _twelve_megapixels(path)
    out = subprocess.run(
        [sys.executable, "-c", BATTERY, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **ONE_THREAD},
    )
    floor, whole = json.loads(out.stdout)
    whole_process, peak = _measured([sys.executable, "-c", EXAMINE, str(path)])
    return {
        "decode_ms": round(1000 * floor, 1),
        "battery_s": round(whole, 2),
        "ratio": round(whole / floor),
        "whole_process_s": round(whole_process, 2),
        "peak_MiB": round(peak / 1024),
    }


def folder_of_files(shared: Path, folder: Path, _runs: int) -> dict[str, object]:
    """Exhibits a second with one worker and with two, by the clock, start-up included."""
    files = sorted((shared / "lfw_deepfunneled").glob("*/*.jpg"))[:60]
    rows = {}
    for jobs in (1, 2):
        started = time.monotonic()
        command = [sys.executable, "-c", "from tidewaiter.cli import main; main()", "examine"]
        options = ["--out", str(folder / f"out{jobs}"), "--jobs", str(jobs)]
        subprocess.run([*command, *map(str, files), *options], check=True, capture_output=True)
        elapsed = time.monotonic() - started
        rows[f"{jobs} worker(s)"] = round(len(files) / elapsed, 2)
    rows["two over one"] = round(rows["2 worker(s)"] / rows["1 worker(s)"], 2)
    return {"exhibits": len(files), "exhibits_per_second": rows}


def start_up(_shared: Path, folder: Path, runs: int) -> dict[str, object]:
    """CPU seconds of --help and of the first examination of a small picture."""
    from tidewaiter.testing.samples import untouched_picture

    small = folder / "small.jpg"
    small.write_bytes(untouched_picture())
    program = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
    help_s = statistics.median(_measured([*program, "--help"])[0] for _ in range(2 * runs + 1))
    bare_s = statistics.median(
        _measured([sys.executable, "-c", ""])[0] for _ in range(2 * runs + 1)
    )
    first = _measured([*program, "examine", str(small), "--out", str(folder / "first")])[0]
    return {
        "help_s": round(help_s, 3),
        "bare_python_s": round(bare_s, 3),
        "first_examination_s": round(first, 2),
    }


PARTS = {"start-up": start_up, "picture": picture, "folder": folder_of_files, "video": videos}


def _measured(command: list[str]) -> tuple[float, int]:
    """User plus system seconds of a child and of its children, and its peak memory in KiB."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ONE_THREAD},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def _clip(original: Path, folder: Path, rows: int | None, seconds: int) -> Path:
    base = original
    if rows is not None:
        base = folder / "scaled.mp4"
        scale = ["-vf", f"scale=-2:{rows}", "-c:v", "libx264", "-crf", "23"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", str(original), *scale, str(base)], check=True
        )
    clip = folder / "clip.mp4"
    loop = ["-stream_loop", "200", "-i", str(base), "-t", str(seconds), "-c", "copy", "-an"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *loop, str(clip)], check=True)
    return clip


def _twelve_megapixels(path: Path) -> None:
    """A rendered wall of cartons, 4000 × 3000 pixels, at quality 90.

    Made in a process of its own: a child's peak memory counts from its parent's.
    """
    subprocess.run([sys.executable, "-c", RENDER, str(path)], check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--part", nargs="+", choices=list(PARTS), default=list(PARTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
