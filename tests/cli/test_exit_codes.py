"""What a command exits with is what the process exits with."""

import click
import pytest

from tidewaiter.cli.program import main, program
from tidewaiter.errors import IntegrityError


def leaving_by(error):
    def invoke(_):
        raise error

    return invoke


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.exceptions.Exit(4), 4),
        (click.exceptions.Exit(10), 10),
        (IntegrityError("something changed"), 4),
        (click.UsageError("no such option"), 2),
        (click.Abort(), 130),
        (OSError(28, "No space left on device"), 6),
    ],
)
def test_the_process_exits_with_the_commands_code(monkeypatch, error, code):
    monkeypatch.setattr("sys.argv", ["tidewaiter", "selftest"])
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(program, "invoke", leaving_by(error))
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code


@pytest.mark.parametrize("code", [None, 0])
def test_a_command_that_ends_well_ends_the_process_well(monkeypatch, code):
    monkeypatch.setattr("sys.argv", ["tidewaiter", "selftest"])
    monkeypatch.setattr(program, "invoke", lambda _: code)
    assert main() is None
