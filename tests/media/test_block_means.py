"""Block means are those of OpenCV bit for bit: small pictures of earlier manifests rest on them."""

import numpy as np
import pytest

from tidewaiter.media.planes import block_means, summed_side


@pytest.mark.parametrize("side", range(3, 13))
def test_block_means_are_those_of_opencv(side):
    import cv2

    random = np.random.default_rng(side)
    padded = random.integers(0, 256, (side * 9, side * 16 + 32), dtype=np.uint8)
    half = np.zeros(side * side, np.uint8)
    half[: side * side // 2] = 1
    ties = np.tile(half.reshape(side, side), (9, 16)) + np.uint8(40)
    ties[:, side * 8 :] += 1
    for plane in (padded[:, : side * 16], ties, np.full_like(ties, 255)):
        expected = cv2.resize(plane, (16, 9), interpolation=cv2.INTER_AREA)
        assert np.array_equal(block_means(plane, side), expected)


def test_blocks_are_summed_only_where_they_fill_the_plane():
    plane = np.zeros((720, 1280), np.uint8)
    assert summed_side(plane, 320, 180) == 4
    assert summed_side(plane, 320, 181) == 0
    assert summed_side(plane[:, :1278], 320, 180) == 0
    assert summed_side(plane.astype(np.uint16), 320, 180) == 0
    assert summed_side(plane, 640, 360) == 0
    assert summed_side(plane, 1281, 720) == 0
