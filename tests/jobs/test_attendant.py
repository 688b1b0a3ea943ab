"""One confined process answers on, whatever a question does to it."""

from pathlib import Path

import psutil
import pytest

from tidewaiter.errors import CorruptMedia, ExaminationError, LimitExceeded
from tidewaiter.jobs.attendant import Attendant
from tidewaiter.settings import MIB, Limits
from tidewaiter.wiring import error_named

LIMITS = Limits(max_wall_s=1.0, max_memory_bytes=128 * MIB)


@pytest.fixture
def attendant(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with Attendant("tests.jobs.attendant_handler:handle", LIMITS, error_named) as made:
        yield made


def test_questions_are_answered_by_one_process_whose_prints_go_nowhere(attendant):
    first, second = attendant.ask(b"a" * 3_000_000), attendant.ask(b"")
    assert (first["length"], second["length"]) == (3_000_000, 0)
    assert first["pid"] == second["pid"]


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        (b"abort", CorruptMedia, "crashed"),
        (b"leave", CorruptMedia, "crashed"),
        (b"sleep", LimitExceeded, "over 1 s"),
        (b"grow", LimitExceeded, "128 MiB"),
        (b"shout", CorruptMedia, "crashed"),
    ],
)
def test_a_question_that_ends_the_process_costs_only_itself(attendant, question, error, words):
    before = attendant.ask(b"before")["pid"]
    with pytest.raises(error, match=words):
        attendant.ask(question)
    assert attendant.ask(b"after")["pid"] != before
    assert not psutil.pid_exists(before)


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        (b"refuse", CorruptMedia, "broken at byte 7"),
        (b"stumble", ExaminationError, "broke off .ValueError"),
        (b"bomb", LimitExceeded, "more memory"),
    ],
)
def test_an_error_is_told_and_the_process_goes_on(attendant, question, error, words):
    before = attendant.ask(b"before")["pid"]
    with pytest.raises(error, match=words):
        attendant.ask(question)
    assert attendant.ask(b"after")["pid"] == before


def test_a_process_that_cannot_start_is_no_fault_of_the_file():
    with (
        Attendant("tidewaiter.absent:handle", LIMITS, error_named) as made,
        pytest.raises(ExaminationError, match="selftest"),
    ):
        made.ask(b"")


def test_the_process_ends_with_its_owner(attendant):
    pid = attendant.ask(b"")["pid"]
    attendant.__exit__(None, None, None)
    assert not psutil.pid_exists(pid)
