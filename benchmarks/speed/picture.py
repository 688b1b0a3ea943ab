"""JPEG traces of a 12-megapixel JPEG against a fast decode of the same file in the same run.

    python benchmarks/speed/picture.py [--rounds 5]

CPU time of one thread; every round times the decode and then every trace, and the ratio is
taken within the round. The decode is simplejpeg's where it is installed, else OpenCV's;
both are reported. Writes results/picture.json.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes  # noqa: E402
from tidewaiter.media import Picture  # noqa: E402
from tidewaiter.traces.base import Traces, Untaken, picture_traces  # noqa: E402
from tidewaiter.traces.jpeg_grid import grid_votes  # noqa: E402
from tidewaiter.vocabulary import Exhibit, MediaKind  # noqa: E402

HEIGHT, WIDTH, QUALITY = 3000, 4000, 90
NAMES = ("jpeg.coefficients", "jpeg.grid", "jpeg.double", "jpeg.shifted", "jpeg.ghosts")
RESULT = Path(__file__).parent / "results" / "picture.json"

# The brief of this capability: the vote of the grid cue within 8 fast decodes.
AIM_VOTE = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    data = jpeg_bytes(scene(), QUALITY)
    steps = steps_of(data)
    for step in steps.values():
        step()
    taken = [{name: cpu_ms(step) for name, step in steps.items()} for _ in range(rounds)]
    decoders = [name for name in steps if name.startswith("decode ")]
    floor = decoders[-1]
    report = {
        "command": "python benchmarks/speed/picture.py",
        "file": {"pixels": [WIDTH, HEIGHT], "quality": QUALITY, "bytes": len(data)},
        "machine": {
            "load": os.getloadavg(),
            "python": platform.python_version(),
            "cv2": cv2.__version__,
        },
        "floor": floor,
        "cpu_ms": {name: spread([row[name] for row in taken]) for name in steps},
        "ratio": {name: spread([row[name] / row[floor] for row in taken]) for name in steps},
        "ratio_to_opencv": {
            name: spread([row[name] / row["decode opencv"] for row in taken]) for name in steps
        },
        "aim": {"grid vote": AIM_VOTE},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def scene() -> np.ndarray:
    """A seeded picture with structure at all scales, as photographs have it."""
    rng = np.random.default_rng(12)
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.float32)
    for factor, amplitude in ((1, 3), (2, 5), (4, 8), (16, 16), (64, 28)):
        size = (HEIGHT // factor, WIDTH // factor, 3)
        layer = rng.normal(0, amplitude, size).astype(np.float32)
        picture += cv2.resize(layer, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)


def steps_of(data: bytes) -> dict[str, Callable[[], Any]]:
    """Decoders first, then the vote alone, then every trace with the traces it builds on."""
    buffer = np.frombuffer(data, np.uint8)
    steps: dict[str, Callable[[], Any]] = {"decode opencv": lambda: cv2.imdecode(buffer, 1)}
    try:
        simplejpeg = importlib.import_module("simplejpeg")
        steps["decode simplejpeg"] = lambda: simplejpeg.decode_jpeg(data, "BGR")
    except ModuleNotFoundError:
        pass
    rgb = decoded(data)
    luma = np.rint(picture_of(data, rgb).luma)
    steps["grid vote"] = lambda: grid_votes(luma)
    for name in NAMES:
        steps[name] = lambda name=name: take(name, picture_of(data, rgb))
    return steps


def take(name: str, picture: Picture) -> Any:
    """One trace and what it comes after, on a picture without anything cached."""
    results: dict[str, Any] = {}
    for wanted in (*picture_traces()[name].after, name):
        earlier = Traces(MediaKind.PICTURE, results)
        results[wanted] = picture_traces()[wanted]().measure(picture, earlier)
        if isinstance(results[wanted], Untaken):
            raise TypeError(f"{wanted}: {results[wanted].reason}")
    return results[name]


def picture_of(data: bytes, rgb: np.ndarray) -> Picture:
    exhibit = Exhibit(
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        name="12mp.jpg",
        kind=MediaKind.PICTURE,
        media_type="image/jpeg",
    )
    return Picture(exhibit, data, "JPEG", rgb)


def cpu_ms(step: Callable[[], Any]) -> float:
    start = time.process_time()
    step()
    return 1000 * (time.process_time() - start)


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


if __name__ == "__main__":
    main()
