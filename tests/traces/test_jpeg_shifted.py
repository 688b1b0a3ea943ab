from __future__ import annotations

import cv2
import numpy as np
import pytest

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes, jpeg_history
from tidewaiter.media import Picture
from tidewaiter.traces.base import Untaken, collect_picture
from tidewaiter.traces.jpeg_ghosts import QUALITIES as GHOST_QUALITIES
from tidewaiter.traces.jpeg_ghosts import JpegGhosts
from tidewaiter.traces.jpeg_shifted import (
    FREQUENCIES,
    JpegShifted,
    _sampled,
    shift_agreement,
    shifted_of,
)
from tidewaiter.vocabulary import Exhibit, MediaKind

SIDE = 448


def scene(seed: int, side: int = SIDE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    layers = [
        cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)).astype(np.float32), (0, 0), s) * s
        for s in (0.7, 1.5, 4, 12)
    ]
    return np.clip(128 + 45 * sum(layers), 0, 255).astype(np.uint8)


def taken(data: bytes, name: str):
    exhibit = Exhibit(
        sha256="0" * 64, byte_length=len(data), name="x", kind=MediaKind.PICTURE, media_type="x/y"
    )
    return collect_picture(Picture(exhibit, data, "JPEG", decoded(data)), [name])[name]


def pasted(donor_quality: int, last: int, *, top: int = 203, left: int = 101) -> bytes:
    """A square of 160 px of one JPEG pasted at (203, 101): its grid is shifted by (3, 5)."""
    rgb = scene(1).copy()
    donor = jpeg_history(scene(2), [donor_quality])
    rgb[top : top + 160, left : left + 160] = donor[:160, :160]
    return jpeg_bytes(rgb, last)


@pytest.mark.parametrize(("first", "last"), [(60, 90), (75, 92), (80, 95)])
def test_a_shifted_part_is_found_with_its_shift_quality_and_place(first, last):
    found: JpegShifted = taken(pasted(first, last), "jpeg.shifted")
    assert found.score > 8
    assert found.shift == (203 % 8, 101 % 8)
    assert abs(found.first_quality - first) <= 5
    top, left = found.at[0] * found.cell_px, found.at[1] * found.cell_px
    assert 203 - 64 <= top <= 203 + 160 - 64
    assert 101 - 64 <= left <= 101 + 160 - 64
    assert found.shifted_map.max() == pytest.approx(found.score)


@pytest.mark.parametrize("qualities", [[90], [95], [70, 90], [80, 95]])
def test_an_unaltered_picture_scores_low(qualities):
    data = jpeg_bytes(jpeg_history(scene(4), qualities[:-1]), qualities[-1])
    assert taken(data, "jpeg.shifted").score < 7


def test_cropping_and_saving_again_is_not_taken_for_a_pasted_part():
    cropped = np.ascontiguousarray(jpeg_history(scene(5), [70])[3:, 5:])
    found: JpegShifted = taken(jpeg_bytes(cropped, 92), "jpeg.shifted")
    assert found.whole_picture > 5
    assert found.score < 7


def test_thinned_sampling_takes_whole_blocks_of_the_asked_grid():
    luma = np.rint(scene(6)[..., 0].astype(np.float32))
    full = _sampled(luma, (3, 5), 1, [6, 6])
    thin = _sampled(luma, (3, 5), 2, [3, 3])
    assert thin.shape == (len(FREQUENCIES), 24, 24)
    assert thin == pytest.approx(full[:, ::2, ::2], abs=1e-2)


def test_a_thinned_search_still_finds_the_shift():
    rgb = scene(1, 832)
    rgb[203:523, 101:421] = jpeg_history(scene(2), [60])[:320, :320]
    stored = taken(jpeg_bytes(rgb, 92), "jpeg.coefficients")
    found = shifted_of(stored, every=2)
    assert found.shift == (3, 5)
    assert found.cell_px == 128


def test_agreement_of_noise_has_the_size_that_chance_gives():
    luma = np.random.default_rng(0).normal(128, 60, (263, 263)).astype(np.float32)
    agreement, active = shift_agreement(luma, 1)
    assert active > 0.8
    assert agreement[:, -4:].std() == pytest.approx(1, abs=0.15)
    assert abs(agreement[:, -4:].mean()) < 0.3


@pytest.mark.parametrize("name", ["jpeg.shifted", "jpeg.ghosts"])
@pytest.mark.parametrize("shape", [(1, 1), (100, 90), (64, 3000)])
def test_too_little_picture_is_not_applicable(name, shape):
    found = taken(jpeg_bytes(np.full((*shape, 3), 120, np.uint8), 90), name)
    assert isinstance(found, Untaken)
    assert "needed" in str(found.reason)


def test_a_flat_picture_ends_in_numbers():
    found: JpegShifted = taken(jpeg_bytes(np.full((300, 301), 99, np.uint8), 90), "jpeg.shifted")
    assert found.score == 0
    assert found.active_share == 0


def test_a_ghost_lies_where_a_coarser_part_was_pasted_on_the_grid():
    rgb = scene(7).copy()
    rgb[160:320, 96:256] = jpeg_history(scene(8), [60])[160:320, 96:256]
    found: JpegGhosts = taken(jpeg_bytes(rgb, 92), "jpeg.ghosts")
    inside = found.ghost_map[11:19, 7:15].mean()
    outside = np.delete(found.ghost_map, np.s_[9:21], axis=0).mean()
    assert abs(found.ghost_quality - 60) <= 4
    assert inside < 0.5 * outside


def test_the_curve_dips_at_the_first_of_two_savings():
    found: JpegGhosts = taken(jpeg_bytes(jpeg_history(scene(9), [65]), 92), "jpeg.ghosts")
    around = np.array(found.difference)[: GHOST_QUALITIES.index(80)]
    assert abs(GHOST_QUALITIES[int(np.argmin(around))] - 65) <= 1


def test_a_coarse_file_has_no_room_for_ghosts():
    found = taken(jpeg_bytes(scene(1), 45), "jpeg.ghosts")
    assert isinstance(found, Untaken)
    assert "JPEG quality 45" in str(found.reason)
