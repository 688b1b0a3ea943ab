"""LFW people of ../shared/data for audits, none of whom the shipped face network has learned from.

The network trained on seven tenths of the people (recipes/face_splits.py). Those it never
saw, nor was chosen by, are measured; the tenth that chose its checkpoint and what is left
calibrate. People it trained on can only be impostors against calibration people, so that
thresholds at a false match rate of 0.1 % rest on enough comparisons: no gate is asked
about them.
"""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "lfw_deepfunneled"
sys.path.insert(0, str(ROOT / "recipes"))

from face_splits import REPORT, TRAIN, part_of  # noqa: E402
from face_tables import PORTRAIT_PITCH_DEGREES, PORTRAIT_YAW_DEGREES  # noqa: E402

from tidewaiter.media import open_media  # noqa: E402
from tidewaiter.settings import Limits  # noqa: E402
from tidewaiter.traces.base import Traces  # noqa: E402
from tidewaiter.traces.faces import FacesInPicture, PictureFaces  # noqa: E402
from tidewaiter.vocabulary import MediaKind  # noqa: E402

PICTURES, FEWEST_PORTRAITS = 4, 3
# Of strangers as many as there are, up to this: they only widen the comparisons.
PICTURES_OF_STRANGERS = 8
COLUMNS = ("id", "file", "role", "consent", "authorised", "part")


def copied(out: Path, *, measured: int, impostors: int = 0, portraits: bool = False) -> Path:
    """Copy pictures below `out` and write the list of people there; its path.

    With `portraits` only faces turned as little as a document allows are taken, and people
    who have at least three such pictures.
    """
    files = {}
    for folder in sorted(DATA.iterdir()):
        listed = sorted(folder.glob("*.jpg"))
        if portraits and part_of(folder.name) != TRAIN:
            listed = [file for file in listed if _is_portrait(file)]
        if len(listed) >= (FEWEST_PORTRAITS if portraits else PICTURES):
            stranger = part_of(folder.name) == TRAIN
            files[folder.name] = listed[: PICTURES_OF_STRANGERS if stranger else PICTURES]
    unseen = [name for name in files if part_of(name) == REPORT]
    tested = unseen[:measured]
    calibrating = [n for n in files if part_of(n) != TRAIN and n not in tested]
    strangers = [n for n in files if part_of(n) == TRAIN][:impostors]
    rows = [
        *_rows(tested, files, "test"),
        *_rows(calibrating, files, "calibrate"),
        *_rows(strangers, files, "calibrate", enrolled=False),
    ]
    for name in (*tested, *calibrating, *strangers):
        (out / name).mkdir(parents=True, exist_ok=True)
        for file in files[name]:
            shutil.copyfile(file, out / name / file.name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    (out / "identities.csv").write_text(text.getvalue(), encoding="utf-8")
    return out / "identities.csv"


def _is_portrait(file: Path) -> bool:
    """One face, as frontal and level as recipes/face_tables.py asks of a document's picture."""
    opened = open_media(file, Limits(), name=file.name)
    found = FacesInPicture().measure(opened, Traces(MediaKind.PICTURE, {}))
    if not isinstance(found, PictureFaces) or len(found.faces) != 1:
        return False
    yaw, pitch, _ = found.faces[0].pose
    return abs(yaw) <= PORTRAIT_YAW_DEGREES and abs(pitch) <= PORTRAIT_PITCH_DEGREES


def _rows(
    names: Sequence[str], files: Mapping[str, Sequence[Path]], part: str, *, enrolled: bool = True
) -> list[tuple[str, ...]]:
    """The first picture enrols; strangers to the service have probes only."""
    rows = []
    for name in names:
        for number, file in enumerate(files[name]):
            role = "impostor" if not enrolled else ("probe" if number else "enrol")
            authorised = "yes" if part == "test" else "no"
            rows.append((name, f"{name}/{file.name}", role, "research", authorised, part))
    return rows
