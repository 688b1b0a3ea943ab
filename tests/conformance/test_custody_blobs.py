"""One suite over every place that keeps media: a folder, and buckets of two kinds of store."""

from __future__ import annotations

import hashlib
import io

import pytest

from tests.storage.strict_s3 import ACCESS_KEY, SECRET_KEY, strict_s3
from tidewaiter.errors import ConfigurationError, IntegrityError, MissingMedium, StorageError
from tidewaiter.storage import custody_s3
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_s3 import Bucket, BucketOfBlobs


class Place:
    """A blob store, and the hands of whoever owns the machine below it."""

    def __init__(self, store, overwrite, remove, names):
        self.store, self.overwrite, self.remove, self.names = store, overwrite, remove, names


def folder_place(folder) -> Place:
    def overwrite(digest, content):
        path = folder / digest[:2] / digest
        path.chmod(0o644)
        path.write_bytes(content)

    def names():
        return sorted(path.name for path in folder.rglob("*") if path.is_file())

    def remove(digest):
        (folder / digest[:2] / digest).unlink()

    return Place(FolderOfBlobs(folder), overwrite, remove, names)


def bucket_of(state, **more) -> Bucket:
    return Bucket("media", state.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY, **more)


def bucket_place(state, **more) -> Place:
    store = BucketOfBlobs(bucket_of(state, prefix="custody/"), **more)

    def overwrite(digest, content):
        state.overwrite("media", f"custody/{digest[:2]}/{digest}", content)

    def remove(digest):
        state.remove("media", f"custody/{digest[:2]}/{digest}")

    def names():
        return [key.rsplit("/")[-1] for key in state.keys("media")]

    return Place(store, overwrite, remove, names)


@pytest.fixture(scope="module")
def server():
    with strict_s3("media") as state:
        yield state


@pytest.fixture
def s3(server):
    server.buckets["media"] = {}
    return server


def real_place(bucket, **more) -> Place:
    """A bucket of Ceph's gateway; its owner goes past it, into the storage below."""
    store = BucketOfBlobs(bucket.described(), **more)

    def overwrite(digest, content):
        bucket.overwrite(bucket.key(digest), content, **more)

    def remove(digest):
        bucket.remove(bucket.key(digest))

    def names():
        return [key.rsplit("/")[-1] for key in bucket.versions()]

    return Place(store, overwrite, remove, names)


def on_rados(name):
    return pytest.param(name, marks=pytest.mark.xdist_group("postgres"))


@pytest.fixture(
    params=[
        "folder",
        "bucket",
        "bucket in parts",
        on_rados("rados"),
        on_rados("rados, versions"),
        on_rados("rados, versions in parts"),
    ]
)
def place(request, tmp_path):
    if request.param == "folder":
        return folder_place(tmp_path / "blobs")
    parts = {"part_bytes": 4} if "parts" in request.param else {}
    if "rados" in request.param:
        server = request.getfixturevalue("rados_server")
        return real_place(server.bucket(is_locking="versions" in request.param), **parts)
    return bucket_place(request.getfixturevalue("s3"), **parts)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"one", b"\x00\xff" * 12], ids=len)
def test_what_was_put_is_read_back_under_its_digest(place, content):
    assert place.store.put(io.BytesIO(content)) == digest_of(content)
    with place.store.open(digest_of(content)) as found:
        assert found.read() == content


def test_a_stream_is_read_in_pieces(place):
    digest = place.store.put(io.BytesIO(b"abcdefghij"))
    with place.store.open(digest) as found:
        assert [found.read(4), found.read(4), found.read(4), found.read(4)] == [
            b"abcd",
            b"efgh",
            b"ij",
            b"",
        ]


def test_the_same_bytes_twice_are_kept_once(place):
    for _ in range(2):
        assert place.store.put(io.BytesIO(b"one")) == digest_of(b"one")
    assert place.names() == [digest_of(b"one")]


def test_digests_come_in_order(place):
    contents = [f"medium {n}".encode() for n in range(7)]
    for content in contents:
        place.store.put(io.BytesIO(content))
    assert list(place.store.digests()) == sorted(map(digest_of, contents))


def test_other_bytes_under_the_digest_are_not_written_over(place):
    digest = place.store.put(io.BytesIO(b"original"))
    place.overwrite(digest, b"tampered")
    with pytest.raises(IntegrityError, match="other bytes stand under"):
        place.store.put(io.BytesIO(b"original"))
    with place.store.open(digest) as found:
        assert found.read() == b"tampered"


def test_an_erased_medium_frees_its_space_once_and_again(place):
    digest, other = (place.store.put(io.BytesIO(text)) for text in (b"one", b"two"))
    assert place.store.discard(digest)
    assert place.store.discard(digest)
    assert place.names() == [other]
    with pytest.raises(MissingMedium):
        place.store.open(digest).__enter__()


def test_a_medium_under_a_compliance_lock_stays(s3):
    store = BucketOfBlobs(bucket_of(s3, lock_days=1))
    digest = store.put(io.BytesIO(b"one"))
    assert not store.discard(digest)
    with store.open(digest) as found:
        assert found.read() == b"one"


def test_what_is_not_there_is_missing(place):
    with pytest.raises(MissingMedium, match="nothing is kept"):
        place.store.open(digest_of(b"one")).__enter__()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, digest_of(b"x") + "\n"])
def test_only_a_digest_is_a_name(place, name):
    with pytest.raises(IntegrityError, match="no SHA-256"):
        place.store.open(name).__enter__()


class Breaking(io.RawIOBase):
    """A camera that is unplugged in the middle."""

    def __init__(self):
        self.pieces = [b"half of a recording"]

    def read(self, _size=-1):
        if self.pieces:
            return self.pieces.pop()
        raise OSError(5, "Input/output error")


def test_a_medium_that_breaks_off_leaves_nothing(place):
    with pytest.raises((StorageError, OSError)):
        place.store.put(Breaking())
    assert place.names() == []
    assert list(place.store.digests()) == []


def test_a_name_that_is_no_digest_is_no_medium(tmp_path):
    store = FolderOfBlobs(tmp_path)
    store.put(io.BytesIO(b"one"))
    (tmp_path / digest_of(b"one")[:2] / "notes.txt").write_text("x")
    (tmp_path / ".left.part").write_text("half")
    assert list(store.digests()) == [digest_of(b"one")]


def test_files_are_read_only(tmp_path):
    store = FolderOfBlobs(tmp_path)
    digest = store.put(io.BytesIO(b"one"))
    assert (tmp_path / digest[:2] / digest).stat().st_mode & 0o222 == 0


def test_a_listing_of_many_pages_is_whole(s3):
    place = bucket_place(s3)
    contents = {f"medium {n}".encode() for n in range(250)}
    for content in contents:
        place.store.put(io.BytesIO(content))
    assert list(place.store.digests()) == sorted(map(digest_of, contents))


def test_a_lock_is_asked_for_and_holds_against_the_protocol(s3):
    client = BucketOfBlobs(bucket_of(s3, lock_days=90))
    digest = client.put(io.BytesIO(b"one"))
    key = f"{digest[:2]}/{digest}"
    version = s3.buckets["media"][key][-1]
    assert (version.mode, version.is_locked) == ("COMPLIANCE", True)
    raw, errors = client._client, client._errors
    with pytest.raises(errors.ClientError, match="AccessDenied"):
        raw.delete_object(Bucket="media", Key=key, VersionId=version.id)
    with pytest.raises(errors.ClientError, match="AccessDenied"):
        raw.put_object_retention(
            Bucket="media",
            Key=key,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": "2027-01-01T00:00:00Z"},
        )
    raw.delete_object(Bucket="media", Key=key)
    with pytest.raises(MissingMedium):
        client.open(digest).__enter__()
    assert s3.buckets["media"][key][0].content == b"one"


@pytest.mark.parametrize("part_bytes", [1000, 2])
def test_a_store_that_drops_locks_in_silence_is_named(s3, monkeypatch, part_bytes):
    monkeypatch.setattr(s3, "drops_locks", True)
    store = BucketOfBlobs(bucket_of(s3, lock_days=90), part_bytes=part_bytes)
    with pytest.raises(StorageError, match="keeps no compliance lock"):
        store.put(io.BytesIO(b"one"))
    assert BucketOfBlobs(bucket_of(s3)).put(io.BytesIO(b"one")) == digest_of(b"one")


def test_a_medium_that_is_there_without_its_lock_gets_one(s3):
    """Whoever put it was stopped between the bytes and their lock."""
    digest = BucketOfBlobs(bucket_of(s3)).put(io.BytesIO(b"one"))
    locking = BucketOfBlobs(bucket_of(s3, lock_days=1))
    assert locking.put(io.BytesIO(b"one")) == digest
    assert not locking.discard(digest)


def test_a_bucket_that_is_shown_keeps_its_secret():
    shown = repr(Bucket("media", access_key="known", secret_key="not known"))
    assert "not known" not in shown


def test_bytes_damaged_on_the_way_are_refused(s3, monkeypatch):
    client = BucketOfBlobs(bucket_of(s3))
    damage_what_is_sent(monkeypatch)
    with pytest.raises(StorageError, match="BadDigest"):
        client.put(io.BytesIO(b"one"))
    assert s3.keys("media") == []


def damage_what_is_sent(monkeypatch):
    """What is read is hashed, and other bytes stand in the temporary file."""
    spool = custody_s3._spool

    def damaging(source, target):
        medium = spool(source, target)
        target.seek(0)
        target.write(b"X")
        return medium

    monkeypatch.setattr(custody_s3, "_spool", damaging)


@pytest.mark.parametrize("size", [3, 30])
def test_bytes_damaged_before_they_are_sent_are_kept_nowhere(place, monkeypatch, size):
    if isinstance(place.store, FolderOfBlobs):
        pytest.skip("a folder is written to directly")
    damage_what_is_sent(monkeypatch)
    with pytest.raises(StorageError, match=r"BadDigest|between being read and being sent"):
        place.store.put(io.BytesIO(b"o" * size))
    assert place.names() == []


def test_a_store_that_fails_is_named(s3):
    client = BucketOfBlobs(bucket_of(s3))
    s3.fail_next += [("PUT", "NotImplemented")]
    with pytest.raises(StorageError, match="nothing that names it was logged"):
        client.put(io.BytesIO(b"one"))


def test_a_bucket_that_is_not_there_is_named(s3):
    with pytest.raises(StorageError, match="'absent' could not be reached"):
        BucketOfBlobs(Bucket("absent", s3.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY))
    with pytest.raises(StorageError, match="could not be reached"):
        BucketOfBlobs(Bucket("media", s3.endpoint, access_key="somebody", secret_key="else"))


def test_an_endpoint_that_is_none_is_a_wrong_setting():
    with pytest.raises(ConfigurationError, match="endpoint and region"):
        BucketOfBlobs(Bucket("media", "not a url", access_key="a", secret_key="b"))
