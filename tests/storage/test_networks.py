"""A site's network is installed whole, its card last."""

from __future__ import annotations

import pytest

from tidewaiter.errors import StorageError
from tidewaiter.storage import networks
from tidewaiter.storage.networks import install_network, keep_file, remove_folder

TEXTS = {"calibrations/one.json": "{}", "card.md": "# card", "card.json": "{}"}


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "made" / "face.onnx"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


def test_all_files_are_there_and_nothing_else(network, tmp_path):
    install_network(tmp_path / "site", network, TEXTS)
    found = {p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*")}
    assert found == {*TEXTS, "calibrations", "face.onnx"}
    assert (tmp_path / "site" / "face.onnx").read_bytes() == b"weights"


def test_the_last_text_is_written_last(network, tmp_path, monkeypatch):
    """A full disk while calibrations are written leaves no card, so no network to use."""
    written = []

    def refuse_the_second(path, content):
        if written:
            raise StorageError("full")
        written.append(path.name)

    monkeypatch.setattr(networks, "write_whole", refuse_the_second)
    with pytest.raises(StorageError):
        install_network(tmp_path / "site", network, TEXTS)
    assert written == ["one.json"]
    assert not (tmp_path / "site" / "card.json").exists()


def test_what_cannot_be_written_is_said(network, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not be written to 'site'"):
        install_network(tmp_path / "file" / "site", network, TEXTS)


def test_a_file_is_kept_if_it_is_there(network, tmp_path):
    keep_file(network, tmp_path / "a" / "kept.onnx")
    keep_file(tmp_path / "absent", tmp_path / "a" / "absent")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept.onnx"]


def test_a_folder_goes_with_all_it_holds(network):
    remove_folder(network.parent)
    remove_folder(network.parent)
    assert not network.parent.exists()
