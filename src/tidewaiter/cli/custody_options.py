"""Options and ways of speaking that the custody commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidewaiter.errors import InputError

if TYPE_CHECKING:
    from tidewaiter.custody.discrepancy import Discrepancy
    from tidewaiter.wiring_custody import Outcome

CONTRADICTED = 4
"""Exit status where something is not as it was logged."""

site_option = click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("custody"),
    show_default=True,
    help="Folder of the custody site.",
)
retention_option = click.option(
    "--class",
    "retention",
    default="",
    metavar="NAME",
    help="Retention class [default: the site's usual one].",
)
settings_option = click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)


def time_option(*names: str, help: str, required: bool = False) -> Callable[..., Any]:  # noqa: A002 - click's own word
    """An option that takes a moment like 2026-03-01T08:00:00+05:30."""
    return click.option(*names, metavar="TIME", callback=_moment, help=help, required=required)


def shown_moment(time_ms: int | None) -> str:
    """A moment for people, in UTC; a dash where there is none."""
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def echo(text: str) -> None:
    """Print a line that may hold names from outside."""
    from tidewaiter.cli.printing import printable

    click.echo(printable(text))


def tell_outcome(outcome: Outcome) -> None:
    """What was taken in, who confirmed it, where the receipts are."""
    for taken in outcome.taken:
        said = "taken in as" if taken.is_new else "was in custody already as"
        echo(f"{taken.name}: {said} {taken.recording}")
        if taken.without_prints:
            echo(f"notice: kept byte for byte, without fingerprints: {taken.without_prints}")
    for error in outcome.refused:
        echo(f"not taken in: {error}")
    for answer in outcome.confirmations:
        if answer.time_s is not None:
            echo(f"confirmed by {answer.witness} at {shown_moment(answer.time_s * 1000)}")
        elif answer.reason:
            echo(f"notice: {answer.witness} did not confirm: {answer.reason}")
        else:
            echo(
                f"notice: {answer.witness} knows {answer.stated_size} entries and confirms nothing"
            )
    tell_discrepancies(outcome.discrepancies)
    for path in outcome.receipts:
        echo(f"receipt: {path}")
    if outcome.waiting:
        many = outcome.waiting > 1
        which = f"{outcome.waiting} recordings are" if many else "1 recording is"
        echo(
            f"{which} logged and {'wait' if many else 'waits'} for witnesses; keep the originals "
            "until `tidewaiter custody checkpoint` has written the receipts"
        )


def end_unless_all_taken(outcome: Outcome) -> None:
    """End with the status of bad input where a file was left out, after all others are safe."""
    if outcome.refused:
        raise InputError(
            f"{len(outcome.refused)} of the files were not taken in, all others were; set them "
            "aside or bring them again: what is in custody is not taken in twice"
        )


def tell_discrepancies(found: tuple[Discrepancy, ...] | list[Discrepancy]) -> None:
    """Each finding: its name, where it is, since when, for which devices."""
    for one in found:
        echo(f"{one.name}: {one.text}")
        where = [] if one.first is None else [_entries(one.first, one.last)]
        if one.devices:
            where.append(", ".join(one.devices))
        if one.since_ms is not None:
            where.append(f"since {shown_moment(one.since_ms)}")
        if one.until_ms is not None:
            where.append(f"until {shown_moment(one.until_ms)}")
        if where:
            echo(f"    {'; '.join(where)}")


def _entries(first: int, last: int | None) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def discrepancy_json(one: Discrepancy) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "name": one.name,
        "text": one.text,
        "first": one.first,
        "last": one.last,
        "devices": list(one.devices),
        "since_ms": one.since_ms,
        "until_ms": one.until_ms,
    }


def _moment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    del ctx
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no moment like 2026-03-01T08:00:00+05:30", param=parameter
        ) from error
    # A moment without an offset is meant in the zone of this machine.
    return round(moment.astimezone().timestamp() * 1000)
