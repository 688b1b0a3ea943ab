"""Cost of forging a face: time per species at 256 and 512 pixels, and as a multiple of a resize.

Faces of LFW, UTKFace and FF++ are cut as training cuts them, eyes level and 1.7 times as
wide as the mesh, and each is forged with another of its collection. Reported are median
and 90th percentile of the milliseconds of processor time, the median over that of one
bilinear resize of the same crop to 160 pixels taken alternately, and how many pairs were
refused.

    python benchmarks/speed/forged_faces.py [--pairs 60] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Face, forged
from tidewaiter.traces.face_geometry import (
    MESH_MARGIN,
    Corners,
    cut,
    mesh_square,
    square_crop,
)
from tidewaiter.traces.face_models import MESH_SIZE, locate, mesh

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "forged_faces.json"
DATA = HERE.parents[1] / "../shared/data"
SIZES = (256, 512)
CROP_MARGIN = 1.7
SETS = {"lfw_deepfunneled": 80, "utkface": 300, "ffpp_c23/real": 1}
NETWORK_SIDE = 160
COLUMNS = ("median ms", "90 % within ms", "times a resize", "pairs made", "pairs refused")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = list(located(options.data))
    result: dict[str, Any] = {
        "command": f"python benchmarks/speed/forged_faces.py --pairs {options.pairs}",
        "faces": len(found),
        "load_average": os.getloadavg(),
        "columns": COLUMNS,
    }
    sized = {size: [(name, crop(face, size)) for name, face in found] for size in SIZES}
    for species in SPECIES:
        rows = {f"{size} px": timed(species, faces, options.pairs) for size, faces in sized.items()}
        result[species] = rows
        print(species, json.dumps(rows))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def timed(species: str, faces: list[tuple[str, Face]], pairs: int) -> list[float]:
    """COLUMNS of one species over pairs of faces of one collection."""
    rng = np.random.default_rng(0)
    took, plain, refused = [], [], 0
    for seed in range(pairs):
        name, host = faces[int(rng.integers(len(faces)))]
        others = [face for other, face in faces if other == name and face is not host]
        donor = others[int(rng.integers(len(others)))]
        began = time.process_time()
        try:
            forged(species, host, donor, seed)
        except UnfitFaces:
            refused += 1
            continue
        took.append(1000 * (time.process_time() - began))
        began = time.process_time()
        cv2.resize(host.pixels, (NETWORK_SIDE, NETWORK_SIDE), interpolation=cv2.INTER_LINEAR)
        plain.append(1000 * (time.process_time() - began))
    middle, late = statistics.median(took), float(np.quantile(took, 0.9))
    times = round(middle / statistics.median(plain))
    return [round(middle, 1), round(late, 1), times, len(took), refused]


def located(data: Path) -> Iterator[tuple[str, Face]]:
    """The largest face of some pictures of each collection."""
    for name, every in SETS.items():
        paths = sorted(path for path in (data / name).rglob("*") if path.suffix in (".jpg", ".mp4"))
        for path in paths[::every]:
            face = largest_face(first_picture(path))
            if face is not None:
                yield name, face


def first_picture(path: Path) -> np.ndarray:
    """A picture, or the first frame of a video."""
    is_video = path.suffix == ".mp4"
    pixels = cv2.VideoCapture(str(path)).read()[1] if is_video else cv2.imread(str(path))
    return np.ascontiguousarray(np.asarray(pixels, np.uint8)[..., ::-1])


def largest_face(pixels: np.ndarray) -> Face | None:
    """The face with its mesh, or None."""
    scale = min(320 / max(pixels.shape), 1.0)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for face in locate(np.asarray(small, np.uint8))[:1]:
        corners = face.scaled(1 / scale).square()
        found = mesh(square_crop(lambda *where: cut(pixels, *where), corners, MESH_SIZE), corners)
        return Face(pixels, found.points[:, :2]) if found.presence > 0.5 else None
    return None


def crop(face: Face, size: int) -> Face:
    """The face cut eyes level, CROP_MARGIN times as wide as its mesh, at `size` pixels."""
    corners = widened(mesh_square(face.points), CROP_MARGIN / MESH_MARGIN)
    pixels = square_crop(lambda *where: cut(face.pixels, *where), corners, size)
    goal = np.array([[0, 0], [size - 1, 0], [0, size - 1]], np.float32)
    matrix = cv2.getAffineTransform(corners, goal)
    points = face.points @ matrix[:, :2].T + matrix[:, 2]
    return Face(pixels, points.astype(np.float32))


def widened(corners: Corners, factor: float) -> Corners:
    """The square of the same centre, `factor` times as wide."""
    centre = (corners[1] + corners[2]) / 2
    return np.asarray(centre + (corners - centre) * factor, np.float32)


if __name__ == "__main__":
    main()
