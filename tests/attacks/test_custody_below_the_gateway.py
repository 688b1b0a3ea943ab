"""Root on the storage host goes past the object store's protocol and its compliance locks, on a
real one: nothing rests on the lock, and the audit names what was done and where."""

from __future__ import annotations

import pytest

from tests.attacks.custody_site import Site, SqliteHands
from tests.attacks.test_custody_red_team import fill, found, index_of
from tests.conformance.test_custody_blobs import Place
from tidewaiter.custody.record import parse_record
from tidewaiter.storage.custody_s3 import BucketOfBlobs

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def site(rados_server, tmp_path):
    """A whole site whose media are in a bucket of Ceph's gateway, locked for 90 days."""
    bucket = rados_server.bucket(is_locking=True)
    store = BucketOfBlobs(bucket.described(lock_days=90))
    made = Site(SqliteHands(tmp_path / "log.sqlite"), store)
    made.media = Place(
        store,
        lambda digest, content: bucket.overwrite(bucket.key(digest), content),
        lambda digest: bucket.remove(bucket.key(digest)),
        bucket.keys,
    )
    fill(made.world)
    made.keep()
    yield made
    made.close()


def blob_of(site, index):
    return parse_record(site.world.leaves[index]).fields["blob"]


def content_of(site, digest):
    with site.blobs.open(digest) as source:
        return source.read()


def test_media_edited_swapped_and_removed_below_the_locks_are_named(site):
    assert site.audited().discrepancies == ()
    edited, removed = index_of(site, "bwc-1", "segment", 1), index_of(site, "bwc-1", "segment", 3)
    swapped = [index_of(site, "bwc-2", "segment", nth) for nth in (2, 4)]
    content = content_of(site, blob_of(site, edited))
    site.media.overwrite(blob_of(site, edited), content[::-1])
    site.media.remove(blob_of(site, removed))
    blobs = [blob_of(site, index) for index in swapped]
    contents = [content_of(site, blob) for blob in blobs]
    assert len(contents[0]) == len(contents[1])
    for blob, other in zip(blobs, reversed(contents), strict=True):
        site.media.overwrite(blob, other)
    audited = site.audited()
    assert found(audited, "media-edited") == [(edited, edited, "bwc-1")]
    assert found(audited, "media-missing") == [(removed, removed, "bwc-1")]
    assert sorted(found(audited, "media-swapped")) == [(at, at, "bwc-2") for at in swapped]
    assert len(audited.discrepancies) == 4
