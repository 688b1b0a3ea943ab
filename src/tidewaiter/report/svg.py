"""Curves and timelines as inline SVG: no script, no font file, colours from the page.

Every drawing carries a title and a description for those who do not see it, and tells
its lines apart by dashes and its spans by hatching and numbers, never by colour alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tidewaiter.report.axes import Axis, axis, tick_label, time_ticks
from tidewaiter.report.showing import visible
from tidewaiter.report.words import short_clock
from tidewaiter.vocabulary import Opinion, Series, Span, Text, Timeline, tr

WIDTH = 400
"""Units of a drawing's width; it is shown 300 to 560 pixels wide, so text stays readable."""
HEIGHT = 220
LEFT, RIGHT, TOP, BOTTOM = 58, 392, 24, 180
"""Edges of the plotting field."""
LABEL_LETTERS = 54
"""Letters that fit into one line of a plot; longer labels take more lines above it."""
LINE_HEIGHT = 16
STRENGTH_WIDTH = 320
"""The scale of strength is shown smaller than plots are."""
STRENGTH_ENDS = 4.0
"""|log10 LR| at the ends of the scale of strength, unless an opinion goes beyond."""
MIN_SPAN = 3.0
"""Narrowest drawn span, so that one frame of an hour is still seen."""
DIGIT_WIDTH = 9.0
"""Numbers that would overlap at this width of a digit are left to the table."""

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Line:
    """One labelled line of a plot of error rates; `dashed` tells it from its neighbour."""

    label: Text
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


def series_svg(series: Series, translate: Translate, name: str) -> Markup:
    """A curve with its axes; gaps stay gaps. `name` makes ids unique in the page."""
    known = [value for value in series.y if value is not None]
    across = axis([*series.x, *_ends(series.marks)], LEFT, RIGHT)
    up = axis(known, BOTTOM, TOP)
    field = Markup("").join(
        (
            _hatch(name),
            _spans(enumerate(series.marks, 1), across, name, (TOP, BOTTOM), TOP + 11),
            _curve(zip(series.x, series.y, strict=True), across, up),
            _frame(across, up, series.x_label.render(translate), series.y_label.render(translate)),
        )
    )
    description = tr(
        "{points} points; from {low:.4g} to {high:.4g}; {marks} marked places",
        points=len(known),
        low=min(known, default=0.0),
        high=max(known, default=0.0),
        marks=len(series.marks),
    )
    rise = _rise(series.y_label.render(translate))
    return _drawing(series.caption, description, field, (WIDTH, HEIGHT, rise), translate, name)


def timeline_svg(
    timeline: Timeline, translate: Translate, name: str, numbers: Sequence[int] = ()
) -> Markup:
    """A bar of the whole duration with its spans hatched and numbered.

    `numbers` are those of the table's rows; without them spans count from 1.
    """
    numbered = zip(numbers or range(1, len(timeline.spans) + 1), timeline.spans, strict=True)
    end = max(timeline.duration_s, *_ends(timeline.spans), 0.01)
    across = axis([0.0, end], 16, WIDTH - 16)
    bar = Markup('<rect class="bar" x="16" y="24" width="{width}" height="26"/>').format(
        width=WIDTH - 32
    )
    labels = Markup("").join(_tick(across.at(t), 50, short_clock(t)) for t in time_ticks(end))
    field = Markup("").join(
        (_hatch(name), bar, _spans(numbered, across, name, (24, 50), 19), labels)
    )
    description = tr(
        "{spans} marked stretches in {duration:.2f} s",
        spans=len(timeline.spans),
        duration=timeline.duration_s,
    )
    return _drawing(timeline.caption, description, field, (WIDTH, 74, 0), translate, name)


def strength_svg(opinion: Opinion, translate: Translate, name: str) -> Markup:
    """Where an opinion lies between "as issued" and "manipulated", with interval and bounds."""
    bounds = [b for b in (opinion.bound_lower, opinion.bound_upper) if b is not None]
    numbers = [opinion.lower, opinion.upper, *bounds]
    end = max(STRENGTH_ENDS, *(abs(number) for number in numbers))
    across = Axis(-end, end, 12, STRENGTH_WIDTH - 12)
    marks = Markup("").join(_bound(across.at(bound)) for bound in bounds)
    body = Markup(
        '<line class="axis" x1="12" x2="{right}" y1="26" y2="26"/>'
        '<line class="axis" x1="{zero}" x2="{zero}" y1="14" y2="38"/>{marks}'
        '<line class="interval" x1="{lower}" x2="{upper}" y1="26" y2="26"/>'
        '<path class="point" d="M{at} 17l8 9l-8 9l-8 -9z"/>'
        '<text x="12" y="56">◂ {issued}</text><text class="m" x="{zero}" y="56">{neither}</text>'
        '<text class="e" x="{right}" y="56">{manipulated} ▸</text>'
    ).format(
        right=STRENGTH_WIDTH - 12,
        zero=across.at(0.0),
        marks=marks,
        lower=across.at(opinion.lower),
        upper=across.at(opinion.upper),
        at=across.at(opinion.log10_lr),
        issued=tr("as issued").render(translate),
        neither=tr("says nothing").render(translate),
        manipulated=tr("manipulated").render(translate),
    )
    description = tr(
        "log10 of the likelihood ratio {value:.2f}, interval {lower:.2f} to {upper:.2f}, on a "
        "scale from {low:.0f} to {high:.0f}",
        value=opinion.log10_lr,
        lower=opinion.lower,
        upper=opinion.upper,
        low=-end,
        high=end,
    )
    return _drawing(
        tr("Strength of support"), description, body, (STRENGTH_WIDTH, 62, 0), translate, name
    )


def rates_svg(
    caption: Text, lines: Sequence[Line], labels: tuple[Text, Text], translate: Translate, name: str
) -> Markup:
    """Tippett and reliability plots: up to two lines over common axes, named below."""
    across = axis([x for line in lines for x, _ in line.points], LEFT, RIGHT)
    up = axis([y for line in lines for _, y in line.points], BOTTOM, TOP)
    curves = Markup("").join(_curve(line.points, across, up, line.dashed) for line in lines)
    keys = Markup("").join(
        _key(index, line.label.render(translate), line.dashed) for index, line in enumerate(lines)
    )
    frame = _frame(across, up, labels[0].render(translate), labels[1].render(translate))
    description = tr("{lines} lines", lines=len(lines))
    height = HEIGHT + 4 + 18 * len(lines)
    return _drawing(
        caption,
        description,
        curves + frame + keys,
        (WIDTH, height, _rise(labels[1].render(translate))),
        translate,
        name,
    )


def _rise(label: str) -> int:
    """How far a long label above the plot reaches beyond its first line."""
    return LINE_HEIGHT * (len(textwrap.wrap(label, LABEL_LETTERS) or [""]) - 1)


def _ends(spans: Iterable[Span]) -> list[float]:
    return [end for span in spans for end in (span.start_s, span.end_s)]


def _drawing(
    title: Text,
    description: Text,
    body: Markup,
    size: tuple[int, int, int],
    translate: Translate,
    name: str,
) -> Markup:
    return Markup(
        '<svg class="plot w{width}" role="img" viewBox="0 {top} {width} {height}" '
        'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{title}</title>'
        '<desc id="{name}-d">{description}</desc>{body}</svg>'
    ).format(
        width=size[0],
        top=-size[2],
        height=size[1] + size[2],
        name=name,
        title=visible(title.render(translate)),
        description=visible(description.render(translate)),
        body=body,
    )


def _hatch(name: str) -> Markup:
    return Markup(
        '<defs><pattern id="{name}-h" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>'
        '<line class="hatch" x1="1" x2="1" y1="0" y2="6"/></pattern></defs>'
    ).format(name=name)


def _spans(
    numbered: Iterable[tuple[int, Span]],
    across: Axis,
    name: str,
    field: tuple[float, float],
    number_y: float,
) -> Markup:
    pieces: list[Markup] = []
    taken: list[tuple[float, float]] = []
    for number, span in numbered:
        left = across.at(span.start_s)
        width = max(across.at(span.end_s) - left, MIN_SPAN)
        pieces.append(
            Markup(
                '<rect class="span" x="{x}" y="{y}" width="{w}" height="{h}" '
                'fill="url(#{name}-h)"/>'
            ).format(x=left, y=field[0], w=round(width, 1), h=field[1] - field[0], name=name)
        )
        middle = left + width / 2
        half = DIGIT_WIDTH * len(str(number)) / 2
        if all(middle + half <= begun or middle - half >= ended for begun, ended in taken):
            taken.append((middle - half, middle + half))
            pieces.append(_text(middle, number_y, str(number), "number"))
    return Markup("").join(pieces)


def _curve(
    points: Iterable[tuple[float, float | None]], across: Axis, up: Axis, dashed: bool = False
) -> Markup:
    """One path; a missing value lifts the pen, a lone value becomes a dot."""
    stretches: list[list[str]] = [[]]
    for x, y in points:
        if y is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{across.at(x):g} {up.at(y):g}")
    path = "".join(
        f"M{stretch[0]}" + ("".join(f"L{p}" for p in stretch[1:]) or "h0")
        for stretch in stretches
        if stretch
    )
    kind = "curve dashed" if dashed else "curve"
    return Markup('<path class="{kind}" d="{path}"/>').format(kind=kind, path=path)


def _frame(across: Axis, up: Axis, x_label: str, y_label: str) -> Markup:
    below = Markup("").join(_tick(across.at(x), BOTTOM, tick_label(x)) for x in across.ticks())
    beside = Markup("").join(
        Markup('<line class="axis" x1="{x1}" x2="{x2}" y1="{y}" y2="{y}"/>{label}').format(
            x1=LEFT - 4,
            x2=LEFT,
            y=up.at(y),
            label=_text(LEFT - 6, up.at(y) + 4, tick_label(y), "e"),
        )
        for y in up.ticks(4)
    )
    heading = textwrap.wrap(y_label, LABEL_LETTERS) or [""]
    above = Markup("").join(
        _text(4, TOP - 10 - LINE_HEIGHT * (len(heading) - 1 - row), line, "s")
        for row, line in enumerate(heading)
    )
    return Markup(
        '<path class="axis" d="M{left} {top}V{bottom}H{right}"/>{below}{beside}{x_label}{above}'
    ).format(
        left=LEFT,
        top=TOP,
        bottom=BOTTOM,
        right=RIGHT,
        below=below,
        beside=beside,
        x_label=_text((LEFT + RIGHT) / 2, BOTTOM + 34, x_label, "m"),
        above=above,
    )


def _tick(x: float, y: float, label: str) -> Markup:
    return Markup('<line class="axis" x1="{x}" x2="{x}" y1="{y}" y2="{end}"/>{label}').format(
        x=x, y=y, end=y + 4, label=_text(min(max(x, 14), WIDTH - 16), y + 17, label, "m")
    )


def _bound(x: float) -> Markup:
    return Markup('<line class="bound" x1="{x}" x2="{x}" y1="18" y2="34"/>').format(x=x)


def _key(index: int, label: str, dashed: bool) -> Markup:
    y = HEIGHT + 8 + 18 * index
    sample = _curve([(0.0, 0.0), (1.0, 0.0)], Axis(0, 1, LEFT, LEFT + 40), Axis(0, 1, y, y), dashed)
    return sample + _text(LEFT + 48, y + 4, label, "s")


def _text(x: float, y: float, words: str, kind: str) -> Markup:
    return Markup('<text class="{kind}" x="{x:g}" y="{y:g}">{words}</text>').format(
        kind=kind, x=round(x, 1), y=round(y, 1), words=visible(words)
    )
