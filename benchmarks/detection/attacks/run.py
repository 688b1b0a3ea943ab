"""What attacks do to the face network and to the opinion of a whole examination.

    python benchmarks/detection/attacks/run.py --work FOLDER [--other-network FILE] \
        [--shared-data ../shared/data] [--face-network FOLDER] [--workers 1] [--share 1.0]

Held-out forgeries are changed to look genuine, genuine faces to look forged (protocol.toml
says how many and how strongly). Every figure is taken on the saved file: the network's
finding as `examine` makes it, and the opinions of a whole examination with its stability
battery. An attacker works on the crop where the face lay before; the product locates the
face anew. What an interrupted run made stays in FOLDER and is not made again.

Parts (`--part`, default all in order): levels, attack, examine, summary. `--share` takes
that share of the items, for a trial; results are then written to FOLDER, not to results/.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.detection.attacks.cells import (  # noqa: E402
    Cell,
    Holdings,
    Target,
    all_cells,
    attack_all,
)
from benchmarks.detection.attacks.gradients import Goal  # noqa: E402
from benchmarks.detection.attacks.items import Item, forged_items, genuine_items  # noqa: E402
from benchmarks.detection.attacks.product import (  # noqa: E402
    network_finding,
    told_about,
    wide_squares,
)
from benchmarks.detection.attacks.summary import summarise  # noqa: E402
from benchmarks.detection.attacks.views import Pixels  # noqa: E402
from recipes.face_laundering import png_bytes  # noqa: E402
from tidewaiter.casework.plan import Plan  # noqa: E402
from tidewaiter.errors import UnfitFaces  # noqa: E402
from tidewaiter.forgeries.pictures import decoded  # noqa: E402
from tidewaiter.vocabulary import Finding  # noqa: E402
from tidewaiter.weights.own import NETWORK_FILE, shipped_network  # noqa: E402

PROTOCOL = tomllib.loads((HERE / "protocol.toml").read_text(encoding="utf-8"))
PARTS = ("levels", "attack", "examine", "summary")
Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """Where things lie in one run."""

    work: Path
    shared_data: Path
    face_network: Path | None
    other_network: Path | None
    share: float

    @property
    def plan(self) -> Plan:
        """How files are examined: as anybody would, the stability battery included."""
        return Plan(face_network=self.face_network)

    @property
    def network(self) -> Path:
        """The network under attack."""
        if self.face_network is not None:
            return self.face_network / NETWORK_FILE
        return shipped_network().path

    def count(self, name: str) -> int:
        """A number of items of the protocol, or the share of it that this run takes."""
        return max(2, round(self.share * int(PROTOCOL["items"][name])))


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
            _each(look, setting, candidates(setting), arguments.workers)
        elif part == "attack":
            _each(attack_item, setting, _attacked(setting), arguments.workers)
        elif part == "examine":
            _each(examine_item, setting, _examined(setting), arguments.workers)
        else:
            _write(setting, _summary(setting))


@cache
def candidates(setting: Setting) -> tuple[Item, ...]:
    """Every item whose score is looked at."""
    data, seed = setting.shared_data, PROTOCOL["seed"]
    return (
        *forged_items(data, setting.count("forged_for_levels"), seed),
        *genuine_items(data, setting.count("genuine_for_levels"), seed),
    )


def look(setting: Setting, item: Item) -> list[Row]:
    """The network's score of an unattacked picture, saved without loss."""
    try:
        data = png_bytes(decoded(item.data()))
    except UnfitFaces:
        return []
    finding = _finding(data, setting.plan)
    return [{"kind": item.kind, "forged": item.forged, "score": finding.score}]


def attack_item(setting: Setting, item: Item) -> list[Row]:
    """Every cell for one picture: the attacked file, and what the network says of it."""
    folder = setting.work / "files" / item.name
    folder.mkdir(parents=True, exist_ok=True)
    target = _target(setting, item)
    held = _holdings(setting)
    cells = _cells_of(setting, item)
    rows: list[Row] = []
    for cell, made in zip(cells, attack_all(target, cells, held), strict=True):
        file = folder / f"{len(rows):02d}"
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


def examine_item(setting: Setting, item: Item) -> list[Row]:
    """The opinions of whole examinations of one picture's attacked files."""
    folder = setting.work / "files" / item.name
    return [
        row | asdict(told_about(folder / row["file"], setting.plan))
        for row in _kept(setting, "attack_item", item)
        if row["examined"]
    ]


@cache
def levels(setting: Setting) -> dict[str, float]:
    """The threshold, and the scores of usual and of the most extreme faces, not attacked."""
    rows = [row for item in candidates(setting) for row in _kept(setting, "look", item)]
    scores = {
        forged: [r["score"] for r in rows if r["forged"] is forged and r["score"] is not None]
        for forged in (True, False)
    }
    false_alarms = PROTOCOL["levels"]["false_alarms"]
    return {
        "threshold": float(np.quantile(scores[False], 1 - false_alarms, method="higher")),
        "usual_genuine": float(np.median(scores[False])),
        "usual_forged": float(np.median(scores[True])),
        "lowest": min(scores[False] + scores[True]),
        "highest": max(scores[False] + scores[True]),
        "genuine": len(scores[False]),
        "forged": len(scores[True]),
    }


@cache
def _attacked(setting: Setting) -> list[Item]:
    """The first items of each truth that the network examines when they are not attacked."""
    fit = [
        item
        for item in candidates(setting)
        if any(row["score"] is not None for row in _kept(setting, "look", item))
    ]
    forged = [item for item in fit if item.forged][: setting.count("forged_attacked")]
    return [
        *forged,
        *[item for item in fit if not item.forged][: setting.count("genuine_attacked")],
    ]


def _examined(setting: Setting) -> list[Item]:
    """The first attacked items of each truth, whose files go through whole examinations."""
    return [
        item for item in _attacked(setting) if _place(setting, item) < setting.count("examined")
    ]


def _place(setting: Setting, item: Item) -> int:
    order = [other.name for other in _attacked(setting) if other.forged is item.forged]
    return order.index(item.name)


def _cells_of(setting: Setting, item: Item) -> list[Cell]:
    """The cells of this item: dear ones for the first items only."""
    place = _place(setting, item)
    dear = place < setting.count("dear_attacked")
    queried = place < setting.count("queried" if item.forged else "genuine_queried")
    wanted = {
        "none": True,
        "gradient": True,
        "laundering": True,
        "transforms": dear,
        "aimed": queried,
        "transfer": dear and setting.other_network is not None,
        "queries": queried,
    }
    cells = all_cells(
        Goal.HIDE if item.forged else Goal.DISCREDIT,
        PROTOCOL["gradients"]["epsilons"],
        PROTOCOL["queries"]["epsilon"],
    )
    return [cell for cell in cells if wanted[cell.means]]


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
        enough=found["usual_genuine" if item.forged else "usual_forged"],
        seed=(PROTOCOL["seed"], item.number, int(item.forged)),
    )


@cache
def _holdings(setting: Setting) -> Holdings:
    import torch

    from tidewaiter.training.export import read_onnx

    torch.set_num_threads(1)

    def frozen(path: Path) -> torch.nn.Module:
        return read_onnx(path).eval().requires_grad_(requires_grad=False)

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
    work: Callable[[Setting, Item], list[Row]],
    setting: Setting,
    items: Sequence[Item],
    workers: int,
) -> None:
    """Do the work for every item that has no rows yet; rows are kept item by item."""
    todo = [item for item in items if not _rows_file(setting, work.__name__, item).exists()]
    print(f"{work.__name__}: {len(todo)} of {len(items)} items", flush=True)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for number, _ in enumerate(pool.imap_unordered(partial(_keep, work, setting), todo), 1):
            if number % 10 == 0:
                print(f"  {number} done", flush=True)


def _keep(work: Callable[[Setting, Item], list[Row]], setting: Setting, item: Item) -> None:
    file = _rows_file(setting, work.__name__, item)
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = work(setting, item)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(rows), encoding="utf-8")
    part.rename(file)


def _kept(setting: Setting, stage: str, item: Item) -> list[Row]:
    file = _rows_file(setting, stage, item)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


def _summary(setting: Setting) -> dict[str, dict[str, Any]]:
    return summarise(
        [row for item in _attacked(setting) for row in _kept(setting, "attack_item", item)],
        [row for item in _examined(setting) for row in _kept(setting, "examine_item", item)],
        levels(setting),
        most_queries=PROTOCOL["queries"]["most"],
    )


def _rows_file(setting: Setting, stage: str, item: Item) -> Path:
    return setting.work / stage / f"{item.name}.json"


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
