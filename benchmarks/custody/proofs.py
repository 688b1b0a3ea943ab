"""Time the tree, its proofs and the check of a proof file: `python benchmarks/custody/proofs.py`.

A log of a million leaves in memory, random indices and sizes; a proof file with the record of a
recording inside and three witnesses' cosignatures, checked as a stranger does it. All times are
processor time of one thread; `per_sha256` gives them in hashes of 65 bytes taken in the same run,
which depends less on the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.extra import pack_extra, unpack_extra
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    SigningKey,
)
from tidewaiter.custody.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import sign_record
from tidewaiter.custody.trust import judge_proof

RESULT = Path(__file__).parent / "results" / "proofs.json"
SEED = 20261122
LEAVES = 1_000_000
ASKED = 2000
CHECKED = 300
ORIGIN = "custody.customs.example/2026"
NOW_S = 1_790_000_000


def main() -> None:
    """Measure and write the result."""
    rng = random.Random(SEED)  # noqa: S311 - seeded indices, no secret
    sha256_s = _sha256_s()
    leaf = _segment(rng)
    hashes = [leaf_hash(struct.pack(">Q", number)) for number in range(LEAVES)]
    tree, bulk_s = _timed(lambda: Tree(hashes))
    one_by_one_s = _one_by_one(hashes[:100_000]) / 100_000
    index = tree.append(leaf_hash(leaf))
    times = _proof_times(tree, rng)
    ed25519, pq = ([_witness(n, algorithm) for n in range(3)] for algorithm in (4, 6))
    result = {
        "what": "tree and proofs at a million leaves; processor time, one thread",
        "seed": SEED,
        "leaves": tree.size,
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "sha256_of_65_bytes_us": round(sha256_s * 1e6, 3),
        "appends_per_s": {
            "in_bulk": round(LEAVES / bulk_s),
            "one_by_one": round(1 / one_by_one_s),
        },
        "rebuild_of_a_million_s": round(bulk_s, 3),
        **{name: _summary(values, sha256_s) for name, values in times.items()},
        "record_bytes": len(leaf),
        "proof_file_ed25519": _proof_file(tree, index, leaf, ed25519, sha256_s),
        "proof_file_ml_dsa_44": _proof_file(tree, index, leaf, pq, sha256_s),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def _timed(make: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    made = make()
    return made, time.process_time() - begun


def _sha256_s() -> float:
    data, rounds = bytes(65), 200_000
    begun = time.process_time()
    for _ in range(rounds):
        hashlib.sha256(data).digest()
    return (time.process_time() - begun) / rounds


def _one_by_one(hashes: list[bytes]) -> float:
    tree = Tree()

    def append() -> None:
        for leaf in hashes:
            tree.append(leaf)

    return _timed(append)[1]


def _proof_times(tree: Tree, rng: random.Random) -> dict[str, list[float]]:
    root = tree.root()
    times: dict[str, list[float]] = {
        "inclusion_proof": [],
        "inclusion_check": [],
        "consistency_proof": [],
        "consistency_check": [],
    }
    for _ in range(ASKED):
        index, old = rng.randrange(tree.size), rng.randrange(1, tree.size)
        path, seconds = _timed(lambda i=index: tree.inclusion_proof(i))
        times["inclusion_proof"].append(seconds)
        leaf = tree.leaf(index)
        check = _timed(lambda i=index, h=leaf, p=path: verify_inclusion(i, tree.size, h, p, root))
        times["inclusion_check"].append(check[1])
        path, seconds = _timed(lambda o=old: tree.consistency_proof(o))
        times["consistency_proof"].append(seconds)
        before = tree.root(old)
        check = _timed(lambda o=old, b=before, p=path: verify_consistency(o, tree.size, b, root, p))
        times["consistency_check"].append(check[1])
    return times


def _summary(seconds: list[float], sha256_s: float) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "median_us": round(statistics.median(ordered) * 1e6, 1),
        "p99_us": round(ordered[len(ordered) * 99 // 100] * 1e6, 1),
        "per_sha256": round(statistics.median(ordered) / sha256_s, 1),
    }


def _segment(rng: random.Random) -> bytes:
    """A record as docking makes it for one recording."""
    fields = {
        "v": 1,
        "kind": "segment",
        "device": "bwc-0017",
        "epoch": 3,
        "seq": 4711,
        "prev": rng.randbytes(32).hex(),
        "claimed_ms": NOW_S * 1000,
        "start_ms": NOW_S * 1000 - 600_000,
        "end_ms": NOW_S * 1000,
        "level": "dock",
        "recording": "bwc-0017/4711",
        "blob": rng.randbytes(32).hex(),
        "bytes": 214_748_364,
        "manifest_blob": rng.randbytes(32).hex(),
        "media_type": "video/mp4",
        "class": "ordinary",
        "commit": {name: rng.randbytes(32).hex() for name in ("media", "manifest", "name")},
    }
    return sign_record(fields, rng.randbytes(32))


def _witness(number: int, algorithm: int) -> SigningKey:
    names = ("vigilance.customs.example", "audit.example", "wco.example/w1")
    return SigningKey(names[number], algorithm, bytes([number + 1]) * 32)


def _proof_file(
    tree: Tree, index: int, leaf: bytes, witnesses: list[SigningKey], sha256_s: float
) -> dict[str, object]:
    log = SigningKey(ORIGIN, ED25519_NOTE, bytes(32))
    checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
    note = sign_checkpoint(checkpoint, log)
    note = note.with_signatures(cosign(checkpoint, witness, NOW_S) for witness in witnesses)
    path = tuple(tree.inclusion_proof(index))
    data = ProofFile(index, path, note.encoded, pack_extra(leaf)).encoded
    lines = [f"witness w{n} {witness.verifier}" for n, witness in enumerate(witnesses)]
    policy = "\n".join([f"log {log.verifier}", *lines, "group g 2 w0 w1 w2", "quorum g"]).encode()

    def check() -> None:
        proof = ProofFile.parse(data)
        assert proof.extra is not None
        assert judge_proof(proof, unpack_extra(proof.extra)[0], Policy.parse(policy)).quorum_met

    check()
    seconds = [_timed(check)[1] for _ in range(CHECKED)]
    return {
        "bytes": len(data),
        "witnesses": len(witnesses),
        "algorithm": {ED25519_COSIGNATURE: "Ed25519", MLDSA44_COSIGNATURE: "ML-DSA-44"}[
            witnesses[0].algorithm
        ],
        "check": _summary(seconds, sha256_s),
    }


if __name__ == "__main__":
    main()
