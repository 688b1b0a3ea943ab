"""`tidewaiter custody device add`: let a device or a person into the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tidewaiter.cli.custody_decisions import approver_option, tell_decision
from tidewaiter.cli.custody_options import echo, site_option


@click.command("add")
@click.argument("name")
@click.option("--dock", help="The dock that signs for this camera, which cannot sign itself.")
@click.option(
    "--holder",
    type=click.Choice(["device", "dock", "service", "person"]),
    default="device",
    show_default=True,
    help="What gets a key of its own.",
)
@click.option("--unit", help="The unit it belongs to, for recordings that are expected of a unit.")
@click.option("--person", help="For a person: who it is, where one has two names [default: NAME].")
@click.option("--role", help="For a person: the role, such as vigilance, legal or redaction.")
@click.option("--vkey", help="The public key, where the holder made their own; else one is made.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the public key that a camera made on board; this site then never signs for it.",
)
@click.option(
    "--file-number",
    default="",
    metavar="PATTERN",
    help=r"Where file names hold the camera's own number, like 'MOV_(\d+)': gaps then show.",
)
@approver_option
@site_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    name: str,
    dock: str | None,
    holder: str,
    unit: str | None,
    person: str | None,
    role: str | None,
    vkey: str | None,
    key_file: Path | None,
    file_number: str,
    approvers: tuple[Path, ...],
    site: Path,
) -> None:
    """Let NAME into the log: a camera at a dock, or a holder of a key, which two people approve.

    A camera that cannot sign needs no key: its dock signs, and the proof says so.
    """
    from tidewaiter import wiring_custody_deciding as deciding
    from tidewaiter import wiring_custody_handover
    from tidewaiter.wiring_custody_site import SitePlace

    _must_be_pattern(file_number)
    if dock is not None:
        deciding.add_camera(SitePlace(site), name, dock, file_number)
        echo(f"{dock} signs for {name}")
        return
    if vkey and key_file:
        raise click.UsageError("--vkey and --key are two ways to bring one key; name one of them")
    if holder == "person" and not (role and vkey):
        raise click.UsageError(
            "a person needs --role and --vkey: `tidewaiter custody key` makes a key and prints it"
        )
    fields: dict[str, Any] = {"subject": name, "holder": holder}
    fields |= {} if unit is None else {"unit": unit}
    if holder == "person":
        fields |= {"person": person or name, "role": role, "key": deciding.key_in(str(vkey))}
    elif vkey:
        fields["key"] = deciding.key_in(vkey)
    elif key_file:
        fields["key"] = wiring_custody_handover.key_in_file(key_file, name)
    tell_decision(deciding.enrol(SitePlace(site), fields, approvers, file_number))


def _must_be_pattern(text: str) -> None:
    import re

    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise click.BadParameter(f"no pattern: {error}", param_hint="--file-number") from error
    if text and groups != 1:
        raise click.BadParameter("one pair of brackets needed", param_hint="--file-number")
