"""The corpus behind the face network's figures: nothing trained on, nothing told by its saving."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

from face_clips import STILL_CLIP, clip_file, clip_tasks
from face_corpus import made, picture_tasks
from face_laundering import LAUNDERINGS, laundered
from face_measured import Measured, read_measured, write_measured
from face_splits import TRAIN
from face_tables import domain_rows, is_portrait, photo_rows, untouched

from tidewaiter.forgeries.pictures import decoded
from tidewaiter.opinion.choosing import ANY_DOMAIN

ROW = Measured(
    item="utkface/utkface/a.jpg",
    source="utkface/a.jpg",
    kind="utkface",
    part="report",
    label="as_issued",
    species="",
    shipping="saved alike",
    status="examined",
    score=-1.5,
    yaw=3.0,
    pitch=-4.0,
    faces=1.0,
)


@pytest.mark.parametrize("way", sorted(LAUNDERINGS))
def test_every_laundering_keeps_what_the_picture_shows(way: str) -> None:
    y, x = np.mgrid[0:96, 0:128]
    rgb = np.stack([x * 2, y * 2, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    after = decoded(laundered(rgb, way))
    assert after.shape[1] / after.shape[0] == pytest.approx(128 / 96, abs=0.05)
    assert not np.array_equal(after, rgb)
    left, right = after[:, : after.shape[1] // 4, :], after[:, -after.shape[1] // 4 :, :]
    assert right.mean() > left.mean() + 20


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    rows = [ROW, replace(ROW, shipping="as_received", score=None, status="not_applicable")]
    write_measured(file, rows)
    first = file.read_bytes()
    assert sorted(read_measured(file), key=str) == sorted(rows, key=str)
    write_measured(file, rows[::-1])
    assert file.read_bytes() == first


def test_a_host_counts_only_beside_its_forgery_and_a_replay_is_none() -> None:
    forged = replace(ROW, item=f"{ROW.item}/swap-poisson", label="manipulated")
    forged = replace(forged, species="swap-poisson", shipping="as_received")
    assert list(photo_rows([ROW])) == []
    assert list(photo_rows([ROW, forged])) == [ROW, forged]
    replay = replace(forged, item=f"{ROW.item}/recapture-screen", species="recapture-screen")
    assert list(photo_rows([ROW, replay])) == []
    received = replace(ROW, shipping="as_received")
    assert received not in list(photo_rows([ROW, forged, received]))


def test_a_portrait_is_one_level_frontal_face() -> None:
    assert is_portrait(ROW)
    for other in ({"yaw": 20.0}, {"pitch": -20.0}, {"faces": 2.0}, {"kind": "dfdc"}):
        assert not is_portrait(replace(ROW, **other))


@pytest.mark.shared
def test_no_picture_or_clip_was_trained_on_and_none_appears_twice(shared_data: Path) -> None:
    pictures, clips = picture_tasks(shared_data), clip_tasks(shared_data)
    for tasks in (pictures, clips):
        assert all(task.part != TRAIN for task in tasks)
        seen = Counter((task.truth.item, task.truth.shipping) for task in tasks)
        assert max(seen.values()) == 1
    assert not any(task.path in task.donors for task in pictures)


@pytest.mark.shared
def test_every_source_gives_as_many_genuine_as_forged_photos(shared_data: Path) -> None:
    rows = [
        Measured(
            **{name: getattr(task.truth, name) for name in task.truth.__dataclass_fields__},
            kind=task.kind,
            part=task.part,
            status="examined",
            score=0.0,
        )
        for task in picture_tasks(shared_data)
        if not task.truth.species.startswith("recapture")
    ]
    photos = domain_rows(rows, [])[ANY_DOMAIN]
    genuine = Counter(row.source for row in photos if row.label == "as_issued")
    forged = Counter(row.source for row in photos if row.label == "manipulated")
    assert genuine == forged
    fresh = sum(untouched(row) for row in photos) / len(photos)
    assert 0.25 < fresh < 0.42


@pytest.mark.shared
def test_a_forgery_differs_where_its_mask_says_and_is_made_the_same_twice(
    shared_data: Path,
) -> None:
    task = next(
        t
        for t in picture_tasks(shared_data)
        if t.truth.species == "retouch-features" and not t.laundering
    )
    once, again = made(task), made(task)
    assert once.data == again.data
    assert once.mask is not None
    host = decoded(task.path.read_bytes()).astype(int)
    change = np.abs(decoded(once.data).astype(int) - host).mean(axis=2)
    assert change[once.mask > 0.5].mean() > 1.5 * change[once.mask == 0].mean()


@pytest.mark.shared
def test_a_clip_of_a_still_moves_and_lasts(shared_data: Path, tmp_path: Path) -> None:
    import av

    task = next(t for t in clip_tasks(shared_data) if t.copy == STILL_CLIP)
    with av.open(str(clip_file(task, tmp_path))) as clip:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in clip.decode(video=0)]
    assert len(frames) == 24
    assert np.abs(frames[0] - frames[-1]).mean() > np.abs(frames[0] - frames[1]).mean() / 2 > 0
