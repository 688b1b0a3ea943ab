"""What an audit or a verifier found wrong, by name, with its place in the log."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = {
    "record-edited": "a record's bytes are not those that were logged",
    "media-edited": "a medium's bytes are not those that were logged",
    "record-deleted": "a record that was logged is gone",
    "backdated-insert": "a record stands where none stood when that part was confirmed",
    "reordered": "records stand in another order than they were logged in",
    "tail-truncated": "the end of the log was cut off",
    "database-rolled-back": "the database is an older state of itself",
    "store-rolled-back": "database and media are an older state of themselves",
    "split-view": "two checkpoints signed by the log contradict each other",
    "history-rewritten": "the log is not the one that the witnesses confirmed",
    "media-swapped": "a medium stands under the digest of another",
    "media-missing": "a medium that was logged and not erased is gone",
    "device-reattributed": "a record names a device that did not sign it",
    "segment-replayed": "a segment was logged before under another number",
    "revoked-key-used": "a record is signed by a key that was no longer valid",
    "device-clock-off": "a device's clock is further off than the policy allows",
    "sequence-gap": "numbers are missing from a device's sequence",
    "device-fork": "a device used one number for two records",
    "unexplained-silence": "a device was silent for longer than allowed, without a signed stop",
    "expected-recording-missing": "a recording that was due was not made",
    "early-erasure": "a recording was erased before its date without two approvals",
    "approval-missing": "an action lacks two approvals by different persons",
    "redaction-not-faithful": "a redacted copy differs from its source outside the mask",
    "chain-broken": "a record does not follow the one before it in its device's chain",
    "level-overstated": "a record claims to have been signed earlier on its way than it was",
    "unknown-key": "no entry of the log enrols the key that signed a record",
    "approval-reused": "approvals given for one action stand under another entry too",
    "erased-under-hold": "a recording was erased while a hold on it was in force",
    "entry-without-effect": "an entry contradicts the ones before it and takes no effect",
    "bad-signature": "a record's signature does not fit the key it names",
    "record-malformed": "a leaf does not parse as a record",
    "checkpoint-invalid": "a stored checkpoint does not fit the log or its key",
    "witness-set-back": "a witness remembers less than it confirmed before",
    "witness-unreachable": "a witness did not say what it last confirmed",
}
"""Every name a discrepancy may have, with what it means in one line."""


@dataclass(frozen=True)
class Discrepancy:
    """One thing that is not as it was logged or as the policy asks.

    `first` to `last` are leaf indices, both included; None where it has no place in the log.
    `since_ms` is the last moment, in POSIX milliseconds, at which it was certainly still right,
    `until_ms` the first at which it certainly was again; None where nothing bounds it.
    """

    name: str
    text: str
    first: int | None = None
    last: int | None = None
    devices: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"{self.name!r} is no name of a discrepancy")
