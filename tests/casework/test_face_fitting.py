"""How long a fit learns, what is tried, and what is said when there is too little."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tidewaiter.casework import face_fitting
from tidewaiter.casework.face_fitting import (
    FitRequest,
    check_training,
    fingerprint,
    network_in_use,
)
from tidewaiter.casework.face_material import FaceFile
from tidewaiter.errors import ConfigurationError, CorruptMedia, InputError, MissingWeights
from tidewaiter.settings import Limits
from tidewaiter.weights import own

PLAN = {"base": "b", "crops": "c", "folder": "f", "left_out": [], "rate": 1e-4, "seed": 0}


class Answering:
    """Tasks that are done as soon as they are asked for, by a function of their payload."""

    def __init__(self, folder: Path, answer) -> None:
        self.folder, self._answer, self.asked = folder, answer, []

    def do(self, phase, tasks, *, side_by_side):
        self.asked += [payload for _, payload in tasks]
        return [self._answer(payload) for _, payload in tasks]


@pytest.fixture
def request_(tmp_path) -> FitRequest:
    return FitRequest(
        genuine=tmp_path / "genuine",
        forged=None,
        out=tmp_path / "site",
        hours=1.0,
        pairs=None,
        rate=1e-4,
        seed=0,
        limits=Limits(),
    )


def length(request_, tmp_path, *, crops=400, seconds=1.0) -> int:
    tasks = Answering(tmp_path, lambda _payload: {"seconds": seconds})
    return face_fitting.pairs_to_learn(crops, PLAN, request_, tasks)


def test_more_crops_are_learned_from_longer(request_, tmp_path):
    assert length(request_, tmp_path, crops=400) == 16_000
    assert length(request_, tmp_path, crops=20) == 4_000
    assert length(request_, tmp_path, crops=10_000, seconds=0.01) == 60_000


def test_the_hours_bound_the_training(request_, tmp_path):
    """Four fifths of an hour at four seconds a step of 16 pairs."""
    assert length(request_, tmp_path, seconds=4.0) == 720 * 16


def test_pairs_asked_for_need_no_pace(request_, tmp_path):
    tasks = Answering(tmp_path, lambda _payload: pytest.fail("nothing should be measured"))
    assert face_fitting.pairs_to_learn(400, PLAN, replace(request_, pairs=100), tasks) == 96


def test_the_training_comes_in_slices_that_end_where_it_ends(request_, tmp_path):
    tasks = Answering(tmp_path, lambda _payload: {"loss": 0.5})
    face_fitting.learned({**PLAN, "pairs": 130 * 16}, tasks)
    assert [payload.get("until") for payload in tasks.asked] == [60, 120, 130, None]


def test_a_step_that_failed_ends_the_fit(tmp_path):
    tasks = Answering(tmp_path, lambda _payload: CorruptMedia("it breaks off"))
    with pytest.raises(CorruptMedia):
        face_fitting.learned({**PLAN, "pairs": 16}, tasks)


def files(count: int, *, held_out: bool, sources: int) -> list[FaceFile]:
    return [
        FaceFile(n, Path(f"{n}.jpg"), f"s{n % sources}", f"p{n}", forged=False, held_out=held_out)
        for n in range(count)
    ]


def test_of_many_files_every_source_is_tried_before_any_twice():
    chosen = face_fitting.evenly(files(100, held_out=True, sources=30), 45)
    counts = Counter(file.source for file in chosen)
    assert len(chosen) == 45
    assert len(counts) == 30
    assert max(counts.values()) == 2


def test_too_few_usable_sources_are_told_with_what_helps():
    enough = files(60, held_out=False, sources=30)
    with pytest.raises(InputError, match=r"30 sources .* 29 to judge on; 30 of each needed; add"):
        face_fitting._enough([*enough, *files(29, held_out=True, sources=29)])
    face_fitting._enough([*enough, *files(30, held_out=True, sources=30)])


def test_where_no_network_is_in_use_none_can_be_refitted(monkeypatch):
    monkeypatch.setattr(own, "SHIPPED", {})
    with pytest.raises(MissingWeights, match="ships no network"):
        network_in_use(None)


def test_a_folder_without_a_network_is_a_setting_to_correct(tmp_path):
    with pytest.raises(ConfigurationError, match="face_network"):
        network_in_use(tmp_path)


@pytest.mark.parametrize("library", ["torch", "onnx"])
def test_a_missing_library_is_named_with_its_extra(monkeypatch, library):
    monkeypatch.setattr(face_fitting, "find_spec", lambda name: None if name == library else name)
    with pytest.raises(MissingWeights, match=rf"^{library} is not .*tidewaiter\[training\]"):
        check_training()


def test_a_fit_is_another_when_files_network_or_options_are(request_, untrained_site, tmp_path):
    for number in range(80):
        path = request_.genuine / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    asked = replace(request_, face_network=untrained_site)
    marks = {fingerprint(asked), fingerprint(asked)}
    assert len(marks) == 1
    marks |= {fingerprint(replace(asked, seed=1)), fingerprint(replace(asked, pairs=16))}
    (request_.genuine / "7.jpg").write_bytes(b"changed")
    marks.add(fingerprint(asked))
    (request_.genuine / "broken link.jpg").symlink_to(tmp_path / "nowhere")
    marks.add(fingerprint(asked))
    assert len(marks) == 5
