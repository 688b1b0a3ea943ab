"""Which face may train the network, which chooses a checkpoint, which is only reported on.

One rule for every script: SHA-256 of what makes files dependent (DFDC: the original video;
LFW: the person; UTKFace: the file, its people are not named), modulo ten. FaceForensics++ is
left out of the shipped network's training whole; other networks train on one half of its pairs
of people and are reported on the other.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["train", "validate", "report"]

TRAIN, VALIDATE, REPORT = "train", "validate", "report"
TENTHS = 10
# Tenths below this train; this one chooses checkpoints and gates; those above are reported.
VALIDATING_TENTH = 7
UNTOUCHED_TENTH = 9
"""No calibration is fitted on this tenth: what a card says of one is measured on it."""
FFPP_FOLDS = (("183_253", "585_599"), ("811_920", "942_943"))
"""Two halves of the pairs of people; no person is in both."""
TRAIN_ONLY_NOTE = "train only"


@dataclass(frozen=True)
class FaceFile:
    """A picture or clip of known truth. `source` is what a split and an interval count."""

    path: Path
    kind: str
    """dfdc, utkface, lfw, ffpp, ecuador, liveportrait or intel."""
    source: str
    part: Part
    forged: bool
    method: str = ""
    """How it was forged, as far as known; empty for genuine files."""


def part_of(name: str) -> Part:
    """The part of an original, a person or a file by its name."""
    tenth = tenth_of(name)
    if tenth < VALIDATING_TENTH:
        return TRAIN
    return VALIDATE if tenth == VALIDATING_TENTH else REPORT


def tenth_of(name: str) -> int:
    """The tenth, 0 to 9, of an original, a person or a file by its name."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % TENTHS


def dfdc_faces(shared_data: Path) -> Iterator[FaceFile]:
    """DFDC crops; `source` is the original video of a crop and of all its forgeries.

    Files noted "train only" may share people with others and always train.
    """
    with (shared_data / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if not row["file"].startswith("dfdc_faces224/") or not row["file"].endswith(".jpg"):
                continue
            label, _, original = row["label"].partition(":")
            source = Path(original or row["file"]).stem
            trains = row["note"].startswith(TRAIN_ONLY_NOTE)
            yield FaceFile(
                path=shared_data / row["file"],
                kind="dfdc",
                source=source,
                part=TRAIN if trains else part_of(source),
                forged=label == "fake",
                method="dfdc" if label == "fake" else "",
            )


def utkface_faces(shared_data: Path) -> Iterator[FaceFile]:
    """UTKFace crops, all genuine."""
    for path in sorted((shared_data / "utkface").glob("*.jpg")):
        yield FaceFile(path, "utkface", path.name, part_of(path.name), forged=False)


def lfw_faces(shared_data: Path) -> Iterator[FaceFile]:
    """LFW pictures, all genuine; `source` is the person."""
    for path in sorted((shared_data / "lfw_deepfunneled").glob("*/*.jpg")):
        person = path.parent.name
        yield FaceFile(path, "lfw", person, part_of(person), forged=False)


def ffpp_clips(shared_data: Path) -> Iterator[FaceFile]:
    """FaceForensics++ clips, all reported on; `source` is the pair of people."""
    folder = shared_data / "ffpp_c23"
    for path in sorted(folder.rglob("*.mp4")):
        genuine = path.parent.name == "real"
        method = "" if genuine else path.parent.name
        yield FaceFile(path, "ffpp", pair_of(path.stem), REPORT, not genuine, method)


def reported_extras(shared_data: Path) -> Iterator[FaceFile]:
    """What is only ever reported on: ecuador_lora, liveportrait clips, intel_videos."""
    for path in sorted((shared_data / "ecuador_lora").glob("*/*/*.jpg")):
        forged = path.parent.parent.name == "fake"
        method = "diffusion (LoRA)" if forged else ""
        yield FaceFile(path, "ecuador", path.parent.name, REPORT, forged, method)
    for kind, pattern in (
        ("liveportrait", "liveportrait/*/*.mp4"),
        ("intel", "intel_videos/*.mp4"),
    ):
        for path in sorted(shared_data.glob(pattern)):
            yield FaceFile(path, kind, path.stem, REPORT, forged=False)


def pair_of(stem: str) -> str:
    """The pair of people, as in FFPP_FOLDS, of a clip named by one or two of them."""
    person = stem.split("_", maxsplit=1)[0]
    return next(pair for fold in FFPP_FOLDS for pair in fold if person in pair.split("_"))
