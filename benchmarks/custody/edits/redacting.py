"""Redacted copies that keep the groups of pictures without a mask: benign ones, and edited ones.

    python benchmarks/custody/edits/redacting.py --shared ../shared/data [--calibrate]

Each source of 8 s is encoded, a region is hidden for 2.5 s, and the groups of pictures that hold
the mask are taken from a second encoding; all other groups keep their bits. Then the same with an
edit outside the mask. A benign copy must read as encoded anew without a difference, an edited one
as altered. `--calibrate` prints the levels of benign copies of the calibration scenes, on which
the least noise was chosen, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import material
from scenes import CALIBRATION, EDITED, scene_of
from shares import share

from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.locate import compare
from tidewaiter.custody.locate_partly import locate_touched
from tidewaiter.custody.locate_pictures import PictureThresholds
from tidewaiter.custody.manifest import Manifest
from tidewaiter.custody.masks import Mask
from tidewaiter.settings import Limits

SECONDS, GROUP = 8.0, 25
FROM_S, TO_S = 3.2, 5.7
BOX = (240, 120, 160, 140)
"""Left, top, width and height of the mask."""
ORIGINAL = {"crf": "20", "preset": "veryfast"}
AGAIN = {
    "alike": {"crf": "20", "preset": "veryfast"},
    "crf 24": {"crf": "24", "preset": "medium"},
    "crf 28": {"crf": "28", "preset": "veryfast"},
    "crf 32": {"crf": "32", "preset": "ultrafast"},
}
ELSEWHERE_FRAMES = 10
NEVER = 1e9
RESULTS = Path(__file__).parent / "results" / "redacting.json"


def main() -> None:
    """Redact, edit, compare, and write the results."""
    parser = argparse.ArgumentParser(description="redacted copies that keep untouched groups")
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--calibrate", action="store_true")
    arguments = parser.parse_args()
    names = CALIBRATION if arguments.calibrate else EDITED
    rows = [
        row for name in names for row in _judged(name, arguments.shared, not arguments.calibrate)
    ]
    if arguments.calibrate:
        return
    benign = [row for row in rows if row["edit"] == "none"]
    edited = [row for row in rows if row["edit"] != "none"]
    result = {
        "sources": list(names),
        "benign copies called altered": share([row["verdict"] == "altered" for row in benign]),
        "edited copies called altered": share([row["verdict"] == "altered" for row in edited]),
        "by edit": {
            edit: _counted([row for row in edited if row["edit"] == edit]) for edit in EDITS
        },
        "by encoding, benign": {
            again: _counted([row for row in benign if row["again"] == again]) for again in AGAIN
        },
        "highest level of a benign copy": max(row["level"] for row in benign),
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _judged(name: str, shared: Path, edits: bool) -> list[dict[str, Any]]:
    material.SECONDS = SECONDS
    scene = scene_of(name, shared)
    first = int(FROM_S * scene.fps)
    span = slice(first, int(TO_S * scene.fps))
    left, top, width, height = BOX
    mask = Mask(
        span.start / scene.fps,
        (span.stop - 1) / scene.fps,
        left / material.WIDTH,
        top / material.HEIGHT,
        (left + width) / material.WIDTH,
        (top + height) / material.HEIGHT,
    )
    hidden = scene.frames.copy()
    hidden[span, top : top + height, left : left + width] = 16
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kept = _packets(_encoded(folder / "original.ts", scene.frames, scene.fps, ORIGINAL))
        original = take_manifest(folder / "original.ts", Limits())
        for again, options in AGAIN.items():
            cases: dict[str, Callable[[Any, slice], Any]] = {"none": lambda frames, _: frames}
            if edits and again == "crf 28":
                cases |= EDITS
            for edit, change in cases.items():
                frames = change(hidden.copy(), span)
                path = _spliced(folder, kept, frames, scene.fps, (options, edit))
                copy = take_manifest(path, Limits())
                found = compare(original, copy, masks=[mask])
                row = {
                    "source": name,
                    "again": again,
                    "edit": edit,
                    "verdict": found.verdict,
                    "carrier": found.carrier,
                    "level": round(_level(original, copy, mask), 2),
                    "findings": [d.kind for d in found.differences],
                }
                print(row, flush=True)
                rows.append(row)
    return rows


def _level(original: Manifest, copy: Manifest, mask: Mask) -> float:
    assert original.prints is not None
    assert copy.prints is not None
    limits = PictureThresholds(NEVER, NEVER, 1)
    return locate_touched(original.prints, copy.prints, limits, [mask]).peaks[0]


def _patched(frames: Any, span: slice) -> Any:
    """A plain patch of 40 x 40 as long as the mask lasts."""
    frames[span, 260:300, 500:540] = 90
    return frames


def _patched_briefly(frames: Any, span: slice) -> Any:
    """A plain patch of 24 x 24 for half a second."""
    frames[span.start + 20 : span.start + 33, 100:124, 80:104] = 200
    return frames


def _patched_early(frames: Any, span: slice) -> Any:
    """A patch before the mask begins, in a group that holds it."""
    frames[span.start - 4 : span.start + 6, 260:300, 100:140] = 30
    return frames


def _patched_elsewhere(frames: Any, span: slice) -> Any:
    """A patch in a group without a mask."""
    start = _later(span)
    frames[start : start + ELSEWHERE_FRAMES, 260:300, 100:140] = 60
    return frames


def _later(span: slice) -> int:
    """Where, in the same clip, no mask falls into the group any more."""
    after: int = span.stop + (span.stop - span.start) // 2
    return max(after, (span.stop // GROUP + 1) * GROUP)


def _earlier(frames: Any, span: slice) -> Any:
    """Outside the mask, what was seen three seconds before; the clock runs on."""
    length, before = span.stop - span.start, int(3.0 / (TO_S - FROM_S) * (span.stop - span.start))
    left, top, width, height = BOX
    taken = frames[span.start - before : span.start - before + length].copy()
    taken[:, :40] = frames[span, :40]
    taken[:, top : top + height, left : left + width] = 16
    frames[span] = taken
    return frames


EDITS = {
    "patch 40 x 40": _patched,
    "patch 24 x 24, 0.5 s": _patched_briefly,
    "patch before the mask": _patched_early,
    "patch in another group": _patched_elsewhere,
    "earlier footage around the mask": _earlier,
}


def _encoded(path: Path, frames: Any, fps: float, options: dict[str, str]) -> Path:
    # Parameter sets stand before each key picture of a transport stream: groups can change places.
    # One number of B pictures: times of showing then fit together, as a tool for it sees to.
    fixed = {"g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0", "bf": "2"}
    return material.write(path, frames, fps, material.Encoding("", options=options | fixed))


def _packets(path: Path) -> list[tuple[bytes, int, int, bool]]:
    import av

    with av.open(str(path)) as container:
        return [
            (bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
            for packet in container.demux(video=0)
            if packet.size
        ]


def _spliced(
    folder: Path,
    kept: Sequence[tuple[bytes, int, int, bool]],
    frames: Any,
    fps: float,
    how: tuple[dict[str, str], str],
) -> Path:
    """The copy: groups that hold a mask or an edit from a new encoding, all others bit by bit."""
    import av

    options, edit = how
    again = _packets(_encoded(folder / "again.ts", frames, fps, options))
    span = slice(int(FROM_S * fps), int(TO_S * fps))
    groups = set(range((span.start - 4) // GROUP, (span.stop - 1) // GROUP + 1))
    if edit == "patch in another group":
        groups |= {place // GROUP for place in (_later(span), _later(span) + ELSEWHERE_FRAMES - 1)}
    path = folder / "copy.ts"
    with av.open(str(folder / "original.ts")) as reader, av.open(str(path), "w") as writer:
        source = reader.streams.video[0]
        stream = writer.add_stream_from_template(source)
        group = -1
        for ours, theirs in zip(kept, again, strict=True):
            group += ours[3]
            data, pts, dts, key = theirs if group in groups else ours
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, source.time_base
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            writer.mux(packet)
    return path


def _counted(rows: list[dict[str, Any]]) -> str:
    return f"{sum(row['verdict'] == 'altered' for row in rows)} of {len(rows)}"


if __name__ == "__main__":
    main()
