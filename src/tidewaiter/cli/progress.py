"""What a run shows while it works: a bar with a time estimate, one line per exhibit, a sum."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from tidewaiter.cli.printing import printable
from tidewaiter.messages import translator
from tidewaiter.vocabulary import tr

if TYPE_CHECKING:
    from types import TracebackType

    from tidewaiter.casework.batch import Summary
    from tidewaiter.casework.ports import Outcome


class Progress:
    """A bar on a terminal's standard error; plain lines everywhere."""

    def __init__(self, language: str, *, lines_to_stderr: bool) -> None:
        self.translate = translator(language)
        self.lines_to_stderr = lines_to_stderr
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def start(self, total: int, done: int) -> None:
        """Show the bar where somebody watches; say what an earlier run had done."""
        if done:
            self._say(tr("{done} of {all} exhibits were examined earlier", done=done, all=total))
        if sys.stderr.isatty() and total > 1:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task("examining", total=total)

    def outcome(self, outcome: Outcome) -> None:
        """One line for one exhibit."""
        what = outcome.error[1].removeprefix(f"{outcome.name}: ") if outcome.error else outcome.line
        mark = "✗" if outcome.error else "·"
        self._line(f"{mark} {printable(outcome.name)}: {printable(what)}")
        if self._bar is not None:
            self._bar.advance(self._task)

    def summary(self, summary: Summary, folder: Path | None) -> None:
        """The whole run in one or two lines."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        examined = len(summary.outcomes) - len(summary.errors)
        self._say(
            tr(
                "{examined} examined, {errors} could not be examined; "
                "the evidence supports manipulation in {manipulated}",
                examined=examined,
                errors=len(summary.errors),
                manipulated=len(summary.supports_manipulated),
            )
        )
        if folder is not None and examined:
            self._say(tr("reports: {folder}", folder=printable(str(folder / "index.html"))))

    def _say(self, text: Any) -> None:
        self._line(text.render(self.translate))

    def _line(self, line: str) -> None:
        if self._bar is not None and (self.lines_to_stderr or sys.stdout.isatty()):
            # Above the bar on the same screen. Lines sent to a file belong into that file.
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=self.lines_to_stderr)
