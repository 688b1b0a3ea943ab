"""`tidewaiter demo`: sample exhibits, made on the spot and examined."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-reports"),
    show_default=True,
    help="Folder for the samples and their reports.",
)
@click.option("--lang", help="Language of reports and lines: en or fr.")
def command(*, out: Path, lang: str | None) -> None:
    """Make sample exhibits of known truth, examine them and say where the reports are."""
    from tidewaiter import wiring
    from tidewaiter.casework.plan import plan_for
    from tidewaiter.cli.progress import Progress
    from tidewaiter.testing.samples import write_samples

    settings = wiring.read_settings()
    if lang:
        settings = settings.model_copy(update={"language": lang})
    plan = plan_for(settings)
    samples = write_samples(out / "samples")
    truths = {sample.path.name: sample.truth for sample in samples}
    width = max(len(name) for name in truths)
    with Progress(plan.language, lines_to_stderr=False) as progress:
        summary = wiring.run_batch([s.path for s in samples], plan, out=out, workers=2)
        for outcome in summary.outcomes:
            said = outcome.error[1] if outcome.error else outcome.line
            truth = truths[outcome.name].render(progress.translate)
            click.echo(f"{outcome.name:<{width}}  [{truth}]  {said}")
        progress.summary(summary, out)
