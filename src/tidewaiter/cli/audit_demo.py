"""`tidewaiter audit demo`: a small, complete audit of the embedded recogniser."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--faces",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with a folder per person, at least 6 people with 3 pictures each.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-audit"),
    show_default=True,
    help="Folder for the audit.",
)
@click.option("--lang", help="Language of the report: en or fr.")
def command(*, faces: Path, out: Path, lang: str | None) -> None:
    """Audit the embedded recogniser on up to 12 people of FACES, within minutes.

    It needs pictures of real faces: none that a recogniser takes for one can be drawn in
    code. They are copied into the folder of the audit and never leave this machine.
    """
    from tidewaiter import wiring, wiring_audit
    from tidewaiter.cli.audit_run import show_progress
    from tidewaiter.cli.printing import printable
    from tidewaiter.messages import translator

    settings = wiring.read_settings()
    protocol, gate = wiring_audit.prepare_demo(faces, out, settings)
    click.echo(f"gate: {gate or 'none; no face network is installed or fitted here'}")
    bench, _ = wiring_audit.open_audit(protocol, protocol.with_suffix(""), settings)
    ending, _ = wiring_audit.run_audit(bench, show_progress)
    language = lang or settings.language
    results = wiring_audit.write_report(bench, language)
    for sentence in results.verdict:
        click.echo(printable(sentence.render(translator(language))))
    if ending.left:
        click.echo(f"{ending.left} trials are left; run the same command again")
    click.echo(f"report: {printable(str(bench.folder / 'report.html'))}")
