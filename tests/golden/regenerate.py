"""Write the golden reports anew: `python tests/golden/regenerate.py`, then read the difference.

Pictures are named by the digest of their pixels: compression differs between builds of
zlib and libjpeg, what a reader sees does not.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.report.samples import Sample, all_samples
from tidewaiter.report.page import html_report
from tidewaiter.report.record import json_report

FOLDER = Path(__file__).parent / "reports"
LANGUAGES = {"picture": ("en", "fr"), "video": ("en", "fr")}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = dict(golden_files())
    for path in sorted(FOLDER.iterdir()):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_bytes(text.encode("utf-8"))
    print(f"{len(wanted)} golden files written")  # noqa: T201


def golden_files() -> Iterator[tuple[str, str]]:
    """Every golden file by name, as the code of today writes it."""
    for name, sample in all_samples().items():
        for language in LANGUAGES.get(name, ("en",)):
            yield f"{name}.{language}.json", _steady(json_report(sample.report, language), sample)
            yield f"{name}.{language}.html", _steady(_page(sample, language), sample)


def _page(sample: Sample, language: str) -> str:
    return html_report(
        sample.report, sample.pictures, language,
        calibrations=sample.calibrations, looks_for=sample.looks_for, preview=sample.preview,
    )  # fmt: skip


def _steady(text: str, sample: Sample) -> str:
    for digest, png in sample.pictures.items():
        pixels = Image.open(io.BytesIO(png)).convert("RGB")
        shown = hashlib.sha256(repr(pixels.size).encode() + pixels.tobytes()).hexdigest()
        text = text.replace(base64.b64encode(png).decode(), f"pixels-{shown}").replace(
            digest, shown
        )
    return re.sub(r"data:image/jpeg;base64,[^\"]+", "data:image/jpeg;base64,preview", text)


if __name__ == "__main__":
    main()
