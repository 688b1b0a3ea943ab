"""`tidewaiter custody checkpoint`: have the log confirmed by its witnesses."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import (
    CONTRADICTED,
    echo,
    site_option,
    tell_discrepancies,
    tell_outcome,
)
from tidewaiter.errors import InputError

REQUEST = ".add-checkpoint"


@click.command("checkpoint")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the newest checkpoint, with its cosignatures, into this file.",
)
@click.option(
    "--requests",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a request for each witness here, to be carried to it on a stick.",
)
@click.option(
    "--answer",
    "answers",
    multiple=True,
    type=(str, click.Path(path_type=Path, exists=True, dir_okay=False)),
    metavar="WITNESS FILE",
    help="Take in what a witness answered to such a request; may be repeated.",
)
@site_option
def command(
    *,
    out: Path | None,
    requests: Path | None,
    answers: tuple[tuple[str, Path], ...],
    site: Path,
) -> None:
    """Ask every witness with an address to confirm the log, and write the receipts due.

    Witnesses out of reach never stop recording, they only delay receipts. Exits with 4 where a
    witness knows more than the log holds: then the log is an older state of itself.
    """
    from tidewaiter import wiring_custody
    from tidewaiter.wiring_custody_site import SitePlace, opened_site

    place = SitePlace(site)
    with opened_site(place) as opened:
        for name, path in answers:
            wiring_custody.take_answer(opened, name, _read_answer(path))
            echo(f"confirmed by {name}")
        outcome = wiring_custody.confirm(place, opened, wiring_custody.Outcome())
        tell_outcome(outcome)
        head = opened.log.head
        echo(f"checkpoint of {head.size} entries, root {head.root.hex()}")
        if requests is not None:
            done = {one.witness for one in outcome.confirmations if one.time_s is not None}
            for path in wiring_custody.write_requests(opened, requests):
                has_confirmed = any(path.name == f"{name}-{head.size}{REQUEST}" for name in done)
                said = "not needed, has confirmed" if has_confirmed else "carry to the witness"
                echo(f"{said}: {path}")
        if out is not None:
            wiring_custody.write_whole(out, opened.log.checkpoint().encoded)
        further = [one for one in opened.log.discrepancies if one not in outcome.discrepancies]
        tell_discrepancies(further)
    if further or outcome.discrepancies:
        raise click.exceptions.Exit(CONTRADICTED)


def _read_answer(path: Path) -> bytes:
    """The lines a witness wrote. Raises InputError for the request that they answer."""
    from tidewaiter.wiring_custody_files import read_handed_over

    answer = read_handed_over(path)
    if answer.startswith(b"old "):
        raise InputError(
            f"{path.name} is the request to the witness; its answer is {path.name}.cosigned, "
            "which `tidewaiter custody witness sign` writes"
        )
    return answer
