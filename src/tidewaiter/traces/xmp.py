"""XMP: the XML in which editing programs write what they did.

Read with defusedxml, without document types or entities, and bounded in bytes, depth
and elements. Source: ISO 16684-1; history: XMP Specification Part 2 (stEvt).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Text, tr

MAX_XMP_BYTES = 2 * 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_EVENTS = 40
"""History events kept: the first of the file."""

_SPACES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "adobe:ns:meta/": "x",
}
# Properties shown or compared; everything else is left unread.
_WANTED = frozenset(
    {
        "xmp:CreatorTool",
        "xmp:CreateDate",
        "xmp:ModifyDate",
        "xmp:MetadataDate",
        "photoshop:Credit",
        "photoshop:DateCreated",
        "photoshop:Source",
        "dc:format",
        "dcterms:provenance",
        "tiff:Make",
        "tiff:Model",
        "tiff:Software",
        "exif:DateTimeOriginal",
        "Iptc4xmpExt:DigitalSourceType",
        "Iptc4xmpExt:AISystemUsed",
        "x:xmptk",
    }
)
# ISO 8601; some programs copy the colons of EXIF dates.
_DATE = re.compile(r"(\d{4})[-:](\d\d)[-:](\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?")


@dataclass(frozen=True)
class HistoryEvent:
    """One step that a program noted: what it did, when and which program."""

    action: str
    when: str = ""
    software: str = ""
    details: str = ""


@dataclass(frozen=True)
class Xmp:
    """What the XMP says, safe to show. `derived` is true where it names another file as source."""

    values: Mapping[str, str] = field(default_factory=dict)
    history: tuple[HistoryEvent, ...] = ()
    derived: bool = False
    problems: tuple[Text, ...] = ()

    def time(self, name: str) -> datetime | None:
        """A date property as local time, its zone left out; None if absent or impossible."""
        return xmp_time(self.values.get(name, ""))


def read_xmp(packet: bytes) -> Xmp:
    """Read one XMP packet; never raises, whatever the bytes."""
    if len(packet) > MAX_XMP_BYTES:
        return Xmp(problems=(tr("{found} bytes of XMP; not read", found=len(packet)),))
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException

    reading = _Reading()
    try:
        _walk(packet.strip(b"\0 \r\n\t"), reading)
    except DefusedXmlException:
        reading.problems.append(tr("the XMP declares document types or entities; not read"))
    except (ParseError, UnicodeError, LookupError, ValueError):
        reading.problems.append(tr("the XMP is not well-formed XML"))
    return Xmp(
        values=reading.values,
        history=tuple(reading.history),
        derived=reading.derived,
        problems=tuple(reading.problems),
    )


def xmp_time(text: str) -> datetime | None:
    """An ISO 8601 date, with or without time, as local time without its zone."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}-{found[2]}-{found[3]}T{found[4] or '00:00'}")
    except ValueError:
        return None


@dataclass
class _Reading:
    values: dict[str, str] = field(default_factory=dict)
    history: list[HistoryEvent] = field(default_factory=list)
    derived: bool = False
    problems: list[Text] = field(default_factory=list)
    event: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)


def _walk(packet: bytes, reading: _Reading) -> None:
    from defusedxml.ElementTree import iterparse

    elements = 0
    for happening, element in iterparse(
        io.BytesIO(packet), events=("start", "end"), forbid_dtd=True
    ):
        if happening == "start":
            elements += 1
            if elements > MAX_ELEMENTS or len(reading.path) >= MAX_DEPTH:
                reading.problems.append(tr("the XMP is too large or too deeply nested"))
                return
            reading.path.append(_short(element.tag))
            _attributes(element, reading)
        else:
            _element(reading, element.text or "")
            reading.path.pop()
            element.clear()


def _attributes(element: Any, reading: _Reading) -> None:
    for name, value in element.attrib.items():
        _property(reading, _short(name), value)
    if reading.path[-1] == "xmpMM:DerivedFrom":
        reading.derived = True


def _element(reading: _Reading, text: str) -> None:
    """At the end of an element: its text belongs to the nearest property, not to rdf:li."""
    path = reading.path
    if path[-1] == "rdf:li" and "xmpMM:History" in path:
        _finish_event(reading)
    named = [name for name in path if not name.startswith("rdf:")]
    if named and text.strip():
        _property(reading, named[-1], text)


def _property(reading: _Reading, name: str, value: str) -> None:
    if name.startswith("stEvt:") and "xmpMM:History" in reading.path:
        reading.event.setdefault(name, shown(value))
    elif name in _WANTED and "xmpMM:History" not in reading.path and value.strip():
        reading.values.setdefault(name, shown(value))


def _finish_event(reading: _Reading) -> None:
    event, reading.event = reading.event, {}
    if event and len(reading.history) < MAX_EVENTS:
        reading.history.append(
            HistoryEvent(
                action=event.get("stEvt:action", ""),
                when=event.get("stEvt:when", ""),
                software=event.get("stEvt:softwareAgent", ""),
                details=event.get("stEvt:parameters", ""),
            )
        )


def _short(tag: str) -> str:
    """`{namespace}name` as `prefix:name`, the prefix being the usual one."""
    space, _, name = tag.removeprefix("{").rpartition("}")
    return f"{_SPACES.get(space, '?')}:{name}" if space else name
