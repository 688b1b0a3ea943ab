"""A class gets a new key: nothing live is lost wherever it stops, and nothing erased comes back."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from pathlib import Path

import pytest

from tests.custody.record_kit import START_MS, secret_of
from tests.custody.small_site import FIRST_CLASS_KEY, opened_small_site, small_world
from tidewaiter.casework import custody_class_keys
from tidewaiter.casework.custody_class_keys import (
    ask_to_rotate,
    fingerprint,
    finish_rotations,
    rotate_class,
)
from tidewaiter.casework.custody_erasing import destroy
from tidewaiter.casework.custody_requests import approved
from tidewaiter.casework.custody_site import content_entry
from tidewaiter.casework.custody_taking import HandedIn, ingest, plain_parts
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.errors import (
    BrokenSeal,
    ConfigurationError,
    InputError,
    IntegrityError,
    StorageError,
)
from tidewaiter.storage import custody_class_keys as folder_of_keys
from tidewaiter.storage import custody_secrets
from tidewaiter.storage.custody_class_keys import FolderOfClassKeys

MEDIA = (b"first recording", b"second recording", b"third recording")


def now_ms():
    return START_MS


def opened(folder, **more):
    return opened_small_site(folder, now_ms, **more)


def handed_in(data):
    digest = hashlib.sha256(data).hexdigest()
    return HandedIn(f"{digest[:4]}.mp4", digest, "video/mp4", b"prints", lambda: io.BytesIO(data))


@pytest.fixture
def folder(tmp_path):
    """A site with three recordings of one class."""
    place = tmp_path / "site"
    place.mkdir()
    with opened(place, create=True) as site:
        site.log.append(small_world().leaves)
        taken = ingest(site, [handed_in(one) for one in MEDIA], "routine")
    (place / "names").write_text("\n".join(one.recording for one in taken))
    return place


def names_in(folder):
    return (folder / "names").read_text().split("\n")


def keys_in(folder):
    return FolderOfClassKeys(folder / "keys")


def by_two(request):
    for name in ("amara", "bilal"):
        request = approved(request, SigningKey(name, ED25519_NOTE, secret_of(name)))
    return request


def rotated(site, keys):
    request = by_two(ask_to_rotate(site, keys, "routine", "yearly", ["tape 7"]))
    return rotate_class(site, keys, request)


def media_that_open(site, names):
    found = []
    for name in names:
        record = content_entry(site.store, name).record
        found.append(b"".join(plain_parts(site, name, record, "media")))
    return tuple(found)


def test_every_recording_opens_with_the_new_key_and_none_with_the_old(folder):
    names, keys = names_in(folder), keys_in(folder)
    with opened(folder) as site:
        before = [site.secrets.wrapped_key(name) for name in names]
        assert rotated(site, keys) is not None
        assert media_that_open(site, names) == MEDIA
        assert [site.secrets.wrapped_key(name) for name in names] != before
    assert keys.key("routine") != FIRST_CLASS_KEY
    assert keys.all_waiting() == []
    held = b"".join(path.read_bytes() for path in (folder / "keys").iterdir())
    assert FIRST_CLASS_KEY.hex().encode() not in held


def test_the_entry_names_class_key_and_copies_and_is_judged_honest(folder):
    with opened(folder) as site:
        index = rotated(site, keys_in(folder)).index
        judge = Judge()
        found = [one for leaf in site.store.leaves() for one in judge.feed(leaf.index, leaf.body)]
        (leaf,) = site.store.leaves(index, index + 1)
    assert found == []
    assert b'"kind":"key.class"' in leaf.body
    assert b'"backups":["tape 7"]' in leaf.body
    assert fingerprint(keys_in(folder).key("routine")).encode() in leaf.body


def test_a_backup_of_the_wrapped_keys_no_longer_undoes_an_erasure(folder):
    """The hole of erasing alone, and that it is closed once the class has a new key."""
    erased, *live = names_in(folder)
    backup = folder / "backup.sqlite"
    shutil.copy(folder / "secrets.sqlite", backup)

    def restored():
        shutil.copy(backup, folder / "secrets.sqlite")

    with opened(folder) as site:
        sealed = {p: p.read_bytes() for p in (folder / "media").rglob("*") if p.is_file()}
        destroy(site, erased)
    for path, data in sealed.items():
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    kept = (folder / "secrets.sqlite").read_bytes()
    restored()
    with opened(folder) as site:
        assert media_that_open(site, [erased]) == MEDIA[:1]
    (folder / "secrets.sqlite").write_bytes(kept)
    with opened(folder) as site:
        rotated(site, keys_in(folder))
        assert media_that_open(site, live) == MEDIA[1:]
    restored()
    with opened(folder) as site, pytest.raises(BrokenSeal, match="another class key"):
        media_that_open(site, [erased])


def test_one_person_rotates_nothing(folder):
    with opened(folder) as site:
        keys = keys_in(folder)
        request = ask_to_rotate(site, keys, "routine", "yearly", [])
        alone = approved(request, SigningKey("amara", ED25519_NOTE, secret_of("amara")))
        with pytest.raises(IntegrityError, match="two people"):
            rotate_class(site, keys, alone)
        assert finish_rotations(site, keys) == []
        assert media_that_open(site, names_in(folder)) == MEDIA
    assert keys.key("routine") == FIRST_CLASS_KEY


def test_a_request_for_another_key_is_not_carried_out(folder):
    with opened(folder) as site:
        keys = keys_in(folder)
        request = by_two(ask_to_rotate(site, keys, "routine", "yearly", []))
        (folder / "keys" / "routine.class-key.next").unlink()
        with pytest.raises(InputError, match="ask anew"):
            rotate_class(site, keys, request)


def test_a_class_that_does_not_exist_gets_no_key(folder):
    with opened(folder) as site, pytest.raises(ConfigurationError, match="cannot be read"):
        ask_to_rotate(site, keys_in(folder), "other", "yearly", [])


def test_a_wrapped_key_that_opens_with_neither_stops_it_before_anything_changed(folder):
    names = names_in(folder)
    with opened(folder) as site:
        before = site.log.head.size
        site.secrets.keep_key(names[2], "routine", bytes(60))
        with pytest.raises(IntegrityError, match=names[2]):
            rotated(site, keys_in(folder))
        assert site.log.head.size == before
        assert media_that_open(site, names[:2]) == MEDIA[:2]


def test_carrying_out_again_is_harmless(folder):
    with opened(folder) as site:
        keys = keys_in(folder)
        request = by_two(ask_to_rotate(site, keys, "routine", "yearly", []))
        rotate_class(site, keys, request)
        size, key = site.log.head.size, keys.key("routine")
        assert rotate_class(site, keys, request) is None
        assert (site.log.head.size, keys.key("routine")) == (size, key)


WATCHED = {custody_class_keys.__file__, folder_of_keys.__file__, custody_secrets.__file__}


class Killed:
    """The folder as it lies on the disk at every line that a rotation runs, once each."""

    def __init__(self, folder, out):
        self.folder, self.out, self.seen = folder, out, {}

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def _trace(self, frame, event, _argument):
        if frame.f_code.co_filename not in WATCHED:
            return None
        self.look()
        return self._trace

    def look(self):
        data = {
            path.relative_to(self.folder): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.suffix != ".sqlite-shm"
        }
        state = hashlib.sha256(repr(sorted(data.items())).encode()).digest()
        if state not in self.seen:
            self.seen[state] = self.out / str(len(self.seen))
            shutil.copytree(self.folder, self.seen[state])


def test_killed_at_any_line_every_live_recording_opens_and_the_next_start_finishes(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(custody_secrets, "PAGE", 2)
    keys = keys_in(folder)
    with opened(folder) as site:
        request = by_two(ask_to_rotate(site, keys, "routine", "yearly", []))
        with Killed(folder, tmp_path / "killed") as killed:
            rotate_class(site, keys, request)
    # Asked; logged; within the transaction and after it; written over; the next one gone.
    assert len(killed.seen) >= 5
    new = keys.key("routine")
    for copy in killed.seen.values():
        is_done = _opens_and_finishes(copy)
        assert keys_in(copy).key("routine") == (new if is_done else FIRST_CLASS_KEY)


@pytest.mark.parametrize("torn", [b"", b"00", b"zz" * 32, FIRST_CLASS_KEY.hex().encode()[:40]])
def test_a_power_cut_while_the_old_key_is_written_over(folder, torn, tmp_path):
    """The one write in place: whatever it leaves of the old key, the next one is whole beside."""
    keys = keys_in(folder)
    with opened(folder) as site:
        request = by_two(ask_to_rotate(site, keys, "routine", "yearly", []))
        with Killed(folder, tmp_path / "killed") as killed:
            rotate_class(site, keys, request)
    new = keys.key("routine")
    before_the_write = [
        copy
        for copy in killed.seen.values()
        if keys_in(copy).all_waiting() and _wrapped_under(copy, new)
    ]
    assert before_the_write
    for copy in before_the_write:
        (copy / "keys" / "routine.class-key").write_bytes(torn)
        assert _opens_and_finishes(copy)
        assert keys_in(copy).key("routine") == new


def _opens_and_finishes(copy: Path) -> bool:
    names = names_in(copy)
    with opened(copy) as site:
        assert media_that_open(site, names) == MEDIA
        finish_rotations(site, keys_in(copy))
        assert media_that_open(site, names) == MEDIA
        return custody_class_keys.is_logged(site, fingerprint(keys_in(copy).key("routine")))


def _wrapped_under(copy: Path, key: bytes) -> bool:
    from tidewaiter.custody.seal import unwrap_key

    with opened(copy) as site:
        for name in names_in(copy):
            retention, wrapped = site.secrets.wrapped_key(name)
            try:
                unwrap_key(key, wrapped, recording=name, retention_class=retention)
            except BrokenSeal:
                return False
    return True


def test_a_next_key_that_was_never_whole_is_made_anew(folder):
    keys = keys_in(folder)
    (folder / "keys" / "routine.class-key.next").write_text("ab")
    with opened(folder) as site:
        rotated(site, keys)
        assert media_that_open(site, names_in(folder)) == MEDIA


def test_a_disk_that_refuses_leaves_the_new_key_beside(folder, monkeypatch):
    keys = keys_in(folder)

    def refuses(_descriptor):
        raise OSError(5, "Input/output error")

    with opened(folder) as site:
        ask_to_rotate(site, keys, "routine", "yearly", [])
        with monkeypatch.context() as broken:
            broken.setattr(folder_of_keys.os, "fsync", refuses)
            with pytest.raises(StorageError, match="kept beside it"):
                keys.exchange("routine")
        assert keys.waiting("routine") is not None
