"""What the commands of `tidewaiter fit` say: how far they are, and what was decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tidewaiter.vocabulary import Text

SAY_EVERY_S = 30.0
USUAL_HOURS = 8.0


def how_to_fit(usual_rate: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that every fit has: how long, how fast, by how many workers, in what words."""
    options = (
        click.option(
            "--hours",
            type=click.FloatRange(0.05, 168),
            default=USUAL_HOURS,
            show_default=True,
            help="Most time to take.",
        ),
        click.option(
            "--pairs",
            type=click.IntRange(16, 10_000_000),
            help="Pairs to train on, whatever the hours.",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(0, 10, min_open=True),
            default=usual_rate,
            show_default=True,
            help="Learning rate at its peak.",
        ),
        click.option(
            "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed."
        ),
        click.option(
            "--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Workers."
        ),
        click.option("--lang", help="Language: en or fr."),
        click.option(
            "--settings",
            "settings_path",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Settings file.",
        ),
    )

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def say_verdict(sentence: Text, translate: Any, *, accepted: bool) -> None:
    """Print it; raises FitRefused with it where the network was not accepted."""
    from tidewaiter.cli.printing import printable
    from tidewaiter.errors import FitRefused
    from tidewaiter.vocabulary import tr
    from tidewaiter.wiring_fitting import REJECTED_FOLDER

    verdict = printable(sentence.render(translate))
    if not accepted:
        aside = tr("the refused network and its card are kept in {folder}", folder=REJECTED_FOLDER)
        click.echo(aside.render(translate), err=True)
        raise FitRefused(verdict)
    click.echo(verdict)


class Pace:
    """A line now and then on standard error: phase, how far, how long it may still take."""

    def __init__(self, translate: Any) -> None:
        self._translate = translate
        self._phase = ""
        self._begun = self._said = 0.0
        self._before = 0

    def show(self, phase: Any, done: int, total: int) -> None:
        """Say where a phase stands: at its beginning, at its end, and every half minute."""
        from tidewaiter.vocabulary import tr

        now = time.monotonic()
        name = phase.render(self._translate)
        if name != self._phase:
            self._phase, self._begun, self._before, self._said = name, now, done, 0.0
        if now - self._said < SAY_EVERY_S and done < total:
            return
        self._said = now
        values = {"phase": phase, "done": done, "all": total}
        finished = done - self._before
        if not finished or done == total:
            text = tr("{phase}: {done} of {all}", **values)
        else:
            minutes = (total - done) * (now - self._begun) / finished / 60
            text = tr(
                "{phase}: {done} of {all}, about {minutes:.0f} min left", **values, minutes=minutes
            )
        click.echo(text.render(self._translate), err=True)
