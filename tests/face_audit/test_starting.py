"""What `audit init` writes is accepted, and the reference names every key and species."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from tests.face_audit.making import digest
from tidewaiter.face_audit import starting
from tidewaiter.face_audit.people import read_people
from tidewaiter.face_audit.protocol import ATTACKS, Protocol, read_protocol

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "audit-protocol.md"


def keys(model: type[BaseModel]) -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        found.add(name)
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= keys(part)
    return found


def test_the_first_protocol_and_list_are_accepted():
    assert read_protocol(starting.PROTOCOL, "protocol.toml").audit == "gate-1"
    people = read_people(starting.PEOPLE, "identities.csv", digest)
    assert people[0].groups == {"sex": "f", "age": "40-49"}


def test_the_reference_names_every_key_and_species():
    page = PAGE.read_text(encoding="utf-8")
    for name in keys(Protocol) - {"attacks", "split", "by", "licit", "pairs", "gate", "limits"}:
        assert name in page, name
    for species in ATTACKS:
        assert f"`{species}`" in page, species
