"""`tidewaiter audit replay`: what a published study's raw answers say, with intervals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidewaiter.report.replay import Table


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="The whole result as JSON instead of text.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for replay.json and the page replay.html.",
)
@click.option("--lang", help="Language: en or fr.")
def command(*, folder: Path, as_json: bool, out: Path | None, lang: str | None) -> None:
    """Recompute Tariq, Jeon & Woo (arXiv 2103.00847) from the raw answers in FOLDER.

    FOLDER holds the result files of the authors' repository Deepfake_Impersonation_Attack.
    Counts are exact; intervals are by person. Exit 2 if a file is absent or unreadable, 4 if
    one is not as published; what could be computed is printed all the same.
    """
    from tidewaiter import wiring
    from tidewaiter.errors import InputError, IntegrityError
    from tidewaiter.face_audit.replay import replay
    from tidewaiter.messages import translator
    from tidewaiter.report.replay import answer, notes, replay_page, tables, warnings

    language = lang or wiring.read_settings().language
    translate = translator(language)
    result = replay(folder)
    document = result.model_dump_json(indent=2) + "\n"
    if out is not None:
        wiring.write_texts(
            out, {"replay.html": replay_page(result, language), "replay.json": document}
        )
    if as_json:
        click.echo(document.encode(), nl=False)
    else:
        for table in tables(result):
            click.echo("\n".join(_lines(table, translate)) + "\n")
        for sentence in (*answer(result), *notes(result)):
            click.echo(sentence.render(translate))
    for sentence in warnings(result):
        click.echo(sentence.render(translate), err=True)
    if result.altered:
        sys.exit(IntegrityError.exit_code)
    if result.absent:
        sys.exit(InputError.exit_code)


def _lines(table: Table, translate: Callable[[str], str]) -> list[str]:
    rows = [
        [cell if isinstance(cell, str) else cell.render(translate) for cell in row]
        for row in (table.headings, *table.rows)
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    aligned = [
        "  ".join(
            cell.ljust(width) if place < table.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [table.caption.render(translate), *aligned]
