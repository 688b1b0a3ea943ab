"""How fast a custody log is audited: records, entries judged, signatures, and media.

    python benchmarks/custody/audit.py --folder /var/tmp --records 200000 --media-mb 1024

The log is that of two cameras: six segments, then a heartbeat, and a signed stop now and then.
`hashed`: every record is read, its hash taken, the tree grown, every checkpoint's root and
signature compared. `judged`: also parsed, canonical form checked, chains, retention and approvals
followed. `judged, heartbeats alone`: the same on a log of nothing else, as it was measured before
segments were. `signatures`: also each record's Ed25519 signature, by this process alone and with
worker processes; `Ed25519 alone` is what OpenSSL verifies with everything prepared beforehand: no
audit of signatures is faster for each processor. `ordinary way`: judged as the stand-alone verifier
judges, without the short way.
Media are random bytes of 8 MiB, hashed through the store and, for comparison, SHA-256 alone over
memory. Rates are of the wall clock and of the processor time of this process and its workers.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.attacks.custody_site import OrdinaryJudge  # noqa: E402
from tests.custody.record_kit import MINUTE_MS, World  # noqa: E402
from tidewaiter.casework import custody_reading  # noqa: E402
from tidewaiter.casework.custody_audit import Audited, Place, audit  # noqa: E402
from tidewaiter.casework.custody_log import open_log  # noqa: E402
from tidewaiter.custody.judging import Judge  # noqa: E402
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey  # noqa: E402
from tidewaiter.custody.policy import Policy  # noqa: E402
from tidewaiter.jobs.custody_signers import verify_in_workers  # noqa: E402
from tidewaiter.storage.custody_files import FolderOfBlobs  # noqa: E402
from tidewaiter.storage.custody_sqlite import SqliteLog  # noqa: E402

ORIGIN = "benchmark.example/custody"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"benchmark" + b"." * 23)
POLICY = Policy.parse(f"log {KEY.verifier}\nquorum none\n".encode())
SEED = 20_265
MEDIUM_BYTES = 8 << 20
STOPS = 0.01
# What a record of the log below takes on average.
RECORD_BYTES = 505
VERIFIED_ALONE = 20_000


def main() -> None:
    """Measure, and write results/audit.json."""
    parser = argparse.ArgumentParser(description="audits of the custody log")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # noqa: S108 - on a disk
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--media-mb", type=int, default=512)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tw-audit-", dir=given.folder) as name:
        result = _measured(Path(name), given.records, given.media_mb)
    path = Path(__file__).parent / "results" / "audit.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _measured(folder: Path, records: int, media_mb: int) -> dict[str, Any]:
    world = _filled(folder / "log.sqlite", records)
    found: dict[str, Any] = {"load at the start": os.getloadavg()[0], "records": records}
    with SqliteLog(folder / "log.sqlite", read_only=True) as store:
        place = Place(store, POLICY)
        found["hashed"] = _rate(lambda: audit(place, entries=False))
        found["judged"] = _judged(place, world)
        with mock.patch.object(custody_reading, "QuickJudge", OrdinaryJudge):
            found["judged, the ordinary way"] = _judged(place, world)
        for workers in (0, 1, 2):
            verify = verify_in_workers(workers)
            found[f"signatures, {workers} workers"] = _rate(
                lambda verify=verify: audit(place, to_ms=world.now_ms, verify=verify)
            )
        found["Ed25519 alone, signatures per processor second"] = _ed25519_alone()
        found["media"] = _media(folder / "media", store, media_mb)
    world = _filled(folder / "heartbeats.sqlite", records, segments=0)
    with SqliteLog(folder / "heartbeats.sqlite", read_only=True) as store:
        found["judged, heartbeats alone"] = _judged(Place(store, POLICY), world)
    return found


def _judged(place: Place, world: World) -> dict[str, int]:
    unsigned = Judge(check_signatures=False)
    return _rate(lambda: audit(place, unsigned, to_ms=world.now_ms))


def _filled(path: Path, records: int, *, segments: int = 6) -> World:
    world, rng = World(), random.Random(SEED)  # noqa: S311 - made records, no secret
    cameras = ("bwc-1", "bwc-2")
    world.define_class()
    for name in cameras:
        world.enrol(name)
    after_ms = MINUTE_MS // (2 * segments + 2)
    while len(world.leaves) < records:
        for name in cameras:
            world.heartbeat(name, after_ms=after_ms)
        for name in cameras * segments:
            world.segment(name, after_ms=after_ms)
        if rng.random() < STOPS:
            world.stop(rng.choice(cameras), "officer", after_ms=after_ms)
    with SqliteLog.create(path, ORIGIN) as store:
        log = open_log(store, KEY)
        for start in range(0, len(world.leaves), 512):
            log.append(world.leaves[start : start + 512])
    return world


def _rate(act: Any) -> dict[str, int]:
    wall, processor = time.perf_counter(), _processor_s()
    audited: Audited = act()
    wall, processor = time.perf_counter() - wall, _processor_s() - processor
    if audited.discrepancies:
        raise SystemExit(f"the audit found {audited.discrepancies[:3]}")
    return {
        "records per second": round(audited.records / wall),
        "records per processor second": round(audited.records / processor),
    }


def _ed25519_alone() -> int:
    """One signature over as many bytes as a record has, verified again and again."""
    secret = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    message = bytes(RECORD_BYTES)
    public, signature = secret.public_key(), secret.sign(message)
    taken = time.process_time()
    for _ in range(VERIFIED_ALONE):
        public.verify(signature, message)
    return round(VERIFIED_ALONE / (time.process_time() - taken))


def _processor_s() -> float:
    """Of this process and of the workers that have ended."""
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system


def _media(folder: Path, store: SqliteLog, media_mb: int) -> dict[str, int]:
    blobs, rng = FolderOfBlobs(folder), random.Random(SEED)  # noqa: S311 - filling, no secret
    count = max(1, (media_mb << 20) // MEDIUM_BYTES)
    for _ in range(count):
        blobs.put(io.BytesIO(rng.randbytes(MEDIUM_BYTES)))
    wall, processor = time.perf_counter(), time.process_time()
    audited = audit(Place(store, POLICY, blobs), entries=False)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = rng.randbytes(MEDIUM_BYTES)
    alone = time.process_time()
    for _ in range(16):
        hashlib.sha256(memory).digest()
    alone = time.process_time() - alone
    return {
        "media": audited.media,
        "MB per second, records included": round(audited.media_bytes / wall / 1e6),
        "MB per processor second, records included": round(audited.media_bytes / processor / 1e6),
        "SHA-256 alone, MB per processor second": round(16 * MEDIUM_BYTES / alone / 1e6),
    }


if __name__ == "__main__":
    main()
