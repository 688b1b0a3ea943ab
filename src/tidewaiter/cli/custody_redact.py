"""`tidewaiter custody redact`: log a redacted copy, checked against its recording."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import settings_option, site_option


@click.command("redact")
@click.argument("recording")
@click.argument("copy", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--mask",
    "masks",
    multiple=True,
    required=True,
    metavar="FROM-TO,LEFT,TOP,RIGHT,BOTTOM",
    help="What is hidden: seconds, then percent of the picture, like 2.5-8,10,20,40,60.",
)
@basis_option
@approver_option
@site_option
@settings_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    recording: str,
    copy: Path,
    masks: tuple[str, ...],
    basis: str,
    approvers: tuple[Path, ...],
    site: Path,
    settings_path: Path | None,
) -> None:
    """Log COPY as RECORDING with the masks hidden; two people must approve.

    The copy, made with any tool, is compared with the recording's manifest first: where anything
    differs outside the masks it is refused. Its proof says that it is a redacted copy.
    """
    from tidewaiter import wiring
    from tidewaiter.wiring_custody_redacting import Wanted, parse_mask, redact_copy
    from tidewaiter.wiring_custody_site import SitePlace

    wanted = Wanted(recording, copy, tuple(parse_mask(text) for text in masks), basis)
    settings = wiring.read_settings(settings_path)
    tell_decision(redact_copy(SitePlace(site), wanted, settings, approvers))
