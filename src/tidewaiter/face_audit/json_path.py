"""Find values in a service's JSON by a path, in the small part of JSONPath that audits need.

    $.result[0].similarity    names after dots, numbers in brackets
    $.faces[*].id             a star stands for every element
    $['face matches'].score   a quoted name may hold anything

Source: RFC 9535, child segments with name, index and wildcard selectors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tidewaiter.errors import ConfigurationError

_SEGMENT = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)|\[(?P<index>-?\d+)\]|\[(?P<star>\*)\]|\.(?P<dotstar>\*)"
    r"|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]"
)
_EVERY = object()


@dataclass(frozen=True)
class JsonPath:
    """A path that was understood; made by `json_path`."""

    text: str
    steps: tuple[Any, ...]

    def all_in(self, document: Any) -> list[Any]:
        """Every value the path leads to, in order; none where it leads nowhere."""
        found = [document]
        for step in self.steps:
            found = [inner for outer in found for inner in _inside(outer, step)]
        return found

    def first_in(self, document: Any) -> Any:
        """The first value the path leads to, or None."""
        return next(iter(self.all_in(document)), None)


def json_path(text: str) -> JsonPath:
    """Understand a path; raises ConfigurationError showing where it cannot be read."""
    if not text.startswith("$"):
        raise ConfigurationError(f"the JSON path {text!r} does not begin with $")
    steps, position = [], 1
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ConfigurationError(
                f"the JSON path {text!r} cannot be read from {text[position:]!r} on; "
                "names (.name), numbers ([0]) and stars ([*]) are understood"
            )
        steps.append(_step(match))
        position = match.end()
    return JsonPath(text, tuple(steps))


def _step(match: re.Match[str]) -> Any:
    if match["star"] or match["dotstar"]:
        return _EVERY
    if match["index"] is not None:
        return int(match["index"])
    return next(match[kind] for kind in ("name", "single", "double") if match[kind] is not None)


def _inside(value: Any, step: Any) -> list[Any]:
    if step is _EVERY:
        inner = value.values() if isinstance(value, dict) else value
        return list(inner) if isinstance(value, dict | list) else []
    if isinstance(step, int):
        fits = isinstance(value, list) and -len(value) <= step < len(value)
        return [value[step]] if fits else []
    return [value[step]] if isinstance(value, dict) and step in value else []
