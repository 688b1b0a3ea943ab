"""Write the reference pages that follow from the code: `python docs/regenerate.py`.

tests/docs compares the pages with what this writes, so they cannot fall behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from tidewaiter import errors
from tidewaiter.casework.listing import Entry, list_detectors
from tidewaiter.cli.program import COMMANDS, program
from tidewaiter.face_audit.replay import Replay
from tidewaiter.settings import Limits, Settings

DOCS = Path(__file__).parent
NOTE = "<!-- written by docs/regenerate.py; change the code, then run it -->"
REPLAYED = DOCS.parent / "benchmarks/face_audit/results/replay.json"
WIDTH = 96


def pages() -> dict[str, str]:
    """Every generated page, by its path below docs/."""
    return {
        "reference/cli.md": _cli(),
        "reference/settings.md": _settings(),
        "reference/exit-codes.md": _exit_codes(),
        "detectors.md": _detectors(),
        "explanation/why-78-percent.md": _replayed(),
    }


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def _cli() -> str:
    parts = ["# Command line", NOTE, "", *_command("tidewaiter", program)]
    context = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        parts += _commands(f"tidewaiter {name}", command, context)
    return "\n".join(parts) + "\n"


def _commands(name: str, command: click.Command, context: click.Context) -> list[str]:
    """A command and everything below it."""
    parts = _command(name, command)
    for below in command.list_commands(context) if isinstance(command, click.Group) else ():
        inner = command.get_command(context, below)
        assert inner is not None
        parts += _commands(f"{name} {below}", inner, context)
    return parts


def _command(name: str, command: click.Command) -> list[str]:
    # As when it is called: a command's way to ask for help is the program's.
    context = click.Context(
        command,
        info_name=name,
        max_content_width=WIDTH,
        terminal_width=WIDTH,
        help_option_names=program.context_settings["help_option_names"],
    )
    return [f"## `{name}`", "", "```text", command.get_help(context).rstrip(), "```", ""]


def _settings() -> str:
    parts = [
        "# Settings",
        NOTE,
        "",
        "A TOML file: `--settings FILE`, else the file that `TIDEWAITER_SETTINGS` names, else",
        "`tidewaiter.toml` in the current folder. Unknown names are refused. Relative paths count",
        "from the current folder.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        if name != "limits":
            parts.append(f"| `{name}` | `{field.default}` | {field.description} |")
    for name, field in Limits.model_fields.items():
        parts.append(f"| `limits.{name}` | `{field.default:,}` | {field.description} |")
    parts += [
        "",
        "```toml",
        'language = "fr"',
        'trust_list = "trusted-signers.pem"',
        "",
        "[limits]",
        "max_wall_s = 600",
        "```",
    ]
    return "\n".join(parts) + "\n"


def _exit_codes() -> str:
    parts = [
        "# Exit codes",
        NOTE,
        "",
        "An opinion, “cannot tell” included, is exit 0: no code carries a verdict unless",
        "`--fail-on` asks for it. When several exhibits fail, the highest code is returned.",
        "",
        "| code | HTTP | error | meaning |",
        "|---|---|---|---|",
        "| 0 | 200 | | everything was examined |",
    ]
    for error in _tree(errors.TidewaiterError):
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        parts.append(
            f"| {error.exit_code} | {error.http_status} | `{error.__name__}` | {meaning} |"
        )
    parts += [
        "| 10 | | | `--fail-on supports-manipulated` was asked for and met |",
        "| 130 | | | interrupted; `--resume` goes on |",
    ]
    return "\n".join(parts) + "\n"


def _tree(error: type[errors.TidewaiterError]) -> Iterator[type[errors.TidewaiterError]]:
    yield error
    for below in error.__subclasses__():
        yield from _tree(below)


def _detectors() -> str:
    parts = [
        "# Detectors",
        NOTE,
        "",
        "What each looks for, when it may speak, what it rests on and what limits it. Error rates",
        "are those of the shipped calibration on sources it was not fitted on.",
        "",
    ]
    for entry in list_detectors():
        parts += _detector(entry)
    return "\n".join(parts)


def _detector(entry: Entry) -> list[str]:
    rows = [
        f"## `{entry.id}` (version {entry.version})",
        "",
        f"- **Looks for:** {entry.looks_for}",
        f"- **Speaks when:** {entry.speaks_when}",
        f"- **About:** `{entry.proposition}` in a {' or '.join(entry.media)}",
        f"- **Error rates:** {entry.error_rates}",
        *(f"- **Limit:** {limitation}" for limitation in entry.limitations),
        "",
    ]
    return [re.sub(r"\s+$", "", row) for row in rows]


def _replayed() -> str:
    """The page as it stands, its table made anew from the committed replay."""
    page = (DOCS / "explanation/why-78-percent.md").read_text(encoding="utf-8")
    rows = [
        "| Service | Data | Pictures / people | Named as imitated | 95 %, by person | Any name |",
        "|---|---|---|---|---|---|",
        *(
            f"| {file.service} | {file.data} | {file.answers:,} / {file.people} "
            f"| {file.hits.count:,} = {file.hits.percent:.2f} % "
            f"| {file.clustered.lower:.2f}–{file.clustered.upper:.2f} % "
            f"| {file.any_name.percent:.2f} % |"
            for file in Replay.model_validate_json(REPLAYED.read_bytes()).files
        ),
    ]
    return re.sub(
        r"(<!-- table written by .*? -->\n).*?(<!-- end of table -->)",
        lambda found: found[1] + "\n".join(rows) + "\n" + found[2],
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    main()
