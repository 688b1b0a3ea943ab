"""A small, complete audit of the embedded recogniser on faces somebody has at hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from tidewaiter.errors import InputError

# Enough for tables of every kind within minutes on two cores; far too few for a claim.
MOST_PEOPLE, MOST_PICTURES, FEWEST_PICTURES = 12, 4, 3
FEWEST_PEOPLE = 6

PROTOCOL = """\
# Written by `tidewaiter audit demo`: too few people for any claim about a service.
audit = "demo"

[target]
adapter = "dlib"
threshold = {{ fmr = [0.01] }}
{gate}
[[attacks]]
species = "swap-feather"
pairs = {{ lookalike = 1, random = 1 }}

[[attacks]]
species = "morph-complete"
pairs = {{ lookalike = 1, random = 1 }}

[[attacks]]
species = "reenact"
pairs = {{ lookalike = 0, random = 1 }}

[[attacks]]
species = "recapture-screen"
pairs = {{ lookalike = 0, random = 1 }}
"""
GATE = """
[gate]
detector = "{detector}"
"""


def chosen(found: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The first people, by name, with enough pictures; `found` are files by person.

    Raises InputError where there are too few.
    """
    able = {name: tuple(sorted(files)) for name, files in sorted(found.items())}
    able = {name: files for name, files in able.items() if len(files) >= FEWEST_PICTURES}
    if len(able) < FEWEST_PEOPLE:
        raise InputError(
            f"{len(able)} folders with at least {FEWEST_PICTURES} pictures; {FEWEST_PEOPLE} are "
            "needed, one folder for each person; choose another folder of faces"
        )
    return {name: able[name][:MOST_PICTURES] for name in list(able)[:MOST_PEOPLE]}


def people_text(people: Mapping[str, Sequence[str]]) -> str:
    """The list of people: the first picture enrols, the others are probes, none leaves here."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "file", "role", "consent", "authorised"])
    for name, files in people.items():
        for number, file in enumerate(files):
            role = "probe" if number else "enrol"
            writer.writerow([name, file, role, "research", "yes"])
    return out.getvalue()


def protocol_text(gate: str | None) -> str:
    """The protocol, with a detector as gate where one is named."""
    return PROTOCOL.format(gate=GATE.format(detector=gate) if gate else "")
