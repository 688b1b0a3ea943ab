"""An S3-compatible store in memory that is stricter than some real ones.

It checks the SHA-256 of what arrives, refuses a name that is taken when asked to, keeps every
version, and never shortens or lifts a compliance lock. `overwrite` and `remove` are what root on
the storage host can do: past the protocol, past every lock.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

ACCESS_KEY, SECRET_KEY = "custody-writer", "a-secret-of-the-test"
LISTED_AT_ONCE = 100


@dataclass
class Version:
    id: str
    content: bytes
    mode: str = ""
    until: datetime | None = None
    is_marker: bool = False

    @property
    def is_locked(self) -> bool:
        return self.until is not None and self.until > datetime.now(UTC)


@dataclass
class StrictS3:
    """The state of the store: bucket → key → versions, newest last."""

    buckets: dict[str, dict[str, list[Version]]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, str, dict[int, bytes], dict[str, str]]] = field(
        default_factory=dict
    )
    endpoint: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    fail_next: list[tuple[str, str]] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    # As stores without object lock that pass over its headers in silence.
    drops_locks: bool = False

    def content(self, bucket: str, key: str) -> bytes:
        return self.buckets[bucket][key][-1].content

    def overwrite(self, bucket: str, key: str, content: bytes) -> None:
        self.buckets[bucket][key][-1].content = content

    def remove(self, bucket: str, key: str) -> None:
        del self.buckets[bucket][key]

    def keys(self, bucket: str) -> list[str]:
        found = self.buckets[bucket].items()
        return sorted(key for key, versions in found if versions and not versions[-1].is_marker)


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@contextmanager
def strict_s3(*buckets: str) -> Iterator[StrictS3]:
    """A running store with these empty buckets."""
    state = StrictS3({name: {} for name in buckets})
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StrictS3

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_HEAD(self) -> None:
        self._answered(self._get)

    def do_PUT(self) -> None:
        self._answered(self._put)

    def do_POST(self) -> None:
        self._answered(self._post)

    def do_DELETE(self) -> None:
        self._answered(self._delete)

    def _answered(self, action) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        self.query = {
            name: values[0]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        self.bucket, _, self.key = unquote(parts.path).lstrip("/").partition("/")
        try:
            with self.state.lock:
                self._must_be_allowed()
                status, headers, content = action()
        except Refused as refused:
            text = f"<Error><Code>{refused.code}</Code><Message>{refused.code}</Message></Error>"
            status, headers, content = refused.status, {}, text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _must_be_allowed(self) -> None:
        if f"Credential={ACCESS_KEY}/" not in self.headers.get("Authorization", ""):
            raise Refused(403, "AccessDenied")
        if self.bucket not in self.state.buckets:
            raise Refused(404, "NoSuchBucket")
        if self.state.fail_next and self.state.fail_next[0][0] == self.command:
            raise Refused(501, self.state.fail_next.pop(0)[1])

    @property
    def _objects(self) -> dict[str, list[Version]]:
        return self.state.buckets[self.bucket]

    def _get(self):
        if not self.key:
            return self._list() if self.command == "GET" else (200, {}, b"")
        found = self._version()
        headers = {"ETag": _etag(found.content), "x-amz-version-id": found.id}
        if "retention" in self.query:
            until = found.until.isoformat() if found.until else ""
            text = f"<Retention><Mode>{found.mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
            return 200, headers, text.encode()
        if found.is_locked:
            headers["x-amz-object-lock-mode"] = found.mode
            headers["x-amz-object-lock-retain-until-date"] = found.until.isoformat()
        return 200, headers, found.content

    def _version(self) -> Version:
        versions = self._objects.get(self.key, [])
        if "versionId" in self.query:
            versions = [one for one in versions if one.id == self.query["versionId"]]
        if not versions or versions[-1].is_marker:
            raise Refused(404, "NoSuchKey")
        return versions[-1]

    def _list(self):
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        keys = [
            key for key in self.state.keys(self.bucket) if key.startswith(prefix) and key > after
        ]
        shown, is_cut = keys[:LISTED_AT_ONCE], len(keys) > LISTED_AT_ONCE
        rows = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in shown)
        token = (
            f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if is_cut else ""
        )
        text = f"<ListBucketResult><IsTruncated>{str(is_cut).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        return 200, {"Content-Type": "application/xml"}, text.encode()

    def _put(self):
        if "retention" in self.query:
            return self._retain()
        self._must_match_checksum()
        if "uploadId" in self.query:
            parts = self.state.uploads[self.query["uploadId"]][2]
            parts[int(self.query["partNumber"])] = self.body
            return 200, {"ETag": _etag(self.body)}, b""
        return self._keep(self.body, dict(self.headers.items()))

    def _must_match_checksum(self) -> None:
        stated = self.headers.get("x-amz-checksum-sha256")
        named = self.headers.get("x-amz-sdk-checksum-algorithm") or self.headers.get("Content-MD5")
        if "x-amz-object-lock-mode" in self.headers and not named:
            raise Refused(400, "MissingUploadObjectWithObjectLockHeaders")
        if stated and stated != base64.b64encode(hashlib.sha256(self.body).digest()).decode():
            raise Refused(400, "BadDigest")
        md5 = self.headers.get("Content-MD5")
        if md5 and md5 != base64.b64encode(hashlib.md5(self.body).digest()).decode():
            raise Refused(400, "BadDigest")

    def _keep(self, content: bytes, headers: dict[str, str]):
        lowered = {name.lower(): value for name, value in headers.items()}
        versions = self._objects.get(self.key, [])
        is_taken = bool(versions) and not versions[-1].is_marker
        if lowered.get("if-none-match") == "*" and is_taken:
            raise Refused(412, "PreconditionFailed")
        until = lowered.get("x-amz-object-lock-retain-until-date")
        version = Version(
            str(next(self.state.ids)),
            content,
            lowered.get("x-amz-object-lock-mode", ""),
            _moment(until),
        )
        if self.state.drops_locks:
            version.mode, version.until = "", None
        self._objects.setdefault(self.key, []).append(version)
        return 200, {"ETag": _etag(content), "x-amz-version-id": version.id}, b""

    def _retain(self):
        found = self._version()
        tree = ET.fromstring(self.body)
        texts = {re.sub(r"\{.*\}", "", node.tag): node.text for node in tree.iter()}
        until = _moment(texts.get("RetainUntilDate"))
        shortens = found.is_locked and (until is None or until < found.until)
        weakens = found.is_locked and texts.get("Mode") != found.mode
        may_bypass = self.headers.get("x-amz-bypass-governance-retention") == "true"
        if (shortens or weakens) and not (found.mode == "GOVERNANCE" and may_bypass):
            raise Refused(403, "AccessDenied")
        if not self.state.drops_locks:
            found.mode, found.until = texts.get("Mode") or "", until
        return 200, {}, b""

    def _post(self):
        if "uploads" in self.query:
            upload = f"upload-{next(self.state.ids)}"
            self.state.uploads[upload] = (self.bucket, self.key, {}, dict(self.headers.items()))
            text = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            return 200, {}, text.encode()
        _, _, parts, headers = self.state.uploads[self.query["uploadId"]]
        named = [int(text) for text in re.findall(rb"<PartNumber>(\d+)</PartNumber>", self.body)]
        if named != sorted(parts) or not named:
            raise Refused(400, "InvalidPart")
        conditional = {"if-none-match": self.headers.get("If-None-Match", "")}
        self._keep(b"".join(parts[number] for number in named), headers | conditional)
        del self.state.uploads[self.query["uploadId"]]
        return (
            200,
            {},
            b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>",
        )

    def _delete(self):
        if "uploadId" in self.query:
            self.state.uploads.pop(self.query["uploadId"], None)
            return 204, {}, b""
        if "versionId" not in self.query:
            self._objects.setdefault(self.key, []).append(
                Version(str(next(self.state.ids)), b"", is_marker=True)
            )
            return 204, {}, b""
        found = self._version()
        may_bypass = self.headers.get("x-amz-bypass-governance-retention") == "true"
        if found.is_locked and not (found.mode == "GOVERNANCE" and may_bypass):
            raise Refused(403, "AccessDenied")
        self._objects[self.key].remove(found)
        return 204, {}, b""


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
