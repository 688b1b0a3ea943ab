"""How long until a record is witnessed: `python benchmarks/custody/witnessing.py --folder FOLDER`.

A SQLite log and three witnesses, each a process of its own behind HTTP on loopback with its book on
the same disk. One record at a time is appended, all three witnesses are asked one after the other
to confirm, and the proof file is checked against a quorum of two. Times run from handing the record
in to holding that proof, beside one fdatasync of the same disk and run. The
default FOLDER is this folder, so that the disk is a real one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.extra import unpack_extra
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey, VerifierKey
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.trust import judge_proof
from tidewaiter.outlets.witness_client import WitnessClient
from tidewaiter.storage.custody_sqlite import SqliteLog
from tidewaiter.wiring_witness import make_witness

HERE = Path(__file__).parent
RESULT = HERE / "results" / "witnessing.json"
ORIGIN = "log.example"
LOG = SigningKey(ORIGIN, ED25519_NOTE, bytes(32))
NAMES = ("vigilance", "audit", "wco")
QUORUM = 2
RECORD_BYTES = 800
SYNCS = 200


def main() -> None:
    """Start the witnesses, measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=HERE)
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        fdatasync_ms = _fdatasync_ms(folder)
        (folder / "logs").write_text(f"log {LOG.verifier}\nquorum none\n", encoding="utf-8")
        keys = [_made(folder, witness) for witness in NAMES]
        processes = [_served(folder, witness) for witness in NAMES]
        try:
            addresses = [_address(process) for process in processes]
            seconds = _measured(folder, keys, addresses, options.records)
        finally:
            for process in processes:
                process.terminate()
                process.wait(30)
    ordered = sorted(seconds)
    result = {
        "what": "from handing in one record to a proof that all three witnesses confirmed",
        "records": len(ordered),
        "fdatasync_ms": fdatasync_ms,
        "witnessed_ms": {
            "median": round(statistics.median(ordered) * 1e3, 1),
            "p99": round(ordered[len(ordered) * 99 // 100] * 1e3, 1),
            "longest": round(ordered[-1] * 1e3, 1),
        },
        "median_in_fdatasyncs": round(statistics.median(ordered) * 1e3 / fdatasync_ms, 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def _fdatasync_ms(folder: Path) -> float:
    taken = []
    with (folder / "sync").open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken) * 1e3, 3)


def _made(folder: Path, name: str) -> VerifierKey:
    (spelled,) = make_witness(f"{name}.example", folder / f"{name}.key", folder / f"{name}.book")
    return VerifierKey.parse(spelled)


def _served(folder: Path, name: str) -> subprocess.Popen[str]:
    program = "from tidewaiter.cli import main; main()"
    files = [f"--{what}={folder / f'{name}.{what}'}" for what in ("key", "book")]
    command = [sys.executable, "-c", program, "custody", "witness", "serve", *files]
    command += [f"--logs={folder / 'logs'}", "--port=0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[2]


def _measured(
    folder: Path, keys: list[VerifierKey], addresses: list[str], records: int
) -> list[float]:
    lines = [f"witness {name} {key}" for name, key in zip(NAMES, keys, strict=True)]
    group = f"group outside {QUORUM} {' '.join(NAMES)}"
    policy = Policy.parse(
        "\n".join([f"log {LOG.verifier}", *lines, group, "quorum outside"]).encode()
    )
    clients = [
        WitnessClient(name, [key], address, LOG.verifier)
        for name, key, address in zip(NAMES, keys, addresses, strict=True)
    ]
    log = open_log(SqliteLog.create(folder / "log.sqlite", ORIGIN), LOG, clients)
    known = dict.fromkeys(NAMES, 0)
    seconds = []
    for number in range(records):
        record = f"{number:08}".encode() * (RECORD_BYTES // 8)
        begun = time.perf_counter()
        (receipt,) = log.append([record])
        note = log.checkpoint(receipt.size).encoded
        for witness, client in zip(policy.witnesses, clients, strict=True):
            done = client.confirm(note, known[client.name], log.consistency_proof)
            log.confirm(receipt.size, witness, "".join(done.lines).encode())
            known[client.name] = receipt.size
        proof = log.prove(receipt.index, policy)
        seconds.append(time.perf_counter() - begun)
        assert judge_proof(proof, unpack_extra(proof.extra or b"")[0], policy).quorum_met
    log.close()
    return seconds


if __name__ == "__main__":
    main()
