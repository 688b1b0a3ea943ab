"""The stand-in in the shape of CompreFace."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tidewaiter.face_audit.service import Request
from tidewaiter.face_audit.services.compreface import LIMITS, NO_FACE_CODE
from tidewaiter.face_audit.stand_in.faces import Face, Faces, Looking, Unfit, ranked, similarity
from tidewaiter.face_audit.stand_in.faults import Fault
from tidewaiter.face_audit.stand_in.standing_in import Sent

EXPIRED_KEY = "expired"
"""The key that is refused, as an expired one is."""

# CompreFace, exception codes of its core: a file that is no picture.
UNREADABLE_CODE = 26


class _Refusal(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(code)
        self.sent = _problem(status, code, message)


class ComprefaceShape:
    """Verification, and recognition among subjects kept in memory."""

    def __init__(self, looking: Looking) -> None:
        self._faces = Faces(looking, LIMITS)
        self._subjects: dict[str, list[Face]] = {}

    def answer(self, request: Request, now_s: float) -> Sent:  # noqa: ARG002
        """Carry out the operation at the request's path."""
        try:
            return self._carried_out(request)
        except _Refusal as refusal:
            return refusal.sent
        except (ValueError, TypeError, RecursionError):
            return _problem(400, 0, "A value cannot be understood")

    def refusal(self, fault: Fault) -> Sent:
        """The service's own words for a fault before the work."""
        if fault is Fault.THROTTLED:
            return _problem(429, 0, "Too many requests")
        if fault is Fault.LIMITED_ACCESS:
            return _problem(403, 0, "Forbidden")
        return _problem(500, 0, "Internal server error")

    def _carried_out(self, request: Request) -> Sent:
        key = request.headers.get("x-api-key", "")
        if not key or key == EXPIRED_KEY:
            raise _Refusal(401, 0, "The API key is missing or wrong")
        parts = urlsplit(request.url)
        carry_out = {
            "/api/v1/verification/verify": self._verify,
            "/api/v1/recognition/recognize": self._recognise,
            "/api/v1/recognition/faces": self._add,
        }.get(parts.path)
        if carry_out is None or request.method != "POST":
            raise _Refusal(404, 0, "Not found")
        return carry_out(_files(request), parse_qs(parts.query))

    def _verify(self, files: dict[str, bytes], query: dict[str, list[str]]) -> Sent:  # noqa: ARG002
        source = self._face(files.get("source_image"))
        target = self._face(files.get("target_image"))
        matches = [{"box": _box(target), "similarity": similarity(source, target)}]
        content = {"source_image_face": {"box": _box(source)}, "face_matches": matches}
        return Sent(200, {"result": [content]}, _TYPE, billed=True)

    def _recognise(self, files: dict[str, bytes], query: dict[str, list[str]]) -> Sent:
        face = self._face(files.get("file"))
        most = int(query.get("prediction_count", ["1"])[0])
        subjects = [
            {"subject": name, "similarity": value}
            for name, value in ranked(face, self._subjects)[:most]
        ]
        return Sent(
            200, {"result": [{"box": _box(face), "subjects": subjects}]}, _TYPE, billed=True
        )

    def _add(self, files: dict[str, bytes], query: dict[str, list[str]]) -> Sent:
        subject = query.get("subject", [""])[0]
        if not subject:
            raise _Refusal(400, 41, "Subject is empty")
        face = self._face(files.get("file"))
        faces = self._subjects.setdefault(subject, [])
        faces.append(face)
        content = {"image_id": f"{len(faces)}", "subject": subject}
        return Sent(201, content, _TYPE, billed=True)

    def _face(self, content: bytes | None) -> Face:
        if content is None:
            raise _Refusal(400, 20, "Required part is missing")
        try:
            face = self._faces.face(content)
        except Unfit as refusal:
            status = 413 if refusal.code == "file-too-large" else 400
            raise _Refusal(status, UNREADABLE_CODE, "The picture is not taken") from None
        if face is None:
            raise _Refusal(400, NO_FACE_CODE, "No face is found in the given image")
        return face


_TYPE = {"Content-Type": "application/json"}


def _problem(status: int, code: int, message: str) -> Sent:
    return Sent(status, {"message": message, "code": code}, _TYPE)


def _box(face: Face) -> dict[str, Any]:
    box = face.box
    return {
        "probability": 0.99,
        "x_min": box["left"],
        "y_min": box["top"],
        "x_max": box["left"] + box["width"],
        "y_max": box["top"] + box["height"],
    }


def _files(request: Request) -> dict[str, bytes]:
    """The form's fields by name."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body)
    if not message.is_multipart():
        raise _Refusal(400, 20, "A form with files is needed")
    found: dict[str, bytes] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found
