"""Recompute a published study of deepfakes against face recognition from its raw answers.

Each row is one forged picture: the person it should pass for, the name the service gave
the real photo, the name it gave the forgery, and how similar it found the two. Counts are
exact; intervals are by person, because pictures of one person resemble each other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from tidewaiter.errors import InputError
from tidewaiter.evaluation.clustered import (
    design_effect,
    identity_bootstrap,
    korn_graubard,
    tally,
)
from tidewaiter.evaluation.intervals import Interval
from tidewaiter.evaluation.sources import BoolArray
from tidewaiter.face_audit.answers import Answers, read_answers
from tidewaiter.face_audit.published import FILES, Person, PublishedFile
from tidewaiter.vocabulary import Noun, Sha256

# The published bootstrap intervals are of this stream, run on through the files in order.
SEED = 1


class Share(Noun):
    """A count out of all answers of a file."""

    count: int = Field(ge=0)
    percent: float = Field(ge=0, le=100)


class Ends(Noun):
    """The ends of a 95 % interval, in percent."""

    lower: float
    upper: float


class SimilarShare(Noun):
    """Share of forgeries that a service found similar to the real photo, from one score on.

    `at_least` is None where any similarity above 0 counts.
    """

    at_least: float | None
    share: Share
    bootstrap: Ends
    clustered: Ends


class ReplayedFile(Noun):
    """What one file of answers says; rates are of forged pictures, intervals by person.

    `hits` name the very person, `any_name` anybody, `alias_hits` the person or the name
    that the service gave the real photo (None where the real photo is another person's),
    `wrong_names` somebody else; `wrong_names_host` of these the other person in the picture.
    """

    file: str
    sha256: Sha256
    as_published: bool
    service: str
    data: str
    person_column: Person
    answers: int = Field(ge=1)
    people: int = Field(ge=1)
    people_hit: int = Field(ge=0)
    hits: Share
    bootstrap: Ends
    clustered: Ends
    design_effect: float | None
    any_name: Share
    alias_hits: Share | None
    wrong_names: Share
    wrong_names_host: int = Field(ge=0)
    real_photo_named: Share
    similarity_endpoint: str
    similarity_with_host: bool
    similarity: tuple[SimilarShare, ...]


class Absence(Noun):
    """A file that could not be replayed, and why."""

    file: str
    reason: str


class Replay(Noun):
    """The whole study as far as its raw answers allow."""

    seed: int
    files: tuple[ReplayedFile, ...]
    absent: tuple[Absence, ...] = ()

    @property
    def altered(self) -> tuple[str, ...]:
        """Files that were read but are not as published."""
        return tuple(file.file for file in self.files if not file.as_published)


def replay(folder: Path, *, seed: int = SEED, files: Sequence[PublishedFile] = FILES) -> Replay:
    """Replay every file of the study found in the folder; the others are listed as absent.

    A file that is not as published is computed too and marked. Raises InputError where no
    file can be replayed.
    """
    rng = np.random.default_rng(seed)
    done, absent = [], []
    for published in files:
        try:
            done.append(replay_file(published, read_answers(folder / published.name), rng))
        except InputError as error:
            absent.append(Absence(file=published.name, reason=str(error)))
    if not done:
        reasons = "; ".join(dict.fromkeys(absence.reason for absence in absent))
        raise InputError(
            f"none of the {len(files)} files of the study could be read ({reasons}); name the "
            "folder that holds the authors' result files"
        )
    return Replay(seed=seed, files=tuple(done), absent=tuple(absent))


def replay_file(
    published: PublishedFile, answers: Answers, rng: np.random.Generator
) -> ReplayedFile:
    """Everything that one file of answers says."""
    people = answers.source if published.person is Person.SOURCE else answers.target
    names = _Names.of(answers, people, published.person)
    counts = tally(names.hit, people)
    total = int(names.hit.size)
    effect = design_effect(counts)
    return ReplayedFile(
        file=published.name,
        sha256=answers.sha256,
        as_published=answers.sha256 == published.sha256,
        service=published.service,
        data=published.data,
        person_column=published.person,
        answers=total,
        people=counts.identities,
        people_hit=int((tally(names.alias_hit, people).events > 0).sum()),
        hits=_share(names.hit),
        bootstrap=_ends(identity_bootstrap(counts, rng)),
        clustered=_ends(korn_graubard(counts)),
        design_effect=effect if np.isfinite(effect) else None,
        any_name=_share(names.anybody),
        alias_hits=_share(names.alias_hit) if published.person is Person.SOURCE else None,
        wrong_names=_share(names.anybody & ~names.alias_hit),
        wrong_names_host=int((names.other & names.anybody & ~names.alias_hit).sum()),
        real_photo_named=_share(names.real_named),
        similarity_endpoint=published.endpoint.name,
        similarity_with_host=published.with_host,
        similarity=_similar(published, answers, people),
    )


def plain_name(name: str) -> str:
    """A name without accents, capitals, spaces and signs, so that spellings compare equal."""
    letters = unicodedata.normalize("NFKD", name).lower()
    return "".join(c for c in letters if c.isascii() and c.isalnum())


@dataclass(frozen=True)
class _Names:
    """One flag per answer: whom the service named."""

    hit: BoolArray
    alias_hit: BoolArray
    anybody: BoolArray
    other: BoolArray
    real_named: BoolArray

    @classmethod
    def of(cls, answers: Answers, people: Sequence[str], person: Person) -> _Names:
        wanted, given = _plain(people), _plain(answers.forgery_named)
        others = _plain(answers.target if person is Person.SOURCE else answers.source)
        real = _plain(answers.real_named)
        hit = (given == wanted) & (given != "")
        alias = (given == real) & (given != "") & (person is Person.SOURCE)
        return cls(
            hit=hit,
            alias_hit=hit | alias,
            anybody=np.array([name != "" for name in answers.forgery_named]),
            other=(given == others) & (given != ""),
            real_named=np.array([name != "" for name in answers.real_named]),
        )


def _plain(names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    plain = {name: plain_name(name) for name in set(names)}
    return np.array([plain[name] for name in names], dtype=np.str_)


def _similar(
    published: PublishedFile, answers: Answers, people: Sequence[str]
) -> tuple[SimilarShare, ...]:
    shares = []
    for cut in published.endpoint.cuts:
        above = answers.similarity >= cut if cut else answers.similarity > 0
        counts = tally(above, people)
        shares.append(
            SimilarShare(
                at_least=cut or None,
                share=_share(above),
                bootstrap=_ends(identity_bootstrap(counts, np.random.default_rng(SEED))),
                clustered=_ends(korn_graubard(counts)),
            )
        )
    return tuple(shares)


def _share(flags: BoolArray) -> Share:
    return Share(count=int(flags.sum()), percent=100 * float(flags.mean()))


def _ends(interval: Interval) -> Ends:
    return Ends(lower=100 * interval.lower, upper=100 * interval.upper)
