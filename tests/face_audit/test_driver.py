"""Nothing answered is asked again, nothing is sent that the cap does not cover."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.face_audit.making import (
    PROTOCOL,
    MadeRecogniser,
    MemoryLedger,
    StillClock,
    audit,
    number,
    ports,
)
from tidewaiter.errors import ConfigurationError, IntegrityError
from tidewaiter.face_audit.driver import JUDGED, carry_out, open_probes
from tidewaiter.face_audit.gate import GateAnswer
from tidewaiter.face_audit.ledger import book_of
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.service import Outcome, Reply

LIMITS = Limits(retries=3)
BUSY = Reply(Outcome.THROTTLED, http=429, retry_after_s=7.0)
BROKEN = Reply(Outcome.ERROR, http=500, calls=1)


def run(of, given, limits=LIMITS):
    return carry_out(of.trials, of.gallery, given, limits)


def test_a_run_answers_every_trial_once_and_a_second_run_asks_nothing():
    found, given = audit(), ports()
    assert run(found, given).left == 0
    assert Counter(given.recogniser.asked).most_common(1)[0][1] == 1
    asked = len(given.recogniser.asked)
    assert run(found, given).reason is None
    assert len(given.recogniser.asked) == asked
    book = book_of(given.ledger.rows)
    assert len(book.answered) + len(book.unmade) == len(found.trials)
    assert book.unmade
    assert book.cost == Decimal("0.01") * asked


def test_what_two_trials_ask_alike_is_paid_once_and_counted_for_both():
    for base in (PROTOCOL, PROTOCOL.replace('"dlib"', '"dlib"\nmode = "identify"')):
        found, given = audit(base=base), ports()
        run(found, given)
        book = book_of(given.ledger.rows)
        questions = {trial.asked for trial in found.trials if trial.id in book.answered}
        assert len(given.recogniser.asked) == len(questions) < len(book.answered)
        for trial in found.trials:
            row = book.answered.get(trial.id)
            if row is not None and row.reply_of:
                first = book.answered[row.reply_of]
                assert (row.score, row.outcome) == (first.score, first.outcome)
                assert (row.target_id, row.role) == (trial.target, trial.role)
                assert row.cost == 0


def test_a_shared_reply_leaves_a_call_in_doubt_paid_and_named():
    found, given = audit(), ports()
    run(found, given)
    rows = given.ledger.rows
    copied = next(row for row in rows if row.reply_of)
    doubt = copied.model_copy(
        update={"state": "sent", "reply_of": "", "calls": 1, "cost": Decimal("0.01")}
    )
    place = rows.index(copied)
    book = book_of([*rows[:place], doubt, *rows[place:]])
    assert book.cost == book_of(rows).cost + Decimal("0.01")
    assert [row.trial_id for row in book.doubtful] == [copied.trial_id]
    assert book.settled(copied.trial_id, 0)
    with pytest.raises(IntegrityError, match="never sent"):
        book_of([copied])


def test_throttled_and_broken_calls_are_tried_again_with_patience():
    def faults(trial, count):
        return {1: BUSY, 2: BROKEN}.get(count)

    clock = StillClock()
    given = ports(recogniser=MadeRecogniser(faults=faults), clock=clock)
    found = audit()
    assert run(found, given).left == 0
    assert set(Counter(given.recogniser.asked).values()) == {3}
    assert set(clock.slept[::2]) == {7.0}
    assert all(1.0 <= wait <= 2.0 for wait in clock.slept[1::2])


def test_a_trial_out_of_retries_is_missing_and_not_asked_again():
    def faults(trial, count):
        return BROKEN if number(trial) < 0.1 else None

    found, given = audit(), ports(recogniser=MadeRecogniser(faults=faults))
    assert run(found, given).left == 0
    counts = Counter(given.recogniser.asked)
    assert set(counts.values()) == {1, 1 + LIMITS.retries}
    run(found, given)
    assert Counter(given.recogniser.asked) == counts


def test_a_service_that_is_down_ends_the_run():
    given = ports(recogniser=MadeRecogniser(faults=lambda *_: BROKEN))
    ending = run(audit(), given)
    assert "see that the service is up" in str(ending.reason)
    assert "status 500" in str(ending.reason)
    assert len(set(given.recogniser.asked)) == 10


def test_a_limit_that_a_silent_service_used_up_says_so():
    given = ports(recogniser=MadeRecogniser(faults=lambda *_: BROKEN))
    ending = run(audit(), given, Limits(max_calls=2, retries=3))
    assert "2 calls" in str(ending.reason)
    assert "the last answered with status 500" in str(ending.reason)


def test_a_long_break_that_the_service_asks_for_is_told_and_not_slept_through():
    def faults(trial, count):
        return Reply(Outcome.THROTTLED, http=429, retry_after_s=1e9) if count == 1 else None

    clock = StillClock()
    found, given = audit(), ports(recogniser=MadeRecogniser(faults=faults), clock=clock)
    ending = run(found, given)
    assert "a break of 16666667 minutes" in str(ending.reason)
    assert ending.left == len(found.trials)
    assert clock.slept == []


def test_denied_access_stops_at_once_and_is_asked_again_later():
    given = ports(recogniser=MadeRecogniser(faults=lambda *_: Reply(Outcome.DENIED, http=403)))
    with pytest.raises(ConfigurationError, match=r"denied access .status 403.; the key"):
        run(audit(), given)
    assert len(given.recogniser.asked) == 1
    given.recogniser.faults = None
    assert run(audit(), given).left == 0


@pytest.mark.parametrize("limits", [{"max_calls": 20}, {"max_cost": "0.20 EUR"}])
def test_the_cap_is_checked_before_a_call_and_may_be_raised(limits):
    found, given = audit(), ports()
    ending = run(found, given, Limits(**limits))
    assert ending.left > 0
    assert "limit of the protocol" in str(ending.reason)
    assert len(given.recogniser.asked) == 20
    assert run(found, given).left == 0


def test_a_call_in_doubt_is_paid_named_and_sent_again_or_left():
    found = audit()
    given = ports()
    run(found, given)
    whole = given.ledger.rows
    last = next(n for n, row in enumerate(whole) if row.state == "answered")
    for policy, asked in (("resend", 1), ("leave", 0)):
        again = ports(ledger=MemoryLedger([*whole[:last]]))
        limits = Limits(retries=3, on_doubt=policy)
        assert run(found, again, limits).left == 0
        trial = whole[last].trial_id
        assert again.recogniser.asked.count(trial) == asked
        assert [row.trial_id for row in book_of(again.ledger.rows).doubtful] == [trial]
        paid = book_of(again.ledger.rows).calls
        assert paid == len(again.recogniser.asked) + 1


def test_the_rate_is_held():
    clock = StillClock()
    found = audit()
    run(found, ports(clock=clock), Limits(rps=4))
    asked = len(clock.slept) + 1
    assert clock.seconds == pytest.approx((asked - 1) / 4)


def test_a_gallery_that_is_kept_is_filled_once_and_another_at_every_start():
    base = PROTOCOL.replace('adapter = "dlib"', 'adapter = "dlib"\nmode = "identify"')
    found, given = audit(base=base), ports()
    run(found, given)
    assert len(given.recogniser.gallery) == len(found.gallery)
    run(found, given)
    assert len(given.recogniser.gallery) == len(found.gallery)


def test_the_gate_sees_each_picture_once():
    seen = []

    def gate(picture):
        seen.append(picture.sha256)
        return GateAnswer(0.5)

    found, given = audit(), ports(gate=gate)
    run(found, given)
    run(found, given)
    assert len(seen) == len(set(seen))
    shown = {row.probe_sha256 for row in given.ledger.rows if row.state == "answered"}
    assert set(seen) == shown


def test_a_gate_is_asked_once_a_picture_and_only_where_a_rate_counts_it():
    found, asked = audit(), []

    def gate(picture):
        asked.append(picture.sha256)
        return GateAnswer(0.5)

    given = ports(gate=gate)
    before = open_probes(found.trials, book_of([]), gated=True)
    assert {probe.key for probe, judged in before if judged} == {
        t.probe.key for t in found.trials if t.role in JUDGED
    }
    run(found, given)
    assert len(asked) == len(set(asked))
    book = book_of(given.ledger.rows)
    shown = {
        book.answered[t.id].probe_sha256
        for t in found.trials
        if t.role in JUDGED and t.id in book.answered
    }
    assert set(asked) == shown
    assert open_probes(found.trials, book, gated=True) == ()


def test_the_rows_of_a_further_recogniser_bear_its_name():
    found, given = audit(), ports(by="faceres")
    run(found, given)
    assert {row.by for row in given.ledger.rows if row.state != "unmade"} == {"faceres"}
