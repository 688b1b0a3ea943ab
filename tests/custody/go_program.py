"""A program around Go's own checksum-database library, built from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).parent / "go_peer"
# Where Debian keeps the sources of Go's libraries; nothing is fetched.
LIBRARIES = Path("/usr/share/gocode")
NEEDED = LIBRARIES / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog" / "tile.go"


def go_is_installed() -> bool:
    """Whether compiler and library are both there."""
    return shutil.which("go") is not None and NEEDED.is_file()


def built_go_peer(folder: Path) -> Path:
    """The program that answers questions about notes and logs, made in that folder."""
    program = folder / "go_peer"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(LIBRARIES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-p=1",
        # With a C compiler Go takes its network package as it was shipped; without, it makes one.
        "CGO_ENABLED": "1" if shutil.which("gcc") else "0",
    }
    subprocess.run(
        ["go", "build", "-o", program, "main.go"],
        cwd=SOURCE,
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return program
