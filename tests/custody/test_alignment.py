from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.custody import alignment
from tidewaiter.custody.alignment import FOREIGN, align
from tidewaiter.custody.runs import changes_of, runs_of

FRAMES = 300


def walk(count: int, seed: int = 0, values: int = 24) -> np.ndarray:
    """Rows that drift as a moving scene does."""
    random = np.random.default_rng(seed)
    return np.cumsum(random.normal(0, 0.15, (count, values)), axis=0).astype(np.float32)


def noisy(rows: np.ndarray, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (rows + random.normal(0, 0.01, rows.shape)).astype(np.float32)


ORIGINAL = walk(FRAMES)


def changes(order, *, shortest: int = 3, foreign=None):
    rows = noisy(ORIGINAL[np.array(order)])
    if foreign is not None:
        rows[slice(*foreign)] = walk(foreign[1] - foreign[0], seed=9) + 30
    found = align(ORIGINAL, rows)
    return changes_of(runs_of(found.path), FRAMES, shortest)


@pytest.fixture(params=["whole", "in bands"])
def way(request, monkeypatch):
    if request.param == "in bands":
        monkeypatch.setattr(alignment, "MOST_PAIRS", 12_000)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("kind", "order", "place"),
    [
        ("removed", [*range(100), *range(140, 300)], (100, 100)),
        ("removed", list(range(60, 300)), (0, 0)),
        ("removed", list(range(250)), (250, 250)),
        ("repeated", [*range(200), *range(150, 200), *range(200, 300)], (200, 250)),
        ("replaced", [*range(200), *range(50, 90), *range(240, 300)], (200, 240)),
        ("frozen", [*range(120), *([120] * 40), *range(160, 300)], (120, 160)),
        ("sped_up", [*range(100), *range(100, 180, 2), *range(180, 300)], (100, 140)),
    ],
)
def test_an_edit_is_placed(kind, order, place):
    found = changes(order)
    assert kind in [change.kind for change in found]
    change = next(change for change in found if change.kind == kind)
    assert abs(change.copy[0] - place[0]) <= 3
    assert abs(change.copy[1] - place[1]) <= 3


@pytest.mark.usefixtures("way")
def test_an_untouched_copy_shows_no_change():
    assert changes(range(FRAMES), shortest=1) == []


@pytest.mark.usefixtures("way")
def test_foreign_rows_are_replaced_by_nothing_known():
    [change] = changes(range(FRAMES), foreign=(80, 120))
    assert change.kind == "replaced"
    assert change.copy == (80, 120)
    assert change.from_original is None


def test_frames_that_show_nothing_are_foreign_and_have_no_distance():
    rows = noisy(ORIGINAL)
    rows[50:90] += 40
    found = align(ORIGINAL, rows)
    assert set(found.path[52:88]) == {FOREIGN}
    assert np.isnan(found.distance[52:88]).all()
    assert np.isfinite(found.distance[:45]).all()


def test_swapped_stretches_are_moved():
    order = [*range(50), *range(200, 240), *range(90, 200), *range(50, 90), *range(240, 300)]
    assert [change.kind for change in changes(order)] == ["moved", "moved"]


def test_reversed_footage_is_named():
    kinds = [c.kind for c in changes([*range(100), *range(159, 99, -1), *range(160, 300)])]
    assert kinds
    assert set(kinds) <= {"reversed", "replaced"}


def test_one_frame_is_enough():
    assert list(align(ORIGINAL[:1], ORIGINAL[:1]).path) == [0]


class Made:
    """Rows that are made when they are asked for."""

    def __init__(self, rows):
        self.rows = rows
        self.most = 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, places):
        made = self.rows[places]
        self.most = max(self.most, len(made))
        return made


def test_rows_are_asked_for_some_at_a_time(monkeypatch):
    monkeypatch.setattr(alignment, "MOST_PAIRS", 12_000)
    monkeypatch.setattr(alignment, "PIECE", 32)
    copy = noisy(ORIGINAL[np.r_[0:100, 140:300]])
    ours, theirs = Made(ORIGINAL), Made(copy)
    found = align(ours, theirs)
    whole = align(ORIGINAL, copy)
    assert np.array_equal(found.path, whole.path)
    assert np.array_equal(found.distance, whole.distance)
    assert max(ours.most, theirs.most) < FRAMES / 2


def test_bands_and_the_coarse_path_stay_in_balance():
    steps = {hours: alignment._coarse_step(90_000 * hours, 90_000 * hours) for hours in (1, 4, 6)}
    assert steps == {1: 29, 4: 45, 6: 52}
    assert alignment._coarse_step(2400, 2400) == 1
    assert alignment._coarse_step(45_000, 45_000) == 19
