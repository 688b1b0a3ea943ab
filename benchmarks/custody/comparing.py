"""Memory and time of comparing long recordings, on made manifests of 25 pictures a second.

    python benchmarks/custody/comparing.py [--hours 0.25 1 4]

Each pair is a made still scene with sensor noise, a walking block and sound, and a copy that was
"encoded anew" (other noise, a little brighter), lacks 20 s and has a region painted over for 10 s.
The work is that of the worker of `tidewaiter custody compare`, in a process of its own: its peak
memory and its processor time are what the system says of it when it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.custody.manifest import Manifest
from tidewaiter.jobs.supervisor import WORKER_ENVIRONMENT
from tidewaiter.settings import Limits
from tidewaiter.traces.fingerprints import SMALL_HEIGHT, SMALL_STEPS, SMALL_WIDTH, Fingerprints
from tidewaiter.wiring_compare import COMPARE_BASE_BYTES, COMPARE_FRAME_BYTES, compare_task

FPS, MIB = 25, 1 << 20
PIECE = 10_000
STOP_FRAMES = 60
REMOVED_S, PAINTED_S = 20, 10
RESULTS = Path(__file__).parent / "results" / "comparing.json"


def main() -> None:
    """Measure and write the results; with --task do one worker's work."""
    parser = argparse.ArgumentParser(description="memory and time of comparing long recordings")
    parser.add_argument("--hours", type=float, nargs="+", default=[0.25, 1.0, 4.0])
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        compare_task(json.loads(arguments.task))
        return
    rows: list[dict[str, Any]] = []
    for hours in arguments.hours:
        rows.append(_measured(hours))
        RESULTS.write_text(json.dumps(_result(rows), indent=1) + "\n", encoding="utf-8")


def _result(rows: list[dict[str, Any]]) -> dict[str, Any]:
    room = Limits().max_memory_bytes - COMPARE_BASE_BYTES
    return {
        "limit, MiB": Limits().max_memory_bytes // MIB,
        "refused beyond, hours": round(room / COMPARE_FRAME_BYTES / FPS / 3600, 1),
        "pairs": rows,
        "load average": [round(load, 1) for load in os.getloadavg()],
    }


def _measured(hours: float) -> dict[str, Any]:
    frames = round(hours * 3600 * FPS)
    with tempfile.TemporaryDirectory() as folder:
        original, copy, out = (Path(folder) / name for name in ("original", "copy", "out"))
        expected = _write_pair(original, copy, frames)
        payload = {"original": str(original), "copy": str(copy), "masks": [], "out": str(out)}
        command = [sys.executable, __file__, "--task", json.dumps(payload)]
        process = subprocess.Popen(command, env={**os.environ, **WORKER_ENVIRONMENT})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        found = json.loads(out.read_text(encoding="utf-8"))
        row = {
            "hours": hours,
            "pictures": frames,
            "manifests, MiB": round((original.stat().st_size + copy.stat().st_size) / MIB),
            "peak memory, MiB": round(usage.ru_maxrss / 1024),
            "announced at most, MiB": (COMPARE_BASE_BYTES + COMPARE_FRAME_BYTES * frames) // MIB,
            "processor, s": round(usage.ru_utime + usage.ru_stime, 1),
            "findings": [
                [one["kind"], one["copy"]["start"], one["copy"]["end"]]
                for one in found["differences"]
            ],
            "made": expected,
        }
    print(json.dumps(row), flush=True)
    return row


def _write_pair(original: Path, copy: Path, frames: int) -> list[list[Any]]:
    """Both manifests; returns what was changed, in pictures of the copy."""
    cut, gone = frames // 3, REMOVED_S * FPS
    start, end = frames // 2, frames // 2 + PAINTED_S * FPS
    shown = np.concatenate([np.arange(cut), np.arange(cut + gone, frames)])
    _write(original, "a" * 64, np.arange(frames), (1, 0.0, 1.0), None)
    _write(copy, "b" * 64, shown, (2, 2.0, 1.02), (start, end))
    return [["removed", cut, cut], ["painted", start, end]]


def _write(
    path: Path,
    digest: str,
    shown: Any,
    encoding: tuple[int, float, float],
    painted: Sequence[int] | None,
) -> None:
    seed, brighter, gain = encoding
    random = np.random.default_rng(seed)
    small = np.empty((len(shown), SMALL_HEIGHT, SMALL_WIDTH), np.uint16)
    for begin in range(0, len(shown), PIECE):
        scene = _scene(shown[begin : begin + PIECE])
        scene += random.normal(0, 0.15, scene.shape).astype(np.float32)
        small[begin : begin + PIECE] = np.rint((gain * scene + brighter) * SMALL_STEPS)
    if painted:
        small[painted[0] : painted[1], 12:15, 20:24] = 30 * SMALL_STEPS
    count = len(shown)
    times = np.arange(count, dtype=np.int64) * (1_000_000 // FPS)
    prints = Fingerprints(
        picture_hash=random.integers(0, 256, (count, 32), dtype=np.uint8),
        picture_pts=times,
        picture_dts=times,
        picture_key=np.arange(count) % 50 == 0,
        picture_bytes=np.full(count, 5000, np.int64),
        small=small,
        clock=np.zeros((0, 8, 64), np.uint16),
        frame_time=times,
        sound_hash=random.integers(0, 256, (count, 32), dtype=np.uint8),
        sound_pts=times,
        sound_band=_sound(shown),
    )
    manifest = Manifest(digest, 1, "video/mp4", path.name, fps=float(FPS), prints=prints)
    path.write_bytes(manifest.encode())


def _scene(shown: Any) -> Any:
    """Grey levels of a scene whose light drifts and in which somebody walks, by frame number."""
    random = np.random.default_rng(7)
    still = random.uniform(40, 200, (SMALL_HEIGHT, SMALL_WIDTH)).astype(np.float32)
    # A walk from place to place that never comes back in the same way.
    stops = random.uniform(0, 1, (int(shown.max()) // STOP_FRAMES + 2, 2))
    at = np.arange(len(stops)) * STOP_FRAMES
    across = (SMALL_WIDTH - 1) * np.interp(shown, at, stops[:, 0])
    down = (SMALL_HEIGHT - 1) * np.interp(shown, at, stops[:, 1])
    row, column = np.mgrid[0:SMALL_HEIGHT, 0:SMALL_WIDTH]
    near = (row - down[:, None, None]) ** 2 + (column - across[:, None, None]) ** 2 < 5
    light = 3 * np.sin(shown / 40_000.0)[:, None, None]
    return np.where(near, np.float32(225), still + light).astype(np.float32)


def _sound(shown: Any) -> Any:
    """Band levels of speech-like sound, by frame number."""
    random = np.random.default_rng(11)
    spoken = random.integers(40, 180, (int(shown.max()) // 6 + 1, 12), dtype=np.uint8)
    return spoken[shown // 6]


if __name__ == "__main__":
    main()
