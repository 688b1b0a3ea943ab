from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import material


def test_every_listed_photograph_has_a_digest_a_size_and_a_licence():
    rows = material.listed_photographs()
    assert len(rows) >= 30
    assert len({row.sha256 for row in rows}) == len(rows)
    assert all(len(row.sha256) == 64 and row.width >= 1000 and row.licence for row in rows)


def test_a_missing_photograph_names_the_command_that_fetches_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fetch_photographs\.py"):
        next(material.photographs(tmp_path))


def test_a_changed_photograph_is_refused(tmp_path):
    from tidewaiter.forgeries.pictures import jpeg_bytes

    row = material.listed_photographs()[0]
    place = tmp_path / row.package / row.name
    place.parent.mkdir(parents=True)
    place.write_bytes(jpeg_bytes(np.zeros((8, 8, 3), np.uint8), 90))
    with pytest.raises(ValueError, match="differs"):
        next(material.photographs(tmp_path))


def test_an_absent_data_folder_is_named(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(FileNotFoundError, match="lfw_deepfunneled"):
        next(material.genuine_pictures(tmp_path, kinds=["lfw"], rng=rng, per_source=1))


@pytest.mark.shared
def test_no_source_gives_more_than_asked_and_the_seed_decides(shared_data):
    def taken(seed):
        pictures = material.genuine_pictures(
            shared_data, kinds=["ecuador", "lfw"], rng=np.random.default_rng(seed), per_source=2
        )
        return [(picture.source, picture.name) for picture in pictures]

    first = taken(1)
    assert max(Counter(source for source, _ in first).values()) == 2
    assert first == taken(1)
    assert first != taken(2)


@pytest.mark.shared
def test_frames_come_with_their_clip_as_source(shared_data):
    rng = np.random.default_rng(0)
    pictures = material.genuine_pictures(shared_data, kinds=["ffpp"], rng=rng, per_source=1)
    first = next(pictures)
    assert first.data is None
    assert first.rgb.ndim == 3
    assert material.source_group(first) == "ffpp/183-253"


@pytest.mark.shared
def test_only_real_faces_of_dfdc_are_taken(shared_data):
    assert 5000 < len(material.KINDS["dfdc"](shared_data)) < 5400
