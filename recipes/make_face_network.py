"""Make the shipped face network from the given media with one command.

    python recipes/make_face_network.py --data ../shared/data --work DIR --out FILE.onnx

Two networks are trained apart and asked together. Both learn from DFDC, UTKFace and LFW
(recipes/train_face_network.py); the second goes on for a little while with FaceForensics++
among them. Beside FILE.onnx three others are written, by which its error rates are measured:
FILE.unseen.onnx never saw FaceForensics++, FILE.half0.onnx and FILE.half1.onnx saw one half of
its pairs of people and are reported on the other. Takes about two and a half hours on one core;
stopped, it goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.training.export import read_onnx, write_onnx
from tidewaiter.training.network import FaceEnsemble, FaceNetwork

TRAIN = Path(__file__).with_name("train_face_network.py")
TUNING = ("--pairs", "4800", "--rate", "2e-4", "--seed", "2")
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "": ("--ffpp-fold", "0", "--ffpp-fold", "1"),
    ".half0": ("--ffpp-fold", "0"),
    ".half1": ("--ffpp-fold", "1"),
}
"""The ways of going on with FaceForensics++, by what the file's name gets."""


@dataclass(frozen=True)
class Member:
    """One of the networks: its name, how many pairs it sees, and from which draws."""

    name: str
    pairs: int
    seed: int
    transplanted: float
    tuned: bool


# They differ in their draws, in length, and in what labelled forgeries they are shown.
MEMBERS = (
    Member("first", 52_000, 0, 0.0, tuned=False),
    Member("second", 64_000, 1, 0.3, tuned=True),
)


def main() -> None:
    """Train what is not there yet, join it."""
    given = _arguments()
    bases = [_base(given.data, given.work, member) for member in MEMBERS]
    _join(bases, given.out.with_suffix(".unseen.onnx"))
    for variant, folds in VARIANTS.items():
        tuned = [
            _tuned(given.data, given.work, member, variant, folds) if member.tuned else base
            for member, base in zip(MEMBERS, bases, strict=True)
        ]
        _join(tuned, given.out.with_suffix(f"{variant}.onnx"))


def _base(data: Path, work: Path, member: Member) -> Path:
    out = work / f"{member.name}.onnx"
    settings = ["--pairs", member.pairs, "--seed", member.seed]
    _train(data, work, out, [*settings, "--transplanted", member.transplanted])
    return out


def _tuned(data: Path, work: Path, member: Member, variant: str, folds: tuple[str, ...]) -> Path:
    out = work / f"{member.name}.tuned{variant}.onnx"
    start = work / member.name / "state.pt"
    _train(data, work, out, [*TUNING, *folds, "--start", start])
    return out


def _train(data: Path, work: Path, out: Path, settings: list[object]) -> None:
    if out.exists():
        return
    given = ["--data", data, "--work", work, "--out", out, "--name", out.stem, *settings]
    subprocess.run([sys.executable, TRAIN, *map(str, given)], check=True)


def _join(members: list[Path], out: Path) -> None:
    read = [read_onnx(path) for path in members]
    networks = [network for network in read if isinstance(network, FaceNetwork)]
    write_onnx(FaceEnsemble(networks).eval(), out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="crops, checkpoints, members")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
