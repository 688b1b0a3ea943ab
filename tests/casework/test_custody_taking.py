"""Docking: wherever it is interrupted, doing it again leaves what an undisturbed one does."""

from __future__ import annotations

import hashlib
import io

import pytest

from tests.custody.record_kit import MINUTE_MS, START_MS, secret_of
from tests.custody.small_site import opened_small_site, small_world
from tidewaiter.casework.custody_site import Site
from tidewaiter.casework.custody_taking import HandedIn, camera_number, dock
from tidewaiter.custody.device import DeviceState
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record

CAMERA = "bwc-0017"
MEDIA = (b"first recording", b"second recording")


class Killed(BaseException):
    """The process dies here."""


def handed_in(data):
    digest = hashlib.sha256(data).hexdigest()
    return HandedIn(f"{digest[:4]}.mp4", digest, "video/mp4", b"prints", lambda: io.BytesIO(data))


def opened(folder, **more):
    return opened_small_site(folder, lambda: START_MS, **more)


@pytest.fixture
def folder(tmp_path):
    """A site that signs for a camera that has a key."""
    world = small_world()
    world.enrol(CAMERA)
    with opened(tmp_path, create=True) as site:
        site.log.append(world.leaves)
        site.agent.add(DeviceState(CAMERA, 0, secret=secret_of(CAMERA)))
    return tmp_path


def docked(folder):
    with opened(folder) as site:
        return dock(site, CAMERA, [handed_in(one) for one in MEDIA], "routine")


def kinds_and_findings(folder):
    judge, kinds, found = Judge(), [], []
    with opened(folder) as site:
        for leaf in site.store.leaves():
            found += judge.feed(leaf.index, leaf.body)
            kinds.append(parse_record(leaf.body).kind)
    found += judge.absences(START_MS, START_MS + 60 * MINUTE_MS).discrepancies
    return kinds, found


def calls_of(name, monkeypatch, fatal):
    """Let the call with this number die, before it does anything."""
    plain, made = getattr(Site, name), []

    def dying(self, *words):
        made.append(words)
        if len(made) == fatal:
            raise Killed
        return plain(self, *words)

    monkeypatch.setattr(Site, name, dying)


def test_docking_logs_each_recording_its_arrival_and_one_stop(folder):
    assert all(one.is_new for one in docked(folder))
    kinds, found = kinds_and_findings(folder)
    assert sorted(kinds[-5:]) == ["ingest", "ingest", "segment", "segment", "stop"]
    assert not found


@pytest.mark.parametrize(
    ("name", "fatal"), [("tell", 1), ("hand_in", 1), ("hand_in", 2), ("said", 1), ("said", 2)]
)
def test_docking_again_finishes_what_was_interrupted(folder, monkeypatch, name, fatal):
    with monkeypatch.context() as broken:
        calls_of(name, broken, fatal)
        with pytest.raises(Killed):
            docked(folder)
    docked(folder)
    kinds, found = kinds_and_findings(folder)
    assert sorted(kinds[-5:]) == ["ingest", "ingest", "segment", "segment", "stop"]
    assert kinds.count("stop") == 1
    assert not found


def test_docking_what_is_there_adds_nothing(folder):
    docked(folder)
    before, _ = kinds_and_findings(folder)
    assert not any(one.is_new for one in docked(folder))
    assert kinds_and_findings(folder)[0] == before


@pytest.mark.parametrize(
    ("name", "pattern", "number"),
    [
        ("MOV_0012.mp4", r"MOV_(\d+)", 12),
        ("IMG_7.jpg", r"MOV_(\d+)|IMG", None),
        (f"MOV_{10**30}.mp4", r"MOV_(\d+)", None),
        ("MOV_.mp4", r"MOV_(\d*)", None),
        ("MOV_0012.mp4", "", None),
    ],
)
def test_a_name_without_a_usable_number_keeps_nothing_out(name, pattern, number):
    assert camera_number(name, pattern) == number
