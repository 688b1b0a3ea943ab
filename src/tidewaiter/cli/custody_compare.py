"""`tidewaiter custody compare`: whether a copy is the original, and where it was changed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo


@click.command("compare")
@click.argument("original", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("copy", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for comparison.html (timeline, pictures of the places) and comparison.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option("--lang", help="Language: en or fr.")
def command(
    *, original: Path, copy: Path, out: Path | None, as_json: bool, lang: str | None
) -> None:
    """Compare COPY with ORIGINAL, a recording or the manifest taken of it.

    Says unchanged, transcoded or altered, and where. Exit 0 where no difference was found, 4
    where the copy is altered, 3 where it cannot be told.
    """
    import json

    from tidewaiter import wiring, wiring_compare
    from tidewaiter.errors import ExaminationError, IntegrityError
    from tidewaiter.messages import translator
    from tidewaiter.report.comparison_page import lines, verdict_words

    settings = wiring.read_settings()
    language = lang or settings.language
    translate = translator(language)
    found = wiring_compare.compare_files(original, copy, settings)
    if out is not None:
        wiring.write_texts(out, wiring_compare.comparison_files(found, settings, language))
    if as_json:
        text = json.dumps(found.comparison.as_json(), indent=1, ensure_ascii=False)
        click.echo(text.encode() + b"\n", nl=False)
    else:
        for sentence in verdict_words(found.comparison):
            echo(sentence.render(translate))
        for line in lines(found.comparison, translate):
            echo(line)
    codes = {"altered": IntegrityError.exit_code, "cannot_tell": ExaminationError.exit_code}
    sys.exit(codes.get(found.comparison.verdict, 0))
