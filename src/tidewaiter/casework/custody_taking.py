"""Take recordings into custody: seal them, write their entries, hand those to the log.

Media first, then keys and salts, then the record with the device's next state and the word of its
arrival, then the log: a crash between any two leaves nothing that the next run does not finish or
take in again.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, Final, cast

from tidewaiter.casework.custody_finding import find_link
from tidewaiter.casework.custody_site import Site, Waiting, known_state
from tidewaiter.custody.commitments import COMMITMENT_SALT_LENGTH, Opening, commit
from tidewaiter.custody.device import DeviceState, emit
from tidewaiter.custody.record import Record, parse_record, sign_record
from tidewaiter.custody.record_kinds import LARGEST_RECORD_NUMBER, NAMED
from tidewaiter.custody.seal import (
    KEY_LENGTH,
    SEAL_NONCE_LENGTH,
    seal,
    unseal,
    unwrap_key,
    wrap_key,
)
from tidewaiter.errors import (
    BrokenSeal,
    ConfigurationError,
    InputError,
    IntegrityError,
    StorageError,
    TidewaiterError,
)

CHUNK = 1 << 20
WRAP_NONCE_LENGTH = 12
DOCKED = "docked"
_SHORT_ID = 6
# The original name is committed to, and shown to whoever gets the opening; longer is no name.
_LONGEST_NAME = 1000


@dataclass(frozen=True)
class HandedIn:
    """A file handed in: its fingerprints already taken, its bytes read once more on sealing."""

    name: str
    sha256: str
    media_type: str
    manifest: bytes
    opened: Callable[[], AbstractContextManager[BinaryIO]]
    start_ms: int | None = None
    end_ms: int | None = None
    signatures: tuple[str, ...] = ()
    without_prints: str = ""
    """Why nothing of it could be fingerprinted; empty where it could."""


@dataclass(frozen=True)
class Taken:
    """A recording in custody. `is_new` is False where the same bytes were taken in before."""

    name: str
    recording: str
    is_new: bool
    without_prints: str = ""
    """Why nothing of it could be fingerprinted: it may be no recording, or half of one."""


@dataclass(frozen=True)
class Sealed:
    """A medium and its manifest, sealed and durable, with what opens them."""

    fields: dict[str, Any]
    openings: tuple[tuple[str, bytes, str], ...]
    """Field, salt and value of each commitment."""

    wrapped: bytes
    retention: str


def dock(site: Site, device: str, files: list[HandedIn], retention: str) -> list[Taken]:
    """Take the recordings of one device, in the order given, and log them.

    A camera that cannot sign is signed for by its dock; one that can ends with a signed stop.
    """
    state = known_state(site.agent, device)
    taken = [
        _take(site, one, retention, lambda: _next_of(site, device), acknowledges=True)
        for one in files
    ]
    site.hand_in()
    if not state.by and _ends_with_a_segment(site, device):
        site.tell(device, "stop", {"reason": DOCKED})
        site.hand_in()
    return taken


def ingest(site: Site, files: list[HandedIn], retention: str) -> list[Taken]:
    """Take what somebody else hands in: nothing before this moment is covered."""
    taken = [take_import(site, one, retention) for one in files]
    site.hand_in()
    return taken


def take_import(site: Site, file: HandedIn, retention: str, found: Sequence[str] = ()) -> Taken:
    """Take in one file at the level `import`, with what was found wrong; `hand_in` logs it."""
    return _take(site, file, retention, lambda: _import_id(site, found))


def seal_medium(site: Site, recording: str, file: HandedIn, retention: str) -> Sealed:
    """Seal a medium and its manifest under a new key and make both durable.

    Raises InputError where the bytes are no longer those that were fingerprinted.
    """
    key = site.random(KEY_LENGTH)
    plain = checked_parts(file)
    sealed = PartStream(seal(plain, key, site.random(SEAL_NONCE_LENGTH), "media"))
    blob = site.blobs.put(cast("BinaryIO", sealed))
    nonce = site.random(SEAL_NONCE_LENGTH)
    prints = PartStream(seal([file.manifest], key, nonce, "manifest"))
    manifest_blob = site.blobs.put(cast("BinaryIO", prints))
    opened = {
        "media": file.sha256,
        "manifest": hashlib.sha256(file.manifest).hexdigest(),
        "name": printable_name(file.name),
    }
    openings = tuple(
        (field, site.random(COMMITMENT_SALT_LENGTH), value) for field, value in opened.items()
    )
    fields: dict[str, Any] = {
        "blob": blob,
        "bytes": sealed.length,
        "manifest_blob": manifest_blob,
        "commit": {field: commit(field, salt, value) for field, salt, value in openings},
        "media_type": file.media_type,
        "class": retention,
    }
    wrapped = wrap_key(
        site.class_key(retention),
        key,
        nonce=site.random(WRAP_NONCE_LENGTH),
        recording=recording,
        retention_class=retention,
    )
    return Sealed(fields, openings, wrapped, retention)


def keep_secrets(site: Site, recording: str, record: Record, sealed: Sealed) -> None:
    """Keep the key and the salts of a recording where erasure can destroy them."""
    site.secrets.keep_key(recording, sealed.retention, sealed.wrapped)
    site.secrets.keep_openings(
        [Opening(record.digest, field, salt, value) for field, salt, value in sealed.openings]
    )


def plain_key(site: Site, recording: str) -> bytes:
    """The key of a recording. Raises IntegrityError where it was destroyed."""
    kept = site.secrets.wrapped_key(recording)
    if kept is None:
        raise IntegrityError(
            f"the key of recording {recording} is gone: it was erased, or `tidewaiter custody "
            "audit` will say what happened"
        )
    retention, wrapped = kept
    return _unwrapped(site, recording, retention, wrapped)


def plain_parts(site: Site, recording: str, record: Record, purpose: str) -> Iterator[bytes]:
    """The plain bytes of a recording's medium, or with `manifest` of its manifest."""
    digest = record.fields["blob" if purpose == "media" else "manifest_blob"]
    with site.blobs.open(digest) as source:
        yield from unseal(_parts(source), plain_key(site, recording), purpose)


def camera_number(name: str, pattern: str) -> int | None:
    """The camera's own number in a file's name; None where the pattern is empty or finds none."""
    found = re.search(pattern, name) if pattern else None
    digits = (found[1] or "") if found else ""
    is_number = digits.isascii() and digits.isdigit() and int(digits) <= LARGEST_RECORD_NUMBER
    return int(digits) if is_number else None


def _unwrapped(site: Site, recording: str, retention: str, wrapped: bytes) -> bytes:
    """While a class gets a new key either may be the right one; a reader may meet the change."""
    problem: TidewaiterError | None = None
    for key_of in (site.class_key, site.next_class_key, site.class_key):
        try:
            key = key_of(retention)
            if key is not None:
                return unwrap_key(key, wrapped, recording=recording, retention_class=retention)
        except (BrokenSeal, ConfigurationError) as error:
            problem = problem or error
    raise problem or BrokenSeal(f"no key of the class {retention!r} is here")


_New = tuple[str, Callable[[dict[str, Any]], tuple[bytes, DeviceState]]]


def _take(
    site: Site,
    file: HandedIn,
    retention: str,
    new: Callable[[], _New],
    *,
    acknowledges: bool = False,
) -> Taken:
    before = site.agent.taken(file.sha256)
    if before:
        return Taken(file.name, before, is_new=False)
    recording, write = new()
    sealed = seal_medium(site, recording, file, retention)
    fields = {**sealed.fields, "recording": recording}
    if file.signatures:
        fields["signatures"] = list(file.signatures)
    if file.start_ms is not None and file.end_ms is not None:
        fields |= {"start_ms": file.start_ms, "end_ms": file.end_ms}
    leaf, following = write(fields | {"name": file.name})
    keep_secrets(site, recording, parse_record(leaf), sealed)
    arrivals = [_acknowledgement(site, recording, leaf, retention)] if acknowledges else []
    site.agent.step(following, Waiting(leaf, recording), file.sha256, arrivals)
    return Taken(file.name, recording, is_new=True, without_prints=file.without_prints)


def _next_of(site: Site, device: str) -> _New:
    """The name of a device's next recording, and how its segment is written."""
    state = known_state(site.agent, device)
    pattern = site.agent.file_number(device)

    def write(fields: dict[str, Any]) -> tuple[bytes, DeviceState]:
        number = camera_number(fields.pop("name"), pattern)
        if number is not None:
            fields["camera_no"] = number
        fields["level"] = "dock" if state.by else "device"
        return emit(state, "segment", site.now_ms(), fields)

    return f"{device}/{state.seq}", write


def _import_id(site: Site, found: Sequence[str]) -> _New:
    state: Final = known_state(site.agent, site.service)

    def write(fields: dict[str, Any]) -> tuple[bytes, DeviceState]:
        fields.pop("name")
        fields |= {"found": list(found)} if found else {}
        whole = site.said("import", fields | {"level": "import"})
        return sign_record(whole, state.secret), state

    return f"import/{site.random(_SHORT_ID).hex()}", write


def _acknowledgement(site: Site, recording: str, leaf: bytes, retention: str) -> Waiting:
    """The ingest's own entry: when, by its clock, the recording came."""
    fields = {"recording": recording, "entry": hashlib.sha256(leaf).hexdigest()}
    said = site.said("ingest", fields | {"class": retention})
    return Waiting(sign_record(said, known_state(site.agent, site.service).secret))


def _ends_with_a_segment(site: Site, device: str) -> bool:
    """Whether a device's newest record is a recording: it still owes the word that it stopped."""
    number = known_state(site.agent, device).seq - 1
    found = find_link(site.store, device, number) if number >= 0 else None
    return found is not None and found.record.kind == "segment"


def checked_parts(file: HandedIn) -> Iterator[bytes]:
    """The bytes of a file handed in, part by part.

    Raises InputError at the end where they are no longer those that were fingerprinted.
    """
    state = hashlib.sha256()
    with file.opened() as source:
        for part in _parts(source):
            state.update(part)
            yield part
    if state.hexdigest() != file.sha256:
        raise InputError(
            f"{file.name} changed while it was read: it is still being copied, or written to; "
            "wait until it is complete, then hand it in again"
        )


def printable_name(name: str) -> str:
    """A file's own name as text: what no UTF-8 can hold is escaped, and no path comes along."""
    text = PurePath(name).name.encode("utf-8", "backslashreplace").decode("utf-8")
    return text[:_LONGEST_NAME]


class PartStream(io.RawIOBase):
    """Parts as a file to read from; `length` counts what was read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._held, self.length = parts, b"", 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, all of them without a size; empty at the end."""
        while size < 0 or len(self._held) < size:
            part = next(self._parts, b"")
            if not part:
                break
            self._held += part
        size = len(self._held) if size < 0 else size
        given, self._held = self._held[:size], self._held[size:]
        self.length += len(given)
        return given


def _parts(source: BinaryIO) -> Iterator[bytes]:
    try:
        while part := source.read(CHUNK):
            yield part
    except OSError as error:
        raise StorageError(
            f"a medium cannot be read to its end ({error.strerror}); nothing of it was logged: "
            "check the card or the disk, then hand it in again"
        ) from error


def must_be_name(text: str, what: str) -> str:
    """Accept a name of the log, or raise InputError."""
    if not NAMED.fullmatch(text):
        raise InputError(
            f"{text[:80]!r} is no name for {what}: up to 128 letters, digits, dots, dashes, "
            "colons and slashes, beginning with a letter or digit"
        )
    return text
