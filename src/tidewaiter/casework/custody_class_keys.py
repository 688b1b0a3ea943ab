"""Give a retention class a new key, so that older copies of the wrapped keys open nothing.

Guarantee: wrapped keys that were copied out of the site before stay closed to whoever has today's
class key; and wherever a rotation stops, every recording that is not erased opens. Mechanism: two
people approve the new key by its fingerprint, and the entry is logged; then all wrapped keys of
the class change in one transaction; then the new key is written over the old one. Until that is
done both keys are tried, and opening the site finishes it. The hole that remains: a copy of the
old class key itself, and what a disk keeps of bytes that were written over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

from tidewaiter.casework.custody_log import Receipt
from tidewaiter.casework.custody_requests import Request, ask, carry_out
from tidewaiter.casework.custody_site import Site
from tidewaiter.casework.custody_taking import WRAP_NONCE_LENGTH
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.seal import KEY_LENGTH, unwrap_key, wrap_key
from tidewaiter.errors import BrokenSeal, InputError, IntegrityError

ROTATION = "key.class"
"""Kind of the entry by which a class gets a new key."""

_FINGERPRINT_OF = b"tidewaiter/class-key/v1\0"


class ClassKeys(Protocol):
    """Where the keys of retention classes are kept, apart from what they wrap."""

    def current(self, retention: str) -> bytes | None:
        """The key of a class; None where there is none, or it was only half written over."""

    def waiting(self, retention: str) -> bytes | None:
        """The key that is to come next, if one was made."""

    def all_waiting(self) -> list[str]:
        """The classes that have a key that is to come next."""

    def prepare(self, retention: str, key: bytes) -> None:
        """Keep the key that is to come next, durably. Raises ConfigurationError if one is there."""

    def exchange(self, retention: str) -> None:
        """Write the waiting key over the current one, durably; then none waits."""


def fingerprint(key: bytes) -> str:
    """What an entry calls a class key by; a key of 32 random bytes cannot be guessed from it."""
    return hashlib.sha256(_FINGERPRINT_OF + key).hexdigest()


def ask_to_rotate(
    site: Site, keys: ClassKeys, retention: str, basis: str, backups: Sequence[str]
) -> Request:
    """Make the class's next key and write down its use for two people to approve.

    `backups` names copies of the old class key that were destroyed. Raises ConfigurationError
    where there is no such class.
    """
    site.class_key(retention)
    key = keys.waiting(retention)
    if key is None:
        key = site.random(KEY_LENGTH)
        keys.prepare(retention, key)
    fields: dict[str, Any] = {"class": retention, "fingerprint": fingerprint(key), "basis": basis}
    return ask(site, ROTATION, fields | ({"backups": list(backups)} if backups else {}))


def rotate_class(site: Site, keys: ClassKeys, request: Request) -> Receipt | None:
    """Carry out an approved rotation; one whose entry is there already is finished.

    None where the entry was there. Raises IntegrityError where approvals are missing, InputError
    where the key that was approved does not wait here.
    """
    retention, wanted = str(request.fields["class"]), str(request.fields["fingerprint"])
    if is_logged(site, wanted):
        finish_rotations(site, keys)
        return None
    key = keys.waiting(retention)
    if key is None or fingerprint(key) != wanted:
        raise InputError(
            f"{request.name} was asked for another key than the one that waits for the class "
            f"{retention!r} here; ask anew"
        )
    # Found before the entry is there, a key that opens with neither stops nothing half-way.
    _wrap_anew(site, retention, keys.current(retention), key, is_trial=True)
    receipt = carry_out(site, request)
    finish_rotations(site, keys)
    return receipt


def finish_rotations(site: Site, keys: ClassKeys) -> list[str]:
    """Finish what was logged and interrupted; gives the classes whose key changed.

    Raises IntegrityError where a wrapped key opens with neither key: then nothing changed.
    """
    done = []
    for retention in keys.all_waiting():
        new = keys.waiting(retention)
        if new is None or not is_logged(site, fingerprint(new)):
            continue
        _wrap_anew(site, retention, keys.current(retention), new)
        keys.exchange(retention)
        done.append(retention)
    return done


def is_logged(site: Site, wanted: str) -> bool:
    """Whether an entry brings the class key of this fingerprint into use."""
    marks = (f'"fingerprint":"{wanted}"'.encode(), f'"kind":"{ROTATION}"'.encode())
    return any(
        parse_record(leaf.body).kind == ROTATION
        for leaf in site.store.leaves_with(marks[:1])
        if marks[1] in leaf.body
    )


def _wrap_anew(
    site: Site, retention: str, old: bytes | None, new: bytes, *, is_trial: bool = False
) -> None:
    def anew(recording: str, wrapped: bytes) -> bytes:
        for key in (new, old):
            plain = _opened(key, wrapped, recording, retention)
            if plain is not None:
                break
        else:
            raise IntegrityError(
                f"the key of {recording} opens with no key of the class {retention!r}; nothing "
                "was changed: restore its wrapped key from a backup, or erase the recording"
            )
        if key == new or is_trial:
            return wrapped
        nonce = site.random(WRAP_NONCE_LENGTH)
        return wrap_key(new, plain, nonce=nonce, recording=recording, retention_class=retention)

    site.secrets.wrap_anew(retention, anew)


def _opened(key: bytes | None, wrapped: bytes, recording: str, retention: str) -> bytes | None:
    if key is None:
        return None
    try:
        return unwrap_key(key, wrapped, recording=recording, retention_class=retention)
    except BrokenSeal:
        return None
