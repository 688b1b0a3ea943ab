"""A witness answers as C2SP says, in that order, and never confirms what does not continue."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.custody.logs import ForgetfulBook, SmallLog
from tests.custody.signers import LOG, ORIGIN, VIGILANCE, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.fork import Fork, fork_between, prove_fork
from tidewaiter.custody.keys import MLDSA44_COSIGNATURE
from tidewaiter.custody.merkle import EMPTY_ROOT
from tidewaiter.custody.note import Note, NoteSignature, parse_signature_lines
from tidewaiter.custody.witness import ANOTHER_ROOT, NOT_CONTINUED, AddCheckpoint, Witness
from tidewaiter.errors import (
    BadSignature,
    BrokenProof,
    IntegrityError,
    MalformedText,
    UnknownSigner,
)

NOW_S = 1_790_000_000
WITNESS = Witness((VIGILANCE,), {ORIGIN: (LOG.verifier,)})


@pytest.fixture
def book():
    return ForgetfulBook()


def ask(book, body, now_s=NOW_S):
    return WITNESS.add_checkpoint(body, book, now_s)


def test_a_growing_log_is_confirmed_at_every_step(book):
    log = SmallLog()
    for old, new in ((0, 1), (1, 7), (7, 7), (7, 300)):
        answer = ask(book, log.request(old, new), NOW_S + new)
        assert answer.status == 200, answer.body
        (line,) = parse_signature_lines(answer.body.encode())
        checkpoint = log.checkpoint(new)
        assert verify_cosignature(checkpoint, VIGILANCE.verifier, line) == NOW_S + new
        assert book.states[ORIGIN].size == new
    origin_hash = hashlib.sha256(ORIGIN.encode()).hexdigest()
    latest = WITNESS.latest(origin_hash, book)
    assert (latest.status, Checkpoint.parse(Note.parse(latest.body.encode()).text)) == (
        200,
        log.checkpoint(300),
    )
    assert WITNESS.latest("0" * 64, book).status == 404
    assert WITNESS.latest(origin_hash, ForgetfulBook()).status == 404


def test_a_witness_with_two_keys_gives_two_lines(book):
    keys = (VIGILANCE, key("pq.example", MLDSA44_COSIGNATURE))
    witness = Witness(keys, WITNESS.logs)
    answer = witness.add_checkpoint(SmallLog().request(0, 3), book, NOW_S)
    lines = parse_signature_lines(answer.body.encode())
    for one, line in zip(keys, lines, strict=True):
        assert verify_cosignature(SmallLog().checkpoint(3), one.verifier, line) == NOW_S


def test_lines_of_others_are_not_remembered(book):
    log = SmallLog()
    note = log.note(5)
    stranger = stranger_line(note.text, key("stranger.example"))
    crowded = note.with_signatures([stranger] * 50 + [note.signatures[0]] * 49)
    assert ask(book, AddCheckpoint(0, (), crowded).encoded).status == 200
    kept = Note.parse(book.last(ORIGIN).note)
    assert [line.name for line in kept.signatures] == [LOG.name, VIGILANCE.name]


REQUEST = SmallLog().request(3, 7)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        REQUEST.replace(b"old 3", b"old 03"),
        REQUEST.replace(b"old 3", b"old +3"),
        REQUEST.replace(b"old 3\n", b"old 3\r\n"),
        REQUEST.replace(b"old 3", b"old  3"),
        REQUEST.replace(b"old 3", b"new 3"),
        REQUEST.replace(b"old 3", b"old " + str(2**63).encode()),
        REQUEST.replace(b"old 3\n", b"old 3\nAAAA\n"),
        REQUEST.replace(b"old 3\n", b"old 3\n" + (b"A" * 43 + b"=\n") * 64),
        REQUEST.replace(b"\n\n", b"\n"),
        REQUEST.replace("—".encode(), b"-"),
        REQUEST.replace(b"\n7\n", b"\n07\n"),
        REQUEST + b"x" * (1 << 18),
    ],
)
def test_a_malformed_request_is_400_and_changes_nothing(book, body):
    assert ask(book, body).status == 400
    assert not book.states
    assert not book.requests


def test_the_order_of_refusals(book):
    log = SmallLog()
    stranger = key("stranger.example")
    other = SmallLog(signer=stranger, origin=stranger.name)
    assert ask(book, other.request(9, 7)).status == 404
    forged = Note(log.note(7).text, (stranger_line(log.note(7).text, stranger),))
    assert ask(book, AddCheckpoint(9, (), forged).encoded).status == 403
    false = NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64))
    spoiled = log.note(7).with_signatures([false])
    assert ask(book, AddCheckpoint(9, (), spoiled).encoded).status == 403
    assert ask(book, AddCheckpoint(9, (), log.note(7)).encoded).status == 400
    conflict = ask(book, log.request(3, 7))
    assert (conflict.status, conflict.body) == (409, "0\n")
    assert conflict.content_type == "text/x.tlog.size"
    assert ask(book, log.request(0, 7)).status == 200
    assert ask(book, log.request(0, 9)).body == "7\n"
    assert not book.requests


def stranger_line(text, signer):
    return NoteSignature(signer.name, signer.verifier.key_id, signer.sign(text.encode()))


def test_what_does_not_continue_is_422_and_kept(book):
    log, fork = SmallLog(), SmallLog("fork", forked_at=3)
    assert ask(book, log.request(0, 5)).status == 200
    notes = [fork.note(9), fork.note(5), log.note(9)]
    for note in notes:
        proof = (EMPTY_ROOT,) if note != fork.note(5) else ()
        assert ask(book, AddCheckpoint(5, proof, note).encoded).status == 422
    assert [kept[2] for kept in book.requests] == [NOT_CONTINUED, ANOTHER_ROOT, NOT_CONTINUED]
    assert [AddCheckpoint.parse(kept[3]) for kept in book.requests] == [
        AddCheckpoint(0, (), note) for note in notes
    ]
    assert book.states[ORIGIN].root == log.tree.root(5)


def test_another_root_at_a_known_size_is_kept_even_when_the_old_size_is_wrong(book):
    ask(book, SmallLog().request(0, 5))
    body = SmallLog("fork").request(0, 5)
    assert ask(book, body).status == 409
    kept = AddCheckpoint(0, (), SmallLog("fork").note(5)).encoded
    assert book.requests == [(ORIGIN, NOW_S, ANOTHER_ROOT, kept)]


def test_a_false_proof_for_what_was_confirmed_is_no_sign_of_a_fork(book):
    """Anybody who has seen a checkpoint can write one under it."""
    log = SmallLog()
    ask(book, log.request(0, 5))
    assert ask(book, AddCheckpoint(5, (EMPTY_ROOT,), log.note(5)).encoded).status == 422
    assert book.requests == []


def test_what_others_add_to_a_request_is_not_kept(book):
    ask(book, SmallLog().request(0, 5))
    note, stranger = SmallLog("fork").note(5), key("stranger.example")
    padded = note.with_signatures([stranger_line(note.text, stranger)])
    assert ask(book, AddCheckpoint(3, (EMPTY_ROOT,), padded).encoded).status == 409
    assert [kept[3] for kept in book.requests] == [AddCheckpoint(0, (), note).encoded]


def test_the_empty_log(book):
    assert ask(book, SmallLog().request(0, 0)).status == 200
    lying = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG)
    assert ask(book, AddCheckpoint(0, (), lying).encoded).status == 422
    proof = AddCheckpoint(0, (EMPTY_ROOT,), SmallLog().note(4)).encoded
    assert ask(book, proof).status == 422
    assert ask(book, SmallLog().request(0, 4)).status == 200


def test_a_clock_set_back_confirms_nothing(book):
    log = SmallLog()
    assert ask(book, log.request(0, 5), NOW_S).status == 200
    assert ask(book, log.request(5, 6), NOW_S - 61).status == 503
    assert book.states[ORIGIN].size == 5
    assert ask(book, log.request(5, 6), NOW_S - 59).status == 200


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_only_what_continues_is_ever_confirmed(known, old, new, honest):
    book, log = ForgetfulBook(), SmallLog()
    ask(book, log.request(0, known))
    other = log if honest else SmallLog("fork", forked_at=2)
    answer = ask(book, other.request(old, new))
    # Up to two entries the two histories are one.
    consistent = honest or known <= 2
    if answer.status == 200:
        assert old == known <= new
        assert consistent
    elif old == known <= new and consistent:
        pytest.fail(f"an honest request was answered {answer.status}: {answer.body}")


class WitnessMachine(RuleBasedStateMachine):
    """An operator with two histories tries everything; the witness confirms one only."""

    def __init__(self):
        super().__init__()
        self.book, self.confirmed, self.now_s = ForgetfulBook(), [], NOW_S
        self.histories = {"honest": SmallLog(), "fork": SmallLog("fork", forked_at=4)}

    @rule(name=st.sampled_from(["honest", "fork"]), old=st.integers(0, 30), new=st.integers(0, 30))
    def ask_anything(self, name, old, new):
        self._ask(self.histories[name], old, new)

    @rule(name=st.sampled_from(["honest", "fork"]), more=st.integers(0, 9))
    def ask_from_what_it_knows(self, name, more):
        last = self.book.last(ORIGIN)
        old = last.size if last else 0
        self._ask(self.histories[name], old, old + more)

    @precondition(lambda self: self.confirmed)
    @rule()
    def ask_again(self):
        log, size = self.confirmed[-1]
        assert self._ask(log, size, size).status == 200

    def _ask(self, log, old, new):
        self.now_s += 1
        answer = ask(self.book, log.request(old, new), self.now_s)
        if answer.status == 200:
            self.confirmed.append((log, new))
        return answer

    @invariant()
    def confirmed_checkpoints_are_one_history(self):
        for (one, small), (other, large) in zip(self.confirmed, self.confirmed[1:], strict=False):
            assert small <= large
            assert other.tree.root(small) == one.tree.root(small)


TestWitnessMachine = WitnessMachine.TestCase
TestWitnessMachine.settings = settings(deadline=None, max_examples=25, stateful_step_count=25)


def notes(small, large, at=4):
    honest, fork = SmallLog(), SmallLog("fork", forked_at=at)
    return honest.note(small).encoded, fork.note(large).encoded, fork


@pytest.mark.parametrize(("small", "large"), [(5, 5), (5, 9), (9, 5), (8, 13), (6, 64), (63, 64)])
def test_a_fork_is_proven_to_anybody_with_the_logs_key(small, large):
    one, other, fork = notes(small, large)
    if small == large:
        leaves = []
    else:
        holder = fork if large > small else SmallLog()
        leaves = [holder.grow(64).tree.leaf(index) for index in range(max(small, large))]
    proof = fork_between(one, other, leaves)
    assert Fork.parse(proof.encoded) == proof
    checkpoints = prove_fork(proof, [LOG.verifier])
    assert [checkpoint.size for checkpoint in checkpoints] == sorted((small, large))
    with pytest.raises(UnknownSigner):
        prove_fork(proof, [key("other.example").verifier])


def test_honest_checkpoints_prove_no_fork():
    log = SmallLog().grow(9)
    leaves = [log.tree.leaf(index) for index in range(9)]
    assert fork_between(log.note(5).encoded, log.note(9).encoded, leaves) is None
    assert fork_between(log.note(5).encoded, log.note(5).encoded) is None
    path = tuple(log.tree.consistency_proof(5, 9))
    small, large = log.note(5).encoded, log.note(9).encoded
    for made_up in (
        Fork(small, small),
        Fork(small, large, log.tree.root(5), path),
        Fork(small, large, bytes(32), path),
        Fork(small, large),
        Fork(large, small, log.tree.root(5), path),
        Fork(small, SmallLog("fork").note(5).encoded, bytes(32)),
    ):
        with pytest.raises(BrokenProof):
            prove_fork(made_up, [LOG.verifier])
    with pytest.raises(BrokenProof, match="do not give the root"):
        fork_between(small, SmallLog("fork").note(9).encoded, leaves)


def test_two_logs_are_no_fork_and_an_unsigned_one_is_none():
    stranger = key("stranger.example")
    other = SmallLog("fork", signer=stranger, origin=stranger.name).note(5).encoded
    mine = SmallLog().note(5).encoded
    assert fork_between(mine, other) is None
    with pytest.raises(BrokenProof, match="two logs"):
        prove_fork(Fork(mine, other), [LOG.verifier, stranger.verifier])
    text = SmallLog("fork").note(5).text
    forged = Note(text, (NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64)),)).encoded
    with pytest.raises(BadSignature):
        prove_fork(Fork(mine, forged), [LOG.verifier])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_changed_file_of_a_fork_is_refused(data):
    one, other, fork = notes(5, 9)
    sound = fork_between(one, other, [fork.tree.leaf(index) for index in range(9)]).encoded
    at = data.draw(st.integers(0, len(sound) - 1))
    changed = bytearray(sound)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError):
        prove_fork(Fork.parse(bytes(changed)), [LOG.verifier])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tidewaiter/fork/v1\n",
        b"tidewaiter/fork/v2\nnote QQ==\nnote QQ==\n",
        b"tidewaiter/fork/v1\nnote QQ==\nnote QQ==",
        b"tidewaiter/fork/v1\nnote QQ==\nnotes QQ==\n",
        b"tidewaiter/fork/v1\nnote QQ==\nnote QQ==\nroot QQ==\n",
        b"tidewaiter/fork/v1\nnote QQ==\nnote QQ==\n" + (b"root " + b"A" * 43 + b"=\n") * 70,
        b"x" * 5_000_000,
    ],
)
def test_what_is_no_file_of_a_fork_is_refused(data):
    with pytest.raises(MalformedText):
        Fork.parse(data)
