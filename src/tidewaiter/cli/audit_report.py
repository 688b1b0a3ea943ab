"""`tidewaiter audit report`: the tables and the page of an audit, from its ledger."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.pdf_options import pdf_options


@click.command("report")
@click.argument("protocol", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the audit [default: the protocol's name beside it].",
)
@click.option("--lang", help="Language: en or fr.")
@pdf_options
def command(
    *, protocol: Path, out: Path | None, lang: str | None, as_pdf: bool, browser: Path | None
) -> None:
    """Write report.html and report.json of PROTOCOL's audit and print the verdict.

    Calls nobody. An audit that is not finished gets a report that says so.
    """
    from tidewaiter import wiring, wiring_audit, wiring_printing
    from tidewaiter.cli.printing import printable
    from tidewaiter.messages import translator

    printer = wiring_printing.check_printing(browser) if as_pdf else None
    settings = wiring.read_settings()
    language = lang or settings.language
    folder = out or protocol.with_suffix("")
    bench, _ = wiring_audit.open_audit(protocol, folder, settings)
    results = wiring_audit.write_report(bench, language)
    translate = translator(language)
    for sentence in results.verdict:
        click.echo(printable(sentence.render(translate)))
    click.echo(printable(str(folder / "report.html")))
    if printer is not None:
        for pdf in wiring_printing.print_pages(printer, [folder / "report.html"]):
            click.echo(printable(str(pdf)))
