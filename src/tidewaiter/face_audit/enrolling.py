"""Which enrolment pictures gave the service no template, and whom nobody can impersonate so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.face_audit.ledger import Book
from tidewaiter.face_audit.observations import Seen, rate_of
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.results import Rate
from tidewaiter.face_audit.service import UNCAPTURED, Outcome
from tidewaiter.face_audit.trials import Setting, enrolment_id

# One probe without a template may be at fault itself; two say that it is the reference.
PROBES_NEEDED = 2


@dataclass(frozen=True)
class Enrolled:
    """FTE over the measured people's enrolment pictures, and targets without any template."""

    fte: Rate | None
    without: tuple[str, ...]


def enrolled(seen: Sequence[Seen], setting: Setting, book: Book, *, verify: bool) -> Enrolled:
    """What became of enrolment pictures: of a gallery as answered, else as comparisons show.

    A service that compares two pictures does not say which of them had no face: a reference
    failed where no comparison with it had a template, of two probes or more.
    """
    measured = [
        photo
        for name in sorted(setting.people)
        if setting.part_of[name] == "test"
        for photo in setting.people[name].enrolled
    ]
    failures = dict(_compared(seen) if verify else _answered(measured, book))
    known = [photo for photo in measured if photo.sha256 in failures]
    if not known:
        return Enrolled(None, ())
    failed = np.array([failures[photo.sha256] for photo in known])
    people = [photo.person for photo in known]
    usable = {person for person, one in zip(people, failed, strict=True) if not one}
    lost = set(people) - usable
    missing = len(measured) - len(known)
    fte = rate_of(failed, people, missing=missing)
    return Enrolled(fte, tuple(name for name in setting.targets if name in lost))


def _answered(gallery: Sequence[Photo], book: Book) -> Iterator[tuple[str, bool]]:
    for photo in gallery:
        row = book.answered.get(enrolment_id(photo))
        if row is not None and row.outcome in {*UNCAPTURED, Outcome.ENROLLED}:
            yield photo.sha256, row.outcome in UNCAPTURED


def _compared(seen: Sequence[Seen]) -> Iterator[tuple[str, bool]]:
    met: dict[str, dict[str, bool]] = {}
    for one in seen:
        if one.trial.reference is not None and not one.missing:
            met.setdefault(one.trial.reference.sha256, {})[one.trial.probe.key] = one.uncaptured
    for reference, probes in met.items():
        if not all(probes.values()):
            yield reference, False
        elif len(probes) >= PROBES_NEEDED:
            yield reference, True
