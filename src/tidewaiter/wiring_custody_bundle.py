"""Bundles: write what a verifier needs into a folder, and verify one without any site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.casework.custody_log import Receipt
from tidewaiter.casework.custody_requests import epoch_of
from tidewaiter.casework.custody_site import (
    Placed,
    Site,
    content_entry,
    entries_of,
    keys_so_far,
    manifest_entry,
)
from tidewaiter.casework.custody_taking import plain_parts
from tidewaiter.custody.commitments import Opening, format_openings
from tidewaiter.custody.proof import PROOF_SUFFIX
from tidewaiter.custody.record import Record, parse_record, sign_record
from tidewaiter.custody.verdict import Verdict
from tidewaiter.custody.verify import verify
from tidewaiter.errors import ConfigurationError, InputError, UnknownExhibit
from tidewaiter.storage.custody_bundle import (
    files_of_bundle,
    hand_in,
    read_bundle,
    with_own_policy,
)
from tidewaiter.storage.custody_verifier import VERIFIER_NAME, stand_alone_verifier
from tidewaiter.storage.key_file import read_keys
from tidewaiter.storage.reports import write_parts
from tidewaiter.wiring_compare import MANIFEST_SUFFIX
from tidewaiter.wiring_custody import Outcome, confirm, prove_index, write_whole
from tidewaiter.wiring_custody_files import read_handed_over
from tidewaiter.wiring_custody_site import SitePlace, opened_site

_MARKS_TIME = frozenset({"heartbeat", "stop"})
# The original's own suffix, in so far as it is one: `.bin` in place of anything longer.
_LONGEST_SUFFIX = 10
_KEYS = ("policy", "key.enrol", "key.rotate", "key.revoke")


@dataclass(frozen=True)
class Exported:
    """What an export wrote: the folder, its proofs, and what could not come along."""

    folder: Path
    proofs: int
    left_out: tuple[str, ...] = ()


def export(
    place: SitePlace, recording: str, folder: Path, *, media: bool, basis: str, verifier: bool
) -> Exported:
    """Write a bundle that verifies alone; the log then says that it was handed out.

    Holds the recording's entries, its device's chain from heartbeat to heartbeat, the entries
    that enrol every key involved, openings, manifest, and where asked for the plain recording.
    Raises ConfigurationError where the folder is not empty, InputError where the log has no such
    recording or witnesses have not confirmed it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder.name!r} is not empty; an export needs a new folder")
    with opened_site(place) as site:
        content = content_entry(site.store, recording)
        prove_index(site, content.index, with_salts=True)  # without a quorum nothing is handed out
        if media:
            _must_be_released(site, recording)
        said = {"act": "export", "recording": recording, "basis": basis}
        site.say("access", said)
        confirm(place, site, Outcome())
        chosen = _chosen(site, recording, content)
        left_out = _write_proofs(site, chosen, recording, folder / "proofs")
        _write_openings(site, chosen, recording, folder)
        write_whole(folder / "policy", place.policy_text())
        left_out += _write_files(site, content, recording, folder, media=media)
    if verifier:
        write_whole(folder / VERIFIER_NAME, stand_alone_verifier().encode("utf-8"))
    proofs = sum(1 for _ in (folder / "proofs").iterdir())
    return Exported(folder, proofs, tuple(left_out))


def view(
    place: SitePlace, recording: str, path: Path, basis: str, key_file: Path | None = None
) -> int:
    """Unseal a recording for somebody inside, after logging that they look; gives the entry.

    With a person's key the entry is signed by that person.
    """
    if path.exists():
        raise ConfigurationError(f"{path.name!r} exists; nothing is written over")
    with opened_site(place) as site:
        content = content_entry(site.store, recording)
        said = {"act": "view", "recording": recording, "basis": basis}
        entry = site.say("access", said) if key_file is None else say_as(site, key_file, said)
        confirm(place, site, Outcome())
        write_parts(path, plain_parts(site, recording, content.record, "media"))
    return entry.index


def say_as(site: Site, key_file: Path, said: Mapping[str, str]) -> Receipt:
    """Log an access that a person signs."""
    key = read_keys(key_file)[0]
    epoch = epoch_of(keys_so_far(site.store), key)
    fields = {**said, "kind": "access", "device": key.name, "epoch": epoch}
    (receipt,) = site.log.append([sign_record(fields | {"claimed_ms": site.now_ms()}, key.seed)])
    return receipt


def verify_files(bundle: Path, policy: Path, files: Sequence[Path]) -> Verdict:
    """Verify a proof file or a bundle's folder, and files against it.

    Raises UnknownExhibit, InputError.
    """
    text = read_handed_over(policy)
    try:
        found = read_bundle(bundle)
        own = files_of_bundle(bundle) if bundle.is_dir() else []
        handed = [hand_in(path) for path in [*files, *own]]
    except OSError as error:
        name = Path(str(error.filename or bundle)).name
        raise UnknownExhibit(f"{name}: cannot be read ({error.strerror})") from error
    return with_own_policy(verify(found, text, handed), bundle, policy)


def _must_be_released(site: Site, recording: str) -> None:
    """Two people must have released a recording before it leaves the house."""
    for one in entries_of(site.store, recording):
        if one.record.kind == "access" and one.record.fields["act"] == "release":
            return
    raise InputError(
        f"{recording} was not released; two people of different roles must do that first: "
        "`tidewaiter custody release`. Without --media its proofs can be handed out at once"
    )


def _chosen(site: Site, recording: str, content: Placed) -> dict[int, Record]:
    """The entries of the bundle, by index."""
    chosen = {one.index: one.record for one in entries_of(site.store, recording)}
    chosen |= {one.index: one.record for one in _chain_around(site, content)}
    chosen |= dict(_key_entries(site))
    return dict(sorted(chosen.items()))


def _key_entries(site: Site) -> Iterator[tuple[int, Record]]:
    """Everything by which a key of this log came, was replaced or went."""
    marks = [f'"kind":"{kind}"'.encode() for kind in _KEYS]
    for leaf in site.store.leaves_with(marks):
        record = parse_record(leaf.body)
        if record.kind in _KEYS:
            yield leaf.index, record


def _chain_around(site: Site, content: Placed) -> list[Placed]:
    """The device's own records from the heartbeat before the recording to the one after."""
    if content.record.seq is None:
        return [content]
    named = f'"device":"{content.record.device}"'.encode()
    chain = [
        Placed(leaf.index, record)
        for leaf in site.store.leaves_with([named])
        if (record := parse_record(leaf.body)).device == content.record.device
        and record.seq is not None
    ]
    chain.sort(key=lambda one: one.record.seq or 0)
    at = next(n for n, one in enumerate(chain) if one.index == content.index)
    first = _mark(chain, range(at - 1, -1, -1), default=0)
    last = _mark(chain, range(at + 1, len(chain)), default=len(chain) - 1)
    return chain[first : last + 1]


def _mark(chain: Sequence[Placed], places: range, *, default: int) -> int:
    marks = (n for n in places if chain[n].record.kind in _MARKS_TIME)
    return next(marks, default)


def _write_proofs(site: Site, chosen: dict[int, Record], recording: str, folder: Path) -> list[str]:
    """Write the proofs there are; gives a line on each entry that waits for its witnesses."""
    waiting = []
    for index, record in chosen.items():
        try:
            proof = prove_index(site, index, with_salts=_is_about(record, recording))
        except InputError:
            waiting.append(f"entry {index} ({record.kind}), not confirmed by witnesses yet")
            continue
        write_whole(folder / f"{index:09}{PROOF_SUFFIX}", proof.encoded)
    return waiting


def _is_about(record: Record, recording: str) -> bool:
    """What opens a neighbour's record is not handed out with this one's."""
    return recording == str(record.fields.get("result", record.recording))


def _write_openings(site: Site, chosen: dict[int, Record], recording: str, folder: Path) -> None:
    """Write a file for each record: those of one record always fit into what a verifier reads."""
    for index, record in chosen.items():
        openings: list[Opening] = []
        if record.commit and _is_about(record, recording):
            openings = site.secrets.openings(record.digest)
        if openings:
            write_whole(folder / f"openings-{index:09}.json", format_openings(tuple(openings)))


def _write_files(
    site: Site, content: Placed, recording: str, folder: Path, *, media: bool
) -> list[str]:
    """The manifest, and the recording itself where asked for."""
    if site.secrets.wrapped_key(recording) is None:
        return [f"{recording} was erased, or its medium never came: its proof alone stays"]
    record, name = content.record, recording.replace("/", "_")
    prints = manifest_entry(site.store, recording)
    parts = plain_parts(site, recording, prints, "manifest")
    write_parts(folder / "manifests" / f"{name}{MANIFEST_SUFFIX}", parts)
    if media:
        parts = plain_parts(site, recording, record, "media")
        write_parts(folder / "media" / f"{name}{_suffix(site, record, prints)}", parts)
        return []
    return ["the recording itself (--media puts it in)"]


def _suffix(site: Site, *records: Record) -> str:
    """The original file's suffix, if it is a plain one."""
    opened = [one for record in records for one in site.secrets.openings(record.digest)]
    names = [one.value for one in opened if one.field == "name"]
    suffix = Path(str(names[0])).suffix if names else ""
    is_plain = len(suffix) <= _LONGEST_SUFFIX and suffix[1:].isascii() and suffix[1:].isalnum()
    return suffix if is_plain else ".bin"
