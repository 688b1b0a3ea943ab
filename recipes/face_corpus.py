"""Faces of known truth, genuine, forged and re-shipped, for figures and calibrations.

A task says what to make; `made` makes its bytes, so that the work spreads over processes.
Only sources of the parts "validate" and "report" appear. Every source gives as many genuine
as forged items to the calibration, with the same savings, so that neither the set nor its
compression tells the classes apart.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from face_laundering import LAUNDERINGS, laundered
from face_splits import (
    REPORT,
    TRAIN,
    FaceFile,
    Part,
    dfdc_faces,
    lfw_faces,
    reported_extras,
    utkface_faces,
)
from numpy.typing import NDArray
from scoring import Truth

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Face
from tidewaiter.forgeries.pictures import decoded, jpeg_bytes
from tidewaiter.media import Picture, open_media
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED
from tidewaiter.traces.base import Traces
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.training.blending import self_blend
from tidewaiter.vocabulary import MediaKind

AS_RECEIVED = "as_received"
CONTROL = "saved alike"
"""The genuine host of a forgery of ours, saved exactly as the forgery was."""
RESHIPPED = "re-shipped: "
TABLE = "table: "
DFDC = "dfdc"
SELF_BLEND = "self-blend"
SEED = 20260
MOST_UTKFACE_HOSTS = 600
MOST_TABLE_ORIGINALS = 130
# A donor whose face does not fit the host's is replaced by another, so many times.
DONORS_TRIED = 6


@dataclass(frozen=True)
class FaceTask:
    """One picture to make and examine; `saved_quality` 0 keeps the file as it is."""

    truth: Truth
    path: Path
    part: Part
    kind: str
    seed: int
    donors: tuple[Path, ...] = ()
    saved_quality: int = 0
    laundering: str = ""


@dataclass(frozen=True)
class Made:
    """The bytes of a picture; where it is forged by us, what was altered (H x W, 0..1)."""

    data: bytes
    mask: NDArray[np.float32] | None = None


def picture_tasks(shared_data: Path, *, share: float = 1.0) -> list[FaceTask]:
    """Every picture task; `share` below 1 takes an evenly spread part, for a trial."""
    dfdc = _kept(dfdc_faces(shared_data))
    lfw, utkface = _kept(lfw_faces(shared_data)), _kept(utkface_faces(shared_data))
    hosts = [*(f for f in dfdc if not f.forged), *lfw, *_some(utkface, MOST_UTKFACE_HOSTS)]
    firsts = list(_first_forgeries(dfdc))
    tasks = [_as_received(file) for file in (*dfdc, *lfw, *utkface)]
    tasks += [_as_received(f) for f in reported_extras(shared_data) if f.path.suffix == ".jpg"]
    forged_once = {file.source for file in firsts}
    originals = [f for f in dfdc if not f.forged and f.source in forged_once]
    tasks += [_reshipped(_as_received(file)) for file in (*originals, *firsts)]
    tasks += _own_forgeries(hosts)
    tasks += _table([f for f in dfdc if f.part == REPORT], firsts)
    if share < 1.0:
        picks = np.linspace(0, len(tasks) - 1, max(2, round(share * len(tasks)))).astype(int)
        tasks = [tasks[i] for i in np.unique(picks)]
    return tasks


def made(task: FaceTask) -> Made:
    """The picture of a task. Raises UnfitFaces where no donor tried fits its host."""
    if not task.donors and not task.saved_quality and not task.laundering:
        return Made(task.path.read_bytes())
    rgb, mask = _forged(task) if task.donors else (decoded(task.path.read_bytes()), None)
    if not task.saved_quality:
        return Made(laundered(rgb, task.laundering), mask)
    data = jpeg_bytes(rgb, task.saved_quality)
    if task.laundering:
        data = laundered(decoded(data), task.laundering)
    return Made(data, mask)


def face_in(path: Path) -> Face:
    """The largest face of a picture file, with its mesh. Raises UnfitFaces without one."""
    picture = open_media(path)
    assert isinstance(picture, Picture)
    found = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    if not isinstance(found, PictureFaces) or not found.faces:
        raise UnfitFaces(f"{path.name} shows no face; one is needed; take another picture")
    points = np.asarray(found.faces[0].points[:, :2], np.float32)
    return Face(pixels=picture.upright, points=points)


def _forged(task: FaceTask) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    host = face_in(task.path)
    if task.truth.species == SELF_BLEND:
        return self_blend(host.pixels, host.points, np.random.default_rng(task.seed))
    species = SPECIES[task.truth.species]
    problem: UnfitFaces | None = None
    for number, donor in enumerate(task.donors):
        rng = np.random.default_rng([task.seed, number])
        try:
            forgery = species.make(host, face_in(donor), rng)
        except UnfitFaces as error:
            problem = error
            continue
        return forgery.pixels, forgery.mask
    raise problem or UnfitFaces(f"{task.truth.item} names no donor; one is needed; give it one")


def _kept(files: Iterable[FaceFile]) -> list[FaceFile]:
    return [file for file in files if file.part != TRAIN]


def _some(files: Sequence[FaceFile], most: int) -> list[FaceFile]:
    """At most so many, chosen by the checksum of their names."""
    return sorted(files, key=lambda file: zlib.crc32(file.path.name.encode()))[:most]


def _first_forgeries(files: Sequence[FaceFile]) -> Iterator[FaceFile]:
    """One forgery of each original."""
    seen: set[str] = set()
    for file in files:
        if file.forged and file.source not in seen:
            seen.add(file.source)
            yield file


def _as_received(file: FaceFile) -> FaceTask:
    name = f"{file.kind}/{file.path.parent.name}/{file.path.name}"
    truth = Truth(
        item=name,
        source=f"{file.kind}/{file.source}",
        label=MANIPULATED if file.forged else AS_ISSUED,
        species=file.method,
        shipping=AS_RECEIVED,
    )
    return FaceTask(truth, file.path, file.part, file.kind, seed=zlib.crc32(name.encode()))


def _reshipped(task: FaceTask) -> FaceTask:
    """The item after one way of shipping, drawn by its name."""
    ways = sorted(LAUNDERINGS)
    way = ways[int(np.random.default_rng([SEED, task.seed]).integers(len(ways)))]
    saved = f"{CONTROL}, " if task.saved_quality and not task.donors else ""
    return _laundered(task, way, f"{RESHIPPED}{saved}")


def _laundered(task: FaceTask, way: str, purpose: str) -> FaceTask:
    truth = replace(task.truth, shipping=f"{purpose}{way}")
    return replace(task, truth=truth, laundering=way)


def _own_forgeries(hosts: Sequence[FaceFile]) -> Iterator[FaceTask]:
    """For every host one forgery, the host saved alike, and the forgery re-shipped.

    Species take turns; donors come from the same set and are other people.
    """
    by_kind = {kind: [f for f in hosts if f.kind == kind] for kind in {f.kind for f in hosts}}
    names = [*sorted(SPECIES), SELF_BLEND]
    for number, host in enumerate(hosts):
        task = _as_received(host)
        rng = np.random.default_rng([SEED, task.seed, 1])
        others = [f.path for f in by_kind[host.kind] if f.source != host.source]
        chosen = tuple(others[i] for i in rng.permutation(len(others))[:DONORS_TRIED])
        quality = int(rng.integers(75, 97))
        truth = replace(task.truth, shipping=CONTROL)
        control = replace(task, truth=truth, saved_quality=quality)
        yield control
        yield _reshipped(control)
        species = names[number % len(names)]
        truth = replace(
            task.truth,
            item=f"{task.truth.item}/{species}",
            label=MANIPULATED,
            species=species,
        )
        forged = replace(task, truth=truth, saved_quality=quality, donors=chosen)
        yield forged
        yield _reshipped(forged)


def _table(reported: Sequence[FaceFile], firsts: Sequence[FaceFile]) -> Iterator[FaceTask]:
    """Every way of shipping of some originals and one forgery of each."""
    forgery_of = {file.source: file for file in firsts}
    originals = [f for f in reported if not f.forged and f.source in forgery_of]
    for original in _some(originals, MOST_TABLE_ORIGINALS):
        for file in (original, forgery_of[original.source]):
            yield from (_laundered(_as_received(file), way, TABLE) for way in LAUNDERINGS)
