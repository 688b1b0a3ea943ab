"""How long the whole offline verifier takes with the proof of one recording among a million.

    python benchmarks/custody/verifying.py

The log holds a million entries; one of them is a segment record with four commitments. Its
proof file carries the record, the salt that opens its medium, and a checkpoint with three
Ed25519 cosignatures. Verifying is everything the offline verifier does with that file, a
policy and the digest of a recording, but for starting Python and hashing the recording. Times
are medians of repeated runs with quartiles, beside one Ed25519 verification in the same run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.commitments import commit
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.extra import pack_extra
from tidewaiter.custody.keys import ED25519_COSIGNATURE, ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import bytes_signed_by, public_key, sign_bytes, sign_record
from tidewaiter.custody.verdict import Conclusion
from tidewaiter.custody.verify import Bundle, Part, verify
from tidewaiter.custody.verify_files import HandedIn

RESULT = Path(__file__).parent / "results" / "verifying.json"
SEED = 20261122
LEAVES = 1_000_000
INDEX = 123_456
CHECKS = 300
SECRET = bytes(range(32))
ORIGIN = "custody.customs.example/2026"
FIELDS = ("manifest", "media", "name", "officer")


def main() -> None:
    """Measure and write the result."""
    rng = random.Random(SEED)  # noqa: S311 - seeded material, no secret
    leaf, salt, medium = _segment(rng)
    tree = Tree(rng.randbytes(32) if at != INDEX else leaf_hash(leaf) for at in range(LEAVES))
    note, policy = _note_and_policy(tree)
    path = tuple(tree.inclusion_proof(INDEX))
    lone = ProofFile(INDEX, path, note).encoded
    whole = ProofFile(INDEX, path, note, pack_extra(leaf, {"media": salt})).encoded
    files = [HandedIn("film.mp4", medium, 1)]
    bundle = Bundle((Part("receipt", whole),))
    if verify(bundle, policy, files).conclusion is not Conclusion.PROVEN:
        raise SystemExit("the honest proof does not verify")
    signature = sign_bytes(SECRET, b"one message")
    key = public_key(SECRET)
    result = {
        "what": "the whole offline verifier on a proof at 10^6 leaves, with record and salt inside",
        "leaves": LEAVES,
        "seed": SEED,
        "record_bytes": len(leaf),
        "proof_file_bytes_without_the_record": len(lone),
        "proof_file_bytes_with_record_and_salt": len(whole),
        "verification_ms": _times([lambda: verify(bundle, policy, files)] * CHECKS, 1e3),
        "one_ed25519_verification_ms": _times(
            [lambda: bytes_signed_by(key, b"one message", signature)] * CHECKS, 1e3
        ),
        "load_1_min": round(os.getloadavg()[0], 2),
        "cpus": os.cpu_count(),
    }
    print(json.dumps(result, indent=1))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _segment(rng: random.Random) -> tuple[bytes, bytes, str]:
    """A segment record as a dock writes it, the salt of its medium, and the medium's digest."""
    medium = hashlib.sha256(b"the recording").hexdigest()
    salts = {name: rng.randbytes(16) for name in FIELDS}
    fields = {
        "kind": "segment",
        "device": "bwc-0017",
        "by": "dock-3",
        "epoch": 3,
        "seq": 4711,
        "prev": rng.randbytes(32).hex(),
        "claimed_ms": 1_766_400_000_000,
        "level": "dock",
        "recording": "bwc-0017/4711",
        "blob": rng.randbytes(32).hex(),
        "manifest_blob": rng.randbytes(32).hex(),
        "bytes": 734_003_200,
        "class": "routine",
        "media_type": "video/mp4",
        "commit": {name: commit(name, salts[name], medium) for name in FIELDS},
    }
    return sign_record(fields, SECRET), salts["media"], medium


def _note_and_policy(tree: Tree) -> tuple[bytes, bytes]:
    log = SigningKey(ORIGIN, ED25519_NOTE, bytes(32))
    names = ("vigilance", "audit", "wco")
    witnesses = [
        SigningKey(f"{name}.example", ED25519_COSIGNATURE, bytes([n + 1]) * 32)
        for n, name in enumerate(names)
    ]
    checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
    lines = [cosign(checkpoint, one, 1_766_400_060 + n) for n, one in enumerate(witnesses)]
    note = sign_checkpoint(checkpoint, log).with_signatures(lines).encoded
    named = [f"witness {n} {one.verifier}" for n, one in zip(names, witnesses, strict=True)]
    rules = [f"log {log.verifier}", *named, f"group outside 2 {' '.join(names)}", "quorum outside"]
    return note, "\n".join(rules).encode() + b"\n"


def _times(runs: list[Callable[[], object]], scale: float) -> dict[str, float]:
    """Median and quartiles of the time of each run, in 1/scale seconds."""
    taken = []
    for run in runs:
        begun = time.perf_counter()
        run()
        taken.append(scale * (time.perf_counter() - begun))
    low, middle, high = statistics.quantiles(taken, n=4)
    return {"median": round(middle, 3), "quartile_1": round(low, 3), "quartile_3": round(high, 3)}


if __name__ == "__main__":
    main()
