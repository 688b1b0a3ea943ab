"""The `tidewaiter` command: its groups are loaded only when called, so that --help is quick."""

from __future__ import annotations

import contextlib
import io
import os
import sys

import click

from tidewaiter import __version__
from tidewaiter.cli.lazy_group import LazyGroup
from tidewaiter.cli.printing import printable
from tidewaiter.errors import StorageError, TidewaiterError

COMMANDS = {
    "examine": "Examine pictures and videos and write a report on each.",
    "detectors": "List every detector: what it looks for and when it may speak.",
    "calibrate": "Fit a site calibration from your own genuine (and altered) items.",
    "fit": "Refit a network to your own material; a worse one is never installed.",
    "audit": "Measure how often forged faces pass a face-recognition service.",
    "custody": "Keep recordings so that no change goes unseen; find where a copy differs.",
    "schema": "Print the JSON schema of a report.",
    "selftest": "Prove this installation offline, in under a minute.",
    "demo": "Make sample exhibits and examine them.",
}


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
    file="tidewaiter.cli.{}",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tidewaiter")
def program() -> None:
    """Examine photos and videos for manipulation, with honest and bounded numbers.

    Exit codes: 0 examined · 2 input or usage · 3 examination · 4 integrity · 5 exchange ·
    6 storage · 7 configuration · 8 a fit refused · 10 asked for by --fail-on · 130 interrupted.
    """


def main() -> None:
    """Run the command; every foreseen failure is one sentence on standard error."""
    _print_whatever_the_terminal_speaks()
    try:
        # A command that leaves by click's Exit makes this return its code instead of raising.
        code = program(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("tidewaiter: interrupted", err=True)
        sys.exit(130)
    except TidewaiterError as error:
        click.echo(f"tidewaiter: {printable(str(error))}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        _give_up_standard_output()
        reason = printable(error.strerror or type(error).__name__)
        click.echo(
            f"tidewaiter: the output cannot be written, or a file it needs cannot be read "
            f"({reason}); check free disk space and the folders named",
            err=True,
        )
        sys.exit(StorageError.exit_code)
    if code:
        sys.exit(code)


def _print_whatever_the_terminal_speaks() -> None:
    """A name the terminal has no letters for is escaped; it does not end the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _give_up_standard_output() -> None:
    """What is still held back for a full or closed output must not fail again at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
