"""How often genuine files contradict themselves, and how often altered ones are noticed.

    python benchmarks/detection/provenance/run.py --shared-data DIR --photographs DIR

`--photographs` is the folder made by recipes/fetch_photographs.py. Genuine files are
counted one by one; the interval is Clopper-Pearson's over files. "Altered" are the listed
photographs with a thumbnail, altered by usual means with their EXIF kept.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tidewaiter.detectors.provenance.file_facts import SAME_PICTURE, SAME_PLACE, FileFacts
from tidewaiter.detectors.provenance.file_facts_video import VideoFileFacts
from tidewaiter.evaluation.intervals import clopper_pearson
from tidewaiter.media import Picture
from tidewaiter.traces.base import Traces, collect_picture
from tidewaiter.traces.file_facts import PictureFacts, read_video_facts
from tidewaiter.vocabulary import Exhibit, Facts, Finding, MediaKind

SEED = 20260101
RESULTS = Path(__file__).parent / "results" / "contradictions.json"
ALTERED_SIDE = 1600
"""Longer side, in pixels, at which alterations are made: thumbnails are ten times smaller."""
PATCH_SHARES = (0.1, 0.15, 0.2, 0.3)
PATCHES_PER_PHOTOGRAPH = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared-data", type=Path, required=True)
    parser.add_argument(
        "--photographs", type=Path, default=os.environ.get("TIDEWAITER_PHOTOGRAPHS")
    )
    arguments = parser.parse_args()
    photographs = sorted(p for p in Path(arguments.photographs).rglob("*") if p.is_file())
    rng = np.random.default_rng(SEED)
    results = {
        "seed": SEED,
        "thresholds": {"same_picture": SAME_PICTURE, "same_place": SAME_PLACE},
        "genuine_pictures": {
            name: genuine(files, picture_finding)
            for name, files in picture_sets(arguments.shared_data, photographs)
        },
        "genuine_videos": {
            name: genuine(files, video_finding) for name, files in video_sets(arguments.shared_data)
        },
        "thumbnails_of_genuine_photographs": thumbnails(photographs),
        "altered": altered(photographs, rng),
    }
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(json.dumps(results, indent=1, sort_keys=True))


def picture_sets(data: Path, photographs: list[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Genuine pictures as files, by set."""
    yield "lfw_deepfunneled", sorted((data / "lfw_deepfunneled").rglob("*.jpg"))
    yield "utkface", sorted((data / "utkface").rglob("*.jpg"))
    yield "dfdc_real", real_files(data, "dfdc_faces224")
    yield "photographs", photographs


def video_sets(data: Path) -> Iterator[tuple[str, list[Path]]]:
    """Genuine videos as files, by set."""
    for name, folder in (
        ("ffpp_originals", "ffpp_c23/real"),
        ("intel_videos", "intel_videos"),
        ("onvif_signed", "onvif_signed"),
        ("liveportrait", "liveportrait"),
    ):
        yield name, sorted((data / folder).rglob("*.mp4"))


def real_files(data: Path, folder: str) -> list[Path]:
    """Files of a set that the manifest calls real."""
    with (data / "MANIFEST.tsv").open(encoding="utf-8") as opened:
        rows = [row for row in csv.reader(opened, delimiter="\t") if row and folder in row[0]]
    return sorted(data / row[0] for row in rows if row[1].startswith("real"))


def genuine(files: list[Path], find: Callable[[Path], Finding]) -> dict[str, Any]:
    """Files with a contradiction, with interval, and which contradictions they are."""
    kinds: Counter[str] = Counter()
    with_any = stating = 0
    for path in files:
        finding = find(path)
        stating += bool(finding.evidence)
        found = contradictions(finding)
        with_any += bool(found)
        kinds.update(found)
    return {**rate(with_any, len(files)), "stating_anything": stating, "kinds": dict(kinds)}


def contradictions(finding: Finding) -> set[str]:
    """Templates of the contradictions, without the numbers in them."""
    tables = [part for part in finding.evidence if isinstance(part, Facts)]
    return {row.contradicts.template for part in tables for row in part.rows if row.contradicts}


def picture_finding(path: Path) -> Finding:
    return examined(opened(path.read_bytes()))


def video_finding(path: Path) -> Finding:
    with path.open("rb") as stream:
        facts = read_video_facts(stream, path.stat().st_size)
    return VideoFileFacts().find(Traces(MediaKind.VIDEO, {"file.facts": facts}))


def examined(picture: Picture) -> Finding:
    return FileFacts().find(collect_picture(picture, ["file.facts"]))


def opened(data: bytes) -> Picture:
    image = Image.open(io.BytesIO(data))
    exhibit = Exhibit(
        sha256="0" * 64,
        byte_length=len(data),
        name="p",
        kind=MediaKind.PICTURE,
        media_type=Image.MIME[image.format or "JPEG"],
    )
    return Picture(exhibit, data, image.format or "", np.asarray(image.convert("RGB")))


def thumbnails(photographs: list[Path]) -> dict[str, Any]:
    """The lowest correlation and the highest local difference of genuine thumbnails."""
    matches = [facts.thumbnail for path in photographs if (facts := facts_of(path)).thumbnail]
    return {
        "photographs_with_thumbnail": len(matches),
        "other_shape": sum(not match.same_shape for match in matches),
        "lowest_correlation": round(min(m.correlation for m in matches if m.correlation), 4),
        "highest_difference": round(max(m.difference for m in matches if m.difference), 2),
    }


def facts_of(path: Path) -> PictureFacts:
    return collect_picture(opened(path.read_bytes()), ["file.facts"])["file.facts"]


def altered(photographs: list[Path], rng: np.random.Generator) -> dict[str, Any]:
    """Share of alterations with EXIF kept that raise a contradiction."""
    base = [scaled(path) for path in photographs]
    others = [pixels for pixels, _ in base]
    results: dict[str, Any] = {
        "cropped_by_a_tenth": noticed(base, lambda pixels: [tenth_cropped(pixels)]),
        "resized_to_half": noticed(base, lambda pixels: [halved(pixels)]),
    }
    for share in PATCH_SHARES:
        results[f"patch_of_{share}_of_the_longer_side"] = noticed(
            base, lambda pixels, share=share: list(patched(pixels, others, share, rng))
        )
    return results


def scaled(path: Path) -> tuple[np.ndarray, Image.Exif]:
    """A photograph at ALTERED_SIDE with EXIF as a camera would have written it."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((ALTERED_SIDE, ALTERED_SIDE), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    inner = exif.get_ifd(0x8769)
    inner[0xA002], inner[0xA003] = image.size
    return np.asarray(image), exif


def noticed(
    base: list[tuple[np.ndarray, Image.Exif]], alter: Callable[[np.ndarray], list[np.ndarray]]
) -> dict[str, Any]:
    found = total = 0
    for pixels, exif in base:
        for changed in alter(pixels):
            found += bool(contradictions(examined(written(changed, exif, pixels))))
            total += 1
    return rate(found, total)


def written(changed: np.ndarray, exif: Image.Exif, original: np.ndarray) -> Picture:
    """`changed` as a JPEG that keeps the original's EXIF and thumbnail."""
    stream = io.BytesIO()
    Image.fromarray(changed).save(stream, "JPEG", quality=90, exif=exif)
    picture = opened(stream.getvalue())
    small = Image.fromarray(original)
    small.thumbnail((160, 160))
    thumbnail = io.BytesIO()
    small.save(thumbnail, "JPEG", quality=75)
    return dataclasses.replace(picture, data=with_thumbnail(picture.data, thumbnail.getvalue()))


def with_thumbnail(data: bytes, thumbnail: bytes) -> bytes:
    """The JPEG with a second EXIF directory that holds `thumbnail` (little-endian EXIF)."""
    start = data.index(b"Exif\0\0")
    length = int.from_bytes(data[start - 2 : start], "big")
    tiff = bytearray(data[start + 6 : start - 2 + length])
    order = "little" if tiff[:1] == b"I" else "big"
    first = int.from_bytes(tiff[4:8], order)
    link = first + 2 + 12 * int.from_bytes(tiff[first : first + 2], order)
    place = len(tiff)
    tiff[link : link + 4] = place.to_bytes(4, order)
    body = (2).to_bytes(2, order)
    for tag, value in ((0x0201, place + 30), (0x0202, len(thumbnail))):
        body += tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order)
        body += value.to_bytes(4, order)
    tiff += body + bytes(4) + thumbnail
    segment = b"Exif\0\0" + bytes(tiff)
    head = data[: start - 2] + (len(segment) + 2).to_bytes(2, "big")
    return head + segment + data[start - 2 + length :]


def tenth_cropped(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    return pixels[: height - height // 10, width // 10 :]


def halved(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def patched(
    pixels: np.ndarray, others: list[np.ndarray], share: float, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """A square from another photograph pasted at a random place."""
    side = round(share * max(pixels.shape))
    for _ in range(PATCHES_PER_PHOTOGRAPH):
        donor = others[rng.integers(len(others))]
        if side >= min(*pixels.shape[:2], *donor.shape[:2]):
            continue
        row, column = (int(rng.integers(size - side)) for size in pixels.shape[:2])
        down, right = (int(rng.integers(size - side)) for size in donor.shape[:2])
        changed = pixels.copy()
        changed[row : row + side, column : column + side] = donor[
            down : down + side, right : right + side
        ]
        yield changed


def rate(events: int, trials: int) -> dict[str, Any]:
    if not trials:
        return {"events": 0, "files": 0}
    interval = clopper_pearson(events, trials)
    return {
        "events": events,
        "files": trials,
        "rate": round(events / trials, 4),
        "lower": round(interval.lower, 4),
        "upper": round(interval.upper, 4),
    }


if __name__ == "__main__":
    main()
