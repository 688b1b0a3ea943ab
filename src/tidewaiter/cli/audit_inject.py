"""`tidewaiter audit inject`: the same audit through a browser with a virtual camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidewaiter.face_audit.results import Rate
    from tidewaiter.wiring_injection import Injection


@click.command("inject")
@click.argument("protocol", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the audit [default: the protocol's name beside it].",
)
@click.option(
    "--method",
    type=click.Choice(["still", "clip"]),
    default="still",
    show_default=True,
    help="What the virtual camera shows: the picture unmoving, or held in an unsteady hand.",
)
@click.option(
    "--browser",
    type=click.Path(path_type=Path),
    help="The Chromium or Chrome to use [default: the first on the search path].",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that forge ahead.",
)
@click.option("--lang", help="Language of the report: en or fr.")
def command(
    *,
    protocol: Path,
    out: Path | None,
    method: str,
    browser: Path | None,
    workers: int,
    lang: str | None,
) -> None:
    """Carry out the audit of PROTOCOL through a virtual camera, and report it.

    Every picture, genuine ones too, is shown by a browser's fake camera to a gate page on
    this machine, and the page's own picture of it is compared. Same trials, a ledger of their
    own: on a paid service they cost as much again, within the protocol's limits. Run again
    after any interruption to go on. Exit 10 where trials are left.
    """
    from tidewaiter import wiring, wiring_audit, wiring_injection
    from tidewaiter.cli.audit_run import show_progress
    from tidewaiter.cli.printing import printable

    settings = wiring.read_settings()
    folder = out or protocol.with_suffix("")
    bench, _ = wiring_audit.open_audit(protocol, folder, settings, workers=workers)
    found = wiring_injection.inject(
        bench,
        method,
        browser,
        lang or settings.language,
        workers=workers,
        on_progress=show_progress,
    )
    for line in _lines(found):
        click.echo(printable(line))
    click.echo(printable(str(folder / f"injection-{method}" / "report.html")))
    if found.ending.reason is not None:
        click.echo(f"stopped: {found.ending.reason}")
        click.echo(f"{found.ending.left} trials are left")
        raise click.exceptions.Exit(10)


def _lines(found: Injection) -> Iterator[str]:
    yield "accepted as the person attacked, of all tried   as a file   injected"
    for row in found.beside:
        if row.pair == "all":
            name = f"{row.species}, threshold {row.threshold}"
            yield f"{name:<46}  {_of(row.as_file):>9}  {_of(row.injected):>9}"
    for label, count in found.labels.items():
        yield f"the page saw a camera named {label!r} {count} times; a real attacker renames it"


def _of(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.events}/{rate.trials}"
