"""Files that appear whole, under their name, on the disk, or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage import durable
from tidewaiter.storage.custody_class_keys import FolderOfClassKeys
from tidewaiter.storage.durable import write_new
from tidewaiter.storage.reports import write_parts, write_whole

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows opens no folders")


def test_a_file_and_its_name_are_synced_in_this_order(tmp_path, monkeypatch):
    synced, plain = [], os.fsync

    def noted(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(
            ("folder" if is_folder else "file", sorted(one.name for one in tmp_path.iterdir()))
        )
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    assert write_parts(tmp_path / "proof", [b"one ", b"two"]).read_bytes() == b"one two"
    assert [kind for kind, _ in synced] == ["file", "folder"]
    assert synced[1][1] == ["proof"]


def test_parts_that_break_off_leave_the_old_file_and_nothing_else(tmp_path):
    write_whole(tmp_path / "report", "old")

    def parts():
        yield b"new"
        raise StorageError("the medium cannot be read to its end")

    with pytest.raises(StorageError, match="to its end"):
        write_parts(tmp_path / "report", parts())
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report").read_text() == "old"


def test_nothing_is_written_through_a_link_that_lies_in_the_way(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("somebody's")
    (tmp_path / f".seen.mp4.{os.getpid()}.part").symlink_to(elsewhere)
    write_whole(tmp_path / "seen.mp4", b"plain recording")
    assert elsewhere.read_text() == "somebody's"
    assert (tmp_path / "seen.mp4").read_bytes() == b"plain recording"


@pytest.mark.parametrize(("number", "is_written"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_a_file_system_that_syncs_no_folders_is_used_and_a_broken_disk_is_not(
    tmp_path, monkeypatch, number, is_written
):
    plain = os.fsync

    def refused(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        plain(descriptor)

    monkeypatch.setattr(durable.os, "fsync", refused)
    if is_written:
        write_whole(tmp_path / "report", "text")
    else:
        with pytest.raises(StorageError):
            write_whole(tmp_path / "report", "text")


def test_a_new_file_that_could_not_be_finished_is_not_there(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(durable.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_new(tmp_path / "log.key", b"secret")
    assert list(tmp_path.iterdir()) == []
    write_new(tmp_path / "log.key", b"secret")
    assert (tmp_path / "log.key").stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "log.key", b"other")


def test_a_class_whose_name_leads_elsewhere_has_no_key(tmp_path):
    keys = FolderOfClassKeys(tmp_path / "keys")
    keys.make("cases/2026", bytes(32))
    assert keys.key("cases/2026") == bytes(32)
    for ask in (keys.key, keys.current, keys.waiting, lambda name: keys.make(name, bytes(32))):
        with pytest.raises(ConfigurationError, match="leads out"):
            ask("cases/../../outside")
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]
