"""Audit a custody log: read every record and every byte of media again, and ask the witnesses.

Nothing stored is compared with something else that is stored: hashes are taken of bodies and of
media, roots are made of those hashes, and compared with what witnesses vouch for.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tidewaiter.casework.custody_reading import Reading, Verify, read, verify_later
from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.explaining import Anchor, Fork, Stored, explain
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import Tree
from tidewaiter.custody.note import Note, parse_signature_lines
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.proof import FIRST_LINE, ProofFile
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.store import BlobStore, LogStore, SecretStore, Witness, Witnessed
from tidewaiter.custody.trust import JudgedCheckpoint, judge_checkpoint
from tidewaiter.custody.witness_times import WitnessTimes, end_of_second_ms, witness_times
from tidewaiter.errors import IntegrityError, MalformedText, MissingMedium, StorageError

CHUNK = 1024 * 1024
# More devices than these are counted, not listed, in one finding.
MOST_DEVICES = 20
# A longer span is not read again to say whose records are in it.
MOST_READ_AGAIN = 20_000


@dataclass(frozen=True)
class Place:
    """What is audited: the log, its media and keys, and by whose word it is judged.

    `outside` are proof files and checkpoint notes as their holders have them.
    """

    store: LogStore
    policy: Policy
    blobs: BlobStore | None = None
    secrets: SecretStore | None = None
    witnesses: Sequence[Witness] = ()
    outside: Sequence[bytes] = ()


@dataclass(frozen=True)
class Audited:
    """What an audit read, and what is wrong; nothing wrong is an empty list."""

    records: int
    media: int
    media_bytes: int
    confirmed_size: int
    discrepancies: tuple[Discrepancy, ...]
    forks: tuple[Fork, ...] = ()
    unasked: tuple[str, ...] = ()


def audit(
    place: Place,
    judge: Judge | None = None,
    *,
    entries: bool = True,
    from_ms: int = 0,
    to_ms: int | None = None,
    verify: Verify = verify_later,
) -> Audited:
    """Read everything again and name what is wrong.

    The judge of entries is made here unless one is given, for instance one that does not check
    signatures; without `entries` records are hashed and not judged. Silences are looked for
    between `from_ms` and `to_ms` (the newest claim by default). `verify` may find out on other
    processors who signed the entries, before the judge asks.
    """
    found: list[Discrepancy] = []
    # Witnesses first: what they confirm while the log is read would look like a log cut short.
    answers = [witness.latest() for witness in place.witnesses]
    outside, unasked = _outside_anchors(place, answers, found)
    judge = (judge or Judge()) if entries else None
    with place.store.snapshot():
        anchors = _stored_anchors(place, found)
        if judge is not None:
            judge.times = _times(anchors)
        reading = read(place.store, judge, verify)
        reading.head = place.store.head()
    if judge is not None:
        absent = judge.absences(from_ms, reading.latest_ms if to_ms is None else to_ms)
        reading.judged += absent.discrepancies
    media, wrong_media, unnamed = _audit_media(place, reading, judge)
    found += _set_back(place, answers, [*anchors, *outside])
    changed, forks = explain(_stored(place.store, reading, unnamed), [*anchors, *outside])
    changed = changed or _judge_head(reading, anchors)
    found += [*changed, *reading.judged, *wrong_media, *_audit_keys(place, reading, judge)]
    return Audited(
        records=reading.tree.size,
        media=len(media),
        media_bytes=sum(media),
        confirmed_size=_confirmed_size(reading.tree, [*anchors, *outside], place.policy),
        discrepancies=tuple(found),
        forks=tuple(forks),
        unasked=tuple(unasked),
    )


def _stored_anchors(place: Place, found: list[Discrepancy]) -> list[Anchor]:
    """Every stored checkpoint with its cosignatures, each signature checked."""
    anchors: list[Anchor] = []
    cosigned = set(place.store.cosigned_sizes())
    for stored in place.store.checkpoints():
        lines = place.store.cosignatures(stored.size) if stored.size in cosigned else {}
        cosigned.discard(stored.size)
        try:
            note = _cosigned(stored.note, lines)
            judged = judge_checkpoint(note, place.policy)
            _must_be_of(judged.checkpoint, stored.size, stored.root, place.store.origin)
        except IntegrityError as error:
            text = f"the checkpoint stored for {stored.size} records: {error}"
            found.append(Discrepancy("checkpoint-invalid", text, 0, max(0, stored.size - 1)))
        else:
            source = f"the stored checkpoint of {stored.size} records"
            anchors.append(_anchor(judged, note, source, is_outside=False))
    for size in sorted(cosigned):
        text = f"a cosignature of a checkpoint over {size} records is kept, the checkpoint is not"
        found.append(Discrepancy("checkpoint-invalid", text, 0, max(0, size - 1)))
    return anchors


def _cosigned(note: bytes, lines: dict[str, bytes]) -> bytes:
    if not lines:
        return note
    signatures = [one for line in lines.values() for one in parse_signature_lines(line)]
    return Note.parse(note).with_signatures(signatures).encoded


def _must_be_of(checkpoint: Checkpoint, size: int, root: bytes, origin: str) -> None:
    if (checkpoint.size, checkpoint.root, checkpoint.origin) != (size, root, origin):
        raise MalformedText(
            f"it was signed for {checkpoint.size} records of {checkpoint.origin}, or another root"
        )


def _anchor(judged: JudgedCheckpoint, note: bytes, source: str, *, is_outside: bool) -> Anchor:
    latest = max(judged.confirmed.values(), default=None)
    return Anchor(
        size=judged.checkpoint.size,
        root=judged.checkpoint.root,
        source=source,
        note=note,
        time_ms=None if latest is None else latest * 1000,
        not_after_ms=None if judged.not_after_s is None else end_of_second_ms(judged.not_after_s),
        confirmed_by=frozenset(judged.confirmed),
        is_outside=is_outside,
    )


def _outside_anchors(
    place: Place, answers: Sequence[Witnessed], found: list[Discrepancy]
) -> tuple[list[Anchor], list[str]]:
    """What the witnesses say now, and what holders of proofs and notes were given."""
    anchors, unasked = [], []
    for answer in answers:
        if answer.reason:
            unasked.append(f"{answer.witness}: {answer.reason}")
        elif answer.head is not None:
            anchors.append(
                Anchor(
                    answer.head.size,
                    answer.head.root,
                    f"the witness {answer.witness}",
                    answer.note,
                    answer.time_ms,
                    confirmed_by=frozenset({answer.witness}),
                    is_outside=True,
                )
            )
    for number, content in enumerate(place.outside, start=1):
        try:
            anchors.append(_handed_out(content, number, place))
        except IntegrityError as error:
            text = f"the proof or checkpoint {number} from outside: {error}"
            found.append(Discrepancy("checkpoint-invalid", text))
    return anchors, unasked


def _set_back(
    place: Place, answers: Sequence[Witnessed], anchors: Sequence[Anchor]
) -> list[Discrepancy]:
    """Witnesses that remember less than they can be shown to have confirmed.

    Or somebody between gave an older answer of theirs, which their signature does not prevent,
    so that a log which was set back would look whole.
    """
    found = []
    for witness, answer in zip(place.witnesses, answers, strict=True):
        known = max((one.size for one in anchors if witness.name in one.confirmed_by), default=0)
        if answer.head is None or answer.head.size >= known:
            continue
        # What it confirmed while the log was read, it knows by now.
        again = witness.latest().head
        if again is not None and again.size < known:
            text = (
                f"{witness.name} says that it last confirmed {again.size} records, and confirmed "
                f"{known}: its memory was set back, or an older answer was given in its place"
            )
            found.append(Discrepancy("witness-set-back", text, again.size, known - 1))
    return found


def _handed_out(content: bytes, number: int, place: Place) -> Anchor:
    is_proof = content.startswith(FIRST_LINE)
    note = ProofFile.parse(content).checkpoint_note if is_proof else content
    judged = judge_checkpoint(note, place.policy)
    if judged.checkpoint.origin != place.store.origin:
        raise MalformedText(f"it is of the log {judged.checkpoint.origin}")
    what = "proof" if is_proof else "checkpoint"
    return _anchor(judged, note, f"the {what} {number} from outside", is_outside=True)


def _times(anchors: Iterable[Anchor]) -> WitnessTimes:
    return witness_times(
        (one.size, one.not_after_ms) for one in anchors if one.not_after_ms is not None
    )


def _judge_head(reading: Reading, anchors: Sequence[Anchor]) -> list[Discrepancy]:
    """The last commit stored a head and a checkpoint over all records; both must be there."""
    tree = reading.tree
    last = max(0, tree.size - 1)
    if reading.head.root != tree.root():
        text = f"the head stored with the last commit is not that of the {tree.size} records"
        return [Discrepancy("checkpoint-invalid", text, 0, last)]
    if tree.size and all(one.size != tree.size for one in anchors):
        text = f"no good checkpoint over the {tree.size} records is stored"
        return [Discrepancy("checkpoint-invalid", text, 0, last)]
    return []


def _stored(store: LogStore, reading: Reading, unnamed: int) -> Stored:
    def devices_of(first: int, last: int) -> tuple[str, ...]:
        if last - first > MOST_READ_AGAIN:
            return ()
        return _devices(store, first, last)

    return Stored(
        tree=reading.tree,
        claimed_size=reading.head.size,
        edited=tuple(reading.edited),
        claimed_hashes=tuple(reading.claimed),
        gaps=tuple(reading.gaps),
        judged=tuple(reading.judged),
        unnamed_media=unnamed,
        devices_of=devices_of,
    )


def _devices(store: LogStore, first: int, last: int) -> tuple[str, ...]:
    names = set()
    for leaf in store.leaves(first, last + 1):
        try:
            names.add(parse_record(leaf.body).device)
        except MalformedText:
            continue
    return tuple(sorted(names)[:MOST_DEVICES])


def _audit_media(
    place: Place, reading: Reading, judge: Judge | None
) -> tuple[array[int], list[Discrepancy], int]:
    """Hash every medium; sizes read, findings, and how many media no entry names."""
    sizes = array("q")
    if place.blobs is None:
        return sizes, [], 0
    unnamed = 0
    actual: dict[str, str] = {}
    found: list[Discrepancy] = []
    unread: set[str] = set()
    for digest in place.blobs.digests():
        try:
            content, size = _rehashed(place.blobs, digest)
        except (StorageError, OSError) as error:
            # One medium that cannot be read must not hide what is wrong elsewhere.
            found.append(_unread_medium(digest, error, reading))
            unread.add(digest)
            continue
        if not content:  # erased while it was being listed, or missing
            continue
        actual[digest] = content
        sizes.append(size)
        unnamed += digest not in reading.media
    found += [
        _wrong_medium(digest, actual, reading)
        for digest, content in actual.items()
        if content != digest
    ]
    # Only who judged the entries knows which media were erased rightly.
    present = actual.keys() | unread
    for digest, (index, device, recording) in reading.media.items() if judge else ():
        if judge and digest not in present and not judge.retention.is_erased(recording, index):
            text = f"the medium {digest[:16]}… of recording {recording} is not where it was kept"
            found.append(Discrepancy("media-missing", text, index, index, (device,)))
    return sizes, found, unnamed


def _rehashed(blobs: BlobStore, digest: str) -> tuple[str, int]:
    state, size = hashlib.sha256(), 0
    try:
        with blobs.open(digest) as source:
            while chunk := source.read(CHUNK):
                state.update(chunk)
                size += len(chunk)
    except MissingMedium:
        return "", 0
    return state.hexdigest(), size


def _unread_medium(digest: str, error: Exception, reading: Reading) -> Discrepancy:
    index, device, recording = reading.media.get(digest, (None, "", ""))
    whose = f" of recording {recording}" if recording else ""
    text = f"the medium {digest[:16]}…{whose} cannot be read: {error}"
    return Discrepancy("media-missing", text, index, index, (device,) if device else ())


def _wrong_medium(digest: str, actual: dict[str, str], reading: Reading) -> Discrepancy:
    index, device, recording = reading.media.get(digest, (None, "", ""))
    content = actual[digest]
    whose = f" of recording {recording}" if recording else ""
    if content in actual and content != digest:
        other = reading.media.get(content, (None, "", "another"))[2]
        text = f"under the digest {digest[:16]}…{whose} stands the medium of {other}"
        name = "media-swapped"
    else:
        text = f"the bytes of the medium {digest[:16]}…{whose} are not those that were logged"
        name = "media-edited"
    return Discrepancy(name, text, index, index, (device,) if device else ())


def _audit_keys(place: Place, reading: Reading, judge: Judge | None) -> list[Discrepancy]:
    """Recordings whose key is gone although no entry says that they were erased."""
    if place.secrets is None or judge is None:
        return []
    found = []
    for recording, (index, device) in reading.recordings.items():
        if place.secrets.wrapped_key(recording) is None and not judge.retention.is_erased(
            recording
        ):
            text = f"the key of recording {recording} is gone, and no entry erases it"
            found.append(Discrepancy("early-erasure", text, index, index, (device,)))
    return found


def _confirmed_size(tree: Tree, anchors: Iterable[Anchor], policy: Policy) -> int:
    """How many records, as they are, enough witnesses vouch for: who signed more signed these."""
    names: set[str] = set()
    for one in sorted(anchors, key=lambda anchor: -anchor.size):
        if one.size <= tree.size and tree.root(one.size) == one.root:
            names |= one.confirmed_by
        if names and policy.quorum_met(names):
            return one.size
    return 0
