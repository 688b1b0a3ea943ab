"""A group of commands whose files are loaded only when called, so that --help is quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Finds each command in a file named after it.

    `listed` is command → its line of help; `file` is the module of a command, with `{}`
    where its name goes. The module holds the command as `command`.
    """

    def __init__(self, *args: Any, listed: Mapping[str, str], file: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listed = dict(listed)
        self.file = file

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All command names, in the order of daily use."""
        return list(self.listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command."""
        if cmd_name not in self.listed:
            return None
        module = importlib.import_module(self.file.format(cmd_name.replace("-", "_")))
        return module.command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.listed.items()))
