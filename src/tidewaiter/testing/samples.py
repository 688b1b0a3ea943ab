"""Sample exhibits of known truth, made on the spot: for the demo, the self-test and first tests.

Nothing here is a photograph of anything; the samples show how reports look, not how well
detectors do. Error rates come from benchmarks/ on real media.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.goods import copy_unit, render_wall
from tidewaiter.forgeries.pictures import decoded, jpeg_bytes, splice
from tidewaiter.forgeries.videos import alter_video
from tidewaiter.testing.credentials import signed_picture
from tidewaiter.testing.scenes import moving_shapes, write_clip
from tidewaiter.vocabulary import Text, tr

SEED = 1895
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """One sample file and what is true of it."""

    path: Path
    truth: Text


def write_samples(folder: Path) -> tuple[Sample, ...]:
    """Write all samples into `folder` (made if absent).

    The same bytes every time, but for the signed one, whose keys are made anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (truth, make) in SAMPLES.items():
        path = folder / name
        make(path)
        written.append(Sample(path, truth))
    return tuple(written)


def untouched_picture(seed: int = SEED) -> bytes:
    """A wall of cartons as a camera would save it: one JPEG compression."""
    return jpeg_bytes(_wall(seed), 92)


def spliced_picture(seed: int = SEED) -> bytes:
    """A wall saved at quality 60 with a part from elsewhere, saved again at quality 92."""
    rng = np.random.default_rng(seed)
    host = decoded(jpeg_bytes(_wall(seed), 60))
    altered = splice(host, _wall(seed + 1, "labels"), rng, share=0.06)
    return jpeg_bytes(altered.rgb, 92)


def copied_goods_picture(seed: int = SEED) -> bytes:
    """A wall on which one carton was painted over with another, saved as PNG."""
    rng = np.random.default_rng(seed)
    wall = render_wall("cartons", rng, height=720, width=960)
    copied = copy_unit(wall, rng)
    return _png(copied.rgb)


def broken_credentials_picture() -> bytes:
    """A signed picture of which bytes changed after signing."""
    signed, _authority = signed_picture(untouched_picture(), "image/jpeg")
    changed = bytearray(signed)
    middle = len(changed) - len(changed) // 8
    changed[middle] ^= 0x01
    return bytes(changed)


def clean_video(path: Path, seed: int = SEED) -> None:
    """Ten seconds of shapes moving before a static camera."""
    write_clip(path, moving_shapes(250, seed=seed))


def looped_video(path: Path, seed: int = SEED) -> None:
    """The same scene with a stretch shown twice."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-sample-") as folder:
        clean = Path(folder) / "clean.mp4"
        clean_video(clean, seed)
        alter_video(clean, path, "loop", seed=seed)


def _wall(seed: int, goods: str = "cartons") -> Pixels:
    return render_wall(goods, np.random.default_rng(seed), height=720, width=960).rgb  # type: ignore[arg-type]


def _png(rgb: Pixels) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def _bytes_to(make: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


SAMPLES: dict[str, tuple[Text, Callable[[Path], None]]] = {
    "cartons-untouched.jpg": (tr("untouched"), _bytes_to(untouched_picture)),
    "cartons-spliced.jpg": (tr("a part from another picture"), _bytes_to(spliced_picture)),
    "cartons-copied.png": (tr("one carton copied over another"), _bytes_to(copied_goods_picture)),
    "cartons-signed-then-changed.jpg": (
        tr("changed after it was signed"),
        _bytes_to(broken_credentials_picture),
    ),
    "warehouse-untouched.mp4": (tr("untouched"), clean_video),
    "warehouse-looped.mp4": (tr("a stretch shown twice"), looped_video),
}
"""File name to truth and maker."""
