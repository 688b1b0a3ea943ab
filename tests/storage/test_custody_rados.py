"""What a real S3 store does otherwise than its protocol says, and what we do about it.

Ceph's gateway 16 takes any SHA-256 that is stated, writes a second version over a name that is
to be refused, and drops the lock of what comes in parts.
"""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest

from tidewaiter.errors import IntegrityError, MissingMedium, StorageError
from tidewaiter.storage import custody_s3
from tidewaiter.storage.custody_s3 import Bucket, BucketOfBlobs

pytestmark = pytest.mark.xdist_group("postgres")
ONE = hashlib.sha256(b"one").hexdigest()


@pytest.fixture
def bucket(rados_server):
    return rados_server.bucket(is_locking=True)


@pytest.mark.parametrize("part_bytes", [1000, 2], ids=["whole", "in parts"])
def test_a_compliance_lock_holds_against_the_protocol(bucket, part_bytes):
    store = BucketOfBlobs(bucket.described(lock_days=90), part_bytes=part_bytes)
    store.put(io.BytesIO(b"one"))
    raw = bucket.client
    found = raw.head_object(Bucket=bucket.name, Key=bucket.key(ONE))
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert found["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=89)
    place = {"Bucket": bucket.name, "Key": bucket.key(ONE), "VersionId": found["VersionId"]}
    with pytest.raises(raw.exceptions.ClientError, match="forbidden by object lock"):
        raw.delete_object(**place, BypassGovernanceRetention=True)
    soon = datetime.now(UTC) + timedelta(days=1)
    for mode in ("COMPLIANCE", "GOVERNANCE"):
        with pytest.raises(raw.exceptions.ClientError, match="AccessDenied"):
            raw.put_object_retention(**place, Retention={"Mode": mode, "RetainUntilDate": soon})
    assert not store.discard(ONE)
    with store.open(ONE) as source:
        assert source.read() == b"one"


def test_a_name_that_is_taken_gets_no_second_version(bucket):
    store = BucketOfBlobs(bucket.described())
    bucket.client.put_object(Bucket=bucket.name, Key=bucket.key(ONE), Body=b"two")
    with pytest.raises(IntegrityError, match="other bytes stand under"):
        store.put(io.BytesIO(b"one"))
    assert bucket.versions() == [bucket.key(ONE)]


def test_a_bucket_that_cannot_lock_is_named(rados_server):
    bucket = rados_server.bucket(is_locking=False)
    for part_bytes in (1000, 2):
        store = BucketOfBlobs(bucket.described(lock_days=1), part_bytes=part_bytes)
        with pytest.raises(StorageError, match="nothing that names"):
            store.put(io.BytesIO(b"one"))


def test_strangers_and_absent_buckets_are_named(rados_server, bucket):
    for name, key in (("absent", "custody-writer"), (bucket.name, "somebody")):
        place = Bucket(name, rados_server.endpoint, access_key=key, secret_key="x" * 20)
        with pytest.raises(StorageError, match="could not be reached"):
            BucketOfBlobs(place)


def test_what_root_removes_below_the_gateway_is_missing(bucket):
    store = BucketOfBlobs(bucket.described(lock_days=1))
    store.put(io.BytesIO(b"one"))
    bucket.remove(bucket.key(ONE))
    with pytest.raises(MissingMedium):
        store.open(ONE).__enter__()


def test_a_medium_cut_short_below_the_gateway_is_a_failure_with_a_name(bucket, monkeypatch):
    monkeypatch.setattr(custody_s3, "TIMEOUT_S", 1.0)
    custody_s3._client.cache_clear()
    store = BucketOfBlobs(bucket.described())
    store.put(io.BytesIO(b"one"))
    bucket.overwrite(bucket.key(ONE), b"o")
    with pytest.raises(StorageError, match="cannot be read"), store.open(ONE) as source:
        source.read()
    custody_s3._client.cache_clear()
