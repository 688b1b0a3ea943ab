"""Asking a witness: to confirm a checkpoint, and what it confirmed last.

Nothing a witness says is believed without its signature; whoever stands on the road can hold an
answer back. What a witness confirmed last has the signature of that moment: on a road that is not
encrypted an older answer can be shown for it, or none. Its confirmation of a checkpoint is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.exact import exact_number
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.merkle import EMPTY_ROOT
from tidewaiter.custody.note import Note, open_note, parse_signature_lines
from tidewaiter.custody.store import Head, Witnessed
from tidewaiter.custody.witness import SIZE_TYPE, AddCheckpoint
from tidewaiter.errors import IntegrityError, MalformedText
from tidewaiter.face_audit.service import Answer, Request, Transport
from tidewaiter.outlets.http import HttpTransport

WITNESS_TIMEOUT_S = 10.0
_SHOWN = 200


@dataclass(frozen=True)
class Confirmation:
    """What came of asking one witness to confirm a checkpoint.

    `lines` are its cosignature lines, checked, and `time_s` the earliest of their times.
    `stated_size` is set when the witness knew another size than it was thought to: one larger
    than the checkpoint's means that the log was set back, one smaller than it confirmed before
    that the witness was. Without lines and size, `reason` says what failed.
    """

    witness: str
    lines: tuple[str, ...] = ()
    time_s: int | None = None
    stated_size: int | None = None
    reason: str = ""


class WitnessClient:
    """One witness of the policy, at its address."""

    def __init__(
        self,
        name: str,
        keys: Sequence[VerifierKey],
        url: str,
        log: VerifierKey,
        transport: Transport | None = None,
    ) -> None:
        """Raises ConfigurationError where the address is none."""
        self.name, self._keys, self._log = name, tuple(keys), log
        self._url = url.rstrip("/")
        self._transport = transport or HttpTransport(
            self._url, timeout_s=WITNESS_TIMEOUT_S, plain_http=True
        )

    def latest(self) -> Witnessed:
        """What it last confirmed, its signature checked; a reason where it did not answer."""
        origin = hashlib.sha256(self._log.name.encode("utf-8")).hexdigest()
        answer = self._ask("GET", f"/{origin}/checkpoint")
        if isinstance(answer, str):
            return Witnessed(self.name, None, reason=answer)
        if answer.status == 404:
            return Witnessed(self.name, Head(0, EMPTY_ROOT))
        try:
            _must_be_200(answer)
            note = Note.parse(answer.body)
            checkpoint = Checkpoint.parse(note.text)
            open_note(note, [self._log])
            time_s = self._earliest(checkpoint, note)
        except IntegrityError as error:
            return Witnessed(self.name, None, reason=str(error))
        head = Head(checkpoint.size, checkpoint.root)
        return Witnessed(self.name, head, answer.body, time_s * 1000)

    def confirm(
        self, note: bytes, known_size: int, proof: Callable[[int, int], Sequence[bytes]]
    ) -> Confirmation:
        """Ask it to confirm a checkpoint of the log.

        `known_size` is what it is thought to know; when it knows another size that is not beyond
        the checkpoint, it is asked once more. `proof(old, new)` gives the consistency proof.
        """
        signed = Note.parse(note)
        checkpoint, stated_size = Checkpoint.parse(signed.text), None
        for _ in range(2):
            path = proof(known_size, checkpoint.size)
            request = AddCheckpoint(known_size, tuple(path), signed)
            answer = self._ask("POST", "/add-checkpoint", request.encoded)
            if isinstance(answer, str):
                return Confirmation(self.name, reason=answer)
            try:
                if answer.status != 409:
                    _must_be_200(answer)
                    return replace(
                        self._confirmed(checkpoint, answer.body), stated_size=stated_size
                    )
                known_size = stated_size = _stated_size(answer)
            except IntegrityError as error:
                return Confirmation(self.name, reason=str(error))
            if known_size > checkpoint.size:
                return self._beyond(checkpoint.size, known_size)
        return Confirmation(self.name, stated_size=stated_size)

    def _beyond(self, size: int, stated: int) -> Confirmation:
        """That it knows more entries than there are, where it shows its signature for that."""
        head = self.latest().head
        if head is not None and head.size > size:
            return Confirmation(self.name, stated_size=head.size)
        reason = f"it states {stated} entries where {size} are, and shows no signature for them"
        return Confirmation(self.name, reason=reason)

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer | str:
        headers = {"Content-Type": "text/plain"} if body else {}
        answer = self._transport.send(Request(method, self._url + path, headers, body))
        return answer if isinstance(answer, Answer) else f"no answer ({answer.code})"

    def _confirmed(self, checkpoint: Checkpoint, body: bytes) -> Confirmation:
        note = Note(checkpoint.text, parse_signature_lines(body))
        time_s = self._earliest(checkpoint, note)
        lines = [line.line for line in note.signatures if any(map(line.is_by, self._keys))]
        return Confirmation(self.name, tuple(lines), time_s)

    def _earliest(self, checkpoint: Checkpoint, note: Note) -> int:
        times = [
            verify_cosignature(checkpoint, key, line)
            for line in note.signatures
            for key in self._keys
            if line.is_by(key)
        ]
        if not times:
            raise MalformedText(f"the answer of {self.name} holds no cosignature of its keys")
        return min(times)


def _must_be_200(answer: Answer) -> None:
    if answer.body.lstrip()[:1] == b"<":
        raise MalformedText(
            f"a web page answered ({answer.status}), no witness: check its address in the policy, "
            "and what stands between (a proxy, a sign-on page)"
        )
    if answer.status != 200:
        said = ascii(answer.body[:_SHOWN].decode("utf-8", "replace").strip())
        raise MalformedText(f"the witness answered {answer.status}: {said}")


def _stated_size(answer: Answer) -> int:
    if answer.headers.get("content-type") != SIZE_TYPE or not answer.body.endswith(b"\n"):
        raise MalformedText("the witness knows another size and does not say which")
    return exact_number(answer.body[:-1], "the size that the witness knows")
