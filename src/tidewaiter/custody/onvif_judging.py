"""What the signatures in a video say: provenance and authenticity, kept apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from tidewaiter.custody.onvif_matching import Item, Span, match_messages
from tidewaiter.custody.onvif_message import Described, SigningMessage, posix_ms
from tidewaiter.custody.onvif_revocation import Revocations
from tidewaiter.custody.onvif_signer import (
    MOST_ANCHORS,
    NOTHING_REVOKED,
    Provenance,
    Signer,
    certificates_in,
    judge_signer,
    signature_fits,
)
from tidewaiter.errors import MalformedText

# Cameras had no such signatures before; an earlier time counts from the stream's beginning.
EARLIEST_TIME_MS = 946_684_800_000
_MS_PER_DAY = 86_400_000
_COUNTERS = 1 << 32


class Authenticity(Enum):
    """Whether the pictures are those that were signed."""

    UNSIGNED = "unsigned"
    """No message of ONVIF Media Signing is in the video."""

    AUTHENTIC = "authentic"
    """Every picture up to the tail is one that was signed, and none is missing."""

    INCOMPLETE = "incomplete"
    """Everything that is there was signed, but pictures or messages are missing in between."""

    NOT_AUTHENTIC = "not-authentic"
    """Something is there that was not signed so, or a signature or the order does not hold."""

    UNDECIDED = "undecided"
    """There are messages, but none describes pictures that are in this video."""


@dataclass(frozen=True)
class Group:
    """The pictures that one message describes, by their place in the video, end excluded.

    `missing` were described and are not there; `foreign` (places) are there and were not
    described. `is_vouched` says that a valid signature covers the message.
    """

    counter: int
    first: int
    end: int
    missing: int
    foreign: tuple[int, ...]
    is_vouched: bool


@dataclass(frozen=True)
class MediaSigning:
    """What the signatures in a video say.

    `tail` pictures at the end are not signed yet, which is usual: a group's message comes during
    the next. `head` pictures come before the first that a message describes. `faults` are in
    words, for people.
    """

    authenticity: Authenticity
    provenance: Provenance | None
    signer: str = ""
    revoked_since_ms: int | None = None
    revoked_why: str = ""
    signed_from_ms: int | None = None
    signed_to_ms: int | None = None
    vendor: tuple[str, ...] = ()
    messages: int = 0
    pictures: int = 0
    confirmed: int = 0
    missing: int = 0
    head: int = 0
    tail: int = 0
    groups: tuple[Group, ...] = ()
    faults: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The same in words for the `signatures` field of a record; empty where unsigned."""
        if self.authenticity is Authenticity.UNSIGNED:
            return ()
        names = ("onvif", f"onvif:{self.authenticity.value}")
        return names if self.provenance is None else (*names, f"onvif:{self.provenance.value}")


@dataclass
class Stream:
    """The hashed units and the messages of a video, in file order.

    `places` says for each message how many items came before it; `unreadable` are the messages
    that break their format, in words; `uncovered` counts coded parts of pictures that are of a
    kind which is never signed.
    """

    pictures: int = 0
    items: list[Item] = field(default_factory=list)
    messages: list[SigningMessage] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    uncovered: int = 0


def judge_stream(
    stream: Stream, anchors: Sequence[bytes], revocations: Revocations = NOTHING_REVOKED
) -> MediaSigning:
    """Judge by the operator's anchors (PEM). Raises MalformedText where those cannot be read."""
    if not stream.messages:
        unsigned = not stream.unreadable
        return MediaSigning(
            Authenticity.UNSIGNED if unsigned else Authenticity.NOT_AUTHENTIC,
            None,
            messages=len(stream.unreadable),
            pictures=stream.pictures,
            faults=tuple(stream.unreadable),
        )
    faults = list(stream.unreadable)
    if stream.uncovered:
        faults.append(f"{stream.uncovered} coded parts are of a kind that is never signed")
    signers, provenance = _signers(stream.messages, anchors, revocations, faults)
    valid = _valid(stream.messages, signers, faults)
    spans = match_messages(stream.items, stream.messages, stream.places)
    vouched = _vouched(stream, spans, valid)
    gaps = _order(stream, spans, faults)
    cover = _cover(stream, spans, vouched, valid, faults)
    groups = tuple(
        _group(stream.items, stream.messages, span, is_vouched=span.message in vouched)
        for span in spans
        if not span.outside
    )
    missing = sum(group.missing for group in groups)
    if any(group.foreign for group in groups):
        faults.append("some pictures are not those that were signed")
    conclusion = Authenticity.UNDECIDED
    if faults:
        conclusion = Authenticity.NOT_AUTHENTIC
    elif cover.confirmed:
        conclusion = Authenticity.INCOMPLETE if missing or gaps else Authenticity.AUTHENTIC
    known = [one for one in signers if one is not None]
    withdrawn = next((one.revocation for one in known if one.revocation), None)
    start, end = _times(stream.messages)
    return MediaSigning(
        conclusion,
        provenance,
        signer=known[0].name if known else "",
        revoked_since_ms=withdrawn.since_ms if withdrawn else None,
        revoked_why=withdrawn.reason if withdrawn else "",
        signed_from_ms=start,
        signed_to_ms=end,
        vendor=next((one.vendor for one in stream.messages if one.vendor), ()),
        messages=len(stream.messages) + len(stream.unreadable),
        pictures=stream.pictures,
        confirmed=cover.confirmed,
        missing=missing,
        head=cover.head,
        tail=cover.tail,
        groups=groups,
        faults=(*faults, *gaps),
    )


def signed_at_ms(described: Described | None) -> int | None:
    """When the camera signed, in POSIX milliseconds; None where its clock began with the stream."""
    if described is None:
        return None
    time_ms = posix_ms(described.start)
    return time_ms if time_ms >= EARLIEST_TIME_MS else None


def _signers(
    messages: Sequence[SigningMessage],
    anchors: Sequence[bytes],
    revocations: Revocations,
    faults: list[str],
) -> tuple[list[Signer | None], Provenance | None]:
    """Whose key each message should be signed with; certificates hold until others come."""
    known: dict[tuple[bytes, int | None], Signer | None] = {}
    trusted = [one for text in anchors for one in certificates_in(text, MOST_ANCHORS)]
    signers: list[Signer | None] = []
    found: set[Provenance] = set()
    current: Signer | None = None
    pem = b""
    for number, message in enumerate(messages):
        pem = message.certificates or pem
        at_ms = signed_at_ms(message.described)
        key = (pem, None if at_ms is None else at_ms // _MS_PER_DAY)
        if pem and key not in known:
            try:
                known[key] = judge_signer(pem, trusted, at_ms, revocations)
            except MalformedText as error:
                known[key] = None
                faults.append(f"message {number + 1}: {error}")
        before, current = current, known.get(key, current)
        if before is not None and current is not None and before.key != current.key:
            faults.append(f"the key changes at message {number + 1}")
        signers.append(current)
        if current is not None and message.described is not None:
            found.add(current.provenance_at(at_ms))
    first = next((one for one in signers if one is not None), None)
    signers = [first if one is None else one for one in signers]
    if not found:
        found = {one.provenance_at(None) for one in known.values() if one is not None}
    worst = next((kind for kind in _WORST_FIRST if kind in found), None)
    return signers, worst


_WORST_FIRST = (
    Provenance.UNKNOWN,
    Provenance.REVOKED,
    Provenance.EXPIRED,
    Provenance.REVOKED_LATER,
    Provenance.KNOWN,
)


def _valid(
    messages: Sequence[SigningMessage], signers: Sequence[Signer | None], faults: list[str]
) -> list[bool]:
    """Which messages carry a signature that holds."""
    valid = []
    for number, (message, signer) in enumerate(zip(messages, signers, strict=True)):
        holds = signer is not None and bool(message.signature) and signature_fits(message, signer)
        if message.signature and not holds:
            faults.append(f"the signature of message {number + 1} does not hold")
        valid.append(holds)
    return valid


def _vouched(stream: Stream, spans: Sequence[Span], valid: Sequence[bool]) -> set[int]:
    """The messages that a valid signature covers, their own or that of a later one."""
    vouched = {number for number, holds in enumerate(valid) if holds}
    for span in reversed(spans):
        if span.message in vouched:
            inside = (stream.items[at].message for at in span.matched)
            vouched.update(number for number in inside if number is not None)
    return vouched


def _order(stream: Stream, spans: Sequence[Span], faults: list[str]) -> list[str]:
    """Whether each message follows the one before; gives where messages are missing."""
    gaps = []
    seen = {stream.messages[span.message].unit for span in spans[:1]}
    for before, span in pairwise(spans):
        message = stream.messages[span.message]
        old, new = stream.messages[before.message].described, message.described
        if old is None or new is None:
            continue
        step = (new.counter - old.counter) % _COUNTERS
        place = f"message {span.message + 1} (number {new.counter} after {old.counter})"
        if message.unit in seen:
            faults.append(f"{place} is repeated")
        elif not any(new.linked) and new.counter <= old.counter:
            gaps.append(f"the camera began signing anew at {place}")
        elif step == 0 or step >= _COUNTERS // 2:
            faults.append(f"{place} is out of order")
        elif step > 1:
            gaps.append(f"{step - 1} messages are missing before {place}")
        elif before.matched and stream.items[before.first].hash != new.linked:
            faults.append(f"{place} does not follow the pictures before it")
        seen.add(message.unit)
    return gaps


@dataclass(frozen=True)
class _Cover:
    """How many pictures are confirmed; before the first described one; after the last."""

    confirmed: int
    head: int
    tail: int


def _cover(
    stream: Stream,
    spans: Sequence[Span],
    vouched: set[int],
    valid: Sequence[bool],
    faults: list[str],
) -> _Cover:
    """What the vouched messages cover; adds to the faults where they leave out what they cannot."""
    good = [span for span in spans if span.message in vouched and span.end > span.first]
    if not good:
        return _Cover(0, 0, 0)
    starts = [at for at, item in enumerate(stream.items) if item.is_start]
    between = [at for one, two in pairwise(good) for at in range(one.end, two.first)]
    if between:
        first = stream.items[between[0]].picture
        faults.append(f"{len(between)} coded parts from picture {first} on are not signed")
    first, end = good[0].first, good[-1].end
    if bisect_left(starts, first):
        faults.append("whole groups of pictures before the first signed one are not signed")
    if len(starts) - bisect_left(starts, end) > _usual_delay(stream, good, valid, starts) + 1:
        faults.append("more groups of pictures at the end are not signed than this camera leaves")
    pictures = {stream.items[at].picture for span in good for at in span.matched}
    foreign = {stream.items[at].picture for span in good for at in span.foreign}
    head, tail = stream.items[:first], stream.items[end:]
    return _Cover(
        len(pictures - foreign),
        len({one.picture for one in head if one.message is None}),
        len({one.picture for one in tail if one.message is None} - pictures),
    )


def _usual_delay(
    stream: Stream, good: Sequence[Span], valid: Sequence[bool], starts: Sequence[int]
) -> int:
    """The most groups that began between pictures and the signature that covers them."""
    signature = [at for at, holds in enumerate(valid) if holds]
    most = 1
    for span in good:
        by = signature[min(bisect_left(signature, span.message), len(signature) - 1)]
        place = stream.places[by]
        most = max(most, bisect_left(starts, place) - bisect_left(starts, span.end))
    return most


def _group(
    items: Sequence[Item], messages: Sequence[SigningMessage], span: Span, *, is_vouched: bool
) -> Group:
    described = messages[span.message].described
    last = items[span.end - 1].picture + 1 if span.end > span.first else None
    first = items[span.first].picture if span.first < len(items) else items[-1].picture + 1
    return Group(
        counter=described.counter if described is not None else 0,
        first=first,
        end=first if last is None else last,
        missing=span.missing,
        foreign=tuple(dict.fromkeys(items[at].picture for at in span.foreign)),
        is_vouched=is_vouched,
    )


def _times(messages: Sequence[SigningMessage]) -> tuple[int | None, int | None]:
    """The first and the last moment that the messages state."""
    first = [t for one in messages if (t := signed_at_ms(one.described)) is not None]
    last = [
        posix_ms(one.described.end)
        for one in messages
        if one.described is not None
        and one.described.end is not None
        and posix_ms(one.described.end) >= EARLIEST_TIME_MS
    ]
    return min(first, default=None), max([*first, *last], default=None)
