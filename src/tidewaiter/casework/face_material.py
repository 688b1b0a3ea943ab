"""A site's pictures and clips of faces: whose they are, which are held out, faces cut out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.casework.batch import find_exhibits
from tidewaiter.errors import InputError, StorageError
from tidewaiter.media import Packet, Picture, Unexamined, Video, open_media
from tidewaiter.media.material import Pixels
from tidewaiter.settings import Limits
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_crop import WIDE_SIDE, face_view
from tidewaiter.traces.face_geometry import cut_repeating
from tidewaiter.traces.face_quality import quality_of
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import Exhibit, MediaKind

LEAST_SOURCES = 80
"""Half of them are held out: measured, 40 let the likelihood ratio of a fitted network reach 10,
where support begins; of 30 a third did, of 25 none (benchmarks/detection/fit_face)."""
FEWEST_HELD_OUT = 40
LEAST_USABLE = 30
"""So many sources must show a usable face, of those fitted on and of those held out."""
HELD_OUT_SHARE = 0.4
# Frames of a clip, spread over all of it.
CLIP_FRAMES = 8
CLIP_HOSTS = 2
# Hosts of forgeries keep at most this many pixels on their long side.
HOST_SIDE = 1280
# Bounds disk (200 kB a face) and time.
MOST_FILES = 20_000


@dataclass(frozen=True)
class FaceFile:
    """One file of a site's; `source` decides the split, `pair` joins forged and genuine."""

    number: int
    path: Path
    source: str
    pair: str
    forged: bool
    held_out: bool

    @property
    def key(self) -> str:
        """The name of its task."""
        return f"cut/{self.number}"


def face_files(genuine: Path, forged: Path | None, *, out: Path, seed: int) -> list[FaceFile]:
    """Every file of both folders with its source and its side of the split.

    A direct subfolder is one source, a loose file its own; forged files of a subfolder or
    name that is also among the genuine ones share its source. Raises InputError where there
    are no files or too few sources.
    """
    found = [(path, genuine, False) for path in _below(genuine, out)]
    if not found:
        raise InputError(f"{genuine.name!r} holds no files; put genuine pictures of faces there")
    if forged is not None:
        altered = [(path, forged, True) for path in _below(forged, out)]
        if not altered:
            raise InputError(f"{forged.name!r} holds no files; put forged faces there")
        found += altered
    known = [_name(path, folder) for path, folder, is_forged in found if not is_forged]
    sources = {name.split("/")[0] for name in known}
    if len(sources) < LEAST_SOURCES:
        raise InputError(
            f"{len(sources)} independent sources of genuine faces; {LEAST_SOURCES} needed; add "
            "pictures of more people, each person in a subfolder of their own"
        )
    names = [_joined(_name(path, folder), known, is_forged) for path, folder, is_forged in found]
    kept = held_out_sources(sources, seed) | {
        source
        for source in {name.split("/")[0] for name in names} - sources
        if _place(source, seed) < HELD_OUT_SHARE
    }
    return [
        FaceFile(number, path, name.split("/")[0], name, is_forged, name.split("/")[0] in kept)
        for number, ((path, _, is_forged), name) in enumerate(zip(found, names, strict=True))
    ][:MOST_FILES]


def held_out_sources(sources: Iterable[str], seed: int) -> set[str]:
    """About HELD_OUT_SHARE of the sources, at least FEWEST_HELD_OUT: the first by digest."""
    ordered = sorted(sources, key=lambda source: _place(source, seed))
    return set(ordered[: max(FEWEST_HELD_OUT, round(HELD_OUT_SHARE * len(ordered)))])


def cut(path: Path, into: Path, *, held_out: bool, limits: Limits) -> dict[str, Any]:
    """Cut the faces of one file into `into` (.npz); how many, and what file it was.

    Of a file that is held out whole pictures are kept, to forge faces in; of others the
    crops that are trained on. Faces outside the network's gate do not count.
    """
    media = open_media(path, limits)
    if isinstance(media, Unexamined):
        raise InputError(f"{path.name} holds neither a picture nor a video; name one that does")
    found = _faces(media, CLIP_HOSTS if held_out else CLIP_FRAMES)
    arrays = _hosts(found) if held_out else _crops(found)
    if found:
        _write(into, arrays)
    exhibit = media.exhibit
    return {"faces": len(found), "sha256": exhibit.sha256, "kind": exhibit.kind.value}


def read_hosts(path: Path) -> list[tuple[Pixels, NDArray[np.float32]]]:
    """The pictures and meshes that `cut` kept of a held-out file."""
    with np.load(path) as stored:
        count = len([name for name in stored.files if name.startswith("points")])
        return [(stored[f"pixels{n}"], stored[f"points{n}"]) for n in range(count)]


def pack(files: Sequence[FaceFile], cut_into: Mapping[int, Path], folder: Path) -> int:
    """One shard of crops from those of single files, as `read_crops` reads it; how many.

    Raises StorageError where the disk is full.
    """
    from tidewaiter.training.crops import CropItem, describe_shard

    sizes = {file.number: _length(cut_into[file.number]) for file in files}
    items = [
        CropItem(file.path.name, "site", file.source, file.pair, file.forged)
        for file in files
        for _ in range(sizes[file.number])
    ]
    base = folder / "00000"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        points, sides = _pack_arrays([cut_into[file.number] for file in files], len(items), base)
        np.save(base.with_suffix(".points.npy"), np.concatenate(points))
        describe_shard(base, items, sides)
    except OSError as error:
        raise _full(error) from error
    return len(items)


def paired(files: Sequence[FaceFile]) -> list[FaceFile]:
    """The files with a partner for every forged one: its own, one of its source, or any.

    A forged file without a genuine one of its source gets one at random, by its name.
    """
    genuine = [file for file in files if not file.forged]
    pairs = {file.pair for file in genuine}
    by_source: dict[str, list[str]] = defaultdict(list)
    for file in genuine:
        by_source[file.source].append(file.pair)
    everything = sorted(pairs)
    result = []
    for file in files:
        pair = file.pair
        if file.forged and pair not in pairs and everything:
            choices = by_source.get(file.source) or everything
            pair = choices[int(_place(file.path.name, 0) * len(choices))]
        result.append(
            FaceFile(file.number, file.path, file.source, pair, file.forged, file.held_out)
        )
    return result


def _below(folder: Path, out: Path) -> list[Path]:
    return list(find_exhibits([folder], leave_out=out))


def _name(path: Path, folder: Path) -> str:
    """Its place below the folder without suffix; a loose file's begins with itself."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _joined(name: str, genuine: Sequence[str], forged: bool) -> str:
    """The name of the genuine file a forged one was made of, by its beginning; else its own."""
    if not forged or name in genuine:
        return name
    begins = [own for own in genuine if name.startswith(own) and _ends(name[len(own) :])]
    return max(begins, key=len, default=name)


def _ends(rest: str) -> bool:
    return re.match(r"[\W_]", rest) is not None and not rest.startswith("/")


def _place(source: str, seed: int) -> float:
    """0 to 1, the same for the same source whatever else there is."""
    digest = hashlib.sha256(f"{seed}/{source}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True)
class _Found:
    """A face in a picture: upright pixels and the mesh on them."""

    pixels: Pixels
    points: NDArray[np.float32]


def _faces(media: Picture | Video, most: int) -> list[_Found]:
    found = [_face(media)] if isinstance(media, Picture) else _spread(media, most)
    return [face for face in found if face is not None]


def _face(picture: Picture) -> _Found | None:
    """The largest face that the network may be asked about."""
    faces = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    if not isinstance(faces, PictureFaces):
        return None
    pixels = picture.upright
    size = (pixels.shape[1], pixels.shape[0])
    for face in faces.faces:
        crop, corners = face_view(partial(cut_repeating, pixels), face.points)
        if quality_of(crop, corners, face.points, face.presence, size).usable:
            return _Found(pixels, np.asarray(face.points[:, :2], np.float32))
    return None


def _spread(video: Video, most: int) -> list[_Found | None]:
    """Faces of frames spread over the whole clip, however long it turns out to be."""
    kept: list[tuple[int, _Found]] = []
    stride, number = 1, 0
    for item in video.play():
        if isinstance(item, Packet):
            continue
        if number % stride == 0:
            face = _face(_as_picture(item.rgb().copy(), video.exhibit))
            if face is not None:
                kept.append((number, face))
            if len(kept) >= 2 * most:
                stride *= 2
                kept = [entry for entry in kept if entry[0] % stride == 0]
        number += 1
    picks = {round(place) for place in np.linspace(0, len(kept) - 1, most)} if kept else set()
    return [kept[index][1] for index in sorted(picks)]


def _as_picture(pixels: Pixels, exhibit: Exhibit) -> Picture:
    return Picture(exhibit=exhibit, data=b"", format="frame", rgb=pixels)


def _hosts(found: Sequence[_Found]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for number, face in enumerate(found):
        pixels, points = _at_most(face, HOST_SIDE)
        arrays |= {f"pixels{number}": pixels, f"points{number}": points}
    return arrays


def _at_most(face: _Found, side: int) -> tuple[Pixels, NDArray[np.float32]]:
    import cv2

    scale = side / max(face.pixels.shape[:2])
    if scale >= 1:
        return face.pixels, face.points
    size = (round(face.pixels.shape[1] * scale), round(face.pixels.shape[0] * scale))
    smaller = cv2.resize(face.pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.uint8), ((face.points + 0.5) * scale - 0.5).astype(np.float32)


def _crops(found: Sequence[_Found]) -> dict[str, NDArray[Any]]:
    from tidewaiter.training.crops import cut_face

    cuts = [cut_face(face.pixels, face.points) for face in found]
    if not cuts:
        return {}
    return {
        "pixels": np.stack([crop for crop, _, _ in cuts]),
        "points": np.stack([points for _, points, _ in cuts]),
        "sides": np.array([side for _, _, side in cuts]),
    }


def _pack_arrays(
    paths: Sequence[Path], total: int, base: Path
) -> tuple[list[NDArray[np.float32]], list[float]]:
    """Write all pixels, one file after another; their points and sides.

    Not by a memory map: on a full disk that ends the process instead of raising.
    """
    points, sides = [], []
    with base.with_suffix(".pixels.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (total, WIDE_SIDE, WIDE_SIDE, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for path in paths:
            with np.load(path) as stored:
                file.write(np.ascontiguousarray(stored["pixels"]).tobytes())
                points.append(stored["points"])
                sides += [float(side) for side in stored["sides"]]
    return points, sides


def _length(path: Path) -> int:
    with np.load(path) as stored:
        return len(stored["sides"])


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _full(error) from error


def _full(error: OSError) -> StorageError:
    return StorageError(
        f"faces could not be kept in the --out folder ({error.strerror}); check free disk space "
        "(200 kB a face) and that the folder is writable"
    )


def kept_faces(results: Iterable[tuple[FaceFile, Mapping[str, Any]]]) -> Iterator[FaceFile]:
    """Files that showed a face, each content once: a copy must not be on both sides."""
    seen: set[str] = set()
    for file, result in results:
        if result["faces"] and result["sha256"] not in seen:
            seen.add(result["sha256"])
            yield file
