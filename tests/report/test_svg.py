"""Drawings: points where the numbers say, gaps as gaps, marks and ticks inside."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.samples import calibration, opinion
from tidewaiter.report import svg
from tidewaiter.report.axes import Axis, axis, tick_label, time_ticks
from tidewaiter.report.rates import rate_rows, tippett_lines
from tidewaiter.report.words import between, clock, file_size, likelihood_ratio, short_clock
from tidewaiter.vocabulary import Proposition, Series, Span, Timeline, Verdict, tr

numbers = st.floats(-1e6, 1e6, allow_nan=False)


def series(x: tuple[float, ...], y: tuple[float | None, ...], marks: tuple[Span, ...] = ()) -> str:
    item = Series(caption=tr("c"), x=x, y=y, x_label=tr("x"), y_label=tr("y"), marks=marks)
    return str(svg.series_svg(item, str, "n"))


def curve_of(drawing: str) -> str:
    return re.search(r'class="curve" d="([^"]*)"', drawing)[1]


def test_a_line_runs_from_corner_to_corner() -> None:
    assert (
        curve_of(series((0.0, 1.0), (0.0, 2.0)))
        == f"M{svg.LEFT} {svg.BOTTOM}L{svg.RIGHT} {svg.TOP}"
    )


def test_a_gap_lifts_the_pen_and_a_lone_point_is_a_dot() -> None:
    path = curve_of(series((0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, None, 1.0, None)))
    assert path.count("M") == 2
    assert path.endswith("h0")


@pytest.mark.parametrize("y", [(), (None, None), (3.0, 3.0), (0.0, 0.0)])
def test_series_without_spread_still_draw(y: tuple[float | None, ...]) -> None:
    drawing = series(tuple(float(i) for i in range(len(y))), y)
    assert "nan" not in drawing
    assert "inf" not in drawing


def test_marks_are_hatched_and_numbered_and_a_moment_is_still_seen() -> None:
    drawing = series(
        (0.0, 100.0), (0.0, 1.0), (Span(start_s=10, end_s=10), Span(start_s=50, end_s=60))
    )
    widths = [float(w) for w in re.findall(r'class="span"[^>]* width="([\d.]+)"', drawing)]
    assert widths[0] == svg.MIN_SPAN
    assert widths[1] == pytest.approx((svg.RIGHT - svg.LEFT) / 10, abs=0.2)
    assert re.findall(r'class="number"[^>]*>(\d)', drawing) == ["1", "2"]
    heights = [float(y) for y in re.findall(r'class="number"[^>]* y="([\d.]+)"', drawing)]
    assert all(svg.TOP < y < svg.BOTTOM for y in heights)


def test_a_long_label_gets_its_own_lines_above_the_plot() -> None:
    item = Series(
        caption=tr("c"), x=(0.0,), y=(1.0,), x_label=tr("x"), y_label=tr("many words " * 12)
    )
    drawing = str(svg.series_svg(item, str, "n"))
    lines = re.findall(r'class="s" x="4" y="(-?[\d.]+)">([^<]+)<', drawing)
    top = float(re.search(r'viewBox="0 (-?\d+) ', drawing)[1])
    assert len(lines) == 3
    assert all(len(words) <= svg.LABEL_LETTERS for _, words in lines)
    assert all(float(y) > top + 10 for y, _ in lines)


def test_numbers_that_would_overlap_are_left_to_the_table() -> None:
    spans = tuple(Span(start_s=i / 10, end_s=i / 10) for i in range(100))
    drawing = str(svg.timeline_svg(Timeline(caption=tr("c"), duration_s=10, spans=spans), str, "n"))
    at = [float(x) for x in re.findall(r'class="number" x="([\d.]+)"', drawing)]
    assert all(later - earlier >= svg.DIGIT_WIDTH - 0.2 for earlier, later in pairwise(at))


def test_a_timeline_of_nothing_is_drawn() -> None:
    drawing = str(svg.timeline_svg(Timeline(caption=tr("c"), duration_s=0, spans=()), str, "n"))
    assert "nan" not in drawing


def test_the_diamond_lies_at_the_opinion() -> None:
    held = opinion(Proposition.IMAGE_ALTERED, 2.0, 1.0, 2.0, Verdict.SUPPORTS_MANIPULATED)
    drawing = str(svg.strength_svg(held, str, "n"))
    width = svg.STRENGTH_WIDTH - 24
    assert f'd="M{12 + width * 0.75:.1f} 17' in drawing
    assert drawing.count('class="bound"') == 2
    assert "interval 1.00 to 2.00" in drawing


def test_an_opinion_beyond_the_scale_widens_it() -> None:
    held = opinion(
        Proposition.IMAGE_ALTERED, 6.0, 5.0, 7.0, Verdict.SUPPORTS_MANIPULATED, bound_upper=8.0
    )
    assert "scale from -8 to 8" in str(svg.strength_svg(held, str, "n"))


def test_words_in_a_drawing_are_escaped() -> None:
    item = Series(
        caption=tr("</title><script>"), x=(0.0,), y=(1.0,), x_label=tr("<b>"), y_label=tr("&")
    )
    assert "<script>" not in str(svg.series_svg(item, str, "n"))


@given(st.lists(numbers, max_size=20), numbers)
def test_positions_never_leave_the_field(values: list[float], value: float) -> None:
    across = axis(values, 10.0, 390.0)
    assert 10.0 <= across.at(value) <= 390.0
    assert across.high > across.low


@given(numbers, st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    across = Axis(low, low + width, 0.0, 1.0)
    if across.high - across.low < abs(low) * 1e-7:
        return
    ticks = across.ticks()
    slack = (across.high - across.low) * 1e-3 + abs(low) * 1e-9
    assert len(ticks) <= 6
    assert all(across.low - slack <= tick <= across.high + slack for tick in ticks)


@pytest.mark.parametrize("end", [0.01, 1.0, 4.0, 4.1, 17, 59, 61, 94.2, 600, 7200, 90_000])
def test_time_ticks_are_few_and_inside(end: float) -> None:
    ticks = time_ticks(end)
    assert ticks[0] == 0.0
    assert ticks[-1] <= end
    assert len(ticks) <= 8


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00.00"),
        (3.2, "0:03.20"),
        (725, "12:05.00"),
        (3723.5, "1:02:03.50"),
        (59.999, "1:00.00"),
        (-0.5, "-0:00.50"),
    ],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_short_forms() -> None:
    assert short_clock(30) == "0:30"
    assert short_clock(0.5) == "0:00.50"
    assert between(Span(start_s=1, end_s=1)) == "0:01.00"
    assert between(Span(start_s=1, end_s=2)) == "0:01.00 – 0:02.00"
    assert tick_label(-0.5) == "−0.5"


@pytest.mark.parametrize(
    ("log10_lr", "shown"),
    [
        (0, "1"),
        (1.61, "40"),
        (2, "100"),
        (0.2, "1.6"),
        (-0.1, "0.8"),
        (-1.6, "1/40"),
        (-2, "1/100"),
        (4, "10000"),
    ],
)
def test_likelihood_ratios(log10_lr: float, shown: str) -> None:
    assert likelihood_ratio(log10_lr) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(812, "812 bytes"), (2048, "2.0 KiB (2048 bytes)"), (3 * 1024**2, "3.0 MiB (3145728 bytes)")],
)
def test_sizes(size: int, shown: str) -> None:
    assert str(file_size(size)) == shown


def test_tippett_lines_start_at_all_and_end_at_none() -> None:
    lines = tippett_lines(calibration())
    assert [line.dashed for line in lines] == [False, True]
    for line in lines:
        shares = [share for _, share in line.points]
        assert shares[0] == 1.0
        assert shares[-1] == 0.0
        assert all(later <= earlier for earlier, later in pairwise(shares))


def test_a_calibration_that_names_only_itself_has_no_rates() -> None:
    assert not list(rate_rows({"id": "x"}))
    assert tippett_lines({"id": "x"}) == ()
    assert not list(rate_rows({"id": "x", "measures": None}))
