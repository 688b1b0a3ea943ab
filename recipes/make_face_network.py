"""Make the shipped face network from the given media with one command.

    python recipes/make_face_network.py --data ../shared/data --work DIR --out FILE.onnx

Two networks are trained apart on DFDC, UTKFace and LFW (recipes/train_face_network.py) and
asked together. Beside FILE.onnx two others are written: in FILE.half0.onnx and FILE.half1.onnx
the second network went on for a little while with one half of FaceForensics++; they show on the
other half what that would give. Takes about two and a half hours on one core; stopped, it goes
on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.training.export import read_onnx, write_onnx
from tidewaiter.training.network import FaceEnsemble, FaceNetwork

TRAIN = Path(__file__).with_name("train_face_network.py")
TUNING = ("--pairs", "4800", "--rate", "2e-4", "--seed", "2")
HALVES = ("0", "1")


@dataclass(frozen=True)
class Member:
    """One of the networks: its name, how many pairs it sees, and from which draws."""

    name: str
    pairs: int
    seed: int
    transplanted: float


# They differ in their draws, in length, and in what labelled forgeries they are shown.
MEMBERS = (Member("first", 52_000, 0, 0.0), Member("second", 64_000, 1, 0.3))


def main() -> None:
    """Train what is not there yet, join it."""
    given = _arguments()
    members = [_trained(given.data, given.work, member) for member in MEMBERS]
    _join(members, given.out)
    for half in HALVES:
        tuned = _tuned(given.data, given.work, MEMBERS[-1], half)
        _join([*members[:-1], tuned], given.out.with_suffix(f".half{half}.onnx"))


def _trained(data: Path, work: Path, member: Member) -> Path:
    out = work / f"{member.name}.onnx"
    settings = ["--pairs", member.pairs, "--seed", member.seed]
    _train(data, work, out, [*settings, "--transplanted", member.transplanted])
    return out


def _tuned(data: Path, work: Path, member: Member, half: str) -> Path:
    out = work / f"{member.name}.half{half}.onnx"
    start = work / member.name / "state.pt"
    _train(data, work, out, [*TUNING, "--ffpp-fold", half, "--start", start])
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
