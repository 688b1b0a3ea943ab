"""The stand-in in the shape of Azure Face."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tidewaiter.face_audit.service import Request
from tidewaiter.face_audit.services.azure import DEFAULT_CONFIDENCE, FACE_ID_LIFE_S, LIMITS
from tidewaiter.face_audit.stand_in.faces import Face, Faces, Looking, Unfit, ranked, similarity
from tidewaiter.face_audit.stand_in.faults import Fault
from tidewaiter.face_audit.stand_in.standing_in import Sent

EXPIRED_KEY = "expired"
"""The key that is refused, as an expired one is."""


@dataclass
class _Group:
    """Persons by id: their names and faces; and how far the group is trained."""

    names: dict[str, str] = field(default_factory=dict)
    faces: dict[str, list[Face]] = field(default_factory=dict)
    training: str = ""


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.sent = _problem(status, code, message)


class AzureShape:
    """Detect, verify, identify and person groups, kept in memory."""

    def __init__(self, looking: Looking, *, approved: bool = True) -> None:
        """Without `approved`, face ids are refused as they are to customers not registered."""
        self._faces = Faces(looking, LIMITS)
        self._approved = approved
        self._ids: dict[str, tuple[Face, float]] = {}
        self._groups: dict[str, _Group] = {}
        self._count = 0

    def answer(self, request: Request, now_s: float) -> Sent:
        """Carry out the operation at the request's path."""
        try:
            _check_key(request.headers.get("ocp-apim-subscription-key", ""))
            parts = urlsplit(request.url)
            steps = [unquote(step) for step in parts.path.strip("/").split("/")]
            return self._carried_out(request, steps, parse_qs(parts.query), now_s)
        except _Refusal as refusal:
            return refusal.sent
        except (ValueError, TypeError):
            return _problem(400, "BadArgument", "A value cannot be understood")

    def refusal(self, fault: Fault) -> Sent:
        """The service's own words for a fault before the work."""
        if fault is Fault.THROTTLED:
            return _problem(429, "429", "Rate limit is exceeded")
        if fault is Fault.LIMITED_ACCESS:
            return _unapproved()
        return _problem(500, "InternalServerError", "Internal server error")

    def _carried_out(
        self, request: Request, steps: list[str], query: dict[str, list[str]], now_s: float
    ) -> Sent:
        if len(steps) < 3 or steps[0] != "face":
            raise _Refusal(404, "404", "Resource not found")
        steps = steps[2:]
        if steps == ["detect"]:
            return self._detect(request.body, query, now_s)
        if steps == ["verify"]:
            return self._verify(_said(request.body), now_s)
        if steps == ["identify"]:
            return self._identify(_said(request.body), now_s)
        if steps[0] == "persongroups" and len(steps) > 1:
            return self._group_answer(request, steps[1], steps[2:])
        raise _Refusal(404, "404", "Resource not found")

    def _detect(self, body: bytes, query: dict[str, list[str]], now_s: float) -> Sent:
        wants_id = query.get("returnFaceId", ["true"])[0].lower() == "true"
        if wants_id and not self._approved:
            return _unapproved()
        face = self._face(body)
        if face is None:
            return Sent(200, [], _TYPE, billed=True)
        found: dict[str, Any] = {"faceRectangle": dict(face.box)}
        if wants_id:
            life_s = float(query.get("faceIdTimeToLive", [str(FACE_ID_LIFE_S)])[0])
            found["faceId"] = self._new_id()
            self._ids[found["faceId"]] = (face, now_s + min(life_s, FACE_ID_LIFE_S))
        return Sent(200, [found], _TYPE, billed=True)

    def _verify(self, said: dict[str, Any], now_s: float) -> Sent:
        one, other = (self._of_id(said.get(name), now_s) for name in ("faceId1", "faceId2"))
        confidence = similarity(one, other)
        content = {"isIdentical": confidence >= DEFAULT_CONFIDENCE, "confidence": confidence}
        return Sent(200, content, _TYPE, billed=True)

    def _identify(self, said: dict[str, Any], now_s: float) -> Sent:
        group = self._group(str(said.get("personGroupId")))
        if group.training != "succeeded":
            raise _Refusal(400, "PersonGroupNotTrained", "Person group not trained")
        face_ids = said.get("faceIds")
        if not isinstance(face_ids, list) or not face_ids:
            raise _Refusal(400, "BadArgument", "faceIds are needed")
        least = float(said.get("confidenceThreshold", DEFAULT_CONFIDENCE))
        most = int(said.get("maxNumOfCandidatesReturned", 10))
        content = [
            {
                "faceId": face_id,
                "candidates": [
                    {"personId": person, "confidence": value}
                    for person, value in ranked(self._of_id(face_id, now_s), group.faces)[:most]
                    if value >= least
                ],
            }
            for face_id in face_ids
        ]
        return Sent(200, content, _TYPE, billed=True)

    def _group_answer(self, request: Request, name: str, steps: list[str]) -> Sent:
        if not steps and request.method == "PUT":
            if name in self._groups:
                raise _Refusal(409, "PersonGroupExists", "Person group already exists")
            self._groups[name] = _Group()
            return Sent(200)
        group = self._group(name)
        if steps == ["persons"]:
            return self._persons(request, group)
        if len(steps) == 3 and steps[0] == "persons" and steps[2] == "persistedFaces":
            return self._persisted(request, group, steps[1])
        if steps == ["train"]:
            group.training = "running"
            return Sent(202)
        if steps == ["training"]:
            return _training(group)
        raise _Refusal(404, "404", "Resource not found")

    def _persons(self, request: Request, group: _Group) -> Sent:
        if request.method == "GET":
            listed = [{"personId": key, "name": name} for key, name in group.names.items()]
            return Sent(200, listed, _TYPE)
        person = self._new_id()
        group.names[person] = str(_said(request.body).get("name"))
        group.faces[person] = []
        return Sent(200, {"personId": person}, _TYPE)

    def _persisted(self, request: Request, group: _Group, person: str) -> Sent:
        if person not in group.names:
            raise _Refusal(404, "PersonNotFound", "Person is not found")
        face = self._face(request.body)
        if face is None:
            raise _Refusal(400, "InvalidImage", "No face detected in the image.")
        group.faces[person].append(face)
        return Sent(200, {"persistedFaceId": self._new_id()}, _TYPE, billed=True)

    def _face(self, body: bytes) -> Face | None:
        try:
            return self._faces.face(body)
        except Unfit as refusal:
            size = refusal.code in ("file-too-large", "file-too-small", "picture-too-small")
            code = "InvalidImageSize" if size else "InvalidImage"
            raise _Refusal(400, code, "Decoding error, image format unsupported.") from None

    def _of_id(self, face_id: Any, now_s: float) -> Face:
        face, expires_s = self._ids.get(str(face_id), (None, 0.0))
        if face is None or now_s >= expires_s:
            raise _Refusal(404, "FaceNotFound", "Face is not found, or its id has expired")
        return face

    def _group(self, name: str) -> _Group:
        if name not in self._groups:
            raise _Refusal(404, "PersonGroupNotFound", "Person group is not found")
        return self._groups[name]

    def _new_id(self) -> str:
        self._count += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"face {self._count}"))


_TYPE = {"Content-Type": "application/json; charset=utf-8"}


def _check_key(key: str) -> None:
    if not key or key == EXPIRED_KEY:
        raise _Refusal(401, "401", "Access denied due to invalid subscription key")


def _training(group: _Group) -> Sent:
    """Running when first asked after training began, then done."""
    if not group.training:
        raise _Refusal(404, "PersonGroupNotTrained", "Person group not trained")
    status, group.training = group.training, "succeeded"
    return Sent(200, {"status": status}, _TYPE)


def _problem(status: int, code: str, message: str) -> Sent:
    return Sent(status, {"error": {"code": code, "message": message}}, _TYPE)


def _unapproved() -> Sent:
    inner = {"code": "UnsupportedFeature", "message": "Feature is not supported, missing approval"}
    error = {"code": "InvalidRequest", "message": "Invalid request has been sent."}
    return Sent(403, {"error": {**error, "innererror": inner}}, _TYPE)


def _said(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refusal(400, "BadArgument", "JSON parsing error.")
    return found
