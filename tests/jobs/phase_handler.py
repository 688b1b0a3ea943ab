"""What the workers of test_phases do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidewaiter.errors import CorruptMedia


def work(payload: dict[str, Any]) -> dict[str, Any]:
    """Note the task's name; refuse those that are corrupt."""
    with Path(payload["log"]).open("a", encoding="utf-8") as log:
        log.write(payload["name"] + "\n")
    if payload.get("corrupt"):
        raise CorruptMedia("it breaks off; ask for the original")
    return {"was": payload["name"]}
