"""Drawn evidence: places, colours, numbers and links end up where the numbers say."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from tests.report.samples import declined, picture, video
from tidewaiter.media.material import Picture
from tidewaiter.report import drawing, scale
from tidewaiter.report.bulk import finish_evidence, frames_needed
from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.vocabulary import Box, HeatMap, MediaKind, Regions, Status, tr

GREY = np.full((600, 800, 3), 128, np.uint8)


@dataclass(frozen=True)
class Measured:
    values: np.ndarray
    curve: np.ndarray


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def rgb_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def blank_map(values: np.ndarray, **changes: object) -> np.ndarray:
    on = drawing.ground(GREY, 800, 600)
    known = {"ends": (0.0, 1.0), "area": None, "regions": ()} | changes
    return opened(drawing.heat_map(on, values, **known))


def test_low_is_blue_high_is_yellow_and_beyond_takes_the_end() -> None:
    drawn = rgb_of(
        drawing.heat_map(
            drawing.ground(GREY, 800, 600), np.array([[-5.0, 1.0, 9.0]]), (0.0, 1.0), None, ()
        )
    )
    low, high, beyond = drawn[300, 50], drawn[300, 400], drawn[300, 750]
    assert low[2] > low[0]
    assert high[0] > high[2] + 80
    assert (beyond == high).all()


def test_what_was_not_measured_shows_the_bare_picture() -> None:
    drawn = blank_map(np.array([[np.nan, 0.5]]))
    assert drawn[300, 100] == scale.BARE + 8
    assert drawn[300, 700] < scale.BARE


def test_a_map_with_an_area_covers_only_that() -> None:
    drawn = blank_map(np.ones((2, 2)), area=Box(left=200, top=150, width=400, height=300))
    inside = drawn < scale.BARE
    assert inside[150:450, 200:600].all()
    assert inside.sum() == 300 * 400


def test_reducing_keeps_the_strongest_value_of_a_cell() -> None:
    values = np.zeros((6000, 8000))
    values[4001, 5003] = 1.0
    drawn = blank_map(values)
    assert (drawn == (len(scale.STEPS) - 1) * scale.GREYS + 8).sum() == 1
    assert drawn[400, 500] == (len(scale.STEPS) - 1) * scale.GREYS + 8


def test_enlarging_shows_blocks_not_a_blur() -> None:
    drawn = blank_map(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert set(np.unique(drawn)) == {8, (len(scale.STEPS) - 1) * scale.GREYS + 8}
    assert drawn[299, 399] == 8
    assert drawn[299, 400] != 8


@pytest.mark.parametrize("size", [(4000, 3000), (1200, 10), (64, 48), (1, 1), (3, 5000)])
def test_drawn_pictures_have_a_bounded_size(size: tuple[int, int]) -> None:
    on = drawing.ground(np.zeros((size[1], size[0], 3), np.uint8), *size)
    drawn = opened(drawing.boxes(on, (Box(left=0, top=0, width=1, height=1),), ()))
    assert max(drawn.shape) <= drawing.MAX_SIDE
    assert max(drawn.shape) >= min(max(size), drawing.MIN_SIDE)


def test_a_box_is_outlined_where_it_lies_and_numbered() -> None:
    drawn = opened(
        drawing.boxes(
            drawing.ground(GREY, 800, 600), (Box(left=300, top=200, width=200, height=100),), ()
        )
    )
    inked = np.argwhere(drawn >= scale.BLACK)
    assert abs(inked.min(axis=0) - [200, 300]).max() <= 3
    assert abs(inked.max(axis=0) - [300, 500]).max() <= 4
    assert not (drawn[240:290, 340:490] >= scale.BLACK).any()
    assert (drawn[200:226, 300:320] == scale.WHITE).sum() > 50


def test_boxes_beyond_the_picture_do_no_harm() -> None:
    wild = (
        Box(left=-500, top=-5, width=10, height=9000),
        Box(left=790, top=590, width=50, height=50),
    )
    assert opened(drawing.boxes(drawing.ground(GREY, 800, 600), wild, ((0, 1),))).shape == (
        600,
        800,
    )


def test_a_copy_is_dashed_its_origin_is_not() -> None:
    places = (
        Box(left=100, top=100, width=200, height=150),
        Box(left=500, top=350, width=200, height=150),
    )
    drawn = opened(drawing.boxes(drawing.ground(GREY, 800, 600), places, ((0, 1),)))
    solid, dashed = drawn[249, 110:290] == scale.WHITE, drawn[499, 510:690] == scale.WHITE
    assert solid.all()
    assert 0.3 < dashed.mean() < 0.7
    assert drawn[300, 400] in (scale.WHITE, scale.BLACK)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_evidence_turns_with_the_picture(orientation: int) -> None:
    """Mark a place in the stored pixels and as evidence; upright they must coincide."""
    stored = np.zeros((480, 640, 3), np.uint8)
    stored[60:120, 400:560] = 255
    shown = Picture(picture().report.exhibit, b"", "png", stored, orientation).upright
    on = drawing.ground(stored, 640, 480, orientation)
    values = np.zeros((48, 64))
    values[6:12, 40:56] = 1.0
    drawn = opened(drawing.heat_map(on, values, (0.0, 1.0), None, ()))
    assert drawn.shape == shown.shape[:2]
    high = drawn >= (len(scale.STEPS) - 1) * scale.GREYS
    assert (high == (shown[..., 0] == 255)).all()
    area = Box(left=400, top=60, width=160, height=60)
    covered = opened(drawing.heat_map(on, np.ones((2, 2)), (0.0, 1.0), area, ())) < scale.BARE
    assert (covered == high).all()


def test_numbers_are_drawn_as_figures() -> None:
    plain = Image.new("L", (100, 60), 128)
    drawing._number(plain, 17, 0, 0)
    plate = np.asarray(plain)[: 9 * drawing.DOT + 2, : 13 * drawing.DOT + 2]
    dots = (
        plate[1 + drawing.DOT // 2 :: drawing.DOT, 1 + drawing.DOT // 2 :: drawing.DOT]
        == scale.BLACK
    )
    rows = ["".join("#" if dot else "." for dot in row) for row in dots[1:8, 1:12]]
    assert rows[0] == "..#...#####"
    assert rows[6] == ".###...#..."


def test_a_drawing_is_the_same_twice_and_small() -> None:
    first, second = picture(), picture()
    assert first.pictures == second.pictures
    assert all(len(png) < 400_000 for png in first.pictures.values())


def test_digests_name_the_bytes() -> None:
    sample = picture()
    named = [
        i.sha256
        for f in sample.report.findings
        for i in f.evidence
        if isinstance(i, HeatMap | Regions)
    ]
    assert set(named) == set(sample.pictures)
    assert all(hashlib.sha256(png).hexdigest() == digest for digest, png in sample.pictures.items())


def _finished(trace: object, field: str = "values") -> HeatMap:
    item = HeatMap(caption=tr("c"), trace="t", field=field, low=0, high=1, unit=tr("u"))
    sample = declined().report
    finding = sample.findings[0].model_copy(update={"evidence": (item,)})
    report = sample.model_copy(update={"findings": (finding,)})
    traces = Traces(MediaKind.PICTURE, {} if trace is None else {"t": trace})
    finished, pictures = finish_evidence(report, traces, GREY)
    drawn = finished.findings[0].evidence[0]
    assert bool(pictures) == (drawn.sha256 is not None)
    return drawn


@pytest.mark.parametrize(
    ("trace", "field"),
    [
        (None, "values"),
        (Untaken(Status.FAILED, tr("no")), "values"),
        (Measured(np.ones((2, 2)), np.ones(3)), "absent"),
        (Measured(np.ones((2, 2)), np.ones(3)), "curve"),
        (Measured(np.ones((0, 2)), np.ones(3)), "values"),
    ],
)
def test_evidence_that_cannot_be_drawn_keeps_no_digest(trace: object, field: str) -> None:
    assert _finished(trace, field).sha256 is None


def test_evidence_that_can_be_drawn_is_named() -> None:
    assert _finished(Measured(np.ones((2, 2)), np.ones(3))).sha256


def test_a_pair_without_its_box_is_not_drawn() -> None:
    item = Regions(caption=tr("c"), boxes=(Box(left=0, top=0, width=5, height=5),), pairs=((0, 7),))
    sample = declined().report
    finding = sample.findings[0].model_copy(update={"evidence": (item,)})
    _, pictures = finish_evidence(
        sample.model_copy(update={"findings": (finding,)}), Traces(MediaKind.PICTURE, {}), GREY
    )
    assert not pictures


def test_a_video_says_which_frames_it_needs_and_does_without() -> None:
    report = video().report
    assert frames_needed(report) == (3.2,)
    finished, pictures = finish_evidence(
        report.model_copy(update={"findings": report.findings[1:2]}),
        Traces(MediaKind.VIDEO, {}),
        {},
    )
    assert not pictures
    assert finished.opinions == report.opinions


def test_a_reduced_frame_is_drawn_in_the_pixels_of_the_video() -> None:
    """The exhibit is 1280 x 720 and the frame 640 x 360: a box at 560 lies at 280."""
    report = video().report
    frame = np.full((360, 640, 3), 128, np.uint8)
    _, pictures = finish_evidence(report, Traces(MediaKind.VIDEO, {}), {3.2: frame})
    drawn = opened(next(iter(pictures.values())))
    assert drawn.shape == (360, 640)
    assert abs(np.argwhere(drawn >= scale.BLACK).min(axis=0) - [90, 280]).max() <= 3


def test_the_preview_is_upright_small_and_in_colour() -> None:
    stored = np.zeros((500, 2000, 3), np.uint8)
    stored[..., 0] = 200
    shown = np.asarray(Image.open(io.BytesIO(drawing.preview(stored, orientation=6))))
    assert shown.shape == (800, 200, 3)
    assert shown[..., 0].mean() > 150 > shown[..., 1].mean()
