"""Stored crops: the face in the middle, points where they lie, kept once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.forgeries.drawn_faces import face
from tidewaiter.training import crops as storing
from tidewaiter.training.crops import CropItem, cut_face, read_crops, store_crops

WHOLE = face(3, 640)


def item(name: str) -> CropItem:
    return CropItem(name, "site", name, name, forged=False)


@pytest.fixture
def found(monkeypatch):
    """The mesh is where it was drawn, without a network; files called "empty" show no face."""
    looked = []

    def located(picture):
        looked.append(picture.exhibit.name)
        if picture.exhibit.name.startswith("empty"):
            return None
        return cut_face(picture.upright, WHOLE.points)

    monkeypatch.setattr(storing, "largest_face", located)
    return looked


def test_a_crop_holds_the_whole_mesh_in_its_middle():
    crop, points, side = cut_face(WHOLE.pixels, WHOLE.points)
    assert crop.shape == (256, 256, 3)
    assert points.shape == (468, 2)
    low, high = points.min(0), points.max(0)
    assert np.abs((low + high) / 2 - 127.5).max() < 1.5
    assert (high - low).max() == pytest.approx(255 / 1.45, rel=0.01)
    extent = (WHOLE.points.max(0) - WHOLE.points.min(0)).max()
    assert side == pytest.approx(1.45 * extent, rel=0.02)


def test_points_of_a_crop_lie_on_the_same_pixels():
    crop, points, _ = cut_face(WHOLE.pixels, WHOLE.points)
    for corner in (33, 263, 13, 4):
        x, y = np.round(WHOLE.points[corner]).astype(int)
        u, v = np.round(points[corner]).astype(int)
        there = WHOLE.pixels[y - 4 : y + 5, x - 4 : x + 5].mean((0, 1))
        here = crop[v - 2 : v + 3, u - 2 : u + 3].mean((0, 1))
        assert np.abs(there - here).max() < 25


def test_a_turned_face_is_put_level():
    turned = face(3, 640, angle=0.3)
    _, points, _ = cut_face(turned.pixels, turned.points)
    assert abs(points[33][1] - points[263][1]) < 0.5


def test_a_shard_holds_faces_and_leaves_out_the_rest(found, tmp_path):
    for name in ("a.png", "empty.png"):
        Image.fromarray(WHOLE.pixels).save(tmp_path / name)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    items = [item(str(tmp_path / name)) for name in ("a.png", "empty.png", "broken.jpg", "no.png")]
    base = tmp_path / "stored" / "00000"
    base.parent.mkdir()
    storing._store_shard((base, items))
    stored = read_crops(base.parent)
    assert [kept.path for kept in stored.items] == [items[0].path]
    assert np.asarray(stored.pixels[0]).shape == (256, 256, 3)
    assert stored.side[0] > 256


def test_what_is_stored_already_is_kept(found, tmp_path):
    Image.fromarray(WHOLE.pixels).save(tmp_path / "a.png")
    folder = tmp_path / "stored"
    folder.mkdir()
    items = [item(str(tmp_path / "a.png"))]
    storing._store_shard((folder / "00000", items))
    before = (folder / "00000.json").stat().st_mtime_ns
    assert len(store_crops(items, folder).items) == 1
    assert (folder / "00000.json").stat().st_mtime_ns == before


def test_a_shard_without_faces_is_no_obstacle(found, tmp_path):
    (tmp_path / "00000.json").write_text("[]", encoding="utf-8")
    assert read_crops(tmp_path).items == ()


def test_chosen_crops_keep_their_order_and_their_values(found, tmp_path):
    from tests.training.drawn_crops import crops

    all_of_them = crops(4, forged=2)
    genuine = all_of_them.chosen(lambda kept: not kept.forged)
    assert [kept.source for kept in genuine.items] == ["s0", "s1", "s2", "s3"]
    assert genuine.pixels[2] is all_of_them.pixels[2]
    assert len(genuine.points) == len(genuine.side) == 4
