"""Time stamps of a site's checkpoints: asked for, checked, kept, and put into bundles.

A stamp is beside the proof and never part of the verdict: witnesses bound the log in time and
exclude a second history, a stamp only bounds it in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.casework.custody_site import Site, content_entry
from tidewaiter.custody.extra import pack_extra
from tidewaiter.custody.merkle import Tree
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.time_stamp import (
    LARGEST_REPLY_BYTES,
    TimeStamp,
    check_stamp,
    stamp_request,
)
from tidewaiter.errors import BadSignature, ConfigurationError, InputError
from tidewaiter.outlets.time_authority import ask_time_authority
from tidewaiter.wiring_custody import write_whole
from tidewaiter.wiring_custody_site import SitePlace, opened_site, read_file

REPLY_SUFFIX, NOTE_SUFFIX, STAMPED_SUFFIX = ".tsr", ".checkpoint", ".stamped-proof"
STAMPS_FOLDER = "stamps"
MOST_TRIED = 200
"""Checkpoints, the newest first, that a reply carried by hand is compared with."""


@dataclass(frozen=True)
class Kept:
    """A stamp that was checked and is kept: of how many entries, what it says, where it is."""

    size: int
    stamp: TimeStamp
    path: Path


def ask(place: SitePlace) -> Kept:
    """Ask the authority that the site names for a stamp of the newest checkpoint, and keep it.

    Raises ConfigurationError where none is named, ExchangeError, IntegrityError.
    """
    authority = place.settings.stamping.authority
    if not authority:
        raise ConfigurationError(
            "custody.toml names no authority under [stamping]; nobody is asked without: name its "
            "address there, or carry `tidewaiter custody stamp request` to it by hand"
        )
    anchors = _anchors(place, None)
    with opened_site(place, ask_witnesses=False) as site:
        size = site.log.head.size
        note = site.log.checkpoint(size).encoded
    reply = ask_time_authority(authority, stamp_request(note))
    stamp = check_stamp(reply, note, anchors)
    return _keep(place, size, note, reply, stamp)


def keep(place: SitePlace, reply: bytes, anchors: bytes | None = None) -> Kept:
    """Keep a reply that was carried here, beside the checkpoint that it stamps.

    `anchors` are the authority's certificates, those of custody.toml by default. Raises
    IntegrityError where it stamps none of the newest checkpoints, or does not hold.
    """
    certificates = _anchors(place, anchors)
    refusal: BadSignature | None = None
    with opened_site(place, ask_witnesses=False) as site:
        for size in _newest_sizes(site):
            note = site.log.checkpoint(size).encoded
            try:
                stamp = check_stamp(reply, note, certificates)
            except BadSignature as error:
                refusal = refusal or error
                continue
            return _keep(place, size, note, reply, stamp)
    if refusal is None:
        raise InputError("the log has no checkpoint yet, so that nothing can be stamped")
    raise BadSignature(
        f"the reply stamps none of the last {MOST_TRIED} checkpoints of this log: {refusal}"
    ) from refusal


def write_stamps(place: SitePlace, recording: str, folder: Path) -> list[Path]:
    """Put the earliest stamp over a recording into a bundle, with the proof that it is under it.

    Nothing is written where the site keeps none. `tidewaiter custody stamp check` reads both.
    """
    sizes = dict(_kept_sizes(place))
    if not sizes:
        return []
    with opened_site(place, ask_witnesses=False) as site:
        index = content_entry(site.store, recording).index
        size = min((size for size in sizes if size > index), default=None)
        if size is None:
            return []
        tree = Tree(site.store.leaf_hashes())
        bodies = [leaf.body for leaf in site.store.leaves(index, index + 1)]
        path = tuple(tree.inclusion_proof(index, size))
        note = site.log.checkpoint(size).encoded
    proof = ProofFile(index, path, note, pack_extra(bodies[0], {}))
    target = folder / STAMPS_FOLDER
    stem = f"{size:09}"
    return [
        write_whole(target / f"{stem}{STAMPED_SUFFIX}", proof.encoded),
        write_whole(target / f"{stem}{REPLY_SUFFIX}", sizes[size].read_bytes()),
    ]


def read_reply(path: Path) -> bytes:
    """An authority's reply, cut just above its limit: what is longer then fails to parse."""
    with path.open("rb") as stream:
        return stream.read(LARGEST_REPLY_BYTES + 1)


def _anchors(place: SitePlace, given: bytes | None) -> bytes:
    named = place.settings.stamping.anchors
    if given is not None:
        return given
    if named is None:
        raise ConfigurationError(
            "the authority's certificates are not known: name them (PEM) as anchors under "
            "[stamping] in custody.toml"
        )
    return read_file(place.path(named))


def _newest_sizes(site: Site) -> list[int]:
    sizes = [one.size for one in site.store.checkpoints()]
    return sizes[::-1][:MOST_TRIED]


def _keep(place: SitePlace, size: int, note: bytes, reply: bytes, stamp: TimeStamp) -> Kept:
    folder = place.path(place.settings.stamping.path)
    write_whole(folder / f"{size:09}{NOTE_SUFFIX}", note)
    return Kept(size, stamp, write_whole(folder / f"{size:09}{REPLY_SUFFIX}", reply))


def _kept_sizes(place: SitePlace) -> Iterator[tuple[int, Path]]:
    folder = place.path(place.settings.stamping.path)
    for path in sorted(folder.glob(f"*{REPLY_SUFFIX}")) if folder.is_dir() else ():
        if path.stem.isascii() and path.stem.isdigit():
            yield int(path.stem), path
