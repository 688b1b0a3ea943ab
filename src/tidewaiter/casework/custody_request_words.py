"""What a request asks for, in words, for whoever must approve it: no field is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidewaiter.casework.custody_requests import Request

_ASKS_TO = {
    "access": "let a recording leave the house",
    "category": "put a recording into another retention class",
    "derive": "log a redacted copy of a recording",
    "erase": "destroy a recording, and keep the proof that it existed",
    "hold": "lift the hold on a recording",
    "key.class": "give a retention class a new key",
    "key.enrol": "enrol a key, so that what it signs counts",
    "key.rotate": "give a person or a service a new key",
    "policy": "change whose log this is, and which witnesses must confirm it",
    "retention": "set how long a class of recordings is kept",
    "witness": "change the list of witnesses",
}
_SAID_ALREADY = {"kind", "request"}


def read_out(request: Request) -> list[str]:
    """What a request asks for, a line or more for each field, as it will stand in the entry."""
    kind = str(request.fields["kind"])
    asked = f"{request.name} asks to {_ASKS_TO.get(kind, 'log an entry')} ({kind})"
    lines = [
        f"    {line}"
        for name, value in request.fields.items()
        if name not in _SAID_ALREADY
        for line in _field_lines(name, value)
    ]
    given = ", ".join(str(one["by"]) for one in request.approvals)
    return [asked, *lines, f"approved so far by: {given or 'nobody'}"]


def _field_lines(name: str, value: Any) -> Iterator[str]:
    if name == "masks":
        yield from (f"mask: {_mask_words(one)}" for one in value)
    elif isinstance(value, Mapping):
        yield from (f"{name} of {part}: {said}" for part, said in value.items())
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        yield from (f"{name}: {', '.join(f'{k} {v}' for k, v in one.items())}" for one in value)
    elif isinstance(value, list):
        yield f"{name}: {'; '.join(map(str, value)) or 'none'}"
    else:
        yield f"{name}: {value}"


def _mask_words(mask: Mapping[str, int]) -> str:
    """When and where a mask covers, in seconds and in percent of the picture."""
    right, bottom = mask["x"] + mask["width"], mask["y"] + mask["height"]
    return (
        f"from {mask['from_ms'] / 1000:g} to {mask['to_ms'] / 1000:g} s; "
        f"left {mask['x'] / 100:g} %, top {mask['y'] / 100:g} %, "
        f"right {right / 100:g} %, bottom {bottom / 100:g} % of the picture"
    )
