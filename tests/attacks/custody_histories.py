"""Honest histories of a site: outages, rotations, erasures, drift, restarts, late dockings.

Nothing in them is an attack, so an audit must find nothing.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.attacks.custody_site import LOG_KEY, Site, SqliteHands
from tests.custody.record_kit import MINUTE_MS
from tidewaiter.casework.custody_audit import Audited
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.record import parse_record
from tidewaiter.storage.custody_files import FolderOfBlobs

DEVICES = ("bwc-1", "bwc-2", "bwc-3")
MOST_DRIFT_MS = 50_000
STOPS = ("officer", "battery", "storage-full", "docked", "fault", "privacy-pause")


def honest_history(folder: Path, seed: int) -> Audited:
    """Live one history and audit it; what was handed out is audited with it."""
    rng = random.Random(f"honest {seed}")
    site = Site(SqliteHands(folder / "log.sqlite"), FolderOfBlobs(folder / "media"))
    world = site.world
    world.define_class()
    drift = {name: rng.randint(-MOST_DRIFT_MS, MOST_DRIFT_MS) for name in DEVICES}
    for name in DEVICES:
        world.enrol(name)
    handed_out: list[bytes] = []
    for _ in range(rng.randint(2, 5)):
        _shift(site, rng, drift)
        site.keep(cosigned=False, batch=rng.randint(1, 12))
        _confirm(site, rng, handed_out)
        _interlude(site, rng)
    site.keep(cosigned=False)
    site.world.now_ms += 2 * MINUTE_MS
    site.cosign()
    return site.audited(outside=handed_out)


def _shift(site: Site, rng: random.Random, drift: dict[str, int]) -> None:
    """One camera's shift, docked at its end; another's records may come in between."""
    world, before = site.world, len(site.world.leaves)
    name = rng.choice(DEVICES)
    world.now_ms += rng.randint(1, 600) * MINUTE_MS + drift[name]
    for _ in range(rng.randint(1, 6)):
        act = rng.random()
        after_ms = rng.randint(1, 4) * MINUTE_MS
        if act < 0.5:
            world.heartbeat(name, after_ms=after_ms)
        elif act < 0.9:
            world.segment(name, after_ms=after_ms)
        else:
            world.rotate(name)
    world.stop(name, rng.choice(STOPS), after_ms=1000)
    world.now_ms -= drift[name]
    if rng.random() < 0.2:  # docked twice: the same records come in again
        world.leaves += world.leaves[before : before + 2]


def _confirm(site: Site, rng: random.Random, handed_out: list[bytes]) -> None:
    """Some witnesses look, some do not; receipts are handed out where a quorum looked."""
    if rng.random() < 0.3:
        return
    site.world.now_ms += MINUTE_MS
    size = site.log.head.size
    for witness in rng.sample(site.witnesses, rng.randint(1, 3)):
        witness.look(site.log, size, site.world.now_ms // 1000 + 60, site.policy)
    if len(site.log.store.cosignatures(size)) >= 2:
        handed_out.append(site.log.prove(rng.randrange(size), site.policy).encoded)


def _interlude(site: Site, rng: random.Random) -> None:
    """Between shifts: an erasure with two approvals, a revocation, a restart."""
    act, world = rng.random(), site.world
    if act < 0.3:
        segments = [one for leaf in world.leaves if (one := parse_record(leaf)).kind == "segment"]
        erased = {
            parse_record(leaf).recording
            for leaf in world.leaves
            if parse_record(leaf).kind == "erase"
        }
        left = [one for one in segments if one.recording not in erased]
        if left:
            gone = rng.choice(left)
            world.erase(gone.recording)
            blob = gone.fields["blob"]
            (site.blobs.folder / blob[:2] / blob).unlink()
    elif act < 0.6:
        site.close()
        site.log = open_log(site.hands.reopen(), LOG_KEY, site.witnesses)
        assert site.log.discrepancies == []
