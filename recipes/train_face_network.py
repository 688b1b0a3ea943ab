"""Train one face network from the given media: crops, training, ONNX.

    python recipes/train_face_network.py --data ../shared/data --work DIR --out FILE.onnx

recipes/make_face_network.py makes the shipped one of several.

Resumes where it was stopped. DIR keeps the crops, the state of the training, log.csv with
loss and validation, and log.svg. Splits are those of recipes/face_splits.py: checkpoints are
judged on validation originals and people; what is reported on is never opened here. With
--leave-out FAMILY a family of forgeries is never shown; with --ffpp-fold 0 and 1 the pairs of
people of that half of FaceForensics++ train too; with --start STATE.pt a training goes on from the
averaged network of another one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

# Read when the libraries load: spinning threads beside other work cost a factor of five.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import face_splits
import numpy as np
import torch
import training_log
from PIL import Image

from tidewaiter.evaluation.rates import auc
from tidewaiter.media import open_media
from tidewaiter.media.material import Picture, Unexamined
from tidewaiter.media.still import frames_at
from tidewaiter.training.crops import CropItem, Crops, store_crops
from tidewaiter.training.export import write_onnx
from tidewaiter.training.loop import LOG_FILE, TrainingPlan, averaged_network, train
from tidewaiter.training.network import AnyNetwork, imagenet_network
from tidewaiter.training.pairs import LABELLED, OWN_FORGERY, SELF_BLEND, Mixture, Pairs

# Read when the process starts. Without them every large tensor is asked of the system and
# given back, and a sixth of the time goes into clearing pages.
MEMORY_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "500000000",
}
VALIDATION_PAIRS = {LABELLED: 240, SELF_BLEND: 160, OWN_FORGERY: 160}
VALIDATION_SEED = 7_000
# DFDC has the widest light and cameras; LFW is small and its people are few.
# FaceForensics++ has few people, but other methods and a video's compression.
GROUP_SHARES = {"dfdc": 0.55, "utkface": 0.28, "lfw": 0.17, "ffpp": 0.12}
COUPLE_SHARES = {"dfdc": 0.72, "ffpp": 0.28}
# Frames taken from every FaceForensics++ clip, evenly spread over this time.
FRAMES, FRAMES_UNTIL_S = 60, 9.6


def main() -> None:
    """Cut crops, train, export."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    processes = max(os.cpu_count() or 1, 1)
    crops = store_crops(list(_items(given.data)), given.work / "crops", processes=processes)
    part = {(face.kind, face.source): face.part for face in _faces(given.data)}
    left_out = frozenset(given.leave_out)
    mixture = Mixture(
        groups=GROUP_SHARES,
        couples=COUPLE_SHARES,
        transplanted=given.transplanted,
        left_out=left_out,
    )
    learned = crops.chosen(lambda item: part[item.group, item.source] == face_splits.TRAIN)
    judged = crops.chosen(lambda item: part[item.group, item.source] == face_splits.VALIDATE)
    for fold in given.ffpp_fold:
        frames = list(_ffpp_items(given.data, fold, given.work / "ffpp_frames"))
        stored = store_crops(frames, given.work / f"crops_ffpp_{fold}", processes=processes)
        learned = learned.joined(stored)
    plan = TrainingPlan(
        pairs=given.pairs,
        rate=given.rate,
        threads=given.threads,
        workers=given.workers,
        seed=given.seed,
    )
    folder = given.work / given.name
    network = train(
        averaged_network(given.start) if given.start else imagenet_network(),
        Pairs(learned, mixture, given.seed),
        plan,
        folder,
        Validation(judged, folder / "latest.onnx"),
    )
    training_log.draw(folder / LOG_FILE)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    write_onnx(network, given.out)


class Validation:
    """AUC on pairs of validation crops, per kind of pair; keeps the network judged as ONNX."""

    def __init__(self, crops: Crops, latest: Path) -> None:
        self._pairs = {
            kind: Pairs(crops, Mixture(kinds={kind: 1.0}, groups=GROUP_SHARES), VALIDATION_SEED)
            for kind in VALIDATION_PAIRS
        }
        self._latest = latest

    def __call__(self, network: AnyNetwork) -> dict[str, float]:
        """AUC of labelled, self-blended and own forgeries against their genuine partners."""
        write_onnx(network, self._latest)
        return {kind: self._auc(network, kind) for kind in self._pairs}

    def _auc(self, network: AnyNetwork, kind: str) -> float:
        pairs = self._pairs[kind]
        views = []
        for number in range(VALIDATION_PAIRS[kind]):
            pair = pairs[number]
            views += [pair.genuine, pair.forged]
        crops = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            scores = np.concatenate([network(part)[0].numpy() for part in crops.split(32)])
        return auc(scores, np.arange(len(scores)) % 2 == 1)


def _faces(data: Path) -> Iterable[face_splits.FaceFile]:
    yield from face_splits.dfdc_faces(data)
    yield from face_splits.utkface_faces(data)
    yield from face_splits.lfw_faces(data)


def _items(data: Path) -> Iterable[CropItem]:
    for face in _faces(data):
        if face.part == face_splits.REPORT:
            continue
        # DFDC: a forgery and its original make a pair; elsewhere a picture stands alone.
        pair = face.source if face.kind == "dfdc" else str(face.path.name)
        yield CropItem(str(face.path), face.kind, face.source, pair, face.forged)


def _ffpp_items(data: Path, fold: int, folder: Path) -> Iterable[CropItem]:
    """Frames of the clips of a fold; a frame and its forgeries at that time make a pair."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in face_splits.ffpp_clips(data):
        if clip.source not in face_splits.FFPP_FOLDS[fold]:
            continue
        shown = clip.path.stem.split("_", maxsplit=1)[0]
        for number, path in enumerate(_frames(clip, folder)):
            yield CropItem(str(path), "ffpp", clip.source, f"{shown} {number}", clip.forged)


def _frames(clip: face_splits.FaceFile, folder: Path) -> Iterable[Path]:
    paths = [
        folder / f"{clip.method or 'genuine'}_{clip.path.stem}_{number:02d}.png"
        for number in range(FRAMES)
    ]
    if not paths[-1].exists():
        times = np.linspace(0, FRAMES_UNTIL_S, FRAMES)
        video = open_media(clip.path)
        if isinstance(video, Picture | Unexamined):
            raise SystemExit(f"{clip.path} is no video; a clip is needed; get the data anew")
        shown = frames_at(video, times.tolist())
        for path, (_, pixels) in zip(paths, sorted(shown.items()), strict=False):
            Image.fromarray(pixels).save(path)
    return [path for path in paths if path.exists()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="crops and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--name", default="main", help="folder of this training in --work")
    parser.add_argument("--pairs", type=int, default=80_000, help="pairs to train on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make pairs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", action="append", default=[], metavar="FAMILY")
    parser.add_argument("--ffpp-fold", type=int, action="append", default=[], choices=(0, 1))
    parser.add_argument(
        "--transplanted", type=float, default=0.3, help="share of labelled faces laid over others"
    )
    parser.add_argument("--start", type=Path, help="state.pt of a training to go on from")
    parser.add_argument("--rate", type=float, default=TrainingPlan.rate, help="peak rate")
    return parser.parse_args()


if __name__ == "__main__":
    if not MEMORY_SETTINGS.keys() <= os.environ.keys():
        settings = {**os.environ, **MEMORY_SETTINGS}
        os.execve(sys.executable, [sys.executable, *sys.argv], settings)  # noqa: S606 - itself
    main()
