"""Bulk material in a bucket of an S3-compatible store, each object under its SHA-256.

Guarantee: a digest that `put` returned names bytes that the store acknowledged under that digest,
and nothing was written over. Mechanism: the store itself checks what arrives, by SHA-256, or by
MD5 where it knows no other (Ceph's gateway 16 takes any SHA-256 that is stated). A name that is
taken is looked at first, and the store is asked to refuse it as well, which that gateway does
for neither parts nor versions. An object lock is asked for where the operator wants one, and read
back, but nothing rests on it: servers exist that shorten it. The hole that remains: whoever
administers the store may change or delete an object; the audit finds it, vigilance's copy
replaces it.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast

from tidewaiter.errors import ConfigurationError, IntegrityError, StorageError
from tidewaiter.storage.custody_files import DIGEST, missing, must_be_digest

INSTALL_COMMAND = "pip install 'tidewaiter[s3]'"
CHUNK = 1024 * 1024
# Above this an upload goes in parts; S3 takes at most 10,000 of them, so 640 GB here.
PART_BYTES = 64 * CHUNK
# Larger streams are hashed on their way through a temporary file, smaller ones in memory.
IN_MEMORY_BYTES = 8 * CHUNK
TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
LOCKED = frozenset({"AccessDenied", "403", "ObjectLocked"})
TIMEOUT_S = 60.0
COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True)
class Bucket:
    """Where a bucket is and how it is reached; credentials are found as the SDK finds them.

    `lock_days` asks for a compliance lock of that many days on every object; 0 asks for none.
    """

    name: str
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    lock_days: int = 0
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


class BucketOfBlobs:
    """A BlobStore in one bucket, objects named by the first byte of the digest and the digest."""

    def __init__(self, bucket: Bucket, *, part_bytes: int = PART_BYTES) -> None:
        """Raises ConfigurationError where boto3 is absent or the bucket cannot be reached."""
        self.bucket, self._part_bytes = bucket, part_bytes
        address = (bucket.endpoint, bucket.region, bucket.access_key, bucket.secret_key)
        self._client, self._errors = _client(*address)
        with self._failing_named(f"the bucket {bucket.name!r} could not be reached"):
            self._client.head_bucket(Bucket=bucket.name)

    def put(self, source: BinaryIO) -> str:
        """Keep all bytes of a stream durably; returns their SHA-256 in hex."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as spooled:
            medium = _spool(source, cast("BinaryIO", spooled))
            spooled.seek(0)
            lock = self._lock()
            with self._failing_named(
                "a medium could not be kept; nothing that names it was logged"
            ):
                if self._found(medium.digest) is not None:
                    self._must_hold(medium.digest)
                else:
                    self._put_new(medium, cast("BinaryIO", spooled), lock)
                # Also of what was there: a run that was stopped may not have come to it.
                self._must_be_locked(medium.digest, lock)
        return medium.digest

    @contextlib.contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        """The bytes under a digest. Raises MissingMedium where there are none."""
        must_be_digest(digest)
        try:
            found = self._client.get_object(Bucket=self.bucket.name, Key=self._key(digest))
        except self._errors.ClientError as error:
            if _code(error) in ABSENT:
                raise missing(digest) from error
            raise self._failed(f"the medium {digest} cannot be read", error) from error
        except self._errors.BotoCoreError as error:
            raise self._failed(f"the medium {digest} cannot be read", error) from error
        with contextlib.closing(found["Body"]) as body:
            yield cast("BinaryIO", _Stream(self, digest, body))

    def digests(self) -> Iterator[str]:
        """All digests that something is kept under, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket.name, Prefix=self.bucket.prefix
        )
        with self._failing_named("the bucket cannot be listed"):
            for page in pages:
                for entry in page.get("Contents", []):
                    name = str(entry["Key"]).rsplit("/", 1)[-1]
                    if DIGEST.fullmatch(name) and entry["Key"] == self._key(name):
                        yield name

    def discard(self, digest: str) -> bool:
        """Free the space of an erased medium; False while a compliance lock keeps it."""
        must_be_digest(digest)
        place = {"Bucket": self.bucket.name, "Key": self._key(digest)}
        with self._failing_named(f"the medium {digest} could not be removed; its key is gone"):
            try:
                version = self._client.head_object(**place).get("VersionId")
                # Without its version only a mark is set, and the bytes stay and are paid for.
                self._client.delete_object(**place, **({"VersionId": version} if version else {}))
            except self._errors.ClientError as error:
                if _code(error) in LOCKED:
                    return False
                if _code(error) not in ABSENT:
                    raise
        return True

    def _found(self, digest: str) -> dict[str, Any] | None:
        """What the store says of the object under a digest; None where there is none."""
        try:
            place = {"Bucket": self.bucket.name, "Key": self._key(digest)}
            return cast("dict[str, Any]", self._client.head_object(**place))
        except self._errors.ClientError as error:
            if _code(error) not in ABSENT:
                raise
            return None

    def _put_new(self, medium: _Medium, source: BinaryIO, lock: dict[str, Any]) -> None:
        try:
            if medium.size > self._part_bytes:
                self._upload_in_parts(medium, source, lock)
            else:
                self._upload(medium, source, lock)
        except self._errors.ClientError as error:
            if _code(error) not in TAKEN:
                raise
            self._must_hold(medium.digest)

    def _upload(self, medium: _Medium, source: BinaryIO, lock: dict[str, Any]) -> None:
        self._client.put_object(
            Bucket=self.bucket.name,
            Key=self._key(medium.digest),
            Body=source,
            ContentLength=medium.size,
            # Stores ask for the algorithm by name where an object is to be locked.
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=_spelled(bytes.fromhex(medium.digest)),
            ContentMD5=_spelled(medium.md5),
            IfNoneMatch="*",
            **lock,
        )

    def _upload_in_parts(self, medium: _Medium, source: BinaryIO, lock: dict[str, Any]) -> None:
        place = {"Bucket": self.bucket.name, "Key": self._key(medium.digest)}
        begun = self._client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", **lock)
        place["UploadId"] = begun["UploadId"]
        try:
            parts = self._uploaded_parts(place, medium, source)
            self._client.complete_multipart_upload(
                **place, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except BaseException:
            # Parts without their whole are paid for and shown nowhere.
            with contextlib.suppress(self._errors.ClientError, self._errors.BotoCoreError):
                self._client.abort_multipart_upload(**place)
            raise

    def _uploaded_parts(
        self, place: dict[str, str], medium: _Medium, source: BinaryIO
    ) -> list[dict[str, Any]]:
        """Each part is checked by the store; that together they are the medium is checked here."""
        state, parts = hashlib.sha256(), []
        for number, content in enumerate(_pieces(source, self._part_bytes), start=1):
            state.update(content)
            parts.append(self._upload_part(place, number, content))
        if state.hexdigest() != medium.digest:
            raise StorageError(
                "a medium changed between being read and being sent; nothing of it was kept: "
                "check this machine's disk and memory, then hand it in again"
            )
        return parts

    def _upload_part(self, place: dict[str, str], number: int, content: bytes) -> dict[str, Any]:
        checksum = _spelled(hashlib.sha256(content).digest())
        answer = self._client.upload_part(
            **place,
            PartNumber=number,
            Body=content,
            ChecksumSHA256=checksum,
            ContentMD5=_spelled(hashlib.md5(content, usedforsecurity=False).digest()),
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _must_be_locked(self, digest: str, lock: dict[str, Any]) -> None:
        """Ceph's gateway 16 drops the lock of what comes in parts: ask again, then insist."""
        if not lock or self._is_locked(digest, lock):
            return
        version = (self._found(digest) or {}).get("VersionId")
        until = lock["ObjectLockRetainUntilDate"]
        self._client.put_object_retention(
            Bucket=self.bucket.name,
            Key=self._key(digest),
            Retention={"Mode": COMPLIANCE, "RetainUntilDate": until},
            **({"VersionId": version} if version else {}),
        )
        if not self._is_locked(digest, lock):
            raise StorageError(
                f"the bucket {self.bucket.name!r} keeps no compliance lock; nothing that names the "
                "medium was logged: make a bucket with object lock, or set lock_days to 0"
            )

    def _is_locked(self, digest: str, lock: dict[str, Any]) -> bool:
        found = self._found(digest) or {}
        until = found.get("ObjectLockRetainUntilDate")
        # Some stores keep whole seconds only.
        wanted = lock["ObjectLockRetainUntilDate"] - timedelta(seconds=1)
        return found.get("ObjectLockMode") == COMPLIANCE and until is not None and until >= wanted

    def _must_hold(self, digest: str) -> None:
        """Other bytes under this name are a finding, not something to write over."""
        state = hashlib.sha256()
        with self.open(digest) as found:
            while chunk := found.read(CHUNK):
                state.update(chunk)
        if state.hexdigest() != digest:
            raise IntegrityError(
                f"other bytes stand under the digest {digest}; they were left as they are: "
                "run `tidewaiter custody audit`"
            )

    def _lock(self) -> dict[str, Any]:
        if not self.bucket.lock_days:
            return {}
        until = datetime.now(UTC) + timedelta(days=self.bucket.lock_days)
        return {"ObjectLockMode": COMPLIANCE, "ObjectLockRetainUntilDate": until}

    def _key(self, digest: str) -> str:
        return f"{self.bucket.prefix}{digest[:2]}/{digest}"

    def _failed(self, what: str, error: Exception) -> StorageError:
        code = _code(error) or type(error).__name__
        return StorageError(f"{what} ({code}); check the object store and its credentials")

    @contextlib.contextmanager
    def _failing_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except (self._errors.ClientError, self._errors.BotoCoreError, OSError) as error:
            raise self._failed(what, error) from error


@dataclass(frozen=True)
class _Medium:
    """What is to be sent: its SHA-256 in hex, its MD5 against damage on the way, its length."""

    digest: str
    md5: bytes
    size: int


class _Stream:
    """The body of an object; a connection that breaks is the store's failure, not an end."""

    def __init__(self, store: BucketOfBlobs, digest: str, body: Any) -> None:
        self._store, self._digest, self._body = store, digest, body

    def read(self, size: int = -1) -> bytes:
        """The next bytes; empty at the end."""
        with self._store._failing_named(f"the medium {self._digest} cannot be read"):  # noqa: SLF001
            return bytes(self._body.read(None if size < 0 else size))


@functools.lru_cache(maxsize=8)
def _client(endpoint: str, region: str, access_key: str, secret_key: str) -> tuple[Any, Any]:
    """Making a client reads megabytes of descriptions; one serves any number of threads."""
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError as error:
        raise ConfigurationError(
            f"boto3 is not installed; it speaks to object stores; {INSTALL_COMMAND}"
        ) from error
    config = botocore.config.Config(
        connect_timeout=TIMEOUT_S,
        read_timeout=TIMEOUT_S,
        # Checksums are ours and stated; a second kind confuses some stores.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if endpoint else {},
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            region_name=region,
        )
        client = session.client("s3", endpoint_url=endpoint or None, config=config)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"the client of the object store cannot be made ({type(error).__name__}); check "
            "endpoint and region"
        ) from error
    return client, botocore.exceptions


def _code(error: Exception) -> str:
    # A connection that breaks while a body is read is an error whose response is None.
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _spool(source: BinaryIO, target: BinaryIO) -> _Medium:
    state, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while chunk := source.read(CHUNK):
        state.update(chunk)
        md5.update(chunk)
        size += target.write(chunk)
    return _Medium(state.hexdigest(), md5.digest(), size)


def _spelled(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    while piece := source.read(size):
        yield piece
