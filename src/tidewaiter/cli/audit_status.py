"""`tidewaiter audit status`: how far an audit is and what it has spent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidewaiter.face_audit.ledger import Book, Opening


@click.command("status")
@click.argument("protocol", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the audit [default: the protocol's name beside it].",
)
def command(*, protocol: Path, out: Path | None) -> None:
    """Print what the ledger of PROTOCOL's audit says so far; may be asked while it runs."""
    from tidewaiter import wiring_audit

    opening, book = wiring_audit.audit_status(out or protocol.with_suffix(""))
    outcomes = Counter(
        row.outcome.value for row in book.answered.values() if row.outcome is not None
    )
    click.echo(f"audit     {opening.audit!a}, begun {opening.started}")
    click.echo(f"answered  {len(book.answered)}{_of(opening, book)}")
    for outcome, count in sorted(outcomes.items()):
        click.echo(f"          {count} {outcome}")
    click.echo(f"unmade    {len(book.unmade)} trials whose attack could not be forged")
    click.echo(f"gate      {len(book.gated)} pictures judged")
    click.echo(f"spent     {book.calls} calls, {book.cost}")
    for row in book.doubtful:
        click.echo(f"in doubt  trial {row.trial_id[:12]}, attempt {row.attempt}, sent {row.at}")


def _of(opening: Opening, book: Book) -> str:
    """How many there are in all, and whether any is left: one denied or in doubt is."""
    from tidewaiter.face_audit.service import Outcome

    planned = opening.planned.trials if opening.planned is not None else None
    if planned is None:
        return ""
    answered = {
        name
        for name, row in book.answered.items()
        if row.stage != "enrol" and row.outcome is not Outcome.DENIED and name not in book.open
    }
    left = max(planned - len(answered | book.unmade.keys()), 0)
    return f" of {planned} trials; {left or 'none'} left"
