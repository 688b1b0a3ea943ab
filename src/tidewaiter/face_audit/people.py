"""The people of an audit: who they are, which pictures they gave, and what they agreed to.

A CSV file with the columns id, file, role, consent and, where wanted, authorised, part
and any others, which are groups (sex, age, tone). One row per picture.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, get_args

from tidewaiter.errors import InputError

PictureRole = Literal["enrol", "probe", "impostor"]
Part = Literal["calibrate", "test"]
NEEDED = ("id", "file", "role", "consent")
OWN_COLUMNS = (*NEEDED, "authorised", "part")
YES, NO = "yes", "no"
# A data set made for research may be compared here; its people never agreed to be sent away.
RESEARCH = re.compile(r"research\b", re.IGNORECASE)
# Files that a message names, so that it stays a sentence.
MOST_NAMED = 10


@dataclass(frozen=True)
class Photo:
    """One picture of one person: its file as listed and the digest of its bytes."""

    person: str
    file: str
    role: PictureRole
    sha256: str


@dataclass(frozen=True)
class Person:
    """One person: pictures by role, consent, and whether they may be impersonated."""

    id: str
    consent: str
    authorised: bool
    part: Part | None
    photos: tuple[Photo, ...]
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def enrolled(self) -> tuple[Photo, ...]:
        """Pictures that a gallery or a document would hold."""
        return tuple(photo for photo in self.photos if photo.role == "enrol")

    @property
    def probes(self) -> tuple[Photo, ...]:
        """Pictures as taken at the gate."""
        return tuple(photo for photo in self.photos if photo.role != "enrol")


def read_people(text: str, name: str, digest: Callable[[str], str]) -> tuple[Person, ...]:
    """The people of a CSV text, by id; `digest` gives the SHA-256 of a listed file's bytes.

    Raises InputError for a missing column or consent, a picture or person listed twice, a
    person on both sides of the split, or somebody with nothing to compare.
    """
    rows = _rows(text, name)
    for number, row in rows:
        _check_row(row, number, name)
    _check_parts(rows, name)
    by_id = sorted(rows, key=lambda entry: entry[1]["id"])
    people = tuple(
        _person([row for _, row in group], name, digest)
        for _, group in groupby(by_id, key=lambda entry: entry[1]["id"])
    )
    _check_pictures(people, name)
    return people


def sides(people: Sequence[Person], calibrate: float, seed: int) -> dict[str, Part]:
    """Each person's side: as listed, the others by a digest of id and seed.

    The share counts among those whose side is not listed. Raises InputError where a side
    stays without two people who can be compared.
    """
    free = sorted(
        (p.id for p in people if p.part is None),
        key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest(),
    )
    first = set(free[: round(calibrate * len(free))])
    found: dict[str, Part] = {
        p.id: p.part or ("calibrate" if p.id in first else "test") for p in people
    }
    for part in get_args(Part):
        able = sum(found[p.id] == part and bool(p.enrolled and p.probes) for p in people)
        if able < 2:
            raise InputError(
                f"{able} people with an enrolment and a probe fall to the side {part!r}; at least "
                "2 are needed; list more people or change split.calibrate"
            )
    return found


def targets_of(people: Sequence[Person], named: Sequence[str]) -> tuple[str, ...]:
    """Who may be impersonated: those named, else everybody enrolled and authorised.

    Raises InputError for a name that is not listed, not authorised or lacks pictures.
    """
    by_id = {person.id: person for person in people}
    for name in named:
        person = by_id.get(name)
        if person is None:
            raise InputError(f"the target {name!r} is not in the list of people; add or remove it")
        if not person.authorised:
            raise InputError(
                f"the target {name!r} is not authorised; impersonating them needs authorised = "
                "yes in the list of people, with their consent"
            )
        if not (person.enrolled and person.probes):
            raise InputError(
                f"the target {name!r} has {len(person.enrolled)} enrolment and "
                f"{len(person.probes)} probe pictures; at least one of each is needed"
            )
    able = tuple(p.id for p in people if p.authorised and p.enrolled and p.probes)
    chosen = tuple(sorted(set(named))) if named else able
    if not chosen:
        raise InputError(
            "nobody in the list of people is authorised as a target with an enrolment and a "
            "probe picture; set authorised = yes for those who agreed to be impersonated"
        )
    return chosen


def check_may_be_sent(people: Sequence[Person], adapter: str) -> None:
    """Raises InputError where somebody of a research data set would be sent to a service."""
    kept = [person.id for person in people if RESEARCH.match(person.consent)]
    if kept:
        raise InputError(
            f"{len(kept)} people ({kept[0]!r} and others) have consent 'research', which allows "
            f"comparison on this machine only; {adapter!r} sends pictures away; use an embedded "
            "recogniser or people who agreed to it"
        )


def some_of(files: Sequence[str]) -> str:
    """The first files of a list by name, and how many more there are."""
    named = ", ".join(repr(file) for file in files[:MOST_NAMED])
    return named if len(files) <= MOST_NAMED else f"{named} and {len(files) - MOST_NAMED} more"


def _rows(text: str, name: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        if len(columns) == 1 and any(mark in columns[0] for mark in (";", "\t")):
            raise InputError(
                f"{name}: the columns are separated by semicolons or tabs; commas are needed; "
                "save it as CSV with commas"
            )
        missing = [column for column in NEEDED if column not in columns]
        if missing:
            raise InputError(
                f"{name}: the column {missing[0]!r} is missing; the first line needs "
                f"{', '.join(NEEDED)}"
            )
        reader.fieldnames = columns
        return [
            (number, {key: (value or "").strip() for key, value in row.items() if key})
            for number, row in enumerate(reader, start=2)
        ]
    except csv.Error as error:
        raise InputError(f"{name} is not a CSV file with a header: {error}") from error


def _check_row(row: Mapping[str, str], number: int, name: str) -> None:
    for column in NEEDED:
        if not row[column]:
            why = "; nobody is audited without consent" if column == "consent" else ""
            raise InputError(f"{name}, line {number}: {column!r} is empty; it is needed{why}")
    allowed = {
        "role": get_args(PictureRole),
        "authorised": (YES, NO, ""),
        "part": (*get_args(Part), ""),
    }
    for column, values in allowed.items():
        if row.get(column, "") not in values and column in row:
            known = ", ".join(value for value in values if value)
            raise InputError(
                f"{name}, line {number}: {column!r} is {row[column]!r}; one of {known} is needed"
            )


def _check_parts(rows: Sequence[tuple[int, Mapping[str, str]]], name: str) -> None:
    """All rows of a person agree on everything but file and role."""
    first: dict[str, Mapping[str, str]] = {}
    for number, row in rows:
        known = first.setdefault(row["id"], row)
        for column in row.keys() - {"file", "role", "id"}:
            if row[column] != known[column]:
                what = (
                    "is on both sides of the split"
                    if column == "part"
                    else f"has two values of {column!r}"
                )
                raise InputError(
                    f"{name}, line {number}: {row['id']!r} {what} ({known[column]!r} and "
                    f"{row[column]!r}); if these are two people, give them two ids"
                )


def _person(rows: Sequence[dict[str, str]], name: str, digest: Callable[[str], str]) -> Person:
    first = rows[0]
    photos = tuple(
        Photo(row["id"], row["file"], _role(row["role"]), digest(row["file"])) for row in rows
    )
    if any(photo.role == "impostor" for photo in photos) and any(
        photo.role == "enrol" for photo in photos
    ):
        raise InputError(
            f"{name}: {first['id']!r} is enrolled and an impostor; an impostor is nobody the "
            "service knows; use the role probe"
        )
    return Person(
        id=first["id"],
        consent=first["consent"],
        authorised=first.get("authorised") == YES,
        part=_part(first.get("part", "")),
        photos=photos,
        groups={k: v for k, v in first.items() if k not in OWN_COLUMNS and v},
    )


def _role(value: str) -> PictureRole:
    return next(role for role in get_args(PictureRole) if role == value)


def _part(value: str) -> Part | None:
    return next((part for part in get_args(Part) if part == value), None)


def _check_pictures(people: Sequence[Person], name: str) -> None:
    """No picture twice: neither in two roles nor under two names."""
    photos = [photo for person in people for photo in person.photos]
    counted = Counter(photo.sha256 for photo in photos)
    for digest, count in counted.items():
        if count > 1:
            same = [photo for photo in photos if photo.sha256 == digest]
            owners = sorted({photo.person for photo in same})
            whose = (
                f"of {owners[0]!r}" if len(owners) == 1 else f"of {owners[0]!r} and {owners[1]!r}"
            )
            raise InputError(
                f"{name}: {same[0].file!r} and {same[1].file!r} {whose} are the same picture; "
                "list it once"
            )
    if not people:
        raise InputError(f"{name} lists nobody; at least four people are needed")
