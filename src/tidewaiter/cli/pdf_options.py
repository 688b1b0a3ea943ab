"""The options by which commands also print their pages to PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def pdf_options(command: _Command) -> _Command:
    """Add --pdf (`as_pdf`) and --browser to a command."""
    named = click.option(
        "--browser",
        type=click.Path(path_type=Path),
        help="The Chromium or Chrome to use [default: the first on the search path].",
    )
    wanted = click.option(
        "--pdf",
        "as_pdf",
        is_flag=True,
        help="Print the page to PDF too, with the Chromium or Chrome installed here.",
    )
    return wanted(named(command))
