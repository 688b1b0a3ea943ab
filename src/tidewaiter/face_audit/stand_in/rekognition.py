"""The stand-in in the shape of Amazon Rekognition."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

from tidewaiter.face_audit.service import Request
from tidewaiter.face_audit.services.rekognition import LIMITS
from tidewaiter.face_audit.stand_in.faces import (
    Face,
    Faces,
    Looking,
    Unfit,
    as_box,
    ranked,
    similarity,
)
from tidewaiter.face_audit.stand_in.faults import Fault
from tidewaiter.face_audit.stand_in.standing_in import Sent

SCALE = 100.0
EXPIRED_KEY = "EXPIRED"
"""An access key id that begins so is refused, as an expired one is."""


class _Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.sent = _problem(code, message, status)


class RekognitionShape:
    """CompareFaces and collections, kept in memory."""

    def __init__(self, looking: Looking) -> None:
        self._faces = Faces(looking, LIMITS)
        self._collections: dict[str, dict[str, list[Face]]] = {}

    def answer(self, request: Request, now_s: float) -> Sent:  # noqa: ARG002
        """Carry out the operation named in X-Amz-Target."""
        try:
            return self._carried_out(request)
        except _Refusal as refusal:
            return refusal.sent
        except (ValueError, TypeError):
            return _problem("ValidationException", "A value cannot be understood", 400)

    def refusal(self, fault: Fault) -> Sent:
        """The service's own words for a fault before the work."""
        if fault is Fault.THROTTLED:
            return _problem("ThrottlingException", "Rate exceeded", 429)
        if fault is Fault.LIMITED_ACCESS:
            return _problem("AccessDeniedException", "User is not authorized", 403)
        return _problem("InternalServerError", "Internal server error", 500)

    def _carried_out(self, request: Request) -> Sent:
        _check_key(request.headers.get("authorization", ""))
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        carry_out = {
            "CompareFaces": self._compare,
            "CreateCollection": self._create,
            "DeleteCollection": self._delete,
            "IndexFaces": self._index,
            "SearchFacesByImage": self._search,
        }.get(operation)
        if carry_out is None:
            raise _Refusal("UnknownOperationException", f"no operation {operation[:40]!r}")
        return carry_out(_arguments(request.body))

    def _compare(self, arguments: dict[str, Any]) -> Sent:
        source = self._needed_face(arguments, "SourceImage")
        target = self._needed_face(arguments, "TargetImage")
        value = SCALE * similarity(source, target)
        found = {"BoundingBox": as_box(target), "Confidence": 99.9}
        matches = value >= float(arguments.get("SimilarityThreshold", 80))
        content = {
            "SourceImageFace": {"BoundingBox": as_box(source), "Confidence": 99.9},
            "FaceMatches": [{"Similarity": value, "Face": found}] if matches else [],
            "UnmatchedFaces": [] if matches else [found],
        }
        return Sent(200, content, _TYPE, billed=True)

    def _create(self, arguments: dict[str, Any]) -> Sent:
        name = str(arguments.get("CollectionId"))
        if name in self._collections:
            raise _Refusal("ResourceAlreadyExistsException", "The collection already exists")
        self._collections[name] = {}
        return Sent(200, {"StatusCode": 200, "CollectionArn": f"aws:rekognition:{name}"}, _TYPE)

    def _delete(self, arguments: dict[str, Any]) -> Sent:
        self._collection(arguments)
        del self._collections[str(arguments.get("CollectionId"))]
        return Sent(200, {"StatusCode": 200}, _TYPE)

    def _index(self, arguments: dict[str, Any]) -> Sent:
        gallery = self._collection(arguments)
        face = self._face(arguments, "Image")
        if face is None:
            return Sent(200, {"FaceRecords": [], "UnindexedFaces": []}, _TYPE, billed=True)
        external = str(arguments.get("ExternalImageId", ""))
        gallery.setdefault(external, []).append(face)
        found = {
            "FaceId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{external}{len(gallery[external])}")),
            "ExternalImageId": external,
            "BoundingBox": as_box(face),
            "Confidence": 99.9,
        }
        content = {"FaceRecords": [{"Face": found}], "UnindexedFaces": []}
        return Sent(200, content, _TYPE, billed=True)

    def _search(self, arguments: dict[str, Any]) -> Sent:
        gallery = self._collection(arguments)
        face = self._needed_face(arguments, "Image")
        least = float(arguments.get("FaceMatchThreshold", 80))
        matches = [
            {"Similarity": SCALE * value, "Face": {"ExternalImageId": name, "Confidence": 99.9}}
            for name, value in ranked(face, gallery)
            if SCALE * value >= least
        ]
        content = {
            "SearchedFaceBoundingBox": as_box(face),
            "FaceMatches": matches[: int(arguments.get("MaxFaces", 80))],
        }
        return Sent(200, content, _TYPE, billed=True)

    def _collection(self, arguments: dict[str, Any]) -> dict[str, list[Face]]:
        name = str(arguments.get("CollectionId"))
        if name not in self._collections:
            raise _Refusal("ResourceNotFoundException", "The collection does not exist")
        return self._collections[name]

    def _needed_face(self, arguments: dict[str, Any], name: str) -> Face:
        face = self._face(arguments, name)
        if face is None:
            raise _Refusal("InvalidParameterException", "Request has invalid parameters")
        return face

    def _face(self, arguments: dict[str, Any], name: str) -> Face | None:
        try:
            content = base64.b64decode(arguments[name]["Bytes"], validate=True)
            return self._faces.face(content)
        except (KeyError, TypeError, ValueError):
            raise _Refusal("InvalidParameterException", "Request has invalid parameters") from None
        except Unfit as refusal:
            code = _CODES.get(refusal.code, "InvalidImageFormatException")
            raise _Refusal(code, "Request has an invalid image") from None


_TYPE = {"Content-Type": "application/x-amz-json-1.1"}
_CODES = {
    "file-too-large": "ImageTooLargeException",
    "picture-too-small": "InvalidParameterException",
}


def _problem(code: str, message: str, status: int) -> Sent:
    return Sent(status, {"__type": code, "message": message}, _TYPE)


def _check_key(authorization: str) -> None:
    if not authorization.startswith("AWS4-HMAC-SHA256 Credential="):
        raise _Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    if authorization.partition("Credential=")[2].startswith(EXPIRED_KEY):
        raise _Refusal("ExpiredTokenException", "The security token has expired", 400)


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refusal("SerializationException", "The request cannot be read")
    return found
