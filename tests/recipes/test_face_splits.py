"""The split of faces keeps what depends together on one side."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

from face_splits import (
    FFPP_FOLDS,
    dfdc_faces,
    ffpp_clips,
    lfw_faces,
    pair_of,
    part_of,
    utkface_faces,
)


def test_parts_are_about_seven_one_two_tenths() -> None:
    parts = Counter(part_of(f"name {n}") for n in range(5000))
    assert abs(parts["train"] / 5000 - 0.7) < 0.03
    assert abs(parts["validate"] / 5000 - 0.1) < 0.02
    assert abs(parts["report"] / 5000 - 0.2) < 0.03


def test_part_of_a_name_never_changes() -> None:
    assert [part_of(name) for name in ("aaavflklag", "aabjfjbpir", "Abel_Pacheco")] == [
        "train",
        "report",
        "train",
    ]


def test_both_clips_of_a_pair_and_both_people_are_one_source() -> None:
    assert {pair_of(name) for name in ("183", "253", "183_253", "253_183")} == {"183_253"}
    assert not set(FFPP_FOLDS[0]) & set(FFPP_FOLDS[1])


@pytest.mark.shared
def test_no_source_of_the_real_data_is_in_two_parts(shared_data: Path) -> None:
    for listing in (dfdc_faces, utkface_faces, lfw_faces, ffpp_clips):
        parts = defaultdict(set)
        for file in listing(shared_data):
            parts[file.source].add(file.part)
        assert parts
        assert all(len(found) == 1 for found in parts.values())


@pytest.mark.shared
def test_train_only_crops_always_train_and_every_forgery_has_its_original(
    shared_data: Path,
) -> None:
    files = list(dfdc_faces(shared_data))
    reported = [file for file in files if file.part == "report"]
    genuine = {file.source for file in reported if not file.forged}
    assert {file.source for file in reported if file.forged} <= genuine
    assert 380 <= len(genuine) <= 480
    assert sum(file.part == "train" for file in files) > 6000
