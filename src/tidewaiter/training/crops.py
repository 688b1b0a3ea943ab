"""Faces cut out of pictures once, with their mesh, and kept on disk for many passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import TidewaiterError
from tidewaiter.media import open_media
from tidewaiter.media.material import Picture, Pixels
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_crop import WIDE_SIDE, wide_square
from tidewaiter.traces.face_geometry import Points, cut_repeating, square_crop
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import MediaKind

SHARD_ITEMS = 256


@dataclass(frozen=True)
class CropItem:
    """A picture to cut a face from. Items of one `source` must stay in one split.

    `pair` names what a genuine and a forged item have in common; `group` is the set.
    """

    path: str
    group: str
    source: str
    pair: str
    forged: bool


@dataclass(frozen=True)
class Crops:
    """n stored crops: RGB n x 256 x 256 x 3, points n x 468 x 2 in crop pixels, items.

    `side` (n) is the side of the face's square in the picture it came from, in pixels:
    what it was enlarged or reduced from.
    """

    pixels: Sequence[Pixels]
    points: Sequence[NDArray[np.float32]]
    items: tuple[CropItem, ...]
    side: tuple[float, ...]

    def joined(self, others: Crops) -> Crops:
        """These crops and the others, in this order."""
        return Crops(
            [*self.pixels, *others.pixels],
            [*self.points, *others.points],
            self.items + others.items,
            self.side + others.side,
        )

    def chosen(self, keep: Callable[[CropItem], bool]) -> Crops:
        """The crops whose item `keep` accepts, in the same order."""
        places = [index for index, item in enumerate(self.items) if keep(item)]
        return Crops(
            [self.pixels[i] for i in places],
            [self.points[i] for i in places],
            tuple(self.items[i] for i in places),
            tuple(self.side[i] for i in places),
        )


def largest_face(picture: Picture) -> tuple[Pixels, NDArray[np.float32], float] | None:
    """Crop, points in the crop, side in the picture, of the largest face; None without one."""
    faces = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    if not isinstance(faces, PictureFaces) or not faces.faces:
        return None
    return cut_face(picture.upright, faces.faces[0].points)


def cut_face(pixels: Pixels, points: Points) -> tuple[Pixels, NDArray[np.float32], float]:
    """The stored crop of the face with those mesh points; the border goes on outside."""
    corners = wide_square(points)
    crop = square_crop(partial(cut_repeating, pixels), corners, WIDE_SIDE)
    across, down = corners[1] - corners[0], corners[2] - corners[0]
    side = float(np.linalg.norm(across))
    axes = np.stack([across, down]) / side**2 * (WIDE_SIDE - 1)
    within = (np.asarray(points)[:, :2] - corners[0]) @ axes.T
    return crop, within.astype(np.float32), side


def store_crops(items: Sequence[CropItem], folder: Path, *, processes: int = 1) -> Crops:
    """Cut the largest face of every item into `folder`; what is there already is kept.

    Pictures that cannot be opened and pictures without a face are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [items[i : i + SHARD_ITEMS] for i in range(0, len(items), SHARD_ITEMS)]
    missing = [
        (folder / f"{number:05d}", shard)
        for number, shard in enumerate(shards)
        if not (folder / f"{number:05d}.json").exists()
    ]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(_store_shard, missing))
    return read_crops(folder)


def read_crops(folder: Path) -> Crops:
    """The crops stored in `folder`; the pixels are mapped, not loaded."""
    pixels: list[Pixels] = []
    points: list[NDArray[np.float32]] = []
    items: list[CropItem] = []
    sides: list[float] = []
    for described in sorted(folder.glob("*.json")):
        rows = json.loads(described.read_text(encoding="utf-8"))
        if not rows:
            continue
        pixels += list(np.load(described.with_suffix(".pixels.npy"), mmap_mode="r"))
        points += list(np.load(described.with_suffix(".points.npy")))
        sides += [row.pop("side") for row in rows]
        items += [CropItem(**row) for row in rows]
    return Crops(pixels, points, tuple(items), tuple(sides))


def describe_shard(base: Path, items: Sequence[CropItem], sides: Sequence[float]) -> None:
    """Write what a shard's arrays hold; last of all, for a shard without it is made anew."""
    rows = [{**asdict(item), "side": side} for item, side in zip(items, sides, strict=True)]
    base.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")


def _store_shard(task: tuple[Path, Sequence[CropItem]]) -> None:
    base, items = task
    found = list(_faces_of(items))
    if found:
        np.save(base.with_suffix(".pixels.npy"), np.stack([face[0] for _, face in found]))
        np.save(base.with_suffix(".points.npy"), np.stack([face[1] for _, face in found]))
    describe_shard(base, [item for item, _ in found], [face[2] for _, face in found])


def _faces_of(
    items: Sequence[CropItem],
) -> Iterator[tuple[CropItem, tuple[Pixels, NDArray[np.float32], float]]]:
    for item in items:
        try:
            media = open_media(item.path)
        except TidewaiterError:
            continue
        face = largest_face(media) if isinstance(media, Picture) else None
        if face is not None:
            yield item, face
