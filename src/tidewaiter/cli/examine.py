"""`tidewaiter examine`: files and folders to reports."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidewaiter.cli.pdf_options import pdf_options

if TYPE_CHECKING:
    from tidewaiter.casework.batch import Summary
    from tidewaiter.casework.ports import Outcome
    from tidewaiter.wiring_custody_site import SitePlace

EXIT_FAIL_ON = 10
"""Exit status when --fail-on was asked for and met."""


@click.command("examine")
@click.argument("paths", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for reports [default: tidewaiter-reports; with --json alone, none are kept].",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per exhibit on standard output."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Workers at a time."
)
@click.option("--resume", is_flag=True, help="Go on where an earlier run into --out stopped.")
@click.option("--only", multiple=True, metavar="ID", help="Only this detector; may be repeated.")
@click.option(
    "--domain",
    metavar="NAME",
    help="What the files are: standard_portrait for passport-like pictures, or a site's name.",
)
@click.option("--no-stability", is_flag=True, help="Leave out the re-shipping battery; quicker.")
@click.option(
    "--fail-on",
    type=click.Choice(["supports-manipulated"]),
    help=f"Exit with {EXIT_FAIL_ON} if any exhibit's evidence supports this.",
)
@click.option(
    "--custody",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a custody site: log exhibit, report and versions there.",
)
@click.option("--lang", help="Language of reports and lines: en or fr.")
@click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)
@pdf_options
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    paths: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    jobs: int,
    resume: bool,
    only: tuple[str, ...],
    domain: str | None,
    no_stability: bool,
    fail_on: str | None,
    custody: Path | None,
    lang: str | None,
    settings_path: Path | None,
    as_pdf: bool,
    browser: Path | None,
) -> None:
    """Examine pictures and videos; PATHS are files, folders, or - for standard input.

    Writes a self-contained HTML page and a JSON report for each exhibit, prints one line
    each and a summary. A file that cannot be opened costs one line; the rest goes on.
    """
    from tidewaiter import wiring
    from tidewaiter.casework.plan import plan_for
    from tidewaiter.cli.progress import Progress
    from tidewaiter.wiring_printing import check_printing, print_pages

    to_pdf = check_printing(browser) if as_pdf else None
    settings = wiring.read_settings(settings_path)
    if lang:
        settings = settings.model_copy(update={"language": lang})
    plan = plan_for(settings, only=only, stability=not no_stability, domain=domain)
    _must_fit_together(paths, keeps=out is not None, as_pdf=as_pdf and as_json, resume=resume)
    place = _custody_site(custody, keeps=not as_json or out is not None)
    with ExitStack() as stack:
        folder = _folder(out, stack, keep=not as_json)
        inputs = [_input(path, stack, plan) for path in paths]
        progress = stack.enter_context(Progress(plan.language, lines_to_stderr=as_json))
        printer = _JsonPrinter(folder) if as_json else None

        def on_outcome(outcome: Outcome) -> None:
            progress.outcome(outcome)

        summary = wiring.run_batch(
            inputs,
            plan,
            out=folder,
            workers=jobs,
            resume=resume,
            on_start=progress.start,
            on_outcome=on_outcome,
        )
        _log_examinations(place, folder, summary, quiet=as_json)
        if printer:
            printer.print_all(summary)
        progress.summary(summary, None if out is None and as_json else folder)
        if to_pdf:
            print_pages(to_pdf, [folder / o.html_file for o in summary.outcomes if o.html_file])
    sys.exit(exit_code(summary, fail_on))


def exit_code(summary: Summary, fail_on: str | None) -> int:
    """The status of a whole run: errors first, then what --fail-on asked for."""
    from tidewaiter.wiring import error_named

    codes = [error_named(*o.error).exit_code for o in summary.errors if o.error]
    if codes:
        return max(codes)
    return EXIT_FAIL_ON if fail_on and summary.supports_manipulated else 0


class _JsonPrinter:
    """Prints reports as single lines, in the order the exhibits were named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def print_all(self, summary: Summary) -> None:
        import json

        for outcome in summary.outcomes:
            if outcome.json_file:
                report = json.loads((self.folder / outcome.json_file).read_text(encoding="utf-8"))
            else:
                kind, message = outcome.error or ("ExaminationError", "")
                report = {"name": outcome.name, "error": {"type": kind, "message": message}}
            # JSON is UTF-8 whatever the terminal speaks (RFC 8259, 8.1).
            click.echo(json.dumps(report, ensure_ascii=False).encode())


def _must_fit_together(paths: tuple[str, ...], *, keeps: bool, as_pdf: bool, resume: bool) -> None:
    """Options that contradict each other are refused before any work."""
    if paths.count("-") > 1:
        raise click.UsageError("- is standard input, which can be read once; name it once")
    if as_pdf and not keeps:
        raise click.UsageError("--pdf with --json needs an --out folder to print into")
    if resume and not keeps:
        raise click.UsageError("--resume needs the --out folder of the earlier run")


def _custody_site(folder: Path | None, *, keeps: bool) -> SitePlace | None:
    """The site to log into, looked at before anything is examined."""
    if folder is None:
        return None
    if not keeps:
        raise click.UsageError("--custody logs the report's digest: --json needs an --out folder")
    from tidewaiter.wiring_custody_site import SitePlace

    return SitePlace(folder)


def _log_examinations(
    place: SitePlace | None, folder: Path, summary: Summary, *, quiet: bool
) -> None:
    if place is None:
        return
    from tidewaiter.wiring_custody_examinations import log_examinations

    entries = log_examinations(place, folder, summary.outcomes)
    if entries:
        click.echo(f"logged in custody: entries {entries[0]} to {entries[-1]}", err=quiet)


def _folder(out: Path | None, stack: ExitStack, *, keep: bool) -> Path:
    if out is not None:
        return out
    if keep:
        return Path("tidewaiter-reports")
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidewaiter-")))


def _input(path: str, stack: ExitStack, plan: object) -> Path:
    if path != "-":
        return Path(path)
    from tidewaiter.wiring import keep_standard_input

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tidewaiter-input-"))
    return keep_standard_input(Path(folder), plan.limits)  # type: ignore[attr-defined]
