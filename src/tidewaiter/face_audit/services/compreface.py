"""CompreFace: verification of two pictures, recognition among enrolled subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tidewaiter.face_audit.fitness import Knowing, first_unfit
from tidewaiter.face_audit.multipart import Part, form
from tidewaiter.face_audit.service import (
    TRIAL_HEADER,
    Answer,
    Limits,
    Outcome,
    Picture,
    Price,
    Reply,
    Request,
    Secret,
    ServiceCard,
    Transport,
    Unanswered,
)
from tidewaiter.face_audit.translating import (
    MALFORMED,
    compared,
    json_of,
    number_of,
    searched,
    unanswered,
    unreadable,
    unsuccessful,
)

# CompreFace has no threshold of its own for a verdict; its documentation's examples use this.
DEFAULT_SIMILARITY = 0.5
NO_FACE_CODE = 28
MOST_CANDIDATES = 50
# CompreFace, REST description: image file size; formats it names.
LIMITS = Limits(
    media_types=frozenset(
        {"image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff", "image/webp"}
    ),
    most_bytes=5 * 1024 * 1024,
)


class ComprefaceRecogniser:
    """Similarity of two faces, 0 to 1."""

    limits = LIMITS
    modes = frozenset({"verify", "identify"})

    def __init__(
        self,
        endpoint: str,
        key: Secret,
        transport: Transport,
        knowing: Knowing,
        *,
        price: Price,
        given: float = DEFAULT_SIMILARITY,
    ) -> None:
        """`key` is that of the verification service, or of the recognition service to identify."""
        self._endpoint, self._key, self._transport = endpoint.rstrip("/"), key, transport
        self._knowing, self._given = knowing, given
        self.price = price
        self._card = ServiceCard(
            adapter="compreface",
            endpoint=endpoint,
            version="CompreFace, REST v1",
            score_meaning="similarity, 0 to 1",
            given_threshold=given,
            remote=True,
            keeps_gallery=True,
        )

    @property
    def card(self) -> ServiceCard:
        """What the report prints; stamped once a stand-in has answered."""
        return replace(self._card, test_kit=self._transport.met_test_kit)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Verify: the reference is the source picture, the probe the target."""
        refusal = first_unfit(self.limits, self._knowing, reference, probe)
        if refusal is not None:
            return refusal
        parts = [_file("source_image", reference), _file("target_image", probe)]
        answer = self._send("verification/verify", {}, parts, trial)
        if not isinstance(answer, Answer):
            return answer
        try:
            found = json_of(answer)["result"][0]["face_matches"]
            scores = [number_of(match["similarity"]) for match in found]
        except MALFORMED:
            return unreadable(answer, calls=1)
        if not scores:
            return Reply(Outcome.NO_FACE, service_code="no-face-in-probe", **_facts(answer))
        known = [score for score in scores if score is not None]
        if len(known) < len(scores):
            return unreadable(answer, calls=1)
        return compared(max(known), self._given, **_facts(answer))

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Recognise the probe among the enrolled subjects."""
        refusal = first_unfit(self.limits, self._knowing, probe)
        if refusal is not None:
            return refusal
        query = {"prediction_count": str(MOST_CANDIDATES), "limit": "1"}
        answer = self._send("recognition/recognize", query, [_file("file", probe)], trial)
        if not isinstance(answer, Answer):
            return answer
        best: dict[str, float] = {}
        try:
            for subject in json_of(answer)["result"][0]["subjects"]:
                score = number_of(subject["similarity"])
                if score is None:
                    return unreadable(answer, calls=1)
                best[str(subject["subject"])] = score
        except MALFORMED:
            return unreadable(answer, calls=1)
        return searched(best, self._given, **_facts(answer))

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Add each picture as an example of the subject."""
        return tuple(self._added(identity, picture) for picture in pictures)

    def _added(self, identity: str, picture: Picture) -> Reply:
        refusal = first_unfit(self.limits, self._knowing, picture)
        if refusal is not None:
            return refusal
        query = {"subject": identity}
        answer = self._send("recognition/faces", query, [_file("file", picture)], "")
        if not isinstance(answer, Answer):
            return answer
        content = json_of(answer)
        if not isinstance(content, dict) or "image_id" not in content:
            return unreadable(answer, calls=1)
        return Reply(Outcome.ENROLLED, **_facts(answer))

    def _send(
        self, path: str, query: dict[str, str], parts: Sequence[Part], trial: str
    ) -> Answer | Reply:
        """The successful answer, or the reply that ends the operation."""
        content_type, body = form(parts)
        headers = {"x-api-key": self._key.reveal(), "Content-Type": content_type}
        if trial:
            headers[TRIAL_HEADER] = trial
        url = f"{self._endpoint}/api/v1/{path}"
        url = f"{url}?{urlencode(query)}" if query else url
        way = self._transport.send(Request("POST", url, headers, body))
        if isinstance(way, Unanswered):
            return unanswered(way, calls=1)
        return way if way.status < 300 else _problem(way)


def _problem(answer: Answer) -> Reply:
    content = json_of(answer)
    content = content if isinstance(content, dict) else {}
    code = content.get("code")
    reply = unsuccessful(answer, f"code {code}" if isinstance(code, int) else "", calls=1)
    if answer.status == 400 and code == NO_FACE_CODE:
        return replace(reply, outcome=Outcome.NO_FACE)
    return reply


def _file(field: str, picture: Picture) -> Part:
    return Part(field, picture.content, file_name="picture")


def _facts(answer: Answer) -> dict[str, Any]:
    return {"http": answer.status, "latency_ms": answer.latency_ms, "calls": 1}
