"""Whose a file is, which side it is on, and what is kept of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.forgeries.drawn_faces import face
from tests.training.drawn_crops import crops
from tidewaiter.casework import face_material
from tidewaiter.casework.face_material import (
    FEWEST_HELD_OUT,
    FaceFile,
    _Found,
    cut,
    face_files,
    held_out_sources,
    kept_faces,
    pack,
    paired,
    read_hosts,
)
from tidewaiter.errors import CorruptMedia, InputError, StorageError, UnsupportedMedia
from tidewaiter.settings import Limits
from tidewaiter.testing.samples import untouched_picture
from tidewaiter.training.crops import cut_face, read_crops

NAMES = [f"person {n:02d}/picture {k}.jpg" for n in range(100) for k in range(2)]


@pytest.fixture
def site(tmp_path):
    """A hundred people with two pictures each; contents do not matter."""
    for name in NAMES:
        path = tmp_path / "genuine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def put(site: Path, *names: str) -> None:
    for name in names:
        path = site / "forged" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def listed(site: Path, *, forged: bool = False, seed: int = 0) -> list[FaceFile]:
    folder = site / "forged" if forged else None
    return face_files(site / "genuine", folder, out=site / "out", seed=seed)


def test_files_of_a_subfolder_are_one_source_on_one_side(site):
    sides: dict[str, set[bool]] = {}
    for file in listed(site):
        sides.setdefault(file.source, set()).add(file.held_out)
    assert len(sides) == 100
    assert all(len(side) == 1 for side in sides.values())
    assert sum(side == {True} for side in sides.values()) == 40


def test_the_split_is_the_same_again_and_another_with_another_seed(site):
    assert listed(site) == listed(site)
    sides = [{f.source for f in listed(site, seed=seed) if f.held_out} for seed in (0, 1)]
    assert sides[0] != sides[1]


def test_most_sources_stay_where_they_are_when_others_are_added():
    few = {f"s{n}" for n in range(100)}
    many = few | {f"t{n}" for n in range(100)}
    before, after = held_out_sources(few, 0), held_out_sources(many, 0) & few
    assert len(before ^ after) < 20


def test_at_least_so_many_sources_are_held_out():
    assert len(held_out_sources({f"s{n}" for n in range(80)}, 0)) == FEWEST_HELD_OUT


def test_too_few_sources_are_refused_in_one_sentence(tmp_path):
    for number in range(79):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"^79 independent sources of genuine faces; 80 needed;"):
        face_files(tmp_path, None, out=tmp_path / "out", seed=0)


def test_empty_folders_are_refused_by_name(site):
    (site / "empty").mkdir()
    with pytest.raises(InputError, match="'empty' holds no files"):
        face_files(site / "empty", None, out=site / "out", seed=0)
    with pytest.raises(InputError, match="'empty' holds no files; put forged"):
        face_files(site / "genuine", site / "empty", out=site / "out", seed=0)


def test_forged_files_join_the_genuine_they_are_named_after(site):
    put(site, "person 03/picture 1_swapped.png", "person 03/other.png", "stranger/x.png")
    forged = {f.path.name: f for f in listed(site, forged=True) if f.forged}
    sides = {f.source: f.held_out for f in listed(site) if not f.forged}
    assert forged["picture 1_swapped.png"].pair == "person 03/picture 1"
    assert forged["other.png"].source == "person 03"
    assert forged["x.png"].source == "stranger"
    for name in ("picture 1_swapped.png", "other.png"):
        assert forged[name].held_out == sides["person 03"]


def test_a_longer_name_is_not_a_beginning(site):
    """`picture 1` is not what `picture 10` was made of."""
    put(site, "person 03/picture 10.png")
    (forged,) = (f for f in listed(site, forged=True) if f.forged)
    assert forged.pair == "person 03/picture 10"


def test_every_forged_file_gets_a_genuine_partner(site):
    put(site, "person 03/other.png", "stranger/x.png")
    files = paired(listed(site, forged=True))
    genuine = {f.pair for f in files if not f.forged}
    partners = {f.path.name: f.pair for f in files if f.forged}
    assert partners["other.png"].startswith("person 03/")
    assert set(partners.values()) <= genuine
    assert paired(listed(site, forged=True)) == files


def test_hostile_names_are_only_names(site):
    names = ["x\\..", "a\nb", "\u202egpj.exe", "$(rm -rf)", "'; --"]
    for name in names:
        (site / "genuine" / f"{name}.jpg").write_bytes(b"x")
    sources = {f.source for f in listed(site)}
    assert set(names) <= sources


def test_a_copy_counts_once():
    files = [
        FaceFile(n, Path(f"{n}.jpg"), f"s{n}", f"s{n}", forged=False, held_out=n == 1)
        for n in range(3)
    ]
    digest = hashlib.sha256(b"same").hexdigest()
    results = [{"faces": 1, "sha256": digest}, {"faces": 1, "sha256": digest}]
    results.append({"faces": 0, "sha256": "other"})
    assert list(kept_faces(zip(files, results, strict=True))) == [files[0]]


@pytest.fixture
def located(monkeypatch):
    drawn = face(3, 1600)
    monkeypatch.setattr(face_material, "_face", lambda _picture: _Found(drawn.pixels, drawn.points))
    return drawn


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(untouched_picture())
    return path


def test_of_a_held_out_picture_the_whole_is_kept_smaller(located, picture, tmp_path):
    result = cut(picture, tmp_path / "0.npz", held_out=True, limits=Limits())
    ((pixels, points),) = read_hosts(tmp_path / "0.npz")
    assert result["faces"] == 1
    assert result["sha256"] == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert max(pixels.shape) == 1280
    assert np.abs(points / 1280 - located.points / 1600).max() < 1e-3


def test_of_others_the_crop_is_kept(located, picture, tmp_path):
    cut(picture, tmp_path / "0.npz", held_out=False, limits=Limits())
    crop, points, side = cut_face(located.pixels, located.points)
    with np.load(tmp_path / "0.npz") as stored:
        assert (stored["pixels"][0] == crop).all()
        assert (stored["points"][0] == points).all()
        assert stored["sides"][0] == pytest.approx(side)


def test_a_picture_without_a_face_leaves_nothing(picture, tmp_path):
    result = cut(picture, tmp_path / "0.npz", held_out=False, limits=Limits())
    assert result["faces"] == 0
    assert not (tmp_path / "0.npz").exists()


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (tmp_path / "text.txt").write_text("a list of names", encoding="utf-8")
    for name in ("broken.jpg", "text.txt"):
        with pytest.raises((CorruptMedia, UnsupportedMedia)):
            cut(tmp_path / name, tmp_path / "0.npz", held_out=False, limits=Limits())


def test_a_folder_that_cannot_be_written_is_a_storage_error(located, picture, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="faces could not be kept"):
        cut(picture, tmp_path / "file" / "0.npz", held_out=False, limits=Limits())


def test_packed_crops_are_read_as_a_training_reads_them(tmp_path):
    made = crops(3)
    files = [
        FaceFile(n, Path(f"{n}.jpg"), f"s{n}", f"p{n}", forged=n == 2, held_out=False)
        for n in range(3)
    ]
    cut_into = {}
    for number, file in enumerate(files):
        cut_into[file.number] = tmp_path / f"{number}.npz"
        face_material._write(
            cut_into[file.number],
            {
                "pixels": np.stack([made.pixels[number]] * (number + 1)),
                "points": np.stack([made.points[number]] * (number + 1)),
                "sides": np.full(number + 1, 200.0),
            },
        )
    assert pack(files, cut_into, tmp_path / "crops") == 6
    read = read_crops(tmp_path / "crops")
    assert [item.source for item in read.items] == ["s0", "s1", "s1", "s2", "s2", "s2"]
    assert [item.forged for item in read.items] == [False] * 3 + [True] * 3
    assert (np.asarray(read.pixels[1]) == made.pixels[1]).all()
