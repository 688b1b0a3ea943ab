"""Copies that were not encoded anew: fifteen edits and four containers, to the exact picture.

    python benchmarks/custody/edits/exact.py

Originals are coded picture by picture (as some body cameras do), so that an editor can exchange
any picture and leave all others untouched, bit by bit. Only pictures whose content changed come
from another encoding. An edit counts as located where the edges of the findings are the places at
which the copy's pictures do not follow each other as in the original: all of them and no other.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import material
import numpy as np
from shares import share

from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.locate import compare
from tidewaiter.settings import Limits

SCENES = (("day", 21), ("worn", 23))
OTHER = ("day", 25)
SECONDS = 8.0
INTRA = {"qp": "24", "g": "1", "bf": "0", "preset": "ultrafast"}
CONTAINERS = {
    "matroska": ("copy.mkv", {}),
    "transport stream": ("copy.ts", {}),
    "mov": ("copy.mov", {}),
    "fragmented mp4": ("copy.mp4", {"movflags": "frag_keyframe+empty_moov"}),
}
FOREIGN = 1 << 15
RESULTS = Path(__file__).parent / "results" / "exact.json"


def main() -> None:
    """Edit, compare, and write the results."""
    material.SECONDS = SECONDS
    other = _stamped(material.made_scene(*OTHER), FOREIGN)
    located: dict[str, list[bool]] = {name: [] for name in material.EDITS}
    unchanged: dict[str, list[bool]] = {name: [] for name in CONTAINERS}
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for kind, seed in SCENES:
            scene = _stamped(material.made_scene(kind, seed), 0)
            packets = _encoded(folder / "original.mp4", scene.frames, scene.fps)
            original = take_manifest(folder / "original.mp4", Limits())
            for name, (file, options) in CONTAINERS.items():
                _remux(folder / "original.mp4", folder / file, options)
                found = compare(original, take_manifest(folder / file, Limits()))
                unchanged[name].append(found.verdict == "unchanged")
            for edit in material.edits_of(scene, other, seed):
                copy, breaks = _spliced(folder, scene, edit, packets)
                manifest = take_manifest(copy, Limits())
                started = time.process_time()
                found = compare(original, manifest)
                spent.append(time.process_time() - started)
                got = {e for d in found.differences for e in (d.copy.start, d.copy.end)}
                # A repeated stretch may run on into what follows: its end is no break.
                own = {edge for span in edit.spans for edge in span}
                located[edit.name].append(breaks <= got <= breaks | own | {0, len(edit.frames)})
    result = {
        "scenes": [f"{kind} {seed}, {SECONDS:.0f} s" for kind, seed in SCENES],
        "located to the exact picture": share([hit for row in located.values() for hit in row]),
        "by edit": {name: f"{sum(row)} of {len(row)}" for name, row in located.items()},
        "remuxed and read as unchanged": {
            name: f"{sum(row)} of {len(row)}" for name, row in unchanged.items()
        },
        "comparison, CPU s, median": round(float(np.median(spent)), 4),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _stamped(scene: material.Scene, base: int) -> material.Scene:
    """Each frame's number in two samples of its chroma, to follow it through an edit."""
    for index, frame in enumerate(scene.frames):
        frame[-1, :2] = divmod(base + index, 256)
    return scene


def _encoded(path: Path, frames: material.Frames, fps: float) -> list[bytes]:
    material.write(path, frames, fps, material.Encoding("intra", options=INTRA))
    return _packets(path)


def _packets(path: Path) -> list[bytes]:
    import av

    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _spliced(
    folder: Path, scene: material.Scene, edit: material.Edit, packets: Sequence[bytes]
) -> tuple[Path, set[int]]:
    """The edited copy, its untouched pictures taken bit by bit, and the breaks in it."""
    again = _encoded(folder / "again.mp4", edit.frames, scene.fps)
    numbers = [int(frame[-1, 0]) * 256 + int(frame[-1, 1]) for frame in edit.frames]
    taken: list[bytes] = []
    steps: list[int] = []
    for index, number in enumerate(numbers):
        own = number < FOREIGN and np.array_equal(edit.frames[index], scene.frames[number])
        taken.append(packets[number] if own else again[index])
        steps.append(number if own else -1)
    copy = _muxed(folder / "original.mp4", folder / "copy_edited.mp4", taken, scene.fps)
    return copy, _breaks(steps, len(scene.frames))


def _breaks(steps: list[int], frames: int) -> set[int]:
    """Places of the copy at which its pictures do not follow as in the original."""
    breaks = {
        place
        for place in range(1, len(steps))
        if not (
            (steps[place] == steps[place - 1] + 1 and steps[place - 1] >= 0)
            or steps[place] == steps[place - 1] == -1
        )
    }
    if steps[0] > 0 and not breaks:
        breaks.add(0)
    if 0 <= steps[-1] < frames - 1 and not breaks:
        breaks.add(len(steps))
    return breaks


def _muxed(template: Path, path: Path, packets: Sequence[bytes], fps: float) -> Path:
    import av

    base = 1 / Fraction(fps).limit_denominator(1001)
    with av.open(str(template)) as reader, av.open(str(path), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for index, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, base
            packet.pts = packet.dts = index
            packet.is_keyframe = True
            writer.mux(packet)
    return path


def _remux(source: Path, target: Path, options: dict[str, str]) -> None:
    import av

    with av.open(str(source)) as reader, av.open(str(target), "w", options=options) as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for packet in reader.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                writer.mux(packet)


if __name__ == "__main__":
    main()
