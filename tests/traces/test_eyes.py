"""Irises, pupils and highlights that were drawn are measured as drawn."""

import cv2
import numpy as np
import pytest

from tidewaiter.traces.base import Traces
from tidewaiter.traces.eyes import (
    DISC_SIZE,
    EyesInPicture,
    OneEye,
    highlight_overlap,
    highlights,
    iris_disc,
    pupil_residual,
)
from tidewaiter.traces.faces import PictureFaces
from tidewaiter.vocabulary import Box, MediaKind, Status

SEEN = np.hypot(*(np.indices((DISC_SIZE, DISC_SIZE)) - DISC_SIZE / 2)) < 44


def drawn(pupil=(20, 20), highlight=None, notch=0):
    disc = np.full((DISC_SIZE, DISC_SIZE), 110, np.uint8)
    cv2.ellipse(disc, (48, 48), pupil, 0, 0, 360, 30, -1)
    if notch:
        cv2.rectangle(disc, (48, 48 - notch // 2), (90, 48 + notch // 2), 110, -1)
    if highlight:
        cv2.circle(disc, highlight, 5, 250, -1)
    return disc.astype(np.float32)


def one(luma):
    return OneEye(
        np.zeros(2), 50.0, 0.2, np.zeros(2), 0.0, luma, SEEN, Box(left=0, top=0, width=1, height=1)
    )


def test_a_round_pupil_fits_its_ellipse():
    assert pupil_residual(drawn(), SEEN) < 0.05


def test_a_notched_pupil_does_not():
    assert pupil_residual(drawn(notch=14), SEEN) > 0.1


def test_without_a_pupil_there_is_no_residual():
    assert np.isnan(pupil_residual(np.full_like(drawn(), 80), SEEN))


def test_only_what_stands_out_is_a_highlight():
    assert not highlights(drawn(), SEEN).any()
    assert 60 < highlights(drawn(highlight=(35, 38)), SEEN).sum() < 110


@pytest.mark.parametrize(("other", "low", "high"), [((36, 40), 0.85, 1.0), ((66, 60), 0.0, 0.05)])
def test_highlights_overlap_where_one_light_is_mirrored(other, low, high):
    pair = one(drawn(highlight=(35, 38))), one(drawn(highlight=other))
    assert low <= highlight_overlap(*pair) <= high


def test_one_highlight_alone_cannot_be_compared():
    assert np.isnan(highlight_overlap(one(drawn(highlight=(35, 38))), one(drawn())))


def test_the_disc_leaves_out_what_lies_behind_the_lids():
    pixels = np.full((200, 200, 3), 90, np.uint8)
    outline = np.float32([[40, 100], [160, 100], [100, 85], [100, 115]])
    luma, seen = iris_disc(pixels, np.float32([100, 100]), 60.0, outline)
    assert luma.shape == seen.shape == (DISC_SIZE, DISC_SIZE)
    rows = np.flatnonzero(seen.any(1))
    assert 40 < np.ptp(rows) < 56


def test_a_picture_without_a_face_is_a_reason():
    taken = EyesInPicture().measure(None, Traces(MediaKind.PICTURE, {"faces": PictureFaces(())}))
    assert taken.status is Status.NOT_APPLICABLE
