"""Whether files handed in are what the entries of a bundle say, and what openings reveal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidewaiter.custody.commitments import Opening, commit, opens, parse_openings
from tidewaiter.custody.record import Record
from tidewaiter.custody.verdict import Notebook, shown_text
from tidewaiter.errors import MalformedText

FILES_OF_A_RECORDING = ("media", "manifest")
"""Commitments whose value is the SHA-256 of a file, in hexadecimal."""
FILES_NAMED_OPENLY = ("blob", "manifest_blob", "report", "exhibit")
"""Fields that hold the SHA-256 of a file as it is: a sealed one, or one that was examined."""


@dataclass(frozen=True)
class HandedIn:
    """A file whose bytes are to be checked: its name, SHA-256 in hexadecimal, and length."""

    name: str
    sha256: str
    byte_length: int


@dataclass(frozen=True)
class LoggedEntry:
    """An entry that is in the log, with the salts that came in its proof file."""

    index: int
    record: Record
    salts: Mapping[str, bytes]


def check_files(
    entries: Sequence[LoggedEntry],
    opening_parts: Sequence[tuple[str, bytes]],
    files: Sequence[HandedIn],
    notes: Notebook,
) -> None:
    """Match every file with an entry; say of each whether it is what was logged."""
    openings = _read_openings(opening_parts, notes)
    _note_openings(entries, openings, notes)
    matched: set[int] = set()
    for file in files:
        match = _match(file, entries, openings)
        if match is None:
            _note_stranger(file, entries, openings, notes)
        else:
            matched.add(match[0].index)
            notes.proven.append(_matched_words(file, *match))
    for entry in entries:
        if "blob" in entry.record.fields and entry.index not in matched:
            notes.not_proven.append(
                f"the content of {entry.record.recording} (entry {entry.index}): no file that "
                "fits it was handed in, only its entry was checked"
            )
        if entry.record.fields.get("signatures"):
            names = shown_text(", ".join(entry.record.fields["signatures"]))
            notes.not_proven.append(
                f"what signatures inside {entry.record.recording} said (entry {entry.index} noted "
                f"{names}): they were read when it came in, and nothing here rests on them"
            )


def _read_openings(parts: Sequence[tuple[str, bytes]], notes: Notebook) -> list[Opening]:
    found: list[Opening] = []
    for name, body in parts:
        try:
            found += parse_openings(body)
        except MalformedText as error:
            notes.contradict("record-malformed", f"{shown_text(name)}: {error}")
    return found


def _note_openings(
    entries: Sequence[LoggedEntry], openings: Sequence[Opening], notes: Notebook
) -> None:
    by_digest = {entry.record.digest: entry for entry in entries}
    for opening in openings:
        entry = by_digest.get(opening.record)
        field = shown_text(opening.field)
        if entry is None:
            notes.missing.append(f"the entry that the opening of {field} belongs to")
        elif not opens(entry.record, opening):
            text = f"the opening of {field} does not fit what entry {entry.index} committed to"
            notes.contradict("record-edited", text, entry.index)
        elif opening.field not in FILES_OF_A_RECORDING:
            value = shown_text(str(opening.value))
            notes.proven.append(f"{field} of entry {entry.index} is: {value}")


def _match(
    file: HandedIn, entries: Sequence[LoggedEntry], openings: Sequence[Opening]
) -> tuple[LoggedEntry, str] | None:
    """The entry and field that a file is the content of."""
    for entry in entries:
        for field in FILES_NAMED_OPENLY:
            if entry.record.fields.get(field) == file.sha256:
                return entry, field
        for field in FILES_OF_A_RECORDING:
            if any(
                commit(field, salt, file.sha256) == entry.record.commit.get(field)
                for salt in _salts(entry, field, openings)
            ):
                return entry, field
    return None


def _salts(entry: LoggedEntry, field: str, openings: Sequence[Opening]) -> list[bytes]:
    given = [entry.salts[field]] if field in entry.salts else []
    digest = entry.record.digest
    return given + [one.salt for one in openings if (one.record, one.field) == (digest, field)]


def _matched_words(file: HandedIn, entry: LoggedEntry, field: str) -> str:
    name, index, record = shown_text(file.name), entry.index, entry.record
    if field in {"report", "exhibit"}:
        return f"{name} is, byte for byte, the {field} of the {record.kind} logged as entry {index}"
    sealed = ", still sealed" if field.endswith("blob") else ""
    if field.startswith("manifest"):
        return f"{name} is the manifest of {record.recording} logged as entry {index}{sealed}"
    if record.kind == "derive":
        return (
            f"{name} is, byte for byte, the redacted copy {record.fields['result']} logged as "
            f"entry {index}{sealed}: made from {record.recording}, and not the original"
        )
    return (
        f"{name} is, byte for byte, the recording {record.recording} of {record.device} logged "
        f"as entry {index}{sealed}"
    )


def _note_stranger(
    file: HandedIn,
    entries: Sequence[LoggedEntry],
    openings: Sequence[Opening],
    notes: Notebook,
) -> None:
    """A file that fits no entry: contradicted if every recording could have been compared."""
    name = shown_text(file.name)
    comparable = [entry for entry in entries if _files_of(entry)]
    # A plain recording is shorter than its sealed file, so one of that length was sealed.
    sealed = [entry for entry in entries if entry.record.fields.get("bytes") == file.byte_length]
    closed = [
        entry
        for entry in comparable
        if "blob" in entry.record.fields and not _salts(entry, "media", openings)
    ]
    if sealed:
        comparable, closed = sealed, []
    if not comparable:
        notes.missing.append(f"the entry with which {name} could be compared")
    elif closed:
        names = ", ".join(entry.record.recording for entry in closed[:3])
        notes.missing.append(
            f"{name} is not the sealed file of any entry here; whether it is the plain recording "
            f"takes the salt of {names}, which was not handed in or was destroyed"
        )
    else:
        index = comparable[0].index if len(comparable) == 1 else None
        names = ", ".join(_files_of(entry) for entry in comparable[:3])
        text = f"{name} ({file.byte_length} bytes, SHA-256 {file.sha256}) is not {names} as logged"
        notes.contradict("media-edited", text, index)


def _files_of(entry: LoggedEntry) -> str:
    """What the entry says of files, in words; empty where it names none."""
    fields, record = entry.record.fields, entry.record
    if "blob" in fields:
        return str(fields.get("result", record.recording))
    if "report" in fields or "exhibit" in fields:
        return f"the exhibit or report of entry {entry.index}"
    return ""
