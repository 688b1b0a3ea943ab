"""How fast records are durably appended, beside the machine's own fdatasync, and a log restarts.

    python benchmarks/custody/append.py --folder /var/tmp --leaves 1000000

Records are 480 random-looking bytes as base64 in JSON. `acknowledged per second` counts from the
call of append to its return: hashing, the root, the signed checkpoint and the commit are in it.
`fdatasync` is the median time of one after writing 4 KiB to a file in the same folder; the ratio
to it says what the same code does on another disk, the processor time a record (of this process,
not of the server) what it does on an idle machine. Restart: open, rebuild the tree from the
stored hashes, compare every checkpoint. PostgreSQL is a private server in the same folder.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.storage.private_postgres import found_binaries, private_postgres  # noqa: E402
from tidewaiter.casework.custody_log import CustodyLog, open_log  # noqa: E402
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey  # noqa: E402
from tidewaiter.custody.policy import Policy  # noqa: E402
from tidewaiter.storage.custody_postgres import PostgresLog  # noqa: E402
from tidewaiter.storage.custody_sqlite import SqliteLog  # noqa: E402

ORIGIN = "benchmark.example/custody"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"benchmark" + b"." * 23)
POLICY = Policy.parse(f"log {KEY.verifier}\nquorum none\n".encode())
SEED = 20_264
BATCHES = {1: 300, 128: 150, 1024: 40}


def main() -> None:
    """Measure, and write results/append.json."""
    parser = argparse.ArgumentParser(description="durable appends")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # noqa: S108 - on a disk
    parser.add_argument("--leaves", type=int, default=200_000, help="in the log that is restarted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tw-append-", dir=given.folder) as name:
        folder = Path(name)
        result: dict[str, Any] = {"load at the start": os.getloadavg()[0]}
        result["fdatasync, ms"] = _fdatasync_ms(folder)
        result["SQLite"] = _rates(lambda: SqliteLog.create(folder / "rates.sqlite", ORIGIN), folder)
        if found_binaries() is not None:
            with private_postgres(folder) as server:
                result["PostgreSQL"] = _rates(
                    lambda: PostgresLog.create(server.address, ORIGIN), folder
                )
        result["SQLite, large log"] = _large(folder / "large.sqlite", given.leaves)
    path = Path(__file__).parent / "results" / "append.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def _fdatasync_ms(folder: Path) -> float:
    file = os.open(folder / "sync", os.O_RDWR | os.O_CREAT)
    taken = []
    for n in range(300):
        os.pwrite(file, os.urandom(4096), 4096 * n)
        started = time.perf_counter()
        os.fdatasync(file)
        taken.append(1000 * (time.perf_counter() - started))
    os.close(file)
    return round(statistics.median(taken), 3)


def _bodies() -> Iterator[bytes]:
    rng = random.Random(SEED)  # noqa: S311 - made records, no secret
    number = 0
    while True:
        filling = base64.b64encode(rng.randbytes(330)).decode()
        yield f'{{"filling":"{filling}","number":{number}}}'.encode()
        number += 1


def _rates(create: Any, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    source = _bodies()
    with create() as store:
        log = open_log(store, KEY)
        for size, times in BATCHES.items():
            sync_ms = _fdatasync_ms(folder)
            found[f"batch {size}"] = _rate(log, source, size, times) | {"fdatasync, ms": sync_ms}
    for row in found.values():
        row["p50 over fdatasync"] = round(row["p50, ms"] / row["fdatasync, ms"], 1)
    return found


def _rate(log: CustodyLog, source: Iterator[bytes], size: int, times: int) -> dict[str, Any]:
    taken, processor = [], 0.0
    for _ in range(times):
        batch = [next(source) for _ in range(size)]
        started, before = time.perf_counter(), time.process_time()
        log.append(batch)
        taken.append(time.perf_counter() - started)
        processor += time.process_time() - before
    ordered = sorted(taken)
    return {
        "acknowledged per second": round(size * times / sum(taken)),
        "processor, microseconds a record": round(1e6 * processor / (size * times), 1),
        "p50, ms": round(1000 * statistics.median(taken), 2),
        "p99, ms": round(1000 * ordered[int(0.99 * (times - 1))], 2),
    }


def _large(path: Path, leaves: int) -> dict[str, Any]:
    source = _bodies()
    with SqliteLog.create(path, ORIGIN) as store:
        log = open_log(store, KEY)
        started = time.perf_counter()
        for start in range(0, leaves, 1024):
            log.append([next(source) for _ in range(min(1024, leaves - start))])
        filled_s = time.perf_counter() - started
    with SqliteLog(path) as store:
        wall, processor = time.perf_counter(), time.process_time()
        log = open_log(store, KEY)
        found = {
            "leaves": leaves,
            "file, MB": round(path.stat().st_size / 1e6),
            "filled, records per second": round(leaves / filled_s),
            "restart, wall s": round(time.perf_counter() - wall, 2),
            "restart, processor s": round(time.process_time() - processor, 2),
            "checkpoints compared": sum(1 for _ in store.checkpoints()),
        }
        found["batch 128 on top"] = _rate(log, source, 128, 40)
        found["proof, microseconds"] = _proof_us(log)
    return found


def _proof_us(log: CustodyLog) -> dict[str, float]:
    """Hashes of the path, and the whole proof file with its leaf read from the store."""
    size = log.head.size
    rng = random.Random(SEED)  # noqa: S311
    places = [rng.randrange(size) for _ in range(400)]
    found = {}
    for name, act in (
        ("path", lambda at: log.consistency_proof(at + 1)),
        ("whole file", lambda at: log.prove(at, POLICY)),
    ):
        taken = []
        for place in places:
            started = time.perf_counter()
            act(place)
            taken.append(1e6 * (time.perf_counter() - started))
        found[name] = round(statistics.median(taken), 1)
    return found


if __name__ == "__main__":
    main()
