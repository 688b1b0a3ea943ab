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
@approver_option
@site_option
def command(
    *,
    recording: str,
    basis: str,
    backups: tuple[str, ...],
    approvers: tuple[Path, ...],
    site: Path,
) -> None:
    """Erase RECORDING: its key, its salts and its sealed bytes; two people must approve.

    The log keeps that it existed, why it went, and who approved; all other proofs stay valid.
    Copies and openings handed out before stay out; the entry lists them.
    """
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(
        wiring_custody_deciding.decide_erasure(
            SitePlace(site), recording, basis, backups, approvers
        )
    )
