"""Where notes, checkpoints and cosignatures stop being read, to the byte."""

from __future__ import annotations

import base64

import pytest

from tests.custody.bundle_kit import camera_world, proof_of
from tests.custody.signers import AUDIT, LOG, ORIGIN, POLICY, VIGILANCE, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign, subtree_message, verify_cosignature
from tidewaiter.custody.exact import LARGEST_NUMBER, exact_number, quoted
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    SigningKey,
    VerifierKey,
    must_be_key_name,
)
from tidewaiter.custody.note import (
    LARGEST_NOTE_BYTES,
    MOST_SIGNATURES,
    Note,
    NoteSignature,
    open_note,
    sign_note,
)
from tidewaiter.custody.policy import LARGEST_POLICY_BYTES, Policy
from tidewaiter.custody.proof import LONGEST_PATH, ProofFile
from tidewaiter.custody.trust import judge_checkpoint
from tidewaiter.custody.verdict import Conclusion, Notebook
from tidewaiter.errors import BadSignature, MalformedText, UnknownSigner


def test_a_note_is_read_up_to_its_limit_and_not_beyond():
    lines = sign_note("x\n", LOG).encoded.partition(b"\n\n")[2]
    for extra, fits in ((0, True), (1, False)):
        text = b"x" * (LARGEST_NOTE_BYTES - len(lines) - 2 + extra)
        data = text + b"\n\n" + lines
        assert (len(data) == LARGEST_NOTE_BYTES) is fits
        if fits:
            assert Note.parse(data).encoded == data
        else:
            with pytest.raises(MalformedText, match="1048577 bytes; 1048576 are read at most"):
                Note.parse(data)


def test_a_note_without_a_blank_line_says_so():
    with pytest.raises(MalformedText, match="no text and blank line above its signatures"):
        Note.parse("— a AAAAAAA=\n".encode())


def test_a_witness_cannot_sign_a_note_as_a_log():
    """Its key has another type, so what it signed is no note, however it is spelled."""
    text = "a log's text\n"
    content = VIGILANCE.sign(text.encode())
    line = NoteSignature(VIGILANCE.name, VIGILANCE.verifier.key_id, content)
    with pytest.raises(UnknownSigner, match=r"no signature of any key under the note"):
        open_note(Note(text, (line,)), [VIGILANCE.verifier])


def test_a_missing_signer_is_named_among_those_who_were_asked_for():
    note = sign_note("text\n", key("somebody.example"))
    witness = key("witness.example", ED25519_COSIGNATURE)
    with pytest.raises(UnknownSigner, match=f"no signature of {ORIGIN} under the note"):
        open_note(note, [LOG.verifier, witness.verifier])


def test_a_signature_line_holds_more_than_a_key_id():
    for length in (0, 3, 4):
        spelled = base64.b64encode(bytes(length)).decode()
        with pytest.raises(MalformedText, match=f"has {length} bytes: too few"):
            Note.parse(f"text\n\n— a {spelled}\n".encode())
    spelled = base64.b64encode(bytes(5)).decode()
    (signature,) = Note.parse(f"text\n\n— a {spelled}\n".encode()).signatures
    assert (signature.key_id, signature.content) == (bytes(4), bytes(1))


def test_a_file_that_an_editor_went_through_says_so():
    proof = proof_of(camera_world().leaves, 5)
    told = "its line ends were changed to those of Windows: get the file again, unopened"
    for parse, good in ((ProofFile.parse, proof), (Policy.parse, POLICY)):
        with pytest.raises(MalformedText, match=told):
            parse(good.replace(b"\n", b"\r\n"))
    for parse, bad in ((ProofFile.parse, proof[:200]), (Policy.parse, POLICY + b"\r")):
        with pytest.raises(MalformedText) as caught:
            parse(bad)
        assert str(caught.value).endswith(("above its checkpoint", "other than tab and newline"))


def test_a_checkpoint_is_of_a_size_that_there_can_be():
    for size, fits in ((0, True), (LARGEST_NUMBER, True), (-1, False), (LARGEST_NUMBER + 1, False)):
        if fits:
            made = Checkpoint(ORIGIN, size, bytes(32))
            assert Checkpoint.parse(made.text) == made
        else:
            with pytest.raises(MalformedText, match="a size from 0 to"):
                Checkpoint(ORIGIN, size, bytes(32))
    for root in (bytes(31), bytes(33)):
        with pytest.raises(MalformedText, match="32 bytes are needed"):
            Checkpoint(ORIGIN, 1, root)
    for line in ("", "two\nlines"):
        with pytest.raises(MalformedText, match="is empty or is more than one line"):
            Checkpoint(line, 1, bytes(32))
        with pytest.raises(MalformedText, match="is empty or is more than one line"):
            Checkpoint(ORIGIN, 1, bytes(32), (line,))


@pytest.mark.parametrize(("length", "shown"), [(200, "o" * 200), (201, "o" * 200 + "…")])
def test_the_name_of_a_foreign_log_is_shown_up_to_its_limit(length, shown):
    foreign = Checkpoint("o" * length, 7, bytes(32)).text
    for text, told in (
        (foreign, f"the log {shown} is not in the policy"),
        (foreign + "more\n", f"the checkpoint of {shown} has extension lines"),
    ):
        with pytest.raises((UnknownSigner, MalformedText), match=told):
            judge_checkpoint(sign_note(text, LOG).encoded, Policy.parse(POLICY))


def test_a_checkpoint_has_three_lines_and_then_others():
    text = Checkpoint(ORIGIN, 7, bytes(32)).text
    for cut in (
        "",
        "\n",
        text.split("\n")[0] + "\n",
        "\n".join(text.split("\n")[:2]) + "\n",
        text[:-1],
    ):
        with pytest.raises(MalformedText, match="origin, size and root are needed"):
            Checkpoint.parse(cut)
    more = Checkpoint.parse(text + "more\n")
    assert more.extensions == ("more",)
    with pytest.raises(MalformedText, match="writes no extension lines"):
        sign_checkpoint(more, LOG)
    with pytest.raises(MalformedText, match="cannot sign for the log"):
        sign_checkpoint(Checkpoint("other.example", 7, bytes(32)), LOG)


def test_a_cosignature_names_its_time_and_its_key():
    checkpoint = Checkpoint(ORIGIN, 7, bytes(32))
    line = cosign(checkpoint, VIGILANCE, 1)
    assert verify_cosignature(checkpoint, VIGILANCE.verifier, line) == 1
    last = cosign(checkpoint, VIGILANCE, LARGEST_NUMBER)
    assert verify_cosignature(checkpoint, VIGILANCE.verifier, last) == LARGEST_NUMBER
    for time_s in (0, LARGEST_NUMBER + 1):
        with pytest.raises(MalformedText, match="1 to 2\\^63 - 1 is needed"):
            cosign(checkpoint, VIGILANCE, time_s)
    with pytest.raises(BadSignature, match="is not by the key"):
        verify_cosignature(checkpoint, AUDIT.verifier, line)
    for length in (0, 8):
        short = NoteSignature(line.name, line.key_id, line.content[:length])
        with pytest.raises(MalformedText, match="too short to hold a time"):
            verify_cosignature(checkpoint, VIGILANCE.verifier, short)
    nine = NoteSignature(line.name, line.key_id, line.content[:9])
    with pytest.raises(BadSignature):
        verify_cosignature(checkpoint, VIGILANCE.verifier, nine)
    with pytest.raises(MalformedText, match="is a log's, not a witness's"):
        cosign(checkpoint, LOG, 1)


def test_the_message_of_ml_dsa_names_everything():
    origin, name = "o" * 255, "n" * 255
    message = subtree_message(name, 5, origin, 9, bytes(32))
    assert message == (
        b"subtree/v1\n\0" + b"\xff" + name.encode() + (5).to_bytes(8, "big")
        + b"\xff" + origin.encode() + bytes(8) + (9).to_bytes(8, "big") + bytes(32)
    )  # fmt: skip
    for wrong in ((name + "n", origin), (name, origin + "o")):
        with pytest.raises(MalformedText, match="has 256 bytes; 255 are the most"):
            subtree_message(wrong[0], 5, wrong[1], 9, bytes(32))


def test_a_proof_is_read_up_to_its_limits():
    good = ProofFile(5, tuple(bytes(32) for _ in range(LONGEST_PATH)), b"note", b"x")
    assert ProofFile.parse(good.encoded) == good
    longer = ProofFile(5, (*good.path, bytes(32)), b"note")
    with pytest.raises(MalformedText, match="a path of 64 hashes; 63 are the most"):
        ProofFile.parse(longer.encoded)
    largest = LARGEST_NOTE_BYTES + (1 << 18)
    head = ProofFile(5, (), b"").encoded
    assert len(ProofFile.parse(head + bytes(largest - len(head))).checkpoint_note) == largest - len(
        head
    )
    with pytest.raises(MalformedText, match=f"{largest} are read at most"):
        ProofFile.parse(head + bytes(largest - len(head) + 1))


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"c2sp.org/tlog-proof@v2\nindex 1", "c2sp.org/tlog-proof@v1 is needed"),
        (b"c2sp.org/tlog-proof@v1", "names no index"),
        (b"c2sp.org/tlog-proof@v1\nextra ", "names no index"),
        (b"c2sp.org/tlog-proof@v1\nextra eA==", "names no index"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\nextra eA==", "a hash of the path"),
        (b"c2sp.org/tlog-proof@v1\nextra e\nindex 1", "the extra data of the proof file"),
        (b"c2sp.org/tlog-proof@v1\nindex  1", "the index of the proof file"),
    ],
)
def test_a_head_that_is_no_proofs(head, told):
    with pytest.raises(MalformedText, match=told):
        ProofFile.parse(head + b"\n\nnote")


def test_foreign_bytes_are_shown_short_and_in_ascii():
    assert quoted("ä\n".encode()) == "'\\xc3\\xa4\\n'"
    assert quoted(b"x" * 60) == f"'{'x' * 60}'"
    assert quoted(b"x" * 61) == f"'{'x' * 60}'…"


def test_a_number_is_no_larger_than_a_signed_64_bit_one():
    assert exact_number(b"9223372036854775807", "n") == LARGEST_NUMBER
    for spelled in (b"9223372036854775808", b"9999999999999999999", b"01", b"+1", b"1_0", b""):
        with pytest.raises(MalformedText, match="a decimal number without leading zeros"):
            exact_number(spelled, "n")


def test_a_key_is_read_up_to_its_limit_and_names_nothing_secret():
    spelled = str(LOG.verifier).encode()
    longest = spelled.partition(b"+")[2]
    name = b"n" * (4096 - len(longest) - 1)
    with pytest.raises(MalformedText, match="states the ID"):
        VerifierKey.parse(name + b"+" + longest)
    with pytest.raises(MalformedText, match="4097 bytes; 4096 are read at most"):
        VerifierKey.parse(name + b"n+" + longest)
    with pytest.raises(MalformedText, match="a secret key begins with PRIVATE"):
        SigningKey.parse(spelled)


def test_a_secret_key_has_a_name_and_a_type_that_its_public_key_may_have():
    for wrong, told in (
        (("a b", ED25519_NOTE), "is no key name"),
        (("a", 9), "signature type 0x09 is not understood"),
    ):
        with pytest.raises(MalformedText, match=told):
            SigningKey(*wrong, bytes(32))
    for length in (31, 33):
        with pytest.raises(MalformedText, match=f"a seed of {length} bytes; 32 needed"):
            SigningKey("a", ED25519_NOTE, bytes(length))
    for name in ("", "a+b", "a\x01", "a\u2003b"):
        with pytest.raises(MalformedText, match="is no key name"):
            must_be_key_name(name)


def test_a_hundred_signatures_are_read_and_no_more():
    line = sign_note("x\n", LOG).signatures[0].line
    assert len(Note.parse(f"x\n\n{line * MOST_SIGNATURES}".encode()).signatures) == 100
    with pytest.raises(MalformedText, match="101 signature lines; 100 are read at most"):
        Note.parse(f"x\n\n{line * (MOST_SIGNATURES + 1)}".encode())


def test_a_policy_is_read_up_to_its_limit_and_not_beyond():
    filled = POLICY + b"#" * (LARGEST_POLICY_BYTES - len(POLICY))
    assert Policy.parse(filled) == Policy.parse(POLICY)
    with pytest.raises(MalformedText, match="262145 bytes; 262144 are read at most"):
        Policy.parse(filled + b"#")


def test_a_verdict_without_anything_proven_cannot_tell():
    notes = Notebook()
    assert notes.verdict().conclusion is Conclusion.CANNOT_TELL
    notes.proven += ["one", "two", "one"]
    assert notes.verdict().proven == ("one", "two")
    assert notes.verdict().conclusion is Conclusion.PROVEN
    notes.missing.append("three")
    assert notes.verdict().conclusion is Conclusion.CANNOT_TELL
    notes.contradict("split-view", "four")
    assert notes.verdict().conclusion is Conclusion.CONTRADICTED
