"""Whether a checkpoint is what the policy asks for: the log's key, and a quorum of witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.merkle import leaf_hash, verify_inclusion
from tidewaiter.custody.note import Note, open_note
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.proof import ProofFile
from tidewaiter.errors import MalformedText, UnknownSigner

_LONGEST_WORD = 200


@dataclass(frozen=True)
class JudgedCheckpoint:
    """A checkpoint signed by a known log, with what the witnesses of the policy say of it.

    `confirmed` gives the time (POSIX seconds) of each witness's earliest cosignature, under the
    witness's name in the policy; `quorum_met` counts distinct witnesses. `not_after_s` is a time
    by which this state of the log existed: when enough witnesses had confirmed it, so that no
    single one sets it; None where too few have, or none at all.
    """

    checkpoint: Checkpoint
    confirmed: Mapping[str, int]
    quorum_met: bool
    not_after_s: int | None


def judge_checkpoint(data: bytes, policy: Policy) -> JudgedCheckpoint:
    """Check every signature of a known key on a checkpoint note.

    A missing quorum is a result, not an error: it may only be that a witness is late. Raises
    MalformedText, BadSignature when a line of a known log or witness does not fit, and
    UnknownSigner when no log of the policy with this origin signed.
    """
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.extensions:
        raise MalformedText(
            f"the checkpoint of {_one_word(checkpoint.origin)} has extension lines; "
            "this log never writes any, and not every cosignature covers them"
        )
    keys = [log.key for log in policy.logs if log.key.name == checkpoint.origin]
    if not keys:
        raise UnknownSigner(f"the log {_one_word(checkpoint.origin)} is not in the policy")
    open_note(note, keys)
    confirmed = _confirmed(note, checkpoint, policy)
    met = policy.quorum_met(confirmed.keys())
    return JudgedCheckpoint(checkpoint, confirmed, met, _quorum_time_s(confirmed, policy))


def judge_proof(proof: ProofFile, leaf: bytes, policy: Policy) -> JudgedCheckpoint:
    """Check that the entry with these bytes is in the log at the proof's index.

    Raises BrokenProof beside what `judge_checkpoint` raises; whether the quorum is met is in
    the result.
    """
    judged = judge_checkpoint(proof.checkpoint_note, policy)
    checkpoint = judged.checkpoint
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(leaf), proof.path, checkpoint.root)
    return judged


def _confirmed(note: Note, checkpoint: Checkpoint, policy: Policy) -> dict[str, int]:
    confirmed: dict[str, int] = {}
    for witness in policy.witnesses:
        for signature in note.signatures:
            if signature.is_by(witness.key):
                time_s = verify_cosignature(checkpoint, witness.key, signature)
                confirmed[witness.name] = min(time_s, confirmed.get(witness.name, time_s))
    return confirmed


def _quorum_time_s(confirmed: Mapping[str, int], policy: Policy) -> int | None:
    for time_s in sorted(confirmed.values()):
        if policy.quorum_met({name for name, at in confirmed.items() if at <= time_s}):
            return time_s
    return None


def _one_word(origin: str) -> str:
    """A foreign origin as it is shown: a log of a policy has no spaces in its name, and is short.

    With spaces it could read as a sentence of the verdict.
    """
    word = "_".join(origin.split())
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…"
