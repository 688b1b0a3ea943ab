"""Fetch the photographs of photographs.tsv from Debian packages into a folder of one's own.

    python recipes/fetch_photographs.py --to FOLDER
    export TIDEWAITER_PHOTOGRAPHS=FOLDER

Runs `apt-get download` and `dpkg -x`, keeps the listed pictures as FOLDER/<package>/<name>
and checks every SHA-256. The pictures are never committed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from material import PHOTOGRAPHS_VARIABLE, Listed, listed_photographs


def main() -> int:
    """Fetch and check; the exit status is 1 if a picture is missing or differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=os.environ.get(PHOTOGRAPHS_VARIABLE))
    target = parser.parse_args().to
    if target is None:
        parser.error(f"--to FOLDER or {PHOTOGRAPHS_VARIABLE} is needed")
    wanted = listed_photographs()
    for package in sorted({row.package for row in wanted}):
        rows = [row for row in wanted if row.package == package]
        if not all((target / row.package / row.name).is_file() for row in rows):
            fetch(package, rows, Path(target))
    wrong = [row.name for row in wanted if digest(Path(target), row) != row.sha256]
    print(f"{len(wanted) - len(wrong)} of {len(wanted)} photographs are as listed")
    print(*(f"missing or different: {name}" for name in wrong), sep="\n", end="")
    return 1 if wrong else 0


def fetch(package: str, rows: list[Listed], target: Path) -> None:
    """Download and unpack one package; keep its listed pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", "-q", package], cwd=scratch, check=True)
        archive = next(Path(scratch).glob("*.deb"))
        subprocess.run(["dpkg", "-x", archive.name, "unpacked"], cwd=scratch, check=True)
        share = Path(scratch) / "unpacked" / "usr" / "share"
        for row in rows:
            place = target / row.package / row.name
            place.parent.mkdir(parents=True, exist_ok=True)
            found = share / row.name
            if found.is_file():
                shutil.copyfile(found, place)


def digest(target: Path, row: Listed) -> str:
    """SHA-256 of a fetched picture, or an empty string."""
    path = target / row.package / row.name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
