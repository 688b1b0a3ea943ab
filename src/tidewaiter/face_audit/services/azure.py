"""Azure Face: detect gives each picture a face id for a day; verify and identify compare ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from tidewaiter.face_audit.fitness import Knowing, first_unfit
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

# Azure Face, reference of verify: isIdentical is confidence at or above this.
DEFAULT_CONFIDENCE = 0.5
FACE_ID_LIFE_S = 24 * 3600.0
# An id is not used in the last minutes of its life: a trial must not lose it on the way.
SPARE_LIFE_S = 300.0
MOST_CANDIDATES = 100
# Azure Face, reference of detect; the smallest face is given for a picture of 1920 x 1080.
LIMITS = Limits(
    media_types=frozenset({"image/jpeg", "image/png", "image/gif", "image/bmp"}),
    least_bytes=1024,
    most_bytes=6 * 1024 * 1024,
    least_face_px=36,
    face_reference_px=(1920, 1080),
    template_life_s=FACE_ID_LIFE_S,
)
# Identification waits for the group to be trained; asking costs nothing.
TRAINING_WAIT_S = 1.0


@dataclass(frozen=True)
class AzureAddress:
    """Where the resource is and which models it is to use."""

    endpoint: str
    version: str = "v1.0"
    detection_model: str = "detection_03"
    recognition_model: str = "recognition_04"
    person_group: str = ""

    def url(self, path: str, **query: str | int) -> str:
        """Address of one operation."""
        base = f"{self.endpoint.rstrip('/')}/face/{self.version}/{path}"
        return f"{base}?{urlencode(query)}" if query else base


@dataclass(frozen=True)
class _Step:
    """One request's outcome: the JSON that came, or the reply that ends the operation."""

    content: Any
    answer: Answer
    end: Reply | None = None


class AzureRecogniser:
    """Confidence that two faces belong to one person, 0 to 1."""

    limits = LIMITS
    modes = frozenset({"verify", "identify"})

    def __init__(  # noqa: PLR0913 - one argument per thing the adapter cannot do itself
        self,
        address: AzureAddress,
        key: Secret,
        transport: Transport,
        knowing: Knowing,
        *,
        price: Price,
        now: Callable[[], float],
        given: float = DEFAULT_CONFIDENCE,
    ) -> None:
        """`now` gives seconds of a clock that goes on while the machine sleeps."""
        self._address, self._key, self._transport = address, key, transport
        self._knowing, self._now, self._given = knowing, now, given
        self._face_ids: dict[str, tuple[str, float]] = {}
        self._persons: dict[str, str] = {}
        self._group_exists, self._trained = False, False
        self.price = price
        self._card = ServiceCard(
            adapter="azure",
            endpoint=address.endpoint,
            version=f"Face {address.version}, {address.recognition_model}",
            score_meaning="confidence, 0 to 1",
            given_threshold=given,
            remote=True,
            keeps_gallery=True,
        )

    @property
    def card(self) -> ServiceCard:
        """What the report prints; stamped once a stand-in has answered."""
        return replace(self._card, test_kit=self._transport.met_test_kit)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Detect what was not detected within a day, then verify."""
        refusal = first_unfit(self.limits, self._knowing, reference, probe)
        if refusal is not None:
            return refusal
        calls, ids = 0, []
        for picture in (reference, probe):
            face_id, used, end = self._face_id(picture, trial)
            calls += used
            if face_id is None:
                return replace(end, calls=calls) if end else Reply(Outcome.ERROR, calls=calls)
            ids.append(face_id)
        step = self._post("verify", {"faceId1": ids[0], "faceId2": ids[1]}, trial)
        if step.end is not None:
            self._forget_lost(step.answer, (reference, probe))
            return replace(step.end, calls=calls + 1)
        return self._verdict(step, calls + 1)

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Detect, then identify among the persons of the group."""
        refusal = first_unfit(self.limits, self._knowing, probe) or self._await_training()
        if refusal is not None:
            return refusal
        face_id, calls, end = self._face_id(probe, trial)
        if face_id is None:
            return replace(end, calls=calls) if end else Reply(Outcome.ERROR, calls=calls)
        asked = {
            "faceIds": [face_id],
            "personGroupId": self._address.person_group,
            "maxNumOfCandidatesReturned": MOST_CANDIDATES,
            "confidenceThreshold": 0,
        }
        step = self._post("identify", asked, trial)
        if step.end is not None:
            self._forget_lost(step.answer, (probe,))
            return replace(step.end, calls=calls + 1)
        return self._candidates(step, calls + 1)

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Add each picture to the person of that name in the group."""
        return tuple(self._added(identity, picture) for picture in pictures)

    def _face_id(self, picture: Picture, trial: str) -> tuple[str | None, int, Reply | None]:
        """The id of the largest face, the calls it took, and why there is none."""
        kept, expires = self._face_ids.get(picture.sha256, ("", 0.0))
        if kept and self._now() < expires:
            return kept, 0, None
        url = self._address.url(
            "detect",
            returnFaceId="true",
            faceIdTimeToLive=int(FACE_ID_LIFE_S),
            recognitionModel=self._address.recognition_model,
            detectionModel=self._address.detection_model,
        )
        began = self._now()
        step = self._send("POST", url, picture.content, "application/octet-stream", trial)
        if step.end is not None:
            return None, 1, step.end
        if step.content == []:
            return None, 1, Reply(Outcome.NO_FACE, service_code="no-face", **_facts(step.answer))
        face_id = _largest_face_id(step.content)
        if face_id is None:
            return None, 1, unreadable(step.answer, calls=1)
        self._face_ids[picture.sha256] = (face_id, began + FACE_ID_LIFE_S - SPARE_LIFE_S)
        return face_id, 1, None

    def _verdict(self, step: _Step, calls: int) -> Reply:
        content = step.content if isinstance(step.content, dict) else {}
        score = number_of(content.get("confidence"))
        if score is None:
            return unreadable(step.answer, calls=calls)
        return compared(score, self._given, calls=calls, **_facts(step.answer))

    def _candidates(self, step: _Step, calls: int) -> Reply:
        names = {person_id: name for name, person_id in self._persons.items()}
        best: dict[str, float] = {}
        try:
            for candidate in step.content[0]["candidates"]:
                score = number_of(candidate["confidence"])
                if score is None:
                    return unreadable(step.answer, calls=calls)
                person = str(candidate["personId"])
                best[names.get(person, person)] = score
        except MALFORMED:
            return unreadable(step.answer, calls=calls)
        return searched(best, self._given, calls=calls, **_facts(step.answer))

    def _forget_lost(self, answer: Answer, pictures: Sequence[Picture]) -> None:
        """After a refusal ids may be gone; the next attempt detects again."""
        if 400 <= answer.status < 500:
            for picture in pictures:
                self._face_ids.pop(picture.sha256, None)

    def _added(self, identity: str, picture: Picture) -> Reply:
        refusal = (
            first_unfit(self.limits, self._knowing, picture)
            or self._make_group()
            or self._make_person(identity)
        )
        if refusal is not None:
            return refusal
        person = f"{self._group()}/persons/{quote(self._persons[identity])}/persistedFaces"
        url = self._address.url(person, detectionModel=self._address.detection_model)
        step = self._send("POST", url, picture.content, "application/octet-stream", "")
        if step.end is not None:
            return replace(step.end, calls=1)
        if not isinstance(step.content, dict) or "persistedFaceId" not in step.content:
            return unreadable(step.answer, calls=1)
        self._trained = False
        return Reply(Outcome.ENROLLED, calls=1, **_facts(step.answer))

    def _make_group(self) -> Reply | None:
        if self._group_exists:
            return None
        said = {"name": "audit", "recognitionModel": self._address.recognition_model}
        step = self._send_json("PUT", self._address.url(self._group()), said)
        exists = step.answer.status == 409
        if step.end is not None and not exists:
            return step.end
        problem = self._read_persons() if exists else None
        self._group_exists = problem is None
        return problem

    def _read_persons(self) -> Reply | None:
        """Who is in the group already, so that a run goes on with the persons it made."""
        step = self._send("GET", self._address.url(f"{self._group()}/persons", top=1000), b"", "")
        if step.end is not None:
            return step.end
        try:
            for person in step.content:
                self._persons.setdefault(str(person["name"]), str(person["personId"]))
        except MALFORMED:
            return unreadable(step.answer, calls=0)
        return None

    def _make_person(self, identity: str) -> Reply | None:
        if identity in self._persons:
            return None
        step = self._send_json(
            "POST", self._address.url(f"{self._group()}/persons"), {"name": identity}
        )
        if step.end is not None:
            return step.end
        try:
            self._persons[identity] = str(step.content["personId"])
        except MALFORMED:
            return unreadable(step.answer, calls=0)
        return None

    def _await_training(self) -> Reply | None:
        """Train once after enrolment; until it is done, searches are put off, not waited for."""
        if self._trained:
            return None
        problem = self._make_group()
        if problem is not None:
            return problem
        step = self._send("GET", self._address.url(f"{self._group()}/training"), b"", "")
        status = step.content.get("status") if isinstance(step.content, dict) else None
        if step.end is None and status == "succeeded":
            self._trained = True
            return None
        if step.answer.status == 404 or (step.end is None and status == "failed"):
            self._send_json("POST", self._address.url(f"{self._group()}/train"), {})
        elif step.end is not None:
            return step.end
        return Reply(
            Outcome.THROTTLED, service_code="training", retry_after_s=TRAINING_WAIT_S, calls=0
        )

    def _group(self) -> str:
        return f"persongroups/{quote(self._address.person_group, safe='')}"

    def _post(self, path: str, said: Any, trial: str) -> _Step:
        return self._send_json("POST", self._address.url(path), said, trial)

    def _send_json(self, method: str, url: str, said: Any, trial: str = "") -> _Step:
        return self._send(method, url, json.dumps(said).encode(), "application/json", trial)

    def _send(
        self, method: str, url: str, body: bytes, content_type: str, trial: str = ""
    ) -> _Step:
        headers = {"Ocp-Apim-Subscription-Key": self._key.reveal()}
        if content_type:
            headers["Content-Type"] = content_type
        if trial:
            headers[TRIAL_HEADER] = trial
        way = self._transport.send(Request(method, url, headers, body))
        if isinstance(way, Unanswered):
            return _Step(None, Answer(0), unanswered(way, calls=0))
        content = json_of(way)
        if way.status >= 300:
            return _Step(content, way, _problem(way, content, self._key))
        if content is None and way.body:
            return _Step(None, way, unreadable(way, calls=0))
        return _Step(content, way)


def _problem(answer: Answer, content: Any, key: Secret) -> Reply:
    """What a refusal means; the inner code tells limited access from a bad request."""
    error = content.get("error") if isinstance(content, dict) else None
    error = error if isinstance(error, dict) else {}
    inner = error.get("innererror")
    inner_code = inner.get("code", "") if isinstance(inner, dict) else ""
    code = inner_code or error.get("code", "")
    reply = unsuccessful(answer, key.withheld_from(code), calls=0)
    if inner_code == "UnsupportedFeature":
        return replace(reply, outcome=Outcome.DENIED)
    if answer.status == 409:
        return replace(reply, outcome=Outcome.THROTTLED)
    if code in ("FaceNotFound", "PersonGroupNotTrained"):
        return replace(reply, outcome=Outcome.ERROR)
    if code == "InvalidImage" and "no face" in str(error.get("message", "")).lower():
        return replace(reply, outcome=Outcome.NO_FACE)
    return reply


def _largest_face_id(content: Any) -> str | None:
    try:
        faces = sorted(content, key=_area)
        found = faces[-1]["faceId"]
    except MALFORMED:
        return None
    return found if isinstance(found, str) and found else None


def _area(face: Any) -> float:
    return float(face["faceRectangle"]["width"]) * float(face["faceRectangle"]["height"])


def _facts(answer: Answer) -> dict[str, Any]:
    return {"http": answer.status, "latency_ms": answer.latency_ms}
