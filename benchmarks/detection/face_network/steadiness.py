"""How far two looks at an untouched face lie apart, and what the second look costs in accuracy.

    python benchmarks/detection/face_network/steadiness.py --work DIR --network FILE.onnx

DIR is that of recipes/make_face_network.py: its crops of validation originals and people are
shown as they are and after random shipping. `STEADY_GAPS` of traces/face_manipulation.py are
the limits found here.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

import face_splits  # noqa: E402
from face_measuring import network_at  # noqa: E402

from tidewaiter.evaluation.rates import auc  # noqa: E402
from tidewaiter.media.material import Pixels  # noqa: E402
from tidewaiter.traces.face_crop import network_crop, square_in_wide  # noqa: E402
from tidewaiter.traces.face_geometry import cut_repeating  # noqa: E402
from tidewaiter.traces.face_network import ask, compressed  # noqa: E402
from tidewaiter.training.crops import Crops, read_crops  # noqa: E402
from tidewaiter.training.shipping import shipped  # noqa: E402

SEED = 11
MOST_FACES = 1200
# Of untouched faces so many may lie beyond each limit.
BEYOND = 0.005


def main() -> None:
    given = _arguments()
    own = network_at(given.network)
    crops = _validation(given.shared_data, given.work / "crops")
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(crops.items))[:MOST_FACES]
    rows = []
    for index in chosen:
        face = network_crop(partial(cut_repeating, np.array(crops.pixels[index])), square_in_wide())
        for way, crop in (("as cut", face), ("shipped", shipped(face, rng))):
            rows.append(
                (crops.items[index].group, crops.items[index].forged, way, *_looks(crop, own))
            )
    table = np.array([row[3:] for row in rows])
    kinds = np.array([(row[0], row[2]) for row in rows])
    forged = np.array([row[1] for row in rows])
    found = _figures(table, kinds, forged)
    text = json.dumps(found, indent=1)
    (given.out / "steadiness.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def _looks(crop: Pixels, own: Any) -> tuple[float, float, float]:
    """Scores of the crop, of its mirror image, and of its mirror image compressed anew."""
    return (
        ask(crop, own).score,
        ask(crop, own, mirrored=True).score,
        ask(compressed(crop), own, mirrored=True).score,
    )


def _figures(
    table: NDArray[np.float64], kinds: NDArray[np.str_], forged: NDArray[np.bool_]
) -> dict[str, Any]:
    first, mirrored, second = table.T
    gap = first - second
    dfdc = (kinds[:, 0] == "dfdc") & (kinds[:, 1] == "as cut")
    limits = [float(np.quantile(gap, share)) for share in (BEYOND, 1 - BEYOND)]
    beyond = (gap < limits[0]) | (gap > limits[1])
    return {
        "faces": len(gap),
        "limits": [round(limit, 1) for limit in limits],
        "beyond": {
            way: {
                name: round(float(beyond[(kinds[:, 1] == way) & (forged == truth)].mean()), 4)
                for name, truth in (("genuine", False), ("forged", True))
            }
            for way in ("as cut", "shipped")
        },
        "DFDC AUC": {
            "first look alone": round(auc(first[dfdc], forged[dfdc]), 4),
            "with a mirror image": round(auc((first + mirrored)[dfdc], forged[dfdc]), 4),
            "with a compressed mirror image": round(auc((first + second)[dfdc], forged[dfdc]), 4),
        },
    }


def _validation(shared_data: Path, folder: Path) -> Crops:
    listings = (face_splits.dfdc_faces, face_splits.utkface_faces, face_splits.lfw_faces)
    part = {(f.kind, f.source): f.part for listing in listings for f in listing(shared_data)}
    return read_crops(folder).chosen(
        lambda item: part[item.group, item.source] == face_splits.VALIDATE
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--network", type=Path, help="ONNX file [default: the shipped one]")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
