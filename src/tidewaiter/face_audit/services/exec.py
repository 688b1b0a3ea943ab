"""Any program on this machine: one line of JSON in, one line of JSON out.

    {"operation": "compare", "trial": "…", "reference": "<Base64>", "probe": "<Base64>"}
    {"operation": "enrol", "identity": "…", "probe": "<Base64>"}
    {"operation": "search", "trial": "…", "probe": "<Base64>"}

The program answers {"score": 0.7}, or {"match": true} where it hides its score;
{"candidates": [["id", 0.7], …]} to a search; {"outcome": "no-face"} (or another outcome)
where it did not compare.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Protocol

from tidewaiter.face_audit.fitness import Knowing, first_unfit
from tidewaiter.face_audit.service import (
    Answer,
    Limits,
    Outcome,
    Picture,
    Price,
    Reply,
    ServiceCard,
    Unanswered,
)
from tidewaiter.face_audit.translating import (
    MALFORMED,
    clean_code,
    compared,
    json_of,
    number_of,
    searched,
    unanswered,
)

# What a program may say it came to instead of a score; "match" needs one or a verdict.
_SAYABLE = {
    outcome.value: outcome
    for outcome in Outcome
    if outcome not in (Outcome.MATCH, Outcome.NO_MATCH, Outcome.ENROLLED)
}


class Program(Protocol):
    """A program under limits of time and memory."""

    @property
    def name(self) -> str:
        """The program's file name, for the report."""

    def start(self) -> int:
        """Start it unless it runs; how often it was started. A new start has forgotten all."""

    def ask(self, line: bytes) -> Answer | Unanswered:
        """One line in, one line out; the status of an answer is 200."""


class ExecRecogniser:
    """Whatever score the program gives; a distance enters with its sign turned."""

    modes = frozenset({"verify", "identify"})
    limits = Limits()

    def __init__(
        self,
        program: Program,
        knowing: Knowing,
        *,
        price: Price,
        given: float | None,
        is_distance: bool = False,
    ) -> None:
        """`given` is the threshold in the program's own scale; None where it tells verdicts."""
        self._program, self._knowing = program, knowing
        self._sign = -1.0 if is_distance else 1.0
        self._given = None if given is None else self._sign * given
        self._enrolments: list[bytes] = []
        self._started = 0
        self.price = price
        self.card = ServiceCard(
            adapter="exec",
            endpoint=program.name,
            version="as installed",
            score_meaning="minus the program's distance" if is_distance else "the program's score",
            given_threshold=self._given,
            remote=False,
            keeps_gallery=False,
        )

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Ask the program to compare both pictures."""
        refusal = first_unfit(self.limits, self._knowing, reference, probe)
        if refusal is not None:
            return refusal
        return self._asked(
            operation="compare", trial=trial, reference=_coded(reference), probe=_coded(probe)
        )

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Ask the program who of those it enrolled this is."""
        refusal = first_unfit(self.limits, self._knowing, probe)
        return refusal or self._asked(operation="search", trial=trial, probe=_coded(probe))

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Ask the program to keep each picture under the identity."""
        return tuple(
            first_unfit(self.limits, self._knowing, picture)
            or self._asked(operation="enrol", identity=identity, probe=_coded(picture))
            for picture in pictures
        )

    def _asked(self, **said: str) -> Reply:
        line = json.dumps(said).encode() + b"\n"
        way = self._answer(line)
        if isinstance(way, Unanswered):
            return unanswered(way, calls=1)
        content = json_of(way)
        facts: dict[str, Any] = {"latency_ms": way.latency_ms, "calls": 1}
        if not isinstance(content, dict):
            return Reply(Outcome.ERROR, service_code="unreadable-reply", **facts)
        named = _SAYABLE.get(str(content.get("outcome")))
        if named is not None:
            code = clean_code(content.get("code")) or named.value
            return Reply(named, service_code=code, **facts)
        if said["operation"] == "enrol":
            self._enrolments.append(line)
            return Reply(Outcome.ENROLLED, **facts)
        judge = self._candidates if said["operation"] == "search" else self._comparison
        return judge(content, facts) or Reply(
            Outcome.ERROR, service_code="unreadable-reply", **facts
        )

    def _answer(self, line: bytes) -> Answer | Unanswered:
        """Ask; a program started anew is first told again whom it had enrolled."""
        number = self._program.start()
        if number != self._started:
            for enrolment in self._enrolments:
                way = self._program.ask(enrolment)
                if isinstance(way, Unanswered):
                    return way
            self._started = number
        return self._program.ask(line)

    def _comparison(self, content: dict[str, Any], facts: dict[str, Any]) -> Reply | None:
        score = number_of(content.get("score"))
        similarity = None if score is None else self._sign * score
        match = content.get("match")
        if isinstance(match, bool):
            outcome = Outcome.MATCH if match else Outcome.NO_MATCH
            return Reply(outcome, score=similarity, **facts)
        if similarity is None or self._given is None:
            return None
        return compared(similarity, self._given, **facts)

    def _candidates(self, content: dict[str, Any], facts: dict[str, Any]) -> Reply | None:
        best: dict[str, float] = {}
        try:
            for identity, value in content["candidates"]:
                score = number_of(value)
                if score is None:
                    return None
                best[str(identity)] = max(self._sign * score, best.get(str(identity), -1e300))
        except MALFORMED:
            return None
        return None if self._given is None else searched(best, self._given, **facts)


def _coded(picture: Picture) -> str:
    return base64.b64encode(picture.content).decode("ascii")
