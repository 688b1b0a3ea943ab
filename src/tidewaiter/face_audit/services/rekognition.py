"""Amazon Rekognition: CompareFaces for verification, a collection for identification.

The SDK signs and sends; it reaches this file as a port, so none is imported here. The
similarity asked for is 0, since the service leaves out what lies below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tidewaiter.face_audit.fitness import Knowing, first_unfit
from tidewaiter.face_audit.service import (
    Limits,
    Outcome,
    Picture,
    Price,
    Reply,
    ServiceCard,
)
from tidewaiter.face_audit.translating import (
    MALFORMED,
    clean_code,
    compared,
    number_of,
    searched,
)

# Amazon Rekognition, API reference: CompareFaces and SearchFacesByImage.
DEFAULT_SIMILARITY = 80.0
MOST_CANDIDATES = 50
# Amazon Rekognition, developer guide: guidelines and quotas.
LIMITS = Limits(
    media_types=frozenset({"image/jpeg", "image/png"}),
    most_bytes=5 * 1024 * 1024,
    least_side_px=80,
    least_face_px=40,
    face_reference_px=(1920, 1080),
    most_gallery=20_000_000,
)


@dataclass(frozen=True)
class CloudAnswer:
    """What an SDK's call came to: `content`, or None and the `code` of what went wrong."""

    content: Mapping[str, Any] | None
    code: str = ""
    status: int | None = None
    latency_ms: float = 0.0
    retry_after_s: float | None = None


class RekognitionClient(Protocol):
    """The SDK behind a port: signs, sends once, and hands back every failure as an answer."""

    @property
    def endpoint(self) -> str:
        """Address and region, for the report."""

    @property
    def met_test_kit(self) -> bool:
        """Whether an answer so far bore the stamp of a stand-in."""

    def call(self, operation: str, arguments: Mapping[str, Any], trial: str) -> CloudAnswer:
        """Carry out one operation, named as in the SDK for Python."""


class RekognitionRecogniser:
    """Similarity of two pictures, or of a picture and a collection, 0 to 100."""

    limits = LIMITS
    modes = frozenset({"verify", "identify"})

    def __init__(
        self,
        client: RekognitionClient,
        knowing: Knowing,
        *,
        price: Price,
        given: float = DEFAULT_SIMILARITY,
        collection: str = "",
    ) -> None:
        self._client, self._knowing, self._collection = client, knowing, collection
        self._collection_exists = False
        self.price = price
        self._given = given
        self._card = ServiceCard(
            adapter="rekognition",
            endpoint=client.endpoint,
            version="Rekognition, API of 2016-06-27",
            score_meaning="similarity, 0 to 100",
            given_threshold=given,
            remote=True,
            keeps_gallery=True,
        )

    @property
    def card(self) -> ServiceCard:
        """What the report prints; stamped once a stand-in has answered."""
        return replace(self._card, test_kit=self._client.met_test_kit)

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Index the largest face of each picture under the identity."""
        return tuple(self._indexed(identity, picture) for picture in pictures)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Compare the largest face of the reference with the faces of the probe."""
        refusal = first_unfit(self.limits, self._knowing, reference, probe)
        if refusal is not None:
            return refusal
        arguments = {
            "SourceImage": {"Bytes": reference.content},
            "TargetImage": {"Bytes": probe.content},
            "SimilarityThreshold": 0,
        }
        answer = self._client.call("compare_faces", arguments, trial)
        if answer.content is None:
            return self._failure(answer, (reference, probe))
        return self._comparison(answer)

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Search the collection for the largest face of the probe."""
        refusal = first_unfit(self.limits, self._knowing, probe)
        if refusal is not None:
            return refusal
        arguments = {
            "CollectionId": self._collection,
            "Image": {"Bytes": probe.content},
            "FaceMatchThreshold": 0,
            "MaxFaces": MOST_CANDIDATES,
        }
        answer = self._client.call("search_faces_by_image", arguments, trial)
        if answer.content is None:
            return self._failure(answer, (probe,))
        return self._candidates(answer)

    def _comparison(self, answer: CloudAnswer) -> Reply:
        facts = _facts(answer)
        content = answer.content or {}
        matches, others = content.get("FaceMatches"), content.get("UnmatchedFaces")
        if not isinstance(matches, list) or not isinstance(others, list):
            return Reply(Outcome.ERROR, service_code="unreadable-reply", **facts)
        if not matches and not others:
            return Reply(Outcome.NO_FACE, service_code="no-face-in-probe", **facts)
        try:
            scores = [number_of(match["Similarity"]) for match in matches]
        except MALFORMED:
            scores = [None]
        known = [score for score in scores if score is not None]
        if len(known) < len(scores):
            return Reply(Outcome.ERROR, service_code="unreadable-reply", **facts)
        # Faces were found but none is listed as a match: the similarity is below any asked for.
        return compared(max(known, default=0.0), self._given, **facts)

    def _candidates(self, answer: CloudAnswer) -> Reply:
        facts = _facts(answer)
        best: dict[str, float] = {}
        try:
            for match in (answer.content or {})["FaceMatches"]:
                score = number_of(match["Similarity"])
                identity = identity_of(match["Face"]["ExternalImageId"])
                if score is None or not identity:
                    return Reply(Outcome.ERROR, service_code="unreadable-reply", **facts)
                best[identity] = max(score, best.get(identity, score))
        except MALFORMED:
            return Reply(Outcome.ERROR, service_code="unreadable-reply", **facts)
        return searched(best, self._given, **facts)

    def _indexed(self, identity: str, picture: Picture) -> Reply:
        refusal = first_unfit(self.limits, self._knowing, picture) or self._make_collection()
        if refusal is not None:
            return refusal
        arguments = {
            "CollectionId": self._collection,
            "Image": {"Bytes": picture.content},
            "ExternalImageId": external_id(identity),
            "MaxFaces": 1,
        }
        answer = self._client.call("index_faces", arguments, "")
        if answer.content is None:
            return self._failure(answer, (picture,))
        records = answer.content.get("FaceRecords")
        if not isinstance(records, list):
            return Reply(Outcome.ERROR, service_code="unreadable-reply", **_facts(answer))
        if records:
            return Reply(Outcome.ENROLLED, **_facts(answer))
        return Reply(Outcome.NO_FACE, service_code=_why_unindexed(answer), **_facts(answer))

    def _make_collection(self) -> Reply | None:
        """Make the collection before the first enrolment; the call is free."""
        if self._collection_exists:
            return None
        answer = self._client.call("create_collection", {"CollectionId": self._collection}, "")
        self._collection_exists = (
            answer.content is not None or answer.code == "ResourceAlreadyExistsException"
        )
        return None if self._collection_exists else self._failure(answer, (), calls=0)

    def _failure(
        self, answer: CloudAnswer, pictures: Sequence[Picture], *, calls: int = 1
    ) -> Reply:
        outcome = _OUTCOMES.get(answer.code) or _outcome_of_status(answer.status)
        code = clean_code(answer.code) or "no-code"
        if answer.code == "InvalidParameterException" and pictures:
            # The service says the same of a picture without a face and of a malformed request.
            faceless = any(self._knowing(picture).box is None for picture in pictures)
            outcome = Outcome.NO_FACE if faceless else Outcome.REFUSED
        return Reply(
            outcome,
            http=answer.status,
            service_code=code,
            latency_ms=answer.latency_ms,
            calls=calls,
            retry_after_s=answer.retry_after_s,
        )


def external_id(identity: str) -> str:
    """An identity in the letters that the service allows; others as : and six hex digits."""
    return re.sub(r"[^A-Za-z0-9_.\-]", _escaped, identity)


def identity_of(external: Any) -> str:
    """The identity behind an external id; empty where it is none of ours."""
    if not isinstance(external, str):
        return ""
    return re.sub(r":([0-9a-f]{6})", lambda match: chr(int(match[1], 16) % 0x110000), external)


def _escaped(match: re.Match[str]) -> str:
    return f":{ord(match[0]):06x}"


_OUTCOMES = {
    "ThrottlingException": Outcome.THROTTLED,
    "ProvisionedThroughputExceededException": Outcome.THROTTLED,
    "LimitExceededException": Outcome.THROTTLED,
    "InternalServerError": Outcome.ERROR,
    "ServiceUnavailableException": Outcome.ERROR,
    "AccessDeniedException": Outcome.DENIED,
    "UnrecognizedClientException": Outcome.DENIED,
    "InvalidSignatureException": Outcome.DENIED,
    "ExpiredTokenException": Outcome.DENIED,
    "InvalidClientTokenId": Outcome.DENIED,
    "NoCredentials": Outcome.DENIED,
    # A collection that is not there is a mistake of the protocol, for every row alike.
    "ResourceNotFoundException": Outcome.DENIED,
    "ImageTooLargeException": Outcome.REFUSED,
    "InvalidImageFormatException": Outcome.REFUSED,
    "InvalidParameterException": Outcome.REFUSED,
}
"""What each code of the service comes to; others are judged by their HTTP status."""


def _outcome_of_status(status: int | None) -> Outcome:
    if status == 429:
        return Outcome.THROTTLED
    if status in (401, 403):
        return Outcome.DENIED
    return Outcome.REFUSED if status is not None and 400 <= status < 500 else Outcome.ERROR


def _facts(answer: CloudAnswer) -> dict[str, Any]:
    return {"http": answer.status, "latency_ms": answer.latency_ms, "calls": 1}


def _why_unindexed(answer: CloudAnswer) -> str:
    try:
        reasons = " ".join((answer.content or {})["UnindexedFaces"][0]["Reasons"])
    except MALFORMED:
        reasons = ""
    return clean_code(reasons) or "no-face"
