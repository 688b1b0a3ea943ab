"""`tidewaiter custody erase`: destroy a recording, keep the proof of it."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("erase")
@click.argument("recording")
@basis_option
@click.option("--backup", "backups", multiple=True, help="A backup that was erased as well.")
@click.option("--early", is_flag=True, help="Before its date; those who approve are told.")
@approver_option
@site_option
def command(
    *,
    recording: str,
    basis: str,
    backups: tuple[str, ...],
    early: bool,
    approvers: tuple[Path, ...],
    site: Path,
) -> None:
    """Erase RECORDING: its key, its salts and its sealed bytes; two people must approve.

    The log keeps that it existed, why it went, and who approved; all other proofs stay valid.
    Before its date it is refused unless asked for as --early, which the request and the log say.
    Copies and openings handed out before stay out; the entry lists them.
    """
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(
        wiring_custody_deciding.decide_erasure(
            SitePlace(site), recording, basis, backups, approvers, early=early
        )
    )
