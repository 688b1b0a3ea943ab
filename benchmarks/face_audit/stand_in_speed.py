"""Measure what it costs a stand-in to open what it is sent in a limited process of its own.

    python benchmarks/face_audit/stand_in_speed.py [--pictures 60]

LFW pictures of ../shared/data are sent to the Azure shape over HTTP, each for the first time,
once with the pictures opened in the server's process and once in the limited one, in turns of
ten so that both meet the same machine. One client, one thread. `of the processors` is the mean of
both processes' time, which a busy machine changes less than the clock's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from tidewaiter.errors import TidewaiterError
from tidewaiter.face_audit.embedding import FaceMemory, dlib_embedder
from tidewaiter.face_audit.stand_in.faces import OPENING, Looking
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.jobs.attendant import Attendant
from tidewaiter.outlets.stand_in_server import serving
from tidewaiter.wiring_stand_in import LimitedLooking, opener

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "lfw_deepfunneled"
PICTURES, TURN = 60, 10


def main() -> None:
    """Send the pictures to both, and write results/stand_in_speed.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    files = sorted(DATA.glob("*/*.jpg"))[: parser.parse_args().pictures]
    pictures = [file.read_bytes() for file in files]
    with opener() as attendant:
        limited = LimitedLooking(attendant)
        took = _took(
            {
                "in the server's process": FaceMemory(dlib_embedder(), OPENING),
                "in a limited process": limited,
            },
            pictures,
        )
        result: dict[str, Any] = {"pictures": len(pictures), "ms_a_picture": _summary(took)}
        result["crash_and_restart_s"] = _restarted(attendant, pictures[0])
    path = Path(__file__).parent / "results" / "stand_in_speed.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _took(ways: dict[str, Looking], pictures: list[bytes]) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each picture by way: by the clock, and of the processors."""
    took: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for first in range(0, len(pictures), TURN):
        for way, looking in ways.items():
            with serving(stand_in("azure", looking)) as address:
                for content in pictures[first : first + TURN]:
                    began, used = time.perf_counter(), _processors_s()
                    _ask(address, content)
                    spent = time.perf_counter() - began, _processors_s() - used
                    took[way].append((1000 * spent[0], 1000 * spent[1]))
    return took


def _processors_s() -> float:
    """Of this process and of all that it started."""
    me = psutil.Process()
    return sum(sum(one.cpu_times()[:2]) for one in (me, *me.children(recursive=True)))


def _ask(address: str, content: bytes) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/face/v1.0/detect", content, {"Ocp-Apim-Subscription-Key": "k"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        answer.read()


def _summary(took: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Median by the clock, mean of the processors, without the first, which loads models."""
    return {
        way: {
            "by the clock": round(statistics.median(clock for clock, _ in times[1:]), 1),
            "of the processors": round(statistics.fmean(used for _, used in times[1:]), 1),
        }
        for way, times in took.items()
    }


def _restarted(attendant: Attendant, content: bytes) -> float:
    """Seconds until a picture is answered again after the process was ended."""
    attendant.__exit__(None, None, None)
    began = time.perf_counter()
    try:
        attendant.ask(content)
    except TidewaiterError as error:
        raise SystemExit(str(error)) from error
    return round(time.perf_counter() - began, 2)


if __name__ == "__main__":
    main()
