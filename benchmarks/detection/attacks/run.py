"""What attacks do to the face network and to the opinion of a whole examination.

    python benchmarks/detection/attacks/run.py --work FOLDER [--other-network FILE] \
        [--shared-data ../shared/data] [--face-network FOLDER] [--workers 1] [--share 1.0]

Held-out forgeries are changed to look genuine, genuine faces to look forged (protocol.toml
says how many and how strongly). Every figure is taken on the saved file: the network's
finding as `examine` makes it, and the opinions of a whole examination with its stability
battery. An attacker works on the crop where the face lay before; the product locates the
face anew. What an interrupted run made stays in FOLDER and is not made again.

The other network of the kept results is what `recipes/train_face_network.py --pairs 4000
--leave-out swap --seed 1` makes: the same recipe, briefly, without swaps.

Parts (`--part`, default all in order): levels, attack, query, examine, summary. `--share` takes
that share of the items, for a trial; results are then written to FOLDER, not to results/.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.detection.attacks.cells import Holdings, Target, attack_all  # noqa: E402
from benchmarks.detection.attacks.gradients import Goal  # noqa: E402
from benchmarks.detection.attacks.items import Item  # noqa: E402
from benchmarks.detection.attacks.product import (  # noqa: E402
    network_finding,
    told_about,
    wide_squares,
)
from benchmarks.detection.attacks.setting import (  # noqa: E402
    PROTOCOL,
    Row,
    Setting,
    attacked,
    candidates,
    cells_of,
    examined,
    kept,
    levels,
    queried,
    rows_file,
    seen,
)
from benchmarks.detection.attacks.summary import summarise  # noqa: E402
from benchmarks.detection.attacks.views import Pixels  # noqa: E402
from recipes.face_laundering import png_bytes  # noqa: E402
from tidewaiter.casework.plan import Plan  # noqa: E402
from tidewaiter.errors import UnfitFaces  # noqa: E402
from tidewaiter.forgeries.pictures import decoded  # noqa: E402
from tidewaiter.vocabulary import Finding  # noqa: E402

PARTS = ("levels", "attack", "query", "examine", "summary")
# Attacks that hold a network, and those that ask the product; kept apart, as the latter are slow.
STAGES = ("attack", "query")
Work = Callable[[Setting, Item], list[Row]]


def main() -> None:
    arguments = _arguments()
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    setting = Setting(
        work=arguments.work,
        shared_data=arguments.shared_data,
        face_network=arguments.face_network,
        other_network=arguments.other_network,
        share=arguments.share,
    )
    for part in arguments.part or PARTS:
        if part == "levels":
            _each("look", look, setting, candidates(setting), arguments.workers)
        elif part == "attack":
            work = partial(attack_item, asking=False)
            _each(part, work, setting, attacked(setting), arguments.workers)
        elif part == "query":
            work = partial(attack_item, asking=True)
            _each(part, work, setting, queried(setting), arguments.workers)
        elif part == "examine":
            for stage in STAGES:
                work = partial(examine_item, stage=stage)
                made = [item for item in examined(setting) if kept(setting, stage, item)]
                _each(f"{stage}-told", work, setting, made, arguments.workers)
        else:
            _write(setting, _summary(setting))


def look(setting: Setting, item: Item) -> list[Row]:
    """The network's score of an unattacked picture, saved without loss."""
    try:
        data = png_bytes(decoded(item.data()))
    except UnfitFaces:
        return []
    finding = _finding(data, setting.plan)
    return [{"kind": item.kind, "forged": item.forged, "score": finding.score}]


def attack_item(setting: Setting, item: Item, *, asking: bool) -> list[Row]:
    """One picture's cells: the attacked files, and what the network says of them."""
    folder = setting.work / "files" / item.name
    folder.mkdir(parents=True, exist_ok=True)
    target = _target(setting, item)
    held = _holdings(setting)
    cells = [c for c in cells_of(setting, item) if (c.means == "queries") is asking]
    rows: list[Row] = []
    for cell, made in zip(cells, attack_all(target, cells, held), strict=True):
        file = folder / f"{STAGES[asking]}-{len(rows):02d}"
        file.write_bytes(made.data)
        finding = network_finding(file, setting.plan)
        rows.append(
            {
                "cell": cell.label,
                "means": cell.means,
                "examined": cell.is_examined,
                "file": file.name,
                "kind": item.kind,
                "source": item.source,
                "forged": item.forged,
                "score": finding.score,
                "farthest": _farthest(made.pixels, target.pixels),
                "queries": made.queries,
            }
        )
    return rows


def examine_item(setting: Setting, item: Item, *, stage: str) -> list[Row]:
    """The opinions of whole examinations of one picture's attacked files."""
    folder = setting.work / "files" / item.name
    return [
        row | asdict(told_about(folder / row["file"], setting.plan))
        for row in kept(setting, stage, item)
        if row["examined"]
    ]


def _target(setting: Setting, item: Item) -> Target:
    pixels = decoded(item.data())
    found = levels(setting)
    with tempfile.NamedTemporaryFile(prefix="tidewaiter-attack-") as file:
        file.write(png_bytes(pixels))
        file.flush()
        squares = wide_squares(Path(file.name))
    return Target(
        pixels=pixels,
        squares=squares,
        goal=Goal.HIDE if item.forged else Goal.DISCREDIT,
        enough=found["usual_genuine" if item.forged else "usual_detected"],
        seed=(PROTOCOL["seed"], item.number, int(item.forged)),
    )


@cache
def _holdings(setting: Setting) -> Holdings:
    import torch

    from tidewaiter.training.export import read_onnx

    torch.set_num_threads(1)

    def frozen(path: Path) -> torch.nn.Module:
        network = read_onnx(path).eval().requires_grad_(requires_grad=False)
        return network.to(memory_format=torch.channels_last)  # a quarter faster on one core

    other = setting.other_network
    return Holdings(
        network=frozen(setting.network),
        other=None if other is None else frozen(other),
        plan=setting.plan,
        protocol=PROTOCOL,
    )


def _finding(data: bytes, plan: Plan) -> Finding:
    with tempfile.NamedTemporaryFile(prefix="tidewaiter-attack-") as file:
        file.write(data)
        file.flush()
        return network_finding(Path(file.name), plan)


def _farthest(pixels: Pixels | None, origin: Pixels) -> int:
    if pixels is None:
        return 0
    return int(np.abs(pixels.astype(np.int16) - origin).max())


def _each(
    stage: str,
    work: Work,
    setting: Setting,
    items: Sequence[Item],
    workers: int,
) -> None:
    """Do the work for every item that has no rows yet; rows are kept item by item."""
    todo = [item for item in items if not rows_file(setting, stage, item).exists()]
    print(f"{stage}: {len(todo)} of {len(items)} items", flush=True)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for number, _ in enumerate(
            pool.imap_unordered(partial(_keep, stage, work, setting), todo), 1
        ):
            if number % 10 == 0:
                print(f"  {number} done", flush=True)


def _keep(stage: str, work: Work, setting: Setting, item: Item) -> None:
    file = rows_file(setting, stage, item)
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = work(setting, item)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(rows), encoding="utf-8")
    part.rename(file)


def _summary(setting: Setting) -> dict[str, dict[str, Any]]:
    def rows(suffix: str) -> list[Row]:
        """Gradients before queries, whatever was made of either."""
        return [
            row
            for stage in STAGES
            for item in attacked(setting)
            for row in kept(setting, stage + suffix, item)
        ]

    looked = [row for item in candidates(setting) for row in seen(setting, item)]
    return summarise(
        looked, rows(""), rows("-told"), levels(setting), most_queries=PROTOCOL["queries"]["most"]
    )


def _write(setting: Setting, results: dict[str, dict[str, Any]]) -> None:
    folder = HERE / "results" if setting.share >= 1 else setting.work / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        text = json.dumps(result, indent=1) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        for cell, figures in result.items():
            print(name, cell, _brief(figures))


def _brief(figures: Any) -> str:
    if isinstance(figures, dict) and "value" in figures:
        return "{value:.3f} [{lower:.3f}, {upper:.3f}] of {of}".format(**figures)
    if isinstance(figures, dict):
        return "; ".join(f"{name}: {_brief(inner)}" for name, inner in figures.items())
    return str(figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder outside the repository")
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--face-network", type=Path, help="a folder of `tidewaiter fit face`")
    parser.add_argument("--other-network", type=Path, help="an ONNX file for transferred attacks")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
