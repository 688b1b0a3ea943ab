"""`tidewaiter custody init`: found a custody site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidewaiter.cli.custody_options import echo, site_option

if TYPE_CHECKING:
    from tidewaiter.wiring_custody_founding import Founder


@click.command("init")
@click.option("--origin", required=True, help="Name of the log, like custody.customs.example/2026.")
@click.option(
    "--founder",
    "founders",
    multiple=True,
    required=True,
    metavar="NAME:ROLE[:KEYFILE]",
    help="One of the people who found it; three at least, two of whom may approve.",
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar='"NAME VKEY [URL]"',
    help="An independent witness, with the key it printed; may be repeated.",
)
@click.option(
    "--quorum",
    type=click.IntRange(0, 99),
    default=0,
    help="How many witnesses must confirm [default: all].",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME=DAYS",
    help="A retention class [default: routine=90 and proceedings=3650].",
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for founders' new keys, to be handed out [default: SITE/founders].",
)
@site_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    origin: str,
    founders: tuple[str, ...],
    witnesses: tuple[str, ...],
    quorum: int,
    classes: tuple[str, ...],
    keys: Path | None,
    site: Path,
) -> None:
    """Found a custody site: a new log, its keys, its policy, and who may decide what.

    Roles are vigilance, legal, command, retention, redaction (which may approve), and storage,
    log, recording (which may not). Hand each founder their own key and take it off this machine.
    To keep the log in PostgreSQL or media in object storage, write SITE/custody.toml first.
    """
    from tidewaiter.wiring_custody_founding import FOR_WITNESSES, Plan, found_site

    chosen = tuple(_class(text) for text in classes) or Plan(origin, ()).classes
    people = tuple(_founder(text, keys or site / "founders") for text in founders)
    plan = Plan(origin, people, witnesses, quorum, chosen)
    for line in found_site(site, plan):
        echo(line)
    echo(f"the policy that verifiers need: {site / 'policy'}; copy it outside")
    echo(f"what witnesses need as --logs: {site / FOR_WITNESSES}")
    if not witnesses:
        echo("notice: no witness: whoever holds the log's key could write another history")


def _founder(text: str, folder: Path) -> Founder:
    from tidewaiter.custody.record_kinds import ROLES
    from tidewaiter.wiring_custody_founding import KEY_SUFFIX, Founder

    name, role, *rest = text.split(":", 2)[:3] if ":" in text else (text, "")
    if role not in ROLES or not name:
        raise click.BadParameter(
            f"{text!r} is not NAME:ROLE with one of the roles {', '.join(ROLES)}",
            param_hint="--founder",
        )
    return Founder(name, role, Path(rest[0]) if rest else folder / f"{name}{KEY_SUFFIX}")


def _class(text: str) -> tuple[str, int]:
    name, _, days = text.partition("=")
    if not name or not days.isascii() or not days.isdigit():
        raise click.BadParameter(f"{text!r} is not NAME=DAYS", param_hint="--class")
    return name, int(days)
