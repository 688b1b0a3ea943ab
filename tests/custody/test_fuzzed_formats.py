"""Whatever bytes arrive, the readers answer with their own error or with what they read."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.custody.signers import AUDIT, LOG, ORIGIN, POLICY, VIGILANCE
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.exact import exact_base64, exact_number
from tidewaiter.custody.keys import SigningKey, VerifierKey
from tidewaiter.custody.merkle import leaf_hash
from tidewaiter.custody.note import Note, parse_signature_lines
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.trust import judge_checkpoint, judge_proof
from tidewaiter.errors import IntegrityError

CHECKPOINT = Checkpoint(ORIGIN, 1, leaf_hash(b"leaf"))
NOTE = sign_checkpoint(CHECKPOINT, LOG).with_signatures(
    [cosign(CHECKPOINT, VIGILANCE, 1_790_000_000), cosign(CHECKPOINT, AUDIT, 1_790_000_000)]
)
READ_POLICY = Policy.parse(POLICY)
PROOF = ProofFile(0, (), NOTE.encoded, b"leaf").encoded
# Pieces that the formats give a meaning to, beside bytes that mean nothing.
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [
            *(b"\n", b"\n\n", b" ", b"+", b"=", "— ".encode(), b"\r\n", b"\xe2\x80\xa8", b"\0"),
            *(b"0", b"18446744073709551616", b"index ", b"extra ", b"log ", b"group ", b"quorum "),
            NOTE.encoded,
            str(LOG.verifier).encode(),
        ]
    ),
)


@st.composite
def mutated(draw, original):
    """A sound document with a few stretches cut out, doubled or replaced."""
    data = original
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        data = data[:start] + draw(PIECES) + data[end:]
    return data


def test_the_sound_documents_are_accepted():
    assert judge_proof(ProofFile.parse(PROOF), b"leaf", READ_POLICY).quorum_met


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=300), mutated(NOTE.encoded)))
def test_notes(data):
    try:
        judged = judge_checkpoint(data, READ_POLICY)
    except IntegrityError:
        return
    # Only signature lines nobody knows may differ; what is signed may not.
    assert judged.checkpoint == CHECKPOINT
    assert Note.parse(data).encoded == data


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=300), mutated(PROOF)))
def test_proof_files(data):
    try:
        proof = ProofFile.parse(data)
    except IntegrityError:
        return
    assert proof.encoded == data
    try:
        judged = judge_proof(proof, b"leaf", READ_POLICY)
    except IntegrityError:
        return
    assert judged.checkpoint == CHECKPOINT


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=300), mutated(POLICY)))
def test_policies(data):
    try:
        policy = Policy.parse(data)
    except IntegrityError:
        return
    everybody = {witness.name for witness in policy.witnesses}
    assert policy.quorum_met(everybody)
    assert policy.quorum_met(set()) is not policy.needs_witnesses
    assert policy.needed_words


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=100), mutated(str(LOG.verifier).encode())))
@example(b"PRIVATE+KEY+a+00000000+AQ==")
def test_keys(data):
    for read in (VerifierKey.parse, SigningKey.parse):
        try:
            key = read(data)
        except IntegrityError:
            continue
        assert str(key).encode() == data


@settings(deadline=None, max_examples=100)
@given(mutated(CHECKPOINT.text.encode()))
def test_checkpoints(data):
    try:
        text = data.decode()
        checkpoint = Checkpoint.parse(text)
    except (UnicodeDecodeError, IntegrityError):
        return
    assert checkpoint.text == text


@given(st.binary(max_size=40))
def test_numbers_and_base64_have_one_spelling(data):
    for read, spell in (
        (exact_number, lambda number: str(number).encode()),
        (exact_base64, lambda raw: __import__("base64").b64encode(raw)),
    ):
        try:
            value = read(data, "it")
        except IntegrityError:
            continue
        assert spell(value) == data


@given(st.binary(max_size=80))
def test_signature_lines(data):
    try:
        lines = parse_signature_lines(data)
    except IntegrityError:
        return
    assert "".join(line.line for line in lines).encode() == data


@pytest.mark.parametrize("read", [Note.parse, ProofFile.parse, Policy.parse])
def test_ten_megabytes_are_refused_at_once(read):
    with pytest.raises(IntegrityError, match="are read at most"):
        read(b"a\n" * 5_000_000)
