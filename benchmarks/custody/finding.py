"""How long it takes to find one record of a large log: `python benchmarks/custody/finding.py`.

A log of a million records (a heartbeat to every six segments of fifty cameras; their signatures
are random bytes, since finding checks none) in SQLite, and in PostgreSQL where its programs are.
`by the index`: `prove` looks a recording up, reads the record and compares it. `the store looks
through all bodies`: the same with the index emptied, as for what must know all records.
`read into this process`: every leaf is handed over and searched here, as it was before there was
an index. `filled` is the rate of durable appends with the index, batch 128 at the end; `index
made anew` what an older log pays once. Processor times are of this process alone.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.storage.private_postgres import found_binaries, private_postgres  # noqa: E402
from tidewaiter.casework.custody_finding import bring_up, find_content  # noqa: E402
from tidewaiter.casework.custody_log import open_log  # noqa: E402
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey  # noqa: E402
from tidewaiter.custody.policy import Policy  # noqa: E402
from tidewaiter.custody.record import canonical, parse_record  # noqa: E402
from tidewaiter.custody.store import LogStore  # noqa: E402
from tidewaiter.storage.custody_postgres import PostgresLog  # noqa: E402
from tidewaiter.storage.custody_sqlite import SqliteLog  # noqa: E402

ORIGIN = "benchmark.example/custody"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"benchmark" + b"." * 23)
POLICY = Policy.parse(f"log {KEY.verifier}\nquorum none\n".encode())
SEED = 20_267
CAMERAS = 50
SEGMENTS = 6
START_MS = 1_766_400_000_000
ASKED = 300
SCANS = 5
LAST_BATCHES = 100


def main() -> None:
    """Measure, and write results/finding.json."""
    parser = argparse.ArgumentParser(description="finding a record of a large log")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # noqa: S108 - on a disk
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--postgres-records", type=int, default=200_000)
    given = parser.parse_args()
    result: dict[str, Any] = {"load at the start": os.getloadavg()[0], "seed": SEED}
    with tempfile.TemporaryDirectory(prefix="tw-finding-", dir=given.folder) as name:
        folder = Path(name)
        with SqliteLog.create(folder / "log.sqlite", ORIGIN) as store:
            result["SQLite"] = _measured(store, given.records)
            result["SQLite"]["file, MB"] = round((folder / "log.sqlite").stat().st_size / 1e6)
        if found_binaries() is not None:
            with (
                private_postgres(folder) as server,
                PostgresLog.create(server.address, ORIGIN) as store,
            ):
                result["PostgreSQL"] = _measured(store, given.postgres_records)
    path = Path(__file__).parent / "results" / "finding.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _measured(store: LogStore, records: int) -> dict[str, Any]:
    rng = random.Random(SEED)  # noqa: S311 - made records, no secret
    log, source = open_log(store, KEY), _bodies(rng)
    for start in range(0, records, 1024):
        log.append([next(source) for _ in range(min(1024, records - start))])
    batches = [[next(source) for _ in range(128)] for _ in range(LAST_BATCHES)]
    wall, processor = time.perf_counter(), time.process_time()
    for batch in batches:
        log.append(batch)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    found: dict[str, Any] = {
        "records": log.head.size,
        "filled at the end, records per second": round(128 * LAST_BATCHES / wall),
        "filled, processor microseconds a record": round(1e6 * processor / (128 * LAST_BATCHES), 1),
    }
    names = _recordings(store, rng, log.head.size)
    found["by the index"] = _times(lambda name: find_content(store, name), names)
    found["by the index, with the proof file"] = _times(
        lambda name: log.prove(_found(store, name), POLICY), names
    )
    found["read into this process"] = _times(lambda name: _read_all(store, name), names[:SCANS])
    store.misplace()
    found["the store looks through all bodies"] = _times(
        lambda name: list(store.leaves_with([f'":"{name}"'.encode()])), names[:SCANS]
    )
    begun = time.perf_counter()
    bring_up(store)
    found["index made anew, s"] = round(time.perf_counter() - begun, 1)
    return found


def _bodies(rng: random.Random) -> Iterator[bytes]:
    """Records as cameras make them, their signatures aside."""
    seqs = [0] * CAMERAS
    while True:
        for camera in range(CAMERAS):
            for _ in range(SEGMENTS):
                yield _record(rng, camera, seqs, is_segment=True)
            yield _record(rng, camera, seqs, is_segment=False)


def _record(rng: random.Random, camera: int, seqs: list[int], *, is_segment: bool) -> bytes:
    seq = seqs[camera]
    seqs[camera] = seq + 1
    at = START_MS + 10_000 * seq
    fields: dict[str, Any] = {
        "v": 1, "device": f"bwc-{camera:04}", "epoch": 0, "claimed_ms": at, "seq": seq,
        "prev": rng.randbytes(32).hex(), "sig": base64.b64encode(rng.randbytes(64)).decode(),
    }  # fmt: skip
    if not is_segment:
        return canonical(fields | {"kind": "heartbeat", "uptime_ms": at - START_MS})
    more = {
        "kind": "segment", "level": "device", "recording": f"bwc-{camera:04}/{seq}",
        "blob": rng.randbytes(32).hex(), "bytes": rng.randrange(10**8), "class": "routine",
        "manifest_blob": rng.randbytes(32).hex(), "start_ms": at - 10_000, "end_ms": at,
        "commit": {name: rng.randbytes(32).hex() for name in ("media", "manifest", "name")},
    }  # fmt: skip
    return canonical(fields | more)


def _recordings(store: LogStore, rng: random.Random, size: int) -> list[str]:
    """Recordings drawn over the whole log."""
    found: list[str] = []
    while len(found) < ASKED:
        index = rng.randrange(size)
        for leaf in store.leaves(index, index + 1):
            recording = parse_record(leaf.body).recording
            found += [recording] if recording else []
    return found


def _found(store: LogStore, name: str) -> int:
    found = find_content(store, name)
    if found is None or found.notice:
        raise SystemExit(f"the index did not lead to {name}")
    return found.index


def _read_all(store: LogStore, name: str) -> int:
    named = f'":"{name}"'.encode()
    return sum(named in leaf.body for leaf in store.leaves())


def _times(act: Callable[[str], Any], names: list[str]) -> dict[str, float]:
    wall, processor = [], []
    for name in names:
        begun, before = time.perf_counter(), time.process_time()
        act(name)
        wall.append(1000 * (time.perf_counter() - begun))
        processor.append(1000 * (time.process_time() - before))
    return {
        "n": len(names),
        "median, ms": round(statistics.median(wall), 3),
        "p95, ms": round(sorted(wall)[int(0.95 * (len(wall) - 1))], 3),
        "median, processor ms": round(statistics.median(processor), 3),
    }


if __name__ == "__main__":
    main()
