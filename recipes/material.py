"""Genuine pictures with known independent sources, for calibrations and benchmarks.

A *source* is what makes two pictures dependent: the person, the clip, the original. Split
and count by source, never by file. Pictures come out decoded to RGB; those that lie in
the data as a file carry its bytes, so that a detector sees the picture as issued.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.pictures import decoded

PHOTOGRAPHS_VARIABLE = "TIDEWAITER_PHOTOGRAPHS"
PHOTOGRAPHS_LIST = Path(__file__).with_name("photographs.tsv")


@dataclass(frozen=True)
class Genuine:
    """One genuine picture. `data` is None where it is a frame of a video."""

    rgb: NDArray[np.uint8]
    source: str
    kind: str
    name: str
    data: bytes | None = None


@dataclass(frozen=True)
class Listed:
    """One photograph of photographs.tsv: where it lies in its Debian package."""

    name: str
    sha256: str
    width: int
    height: int
    package: str
    licence: str


def genuine_pictures(
    shared_data: Path,
    *,
    kinds: Sequence[str],
    rng: np.random.Generator,
    per_source: int,
) -> Iterator[Genuine]:
    """At most `per_source` pictures or frames of every source of every kind.

    Kinds: lfw, utkface, dfdc, ecuador, intel_videos, ffpp, liveportrait. Which pictures of
    a source are taken depends on `rng` only. A kind whose folder is absent raises
    FileNotFoundError.
    """
    for kind in kinds:
        for source, files in sorted(KINDS[kind](shared_data).items()):
            if files[0].suffix == ".mp4":
                yield from _frames(files[0], kind, source, rng, per_source)
                continue
            for index in sorted(rng.permutation(len(files))[:per_source]):
                yield _picture(files[index], kind, source)


def photographs(folder: Path | None = None) -> Iterator[Genuine]:
    """The photographs of photographs.tsv, source = file.

    They lie in `folder`, or in the one that TIDEWAITER_PHOTOGRAPHS names, as
    fetch_photographs.py left them. A missing or changed file raises FileNotFoundError or
    ValueError, because a figure must not rest on other pictures than the listed ones.
    """
    place = folder or Path(os.environ.get(PHOTOGRAPHS_VARIABLE, ""))
    for row in listed_photographs():
        path = place / row.package / row.name
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing; run recipes/fetch_photographs.py --to FOLDER and set "
                f"{PHOTOGRAPHS_VARIABLE}=FOLDER"
            )
        picture = _picture(path, "photograph", f"{row.package}/{row.name}")
        if hashlib.sha256(picture.data or b"").hexdigest() != row.sha256:
            raise ValueError(f"{path} differs from {PHOTOGRAPHS_LIST.name}; fetch it again")
        yield picture


def source_group(picture: Genuine) -> str:
    """The unit to split by: for FaceForensics++ the pair of people, else the source."""
    source = picture.source.split("/")[0] if picture.kind == "ffpp" else picture.source
    return f"{picture.kind}/{source}"


def listed_photographs() -> list[Listed]:
    """The rows of photographs.tsv."""
    with PHOTOGRAPHS_LIST.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t")
        return [
            Listed(
                name=row["name"],
                sha256=row["sha256"],
                width=int(row["width"]),
                height=int(row["height"]),
                package=row["package"],
                licence=row["licence"],
            )
            for row in rows
        ]


def frames(path: Path, wanted: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """The frames of these indices (ascending) of a video, RGB."""
    import av

    todo = list(wanted)
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if not todo:
                return
            if index == todo[0]:
                todo.pop(0)
                yield frame.to_ndarray(format="rgb24")


def _picture(path: Path, kind: str, source: str) -> Genuine:
    data = path.read_bytes()
    return Genuine(decoded(data), source, kind, path.name, data)


def _frames(
    path: Path, kind: str, source: str, rng: np.random.Generator, count: int
) -> Iterator[Genuine]:
    total = _frame_count(path)
    wanted = sorted(rng.permutation(total)[:count].tolist())
    for index, rgb in zip(wanted, frames(path, wanted), strict=False):
        yield Genuine(rgb, source, kind, f"{path.name}#{index}")


def _frame_count(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float((container.duration or 0) / av.time_base)
        return stream.frames or int(seconds * float(stream.average_rate or 25))


def _lfw(data: Path) -> dict[str, list[Path]]:
    """Source = person = folder."""
    return _by(data / "lfw_deepfunneled", "*/*.jpg", lambda path: path.parent.name)


def _utkface(data: Path) -> dict[str, list[Path]]:
    """Source = file: the people are not named."""
    return _by(data / "utkface", "*.jpg", lambda path: path.name)


def _ecuador(data: Path) -> dict[str, list[Path]]:
    """Source = person; there are two."""
    return _by(data / "ecuador_lora" / "real", "*/*.jpg", lambda path: path.parent.name)


def _dfdc(data: Path) -> dict[str, list[Path]]:
    """Source = original video; only files whose label in MANIFEST.tsv is real.

    Files noted "train only" may share people with others: several sources may be one person.
    """
    with (data / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
        real = {
            Path(row["file"]).name
            for row in csv.DictReader(lines, delimiter="\t")
            if row["file"].startswith("dfdc_faces224/") and row["label"].startswith("real")
        }
    found = _by(data / "dfdc_faces224" / "faces_224", "*.jpg", lambda path: path.stem)
    return {stem: files for stem, files in found.items() if files[0].name in real}


def _intel(data: Path) -> dict[str, list[Path]]:
    """Source = clip."""
    return _by(data / "intel_videos", "*.mp4", lambda path: path.stem)


def _liveportrait(data: Path) -> dict[str, list[Path]]:
    """Source = clip; its origin is not stated: smoke tests only."""
    return _by(data / "liveportrait", "*/*.mp4", lambda path: path.stem)


def _ffpp(data: Path) -> dict[str, list[Path]]:
    """Source = pair of people and clip; the part before the slash is the pair.

    Two clips of one pair share no frame, but a forgery made of one shows the other.
    """
    forged = (path.stem.split("_") for path in (data / "ffpp_c23" / "fake").rglob("*_*.mp4"))
    pair_of = {person: "-".join(sorted(pair)) for pair in forged for person in pair}
    return _by(
        data / "ffpp_c23" / "real",
        "*.mp4",
        lambda path: f"{pair_of.get(path.stem, path.stem)}/{path.stem}",
    )


def _by(folder: Path, pattern: str, source: Callable[[Path], str]) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing; give the folder of shared data")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(pattern)):
        found[source(path)].append(path)
    return found


KINDS: dict[str, Callable[[Path], dict[str, list[Path]]]] = {
    "lfw": _lfw,
    "utkface": _utkface,
    "dfdc": _dfdc,
    "ecuador": _ecuador,
    "intel_videos": _intel,
    "ffpp": _ffpp,
    "liveportrait": _liveportrait,
}
