"""Injection: the same trials under other ids, each probe taken once, results side by side."""

from __future__ import annotations

import numpy as np
import pytest

from tests.face_audit.making import audit, photo, ports, show
from tidewaiter.errors import ConfigurationError, ExaminationError, UnfitFaces
from tidewaiter.face_audit.driver import carry_out
from tidewaiter.face_audit.injection import (
    METHODS,
    Injected,
    Taken,
    labels_of,
    method_named,
    through_camera,
)
from tidewaiter.face_audit.protocol import Limits

STILL, CLIP = METHODS["still"], METHODS["clip"]
PIXELS = np.full((40, 30, 3), 120, np.uint8)


class MadeCamera:
    def __init__(self, fail: bool = False) -> None:
        self.films: list[bytes] = []
        self.fail = fail

    def take(self, film: bytes) -> Taken:
        if self.fail:
            raise ExaminationError("no picture")
        self.films.append(film)
        return Taken(b"taken %d" % len(self.films), "camera.y4m")


class MemoryStore(dict):
    def put(self, name: str, content: bytes) -> None:
        self[name] = content


def injected(camera: MadeCamera, store: MemoryStore, method=STILL) -> Injected:
    return Injected(show, lambda _probe: PIXELS, camera, store, method)


def attacks(of) -> list:
    return [trial.probe for trial in of.trials if trial.species]


def test_a_probe_is_filmed_once_and_kept_between_runs():
    camera, store, probe = MadeCamera(), MemoryStore(), audit().trials[0].probe
    first = injected(camera, store).show(probe)
    assert first.picture.content == b"taken 1"
    assert first.picture.name == f"injection-still-{probe.key[:32]}.jpg"
    assert first.made_from == (probe.host.file,)
    assert injected(camera, store).show(probe) == first
    assert len(camera.films) == 1
    assert camera.films[0].startswith(b"YUV4MPEG2")


def test_the_film_of_a_clip_is_its_own_for_every_probe_and_the_same_again():
    probes = audit().trials[0].probe, audit().trials[9].probe
    films = []
    for probe in (*probes, probes[0]):
        camera = MadeCamera()
        injected(camera, MemoryStore(), CLIP).show(probe)
        films += camera.films
    assert films[0] == films[2] != films[1]


def test_what_cannot_be_forged_is_not_injected_and_a_failed_camera_keeps_nothing():
    unfit = next(probe for probe in attacks(audit()) if unforgeable(probe))
    camera = MadeCamera()
    with pytest.raises(UnfitFaces):
        injected(camera, MemoryStore()).show(unfit)
    assert not camera.films
    store = MemoryStore()
    with pytest.raises(ExaminationError):
        injected(MadeCamera(fail=True), store).show(audit().trials[0].probe)
    assert not store


def unforgeable(probe) -> bool:
    try:
        show(probe)
    except UnfitFaces:
        return True
    return False


def test_the_injected_audit_has_the_same_trials_under_ids_of_its_own():
    plain = audit()
    other = through_camera(plain, STILL)
    assert [trial.probe for trial in other.trials] == [trial.probe for trial in plain.trials]
    ids = {
        trial.id for found in (plain, other, through_camera(plain, CLIP)) for trial in found.trials
    }
    assert len(ids) == 3 * len(plain.trials)
    assert other.digest != plain.digest
    assert other.protocol.audit == "test · injection-still"


def test_a_run_compares_what_the_page_took():
    found = through_camera(audit(), STILL)
    camera, seen = MadeCamera(), []
    given = ports(show=injected(camera, MemoryStore()).show, photo=photo)
    compare = given.recogniser.compare
    given.recogniser.compare = lambda reference, probe, *, trial="": (
        seen.append(probe.content) or compare(reference, probe, trial=trial)
    )
    ending = carry_out(found.trials[:20], (), given, Limits())
    assert ending.left == 0
    assert seen
    assert all(content.startswith(b"taken ") for content in seen)


def test_names_of_the_camera_are_counted():
    assert labels_of([b'{"camera": "a"}', b'{"camera": "b"}', b'{"camera": "a"}']) == {
        "a": 2,
        "b": 1,
    }


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="one of still, clip"):
        method_named("hologram")
