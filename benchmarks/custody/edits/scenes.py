"""Which scenes calibrate and which are tested on, and their manifests in a work folder.

The split is by source: FaceForensics++ by its closed pairs of people, static cameras by clip,
made scenes by seed. No calibration scene is ever tested on.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import material

from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.manifest import Manifest, decode
from tidewaiter.settings import Limits

CALIBRATION = (
    "intel/car-detection",
    "onvif_signed/test_h264",
    *(f"ffpp/{name}" for name in ("183", "253", "585", "599")),
    "made/day/1",
    "made/night/2",
    "made/worn/13",
)
TEST = (
    "intel/bottle-detection",
    "intel/one-by-one-person-detection",
    *(f"ffpp/{name}" for name in ("811", "920", "942", "943")),
    "made/day/4",
    "made/day/5",
    "made/night/12",
    "made/worn/3",
)
EDITED = (
    "intel/bottle-detection",
    "intel/one-by-one-person-detection",
    "ffpp/811",
    "ffpp/942",
    "made/day/4",
    "made/night/12",
    "made/worn/3",
)
"""Test scenes that are edited; all of them give benign copies."""
OTHER = {"intel": "ffpp/183", "ffpp": "intel/car-detection", "made": "intel/car-detection"}
"""What is inserted as another camera."""
FOLDERS = {"intel": "intel_videos", "ffpp": "ffpp_c23/real", "onvif_signed": "onvif_signed"}
GROUPS = {"intel": "real static", "ffpp": "real moving", "onvif_signed": "real static"}
STARTS_S = {"one-by-one-person-detection": 20.0}
SEED = 7

_LEFT, _TOP, _WIDTH, _HEIGHT = material.CLOCK_BOX
CLOCK = (
    round(_LEFT / material.WIDTH * 10_000),
    round(_TOP / material.HEIGHT * 10_000),
    round((_LEFT + _WIDTH) / material.WIDTH * 10_000),
    round((_TOP + _HEIGHT) / material.HEIGHT * 10_000),
)


@dataclass(frozen=True)
class Case:
    """One copy of one scene: what was done to it, and its manifest."""

    scene: str
    truth: dict[str, Any]
    manifest: Manifest


def scene_of(name: str, shared: Path) -> material.Scene:
    """A scene by name: `made/KIND/SEED`, `intel/CLIP` or `ffpp/CLIP`."""
    kind, _, rest = name.partition("/")
    if kind == "made":
        look, _, seed = rest.partition("/")
        return material.made_scene(look, int(seed))
    path = shared / FOLDERS[kind] / f"{rest}.mp4"
    return material.real_scene(path, GROUPS[kind], STARTS_S.get(rest, 0.0))


def cases_of(
    name: str, shared: Path, work: Path, *, edits: bool
) -> tuple[Manifest, Iterator[Case]]:
    """The manifest of a scene's original and its copies; what the work folder has is kept."""
    folder = work / name.replace("/", "_")
    if not is_made(name, work, edits=edits):
        _make(scene_of(name, shared), name, shared, folder, edits=edits)
    return decode((folder / "original.twm").read_bytes()), _read(name, folder, edits=edits)


def is_made(name: str, work: Path, *, edits: bool) -> bool:
    """Whether the work folder holds every copy of a scene."""
    folder = work / name.replace("/", "_")
    wanted = len(material.EDITS) * len(material.TRANSCODED) if edits else len(material.BENIGN)
    return len(list(folder.glob("edit-*.twm" if edits else "benign-*.twm"))) >= wanted


def _read(name: str, folder: Path, *, edits: bool) -> Iterator[Case]:
    for file in sorted(folder.glob("edit-*.json" if edits else "benign-*.json")):
        truth = json.loads(file.read_text(encoding="utf-8"))
        yield Case(name, truth, decode(file.with_suffix(".twm").read_bytes()))


def _make(scene: material.Scene, name: str, shared: Path, folder: Path, *, edits: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"group": scene.group, "fps": scene.fps}
    _keep(folder / "original", scene.frames, scene.fps, material.ORIGINAL, facts)
    if not edits:
        for number, encoding in enumerate(material.BENIGN):
            truth = facts | {"copy": encoding.name}
            _keep(folder / f"benign-{number:02}", scene.frames, scene.fps, encoding, truth)
        return
    other = scene_of(OTHER[name.partition("/")[0]], shared)
    for number, edit in enumerate(material.edits_of(scene, other, SEED)):
        for profile, encoding in enumerate(material.TRANSCODED):
            truth = facts | {
                "edit": edit.name,
                "copy": encoding.name,
                "spans": edit.spans,
                "box": edit.box,
            }
            _keep(folder / f"edit-{number:02}-{profile}", edit.frames, scene.fps, encoding, truth)


def _keep(
    path: Path,
    frames: material.Frames,
    fps: float,
    encoding: material.Encoding,
    truth: dict[str, Any],
) -> None:
    if path.with_suffix(".twm").exists():
        return
    with tempfile.TemporaryDirectory() as temporary:
        clip = material.write(Path(temporary) / f"clip{encoding.suffix}", frames, fps, encoding)
        manifest = take_manifest(clip, Limits(), clock=CLOCK)
    if manifest.prints is None:
        raise RuntimeError(f"{path.name}: {manifest.reason}")
    path.with_suffix(".json").write_text(json.dumps(truth), encoding="utf-8")
    path.with_suffix(".twm").write_bytes(manifest.encode())
