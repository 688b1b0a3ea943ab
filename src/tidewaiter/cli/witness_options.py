"""The files that every command of a witness needs, as options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


def key_and_book(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --key and --book."""
    book = click.option(
        "--book", type=_FILE, required=True, help="The witness's memory; never lose it."
    )
    key = click.option(
        "--key", type=_FILE, required=True, help="The witness's secret key, for its owner only."
    )
    return key(book(function))


def logs(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --logs."""
    return click.option(
        "--logs",
        type=_FILE,
        required=True,
        help="Policy file (C2SP tlog-policy) whose log lines name the logs to confirm.",
    )(function)
