"""A folder of media in which somebody put other things than media: named, never waited for."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from tidewaiter.errors import StorageError
from tidewaiter.storage.custody_files import FolderOfBlobs

CONTENT = b"a sealed medium"
DIGEST = hashlib.sha256(CONTENT).hexdigest()

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def store(tmp_path):
    made = FolderOfBlobs(tmp_path / "media")
    assert made.put(io.BytesIO(CONTENT)) == DIGEST
    return made


def test_a_pipe_in_the_place_of_a_medium_is_named_and_not_waited_for(store):
    path = store.folder / DIGEST[:2] / DIGEST
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StorageError, match="no plain file"):
        store.open(DIGEST)
    with pytest.raises(StorageError, match="no plain file"):
        store.put(io.BytesIO(CONTENT))
    assert list(store.digests()) == [DIGEST]


def test_a_file_in_the_place_of_a_folder_hides_no_other_media(store):
    (store.folder / "00").write_bytes(b"")
    (store.folder / "ff").symlink_to(store.folder / "gone")
    assert list(store.digests()) == [DIGEST]


def test_a_folder_that_cannot_be_listed_is_the_stores_failure(store, monkeypatch):
    def refused(_folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(StorageError, match="Permission denied"):
        list(store.digests())
