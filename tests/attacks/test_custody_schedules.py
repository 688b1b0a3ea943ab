"""Both sides of a fork pressed on witnesses at once: a sample of what the benchmark runs."""

import random

import pytest

from benchmarks.custody.schedules import Panel, _proofs, _run
from tests.custody.logs import ForgetfulBook, SmallLog
from tests.custody.signers import LOG, ORIGIN, VIGILANCE
from tidewaiter.custody.witness import Witness
from tidewaiter.storage.witness_book import SqliteWitnessBook

SCHEDULES = 25


def test_two_views_never_both_get_a_quorum(tmp_path):
    panel = Panel(tmp_path, SqliteWitnessBook)
    counts = _run(panel, range(SCHEDULES), random.Random(8))
    counts += _proofs(panel)
    panel.close()
    assert counts["broken"] == 0
    assert counts["witness_confirmed_both"] == 0
    assert counts["with_a_quorum"] > 0
    assert counts["answered_409"] > 0
    assert counts["of_these_a_proof_by_itself"] > 0


class InterruptedBook(ForgetfulBook):
    """A book that stores after somebody else was judged by the same state."""

    def __init__(self, between):
        super().__init__()
        self.between = between

    def step(self, origin, judge):
        answer = judge(self.states.get(origin))
        between, self.between = self.between, None
        if between is not None:
            between(self)
        if answer.remember is not None:
            self.states[origin] = answer.remember
        return answer


@pytest.mark.parametrize("label", ["fork", "honest"])
def test_checking_and_storing_apart_would_break(label):
    # Why the book holds one transaction: without it the schedules' own measure finds the fork,
    # and the roll-back that C2SP tlog-witness describes.
    witness = Witness((VIGILANCE,), {ORIGIN: (LOG.verifier,)})
    honest, other = SmallLog(), SmallLog(label, forked_at=3)
    answers = []
    book = InterruptedBook(
        lambda book: answers.append(witness.add_checkpoint(other.request(3, 9), book, 101))
    )
    book.states[ORIGIN] = None
    witness.add_checkpoint(honest.request(0, 3), remembering(book), 100)
    answers.append(witness.add_checkpoint(honest.request(3, 7), book, 101))
    assert [answer.status for answer in answers] == [200, 200]
    assert book.last(ORIGIN).size == 7


def remembering(book):
    """The same memory without the interruption."""
    calm = ForgetfulBook()
    calm.states = book.states
    return calm
