"""A replayed study in words and tables, for the terminal and as one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidewaiter.face_audit.published import NOT_REPLAYABLE, SUPERSEDED
from tidewaiter.face_audit.replay import Ends, Replay, ReplayedFile, Share
from tidewaiter.messages import SOURCE_LANGUAGE
from tidewaiter.report.rendering import rendered, style_sheet
from tidewaiter.vocabulary import Text, tr

# The two halves of the data set of which the press wrote "94 of 100 celebrities".
VOXCELEB = ("Results_vox1.csv", "Results_vox2.csv")


@dataclass(frozen=True)
class Table:
    """A table for a reader; the first `words` columns are words, the others numbers."""

    caption: Text
    headings: tuple[Text, ...]
    rows: tuple[tuple[str | Text, ...], ...]
    words: int


def tables(replay: Replay) -> tuple[Table, Table]:
    """How often forged pictures were named, and how often they were found similar."""
    return _named(replay.files), _similar(replay.files)


def answer(replay: Replay) -> tuple[Text, ...]:
    """What the study says, in one or two sentences."""
    worst = max(replay.files, key=lambda file: file.hits.percent)
    least = min(replay.files, key=lambda file: file.hits.percent)
    said = [
        tr(
            "In the worst cell ({service}, {data}) the service named {hits:,} of {answers:,} "
            "forged pictures as the person they imitate: {rate:.2f} %, 95 % interval {lower} to "
            "{upper} % over {people} people.",
            service=worst.service,
            data=worst.data,
            hits=worst.hits.count,
            answers=worst.answers,
            rate=worst.hits.percent,
            lower=_figure(worst.clustered.lower, 1),
            upper=_figure(worst.clustered.upper, 1),
            people=worst.people,
        )
    ]
    if len(replay.files) > 1:
        said.append(
            tr(
                "It is one of {cells} cells; the lowest ({service}, {data}) is {rate:.2f} %, "
                "95 % interval {lower} to {upper} %. No cell is the rate of deepfakes in general.",
                cells=len(replay.files),
                service=least.service,
                data=least.data,
                rate=least.hits.percent,
                lower=_figure(least.clustered.lower, 1),
                upper=_figure(least.clustered.upper, 1),
            )
        )
    return tuple(said)


def warnings(replay: Replay) -> tuple[Text, ...]:
    """What keeps this from being a replay of the study as published."""
    altered = [
        tr(
            "{file} is not the published file (its SHA-256 begins {sha256}): its figures are those "
            "of the file given, not of the study.",
            file=file.file,
            sha256=file.sha256[:8],
        )
        for file in replay.files
        if not file.as_published
    ]
    absent = [tr("Not replayed: {reason}.", reason=absence.reason) for absence in replay.absent]
    return tuple(altered + absent)


def notes(replay: Replay) -> tuple[Text, ...]:
    """How to read the tables, and what is not in them."""
    return (
        *_people(replay.files),
        tr(
            "Intervals are by person, for pictures of one person resemble each other; “Worth” says "
            "how many of them count as much as one independent picture."
        ),
        tr(
            "“With aliases” also counts the name that the service gave the person’s real photo. "
            "“Somebody else” is a name that is neither."
        ),
        tr(
            "Similarity to the attacker’s own picture (CelebDF v2) says nothing of the attack. A "
            "similarity of 0 may mean not similar, no face found or a call that failed."
        ),
        *(
            tr("Left out: {file}, {reason}.", file=file, reason=reason)
            for file, reason in SUPERSEDED.items()
        ),
        *(tr("Published without raw answers: {what}.", what=what) for what in NOT_REPLAYABLE),
    )


def replay_page(replay: Replay, language: str = SOURCE_LANGUAGE) -> str:
    """The replay as one self-contained HTML page.

    Raises ConfigurationError for a language without a catalogue.
    """
    context = {
        "answer": answer(replay),
        "warnings": warnings(replay),
        "tables": tables(replay),
        "notes": notes(replay),
        "files": replay.files,
    }
    return rendered("replay.html.j2", language, style_sheet(), context)


def _named(files: Sequence[ReplayedFile]) -> Table:
    return Table(
        caption=tr("Forged pictures that the service named as the person they imitate (targeted)"),
        headings=(
            tr("Service"),
            tr("Data"),
            tr("Pictures / people"),
            tr("Named"),
            tr("% [95 % by person]"),
            tr("Bootstrap"),
            tr("Worth"),
            tr("With aliases"),
            tr("Any name"),
            tr("Somebody else"),
        ),
        rows=tuple(_named_row(file) for file in files),
        words=2,
    )


def _named_row(file: ReplayedFile) -> tuple[str, ...]:
    return (
        file.service,
        file.data,
        f"{file.answers:,} / {file.people}",
        f"{file.hits.count:,}",
        f"{_percent(file.hits)} {_ends(file.clustered, 2)}",
        _ends(file.bootstrap, 1),
        "–" if file.design_effect is None else f"{file.design_effect:.0f}",
        "–" if file.alias_hits is None else _percent(file.alias_hits),
        _percent(file.any_name),
        _percent(file.wrong_names),
    )


def _similar(files: Sequence[ReplayedFile]) -> Table:
    return Table(
        caption=tr("Forged pictures that the service found similar to the real photo"),
        headings=(tr("Endpoint"), tr("Data"), tr("Compared with"), tr("Score"), tr("% [95 %]")),
        rows=tuple(
            (
                file.similarity_endpoint,
                file.data,
                tr("the attacker") if file.similarity_with_host else tr("the target"),
                "> 0" if share.at_least is None else f"≥ {share.at_least:g}",
                f"{_percent(share.share)} {_ends(share.clustered, 1)}",
            )
            for file in files
            for share in file.similarity
        ),
        words=3,
    )


def _people(files: Sequence[ReplayedFile]) -> tuple[Text, ...]:
    halves = [file for file in files if file.file in VOXCELEB]
    if len(halves) < len(VOXCELEB):
        return ()
    return (
        tr(
            "{hit} of the {people} people of VoxCelebTH were named, or given their alias, for at "
            "least one forged picture.",
            hit=sum(file.people_hit for file in halves),
            people=sum(file.people for file in halves),
        ),
    )


def _percent(share: Share) -> str:
    return f"{share.percent:.2f}"


def _ends(ends: Ends, digits: int) -> str:
    return f"[{_figure(ends.lower, digits)}–{_figure(ends.upper, digits)}]"


def _figure(percent: float, digits: int) -> str:
    """With as many digits more as a small bound needs not to read as 0."""
    if 0 < percent < 0.5 * 10**-digits:
        return f"{percent:.1g}"
    return f"{percent:.{digits}f}"
