"""A log made of a world's leaves, confirmed by witnesses, and bundles of its entries."""

from __future__ import annotations

import hashlib

from tests.custody.record_kit import START_MS, World
from tests.custody.signers import AUDIT, LOG, ORIGIN, VIGILANCE, WCO
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.commitments import format_openings
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.extra import pack_extra
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.verify import Bundle, Part
from tidewaiter.custody.verify_files import HandedIn

WITNESSES = (VIGILANCE, AUDIT, WCO)


def camera_world() -> World:
    """Founders, one camera, three segments between heartbeats."""
    world = World()
    world.enrol("bwc-1", unit="gate-2")
    world.define_class()
    world.heartbeat("bwc-1")
    for _ in range(3):
        world.segment("bwc-1")
    world.heartbeat("bwc-1")
    return world


def checkpoint_note(leaves, witnesses=WITNESSES[:2], *, time_s=0, log=LOG, origin=ORIGIN) -> bytes:
    tree = Tree(leaf_hash(leaf) for leaf in leaves)
    checkpoint = Checkpoint(origin, tree.size, tree.root())
    at = time_s or START_MS // 1000 + 86_400
    lines = [cosign(checkpoint, witness, at + n) for n, witness in enumerate(witnesses)]
    return sign_checkpoint(checkpoint, log).with_signatures(lines).encoded


def proof_of(leaves, index, *, note=b"", salts=None, packed=True) -> bytes:
    tree = Tree(leaf_hash(leaf) for leaf in leaves)
    extra = pack_extra(leaves[index], salts) if packed else leaves[index]
    path = tuple(tree.inclusion_proof(index))
    return ProofFile(index, path, note or checkpoint_note(leaves), extra).encoded


def bundle_of(world: World, indices=None, *, note=b"", openings=True) -> Bundle:
    chosen = range(len(world.leaves)) if indices is None else indices
    proofs = [
        Part(f"{index:012d}.tlog-proof", proof_of(world.leaves, index, note=note))
        for index in chosen
    ]
    digests = {parse_record(world.leaves[index]).digest for index in chosen}
    given = tuple(one for one in world.openings if openings and one.record in digests)
    parts = (Part("openings.json", format_openings(given)),) if given else ()
    return Bundle(tuple(proofs), parts)


def handed_in(name: str, body: bytes) -> HandedIn:
    return HandedIn(name, hashlib.sha256(body).hexdigest(), len(body))


def plain(device: str, seq: int) -> bytes:
    """The medium that `World.segment` made for that number."""
    return f"medium {device} {seq}".encode()
