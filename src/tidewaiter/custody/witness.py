"""What a witness answers when a log asks it to confirm a checkpoint (C2SP tlog-witness).

The answers and their order are those of C2SP; everything here is a judgement on bytes, keys and
the last state remembered. Whoever keeps that state must compare and replace it in one
transaction: two requests judged by the same state could otherwise roll the witness back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.exact import exact_hash, exact_number, must_be_short, spelled_base64
from tidewaiter.custody.keys import SigningKey, VerifierKey
from tidewaiter.custody.merkle import EMPTY_ROOT, verify_consistency
from tidewaiter.custody.note import Note, open_note
from tidewaiter.errors import BrokenProof, IntegrityError, MalformedText

# C2SP tlog-witness: no more than 63 lines of proof.
MOST_PROOF_LINES = 63
LARGEST_REQUEST_BYTES = 1 << 18
"""More than 16 post-quantum signatures and the longest proof need; larger bodies are refused."""
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
ANOTHER_ROOT = "another root over as many entries as were confirmed"
"""Why a request is kept that proves a fork by itself."""
NOT_CONTINUED = "it was not shown to continue what was confirmed"
"""Why one is kept that may prove a fork, together with the entries."""
# A clock this much behind the last cosignature has been set back, not merely corrected.
CLOCK_SLACK_S = 60


@dataclass(frozen=True)
class Remembered:
    """What a witness last confirmed for an origin: size, root, the log's note, and when."""

    size: int
    root: bytes
    note: bytes
    time_s: int


@dataclass(frozen=True)
class AddCheckpoint:
    """A request to confirm a checkpoint that continues the log of `old_size` entries."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Read a request's body. Raises MalformedText."""
        must_be_short(body, LARGEST_REQUEST_BYTES, "the request")
        head, blank, note = body.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        if not blank or not first.startswith(b"old "):
            raise MalformedText(
                "a request is “old <size>”, proof lines, a blank line, a checkpoint"
            )
        if len(lines) > MOST_PROOF_LINES:
            raise MalformedText(f"{len(lines)} proof lines; {MOST_PROOF_LINES} are the most")
        old_size = exact_number(first[4:], "the old size")
        proof = tuple(exact_hash(line, "a proof line") for line in lines)
        return cls(old_size, proof, Note.parse(note))

    @property
    def encoded(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *(spelled_base64(sibling) for sibling in self.proof)]
        return "\n".join(lines).encode("ascii") + b"\n\n" + self.note.encoded


@dataclass(frozen=True)
class Suspect:
    """What may prove a fork: why, the signed checkpoint as a request, and what was confirmed.

    Nothing is in the request but what the log signed: proofs and further lines are anybody's to
    write. `known` is the note by which it was judged, None where none was confirmed.
    """

    reason: str
    request: bytes
    known: bytes | None


@dataclass(frozen=True)
class WitnessAnswer:
    """An HTTP answer, with what to remember and what may prove a fork.

    `remember` is set when the checkpoint was confirmed, `suspect` when a log in the witness's
    care signed something that was not shown to continue what it signed before.
    """

    status: int
    body: str
    content_type: str = TEXT_TYPE
    remember: Remembered | None = None
    suspect: Suspect | None = None


class WitnessBook(Protocol):
    """Remembers, for each origin, what was last confirmed."""

    def last(self, origin: str) -> Remembered | None:
        """What was last confirmed for this log; None before the first time."""

    def step(
        self, origin: str, judge: Callable[[Remembered | None], WitnessAnswer]
    ) -> WitnessAnswer:
        """Judge by the state and store what the answer remembers, in one transaction.

        The answer must not leave before the state is on the disk.
        """

    def keep(self, origin: str, time_s: int, suspect: Suspect) -> None:
        """Keep what may prove a fork, once, however often it is sent."""


@dataclass(frozen=True)
class Witness:
    """Who confirms, and whose logs: the keys of each log by its origin."""

    keys: tuple[SigningKey, ...]
    logs: Mapping[str, tuple[VerifierKey, ...]]

    def add_checkpoint(self, body: bytes, book: WitnessBook, now_s: int) -> WitnessAnswer:
        """Answer a request, having stored what the answer says. `now_s`: POSIX seconds."""
        try:
            request = AddCheckpoint.parse(body)
            checkpoint = Checkpoint.parse(request.note.text)
        except MalformedText as error:
            return _refusal(400, str(error))
        known = self.logs.get(checkpoint.origin)
        if known is None:
            return _refusal(404, f"the log {checkpoint.origin} is not one of this witness's")
        try:
            open_note(request.note, known)
        except IntegrityError as error:
            return _refusal(403, str(error))
        if request.old_size > checkpoint.size:
            return _refusal(400, f"old {request.old_size} is beyond the size {checkpoint.size}")
        answer = book.step(
            checkpoint.origin, lambda last: self._judged(request, checkpoint, last, now_s)
        )
        if answer.suspect is not None:
            book.keep(checkpoint.origin, now_s, answer.suspect)
        return answer

    def latest(self, origin_hash: str, book: WitnessBook) -> WitnessAnswer:
        """Answer `GET <prefix>/<hex SHA-256 of the origin>/checkpoint`."""
        for origin in self.logs:
            if hashlib.sha256(origin.encode("utf-8")).hexdigest() == origin_hash:
                last = book.last(origin)
                if last is not None:
                    return WitnessAnswer(200, last.note.decode("utf-8"))
        return _refusal(404, "nothing was confirmed for a log of that name")

    def _judged(
        self,
        request: AddCheckpoint,
        checkpoint: Checkpoint,
        last: Remembered | None,
        now_s: int,
    ) -> WitnessAnswer:
        size = last.size if last else 0
        known = self.logs[checkpoint.origin]
        suspect = _suspect(request.note, checkpoint, last, known)
        if request.old_size != size:
            # Sizes apart, only another root over the size known says anything of the log.
            forked = suspect if suspect and suspect.reason == ANOTHER_ROOT else None
            return WitnessAnswer(409, f"{size}\n", SIZE_TYPE, suspect=forked)
        try:
            must_continue(last, checkpoint, request.proof)
        except BrokenProof as error:
            return WitnessAnswer(422, f"{error}\n", suspect=suspect)
        if last is not None and now_s < last.time_s - CLOCK_SLACK_S:
            late_s = last.time_s - now_s
            return _refusal(503, f"this witness's clock is {late_s} s behind its last cosignature")
        lines = [cosign(checkpoint, key, now_s) for key in self.keys]
        cosigned = _without_strangers(request.note, known).with_signatures(lines)
        remember = Remembered(checkpoint.size, checkpoint.root, cosigned.encoded, now_s)
        return WitnessAnswer(200, "".join(line.line for line in lines), remember=remember)


def must_continue(last: Remembered | None, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    """Accept that a checkpoint continues what was last confirmed, or raise BrokenProof."""
    old_size, old_root = (last.size, last.root) if last else (0, EMPTY_ROOT)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise BrokenProof("the root given for the empty log is not the root of an empty tree")
    verify_consistency(old_size, checkpoint.size, old_root, checkpoint.root, proof)


def _suspect(
    note: Note, checkpoint: Checkpoint, last: Remembered | None, known: Sequence[VerifierKey]
) -> Suspect | None:
    """What to keep of a checkpoint that is refused; None for what was confirmed already."""
    reason = NOT_CONTINUED
    if last is not None and checkpoint.size == last.size:
        if checkpoint.root == last.root:
            return None
        reason = ANOTHER_ROOT
    signed = AddCheckpoint(0, (), _without_strangers(note, known))
    return Suspect(reason, signed.encoded, last.note if last else None)


def _without_strangers(note: Note, known: Sequence[VerifierKey]) -> Note:
    """The note with one line of each known key: what others added must not spoil the evidence."""
    firsts = (next((line for line in note.signatures if line.is_by(key)), None) for key in known)
    return Note(note.text, tuple(line for line in firsts if line is not None))


def _refusal(status: int, reason: str) -> WitnessAnswer:
    return WitnessAnswer(status, f"{reason}\n")
