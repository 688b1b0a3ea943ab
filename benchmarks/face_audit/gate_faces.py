"""Copy the faces on which a gate's network is fitted for pilot.py: people it does not measure.

    python benchmarks/face_audit/gate_faces.py --out FACES
    tidewaiter fit gate --genuine FACES --out GATE --pairs 12000
    tidewaiter fit gate --genuine FACES --out OTHER --pairs 12000 --leave-out recapture

results/gate_fitted.json and gate_fitted_blind.json are the cards of the two. The people are those
of LFW that the shipped face network was trained on, 8 pictures of each at most. Neither a person
of the pilot audit nor one who calibrates it is among them.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from lfw_people import DATA, PICTURES_OF_STRANGERS, TRAIN, part_of


def main() -> None:
    """Copy, one folder a person."""
    parser = argparse.ArgumentParser(description="faces to fit a gate's network on")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    for folder in sorted(DATA.iterdir()):
        if part_of(folder.name) == TRAIN:
            (out / folder.name).mkdir(parents=True, exist_ok=True)
            for file in sorted(folder.glob("*.jpg"))[:PICTURES_OF_STRANGERS]:
                shutil.copyfile(file, out / folder.name / file.name)


if __name__ == "__main__":
    main()
