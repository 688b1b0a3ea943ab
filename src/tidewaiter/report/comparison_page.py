"""A comparison of two recordings in words, and as one self-contained page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tidewaiter.custody.differences import NOT_COMPARED, Comparison, Difference, Stretch
from tidewaiter.messages import SOURCE_LANGUAGE, translator
from tidewaiter.report.rendering import data_uri, rendered, style_sheet
from tidewaiter.report.svg import timeline_svg
from tidewaiter.report.words import short_clock
from tidewaiter.vocabulary import Span, Text, Timeline, tr

MOST_SHOWN = 200
"""Differences listed on the page; the JSON holds all."""

KINDS = {
    "removed": tr("pictures are missing"),
    "inserted": tr("pictures of unknown origin were inserted"),
    "repeated": tr("pictures are shown a second time"),
    "moved": tr("pictures stand elsewhere than in the original"),
    "moved_away": tr("pictures that stand here in the original are shown elsewhere in the copy"),
    "replaced": tr("pictures were replaced"),
    "frozen": tr("one picture stands still"),
    "sped_up": tr("shown faster than in the original"),
    "slowed": tr("shown slower than in the original"),
    "reversed": tr("shown backwards"),
    "painted": tr("a part of the picture was changed"),
    "retimed": tr("the same pictures are shown at other times"),
    "sound_removed": tr("sound is missing"),
    "sound_inserted": tr("sound was inserted"),
    "sound_replaced": tr("sound was replaced"),
    "sound_muted": tr("sound was silenced"),
    "sound_missing": tr("the copy has no sound at all; the original has"),
}

MEASURED = {
    "identity": tr("compared bit by bit; any difference counts"),
    "picture_residual": tr(
        "{level:.1f} times what encoding usually leaves there; more than {threshold:.1f} counts: "
        "copies that alter nothing stayed below when it was set"
    ),
    "clock_residual": tr(
        "clock: {level:.1f} times what encoding usually leaves there; more than {threshold:.1f} "
        "counts: copies that alter nothing stayed below when it was set"
    ),
    "sound_residual": tr(
        "sound: {level:.1f} times its usual difference; more than {threshold:.1f} counts: copies "
        "that alter nothing stayed below when it was set"
    ),
    "length_pictures": tr(
        "{level:.0f} pictures long; {threshold:.0f} or more count: in copies that alter nothing "
        "all were shorter when it was set"
    ),
    "length_sound_steps": tr(
        "{level:.0f} steps of sound long (40 ms each); {threshold:.0f} or more count: in copies "
        "that alter nothing all were shorter when it was set"
    ),
    "pace": tr("{level:.2f} times as fast; beyond {threshold:.2f} it counts"),
}
"""What was measured and from where it counts, by the measure."""

NO_PICTURES = "no pictures"
"""The note that pictures of the places could not be taken."""

NOTES = {
    "other parameter sets": tr(
        "The stream’s parameter sets differ; they steer how pictures are shown."
    ),
    "signature stripped": tr(
        "The original carries signatures within the stream (ONVIF) that the copy lacks."
    ),
    "broken pictures": tr("Some coded pictures of the copy could not be taken apart."),
    "cropped": tr(
        "The copy shows a part of the picture only; what lies outside it is not compared, and "
        "neither is the clock."
    ),
    "another frame rate": tr("The copy runs at another frame rate; times were compared."),
    "too short": tr("One of the recordings has a single picture at most."),
    "sound not comparable": tr(
        "The sound is too short or too uniform to be compared, or it cannot be decoded."
    ),
    "shown otherwise": tr(
        "The coded pictures are those of the original, but the copy has them shown otherwise: "
        "turned, mirrored or cropped."
    ),
    "silent sound": tr("The copy has a track of sound that is silent; the original has none."),
    NO_PICTURES: tr(
        "Pictures of the places are missing: a recording could not be opened once more for them."
    ),
    NOT_COMPARED: tr(
        "One of the files holds further streams of pictures or sound. They were not compared, and "
        "a player may show those instead."
    ),
}


@dataclass(frozen=True)
class Seen:
    """Pictures of one difference, PNG or JPEG; empty where there is none."""

    original: bytes = b""
    copy: bytes = b""


def verdict_words(found: Comparison) -> tuple[Text, ...]:
    """The verdict in one or two sentences."""
    if found.verdict == "cannot_tell" and NOT_COMPARED in found.notes:
        return (
            tr(
                "Cannot tell: what was compared shows no difference, but one of the files holds "
                "more than was compared."
            ),
        )
    if found.verdict == "cannot_tell":
        return (
            tr(
                "Cannot tell: the files differ, and there are no fingerprints to say whether what "
                "they show differs."
            ),
        )
    if found.verdict == "altered":
        said = tr(
            "Altered. Places at which the copy differs from the original: {count}.",
            count=len(found.differences),
        )
        return (said, _ALTERED[found.carrier])
    return (_UNALTERED[(found.verdict, found.carrier)],)


_EXACT = tr(
    "The copy was not encoded anew: places are exact to the picture, and all other pictures and "
    "sounds are those of the original bit by bit."
)
_SEEN = tr(
    "The copy was encoded anew: places are where pictures or sound begin to differ by more than "
    "encoding explains, usually within half a second. Smaller changes than the threshold, and "
    "cuts where nothing moves and no clock runs, are not seen."
)
_SOUND_ANEW = tr(
    "The pictures were not encoded anew: their places are exact to the picture. The sound was: its "
    "places are where it begins to differ by more than encoding explains."
)
_ALTERED = {"remuxed": _EXACT, "sound_re_encoded": _SOUND_ANEW, "re_encoded": _SEEN}
_UNALTERED = {
    ("unchanged", "same_file"): tr("Unchanged: the copy is the same file, byte by byte."),
    ("unchanged", "remuxed"): tr(
        "Unchanged: every coded picture and all sound are those of the original, in their order "
        "and at their times; only the file around them was written anew (remuxed)."
    ),
    ("transcoded", "sound_re_encoded"): tr(
        "Transcoded: every coded picture is that of the original, in its order and at its time; "
        "the sound was encoded anew. No difference of the sound above the threshold was found; "
        "this does not prove that there is none."
    ),
    ("transcoded", "re_encoded"): tr(
        "Transcoded: the copy was encoded anew. No difference above the threshold was found; this "
        "does not prove that there is none."
    ),
}


def lines(found: Comparison, translate: Callable[[str], str]) -> list[str]:
    """Notes and differences, one a line, for a terminal."""
    said = [NOTES[note].render(translate) if note in NOTES else note for note in found.notes]
    for item in found.differences:
        words = KINDS[item.kind].render(translate)
        arrow = "" if item.original is None else f"  ← {_where(item.original)}"
        said.append(f"  {_where(item.copy)}  {words}{arrow}")
    return said


def comparison_page(
    found: Comparison,
    names: tuple[str, str],
    pictures: Mapping[int, Seen],
    language: str = SOURCE_LANGUAGE,
) -> str:
    """The page of a comparison; `names` are those of the original and of the copy.

    `pictures` are shown with the difference of that place in the list. Raises
    ConfigurationError for a language without a catalogue.
    """
    translate = translator(language)
    timelines = [
        (caption, _timeline(found, side, caption, translate))
        for side, caption in ((1, _ON_COPY), (0, _ON_ORIGINAL))
    ]
    context = {
        "found": found,
        "names": names,
        "verdict": verdict_words(found),
        "notes": [NOTES.get(note, note) for note in found.notes],
        "timelines": timelines if found.differences else [],
        "rows": [_row(item) for item in found.differences[:MOST_SHOWN]],
        "left_out": max(0, len(found.differences) - MOST_SHOWN),
        "shown": _figures(found.differences, pictures),
    }
    return rendered("comparison.html.j2", language, style_sheet(found.copy_sha256), context)


_ON_COPY = tr("The copy: where it differs")
_ON_ORIGINAL = tr("The original: what is missing or was changed in the copy")


@dataclass(frozen=True)
class Row:
    """One difference for a table."""

    what: Text
    copy: str
    original: str
    source: str
    measured: Text
    remark: Text | str


def measured_words(item: Difference) -> Text:
    """What was measured of a difference, and the value from which it counts."""
    words = MEASURED[item.measure]
    if item.level is None or item.threshold is None:
        return words
    return Text(template=words.template, values={"level": item.level, "threshold": item.threshold})


def _row(item: Difference) -> Row:
    remark: Text | str = ""
    if item.exact:
        remark = tr("exact")
    elif item.uncertain:
        remark = tr("nothing moves here: {frames} frames either way", frames=item.uncertain)
    return Row(
        KINDS[item.kind],
        _where(item.copy),
        _where(item.original),
        _where(item.from_original),
        measured_words(item),
        remark,
    )


def _where(stretch: Stretch | None) -> str:
    """Times and places of a stretch, the same in every language."""
    if stretch is None:
        return "–"
    start, end = short_clock(stretch.start_s), short_clock(stretch.end_s)
    if stretch.start == stretch.end:
        return f"{start} (#{stretch.start})"
    return f"{start} – {end} (#{stretch.start} – #{stretch.end - 1})"


def _timeline(
    found: Comparison, side: int, caption: Text, translate: Callable[[str], str]
) -> Markup:
    """One side's bar, its stretches numbered as the rows of the table are."""
    numbers, spans = [], []
    for number, item in enumerate(found.differences[:MOST_SHOWN], 1):
        stretch = item.copy if side else item.original
        if stretch is not None:
            numbers.append(number)
            spans.append(Span(start_s=stretch.start_s, end_s=stretch.end_s, label=KINDS[item.kind]))
    drawn = Timeline(caption=caption, duration_s=found.seconds[side], spans=tuple(spans))
    return timeline_svg(drawn, translate, "copy" if side else "original", numbers)


def _figures(
    differences: Sequence[Difference], pictures: Mapping[int, Seen]
) -> list[tuple[int, Text, str, str]]:
    return [
        (
            place + 1,
            KINDS[differences[place].kind],
            data_uri(seen.original) if seen.original else "",
            data_uri(seen.copy) if seen.copy else "",
        )
        for place, seen in sorted(pictures.items())
    ]
