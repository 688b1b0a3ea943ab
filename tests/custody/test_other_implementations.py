"""Our formats and another implementation's agree, in both directions, at every small size."""

import random

import pytest

from tests.custody.signers import LOG, ORIGIN, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign, verify_cosignature
from tidewaiter.custody.keys import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE
from tidewaiter.custody.merkle import (
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from tidewaiter.custody.note import NoteSignature, parse_signature_lines
from tidewaiter.errors import BrokenProof

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]
TREE = Tree(LEAVES)
NOW_S = 1_790_000_000


@pytest.fixture(scope="module")
def scales():
    """tlog-scales, Apache-2.0: literal RFC 9162 verifiers, and C2SP cosignatures."""
    reason = "tlog-scales is not installed; it is in the dependency group `dev`"
    pytest.importorskip("tlog_scales", reason=reason)
    from tlog_scales import signing, tlog

    return tlog, signing


@pytest.fixture(scope="module")
def merkle():
    """pymerkle, which is GPLv3 and therefore only ever run, where somebody installed it."""
    return pytest.importorskip("pymerkle", reason="pymerkle is not installed; it is optional")


def pairs(rng, most, count):
    for _ in range(count):
        new = rng.randrange(1, most + 1)
        yield rng.randrange(1, new + 1), new


def agree(ours, theirs, refusals):
    """Both accept, or both refuse; returns whether they accept."""
    accepted = [accepts(ours, BrokenProof), accepts(theirs, refusals)]
    assert accepted[0] == accepted[1], "ours, theirs"
    return accepted[0]


def accepts(check, refusals):
    try:
        check()
    except refusals:
        return False
    return True


def test_proofs_of_every_small_size_are_accepted_there(scales):
    tlog, _ = scales
    rng = random.Random(9162)
    for size in range(1, 301):
        index, root = rng.randrange(size), TREE.root(size)
        proof = tlog.InclusionProof(index, size, TREE.inclusion_proof(index, size))
        proof.check(LEAVES[index], root)
    for old, new in pairs(rng, 300, 300):
        path = TREE.consistency_proof(old, new)
        tlog.ConsistencyProof(old, new, path).check(TREE.root(old), TREE.root(new))


def test_altered_proofs_are_judged_alike(scales):
    tlog, _ = scales
    rng, accepted = random.Random(6962), 0
    for old, new in pairs(rng, 40, 400):
        path = TREE.consistency_proof(old, new)
        path = alter(path, rng)
        roots = TREE.root(old), TREE.root(new)
        theirs = tlog.ConsistencyProof(old, new, path)
        accepted += agree(
            lambda o=old, n=new, r=roots, p=path: verify_consistency(o, n, *r, p),
            lambda t=theirs, r=roots: t.check(*r),
            (tlog.ConsistencyProofInvalid, ValueError),
        )
        index, stated = rng.randrange(new), rng.randrange(new + 2)
        path = alter(TREE.inclusion_proof(index, new), rng)
        theirs = tlog.InclusionProof(stated, new, path)
        accepted += agree(
            lambda i=stated, n=new, h=LEAVES[index], p=path, r=roots[1]: verify_inclusion(
                i, n, h, p, r
            ),
            lambda t=theirs, h=LEAVES[index], r=roots[1]: t.check(h, r),
            (tlog.InclusionProofInvalid, ValueError),
        )
    assert 20 < accepted < 400


def alter(path, rng):
    """A path as it was, or with one element dropped, added, swapped or changed."""
    path, kind = list(path), rng.randrange(5)
    at = rng.randrange(len(path) + 1)
    if kind == 1:
        del path[at : at + 1]
    elif kind == 2:
        path.insert(at, node_hash(bytes(32), bytes(32)))
    elif kind == 3 and len(path) > 1:
        path[0], path[-1] = path[-1], path[0]
    elif kind == 4 and path:
        path[at % len(path)] = bytes(32)
    return path


def test_our_checkpoints_and_cosignatures_are_accepted_there(scales):
    tlog, signing = scales
    checkpoint = Checkpoint(ORIGIN, 300, TREE.root())
    note = sign_checkpoint(checkpoint, LOG)
    witnesses = [
        key("ed.example", ED25519_COSIGNATURE),
        key("pq.example", MLDSA44_COSIGNATURE),
    ]
    note = note.with_signatures(cosign(checkpoint, witness, NOW_S) for witness in witnesses)
    read = tlog.Checkpoint.from_text(note.encoded.decode())
    assert (read.origin, read.size, read.root_hash) == (ORIGIN, 300, TREE.root())
    for signer in (LOG, *witnesses):
        vkey = signing.Vkey.from_string(str(signer.verifier))
        assert vkey.serialize() == str(signer.verifier)
        read.verify(vkey)


def test_their_checkpoints_and_cosignatures_are_accepted_here(scales):
    tlog, signing = scales
    theirs = signing.PlainEd25519Signer(LOG.name, LOG.seed)
    made = tlog.Checkpoint.make_signed(ORIGIN, 300, TREE.root(), [theirs])
    checkpoint = Checkpoint(ORIGIN, 300, TREE.root())
    assert made.serialize().encode() == sign_checkpoint(checkpoint, LOG).encoded
    witness = key("pq.example", MLDSA44_COSIGNATURE)
    line = signing.MLDSA44CosignatureSigner(witness.name, witness.seed).sign(made)
    (ours,) = parse_signature_lines((line.serialize() + "\n").encode())
    assert isinstance(ours, NoteSignature)
    assert verify_cosignature(checkpoint, witness.verifier, ours) > NOW_S - 10**9


def test_roots_equal_pymerkles(merkle):
    theirs, ours = merkle.InmemoryTree(algorithm="sha256"), Tree()
    for number, leaf in enumerate(LEAVES):
        theirs.append_entry(str(number).encode())
        ours.append(leaf)
        assert theirs.get_root() == ours.root()
    for size in range(1, 301):
        assert theirs.get_root(size) == TREE.root(size)
