"""Checkpoints and cosignatures: exact spelling, exact messages, and nothing else accepted."""

import struct

import pytest

from tests.custody.signers import AUDIT, LOG, ORIGIN, VIGILANCE, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign, subtree_message, verify_cosignature
from tidewaiter.custody.keys import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, VerifierKey
from tidewaiter.custody.merkle import EMPTY_ROOT, leaf_hash
from tidewaiter.custody.note import Note, NoteSignature, open_note, parse_signature_lines
from tidewaiter.errors import BadSignature, MalformedText

ROOT = leaf_hash(b"root")
CHECKPOINT = Checkpoint(ORIGIN, 1_000_000, ROOT)
NOW_S = 1_790_000_000
# The example of C2SP tlog-cosignature; it publishes no keys, but the framing can be checked.
SPEC_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SPEC_LINE = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyi"
    "n1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# A request in the tests of the witness of filippo.io/torchwood (litewitness), and its log's key.
LITEWITNESS_ORIGIN = (
    "sigsum.org/v1/tree/985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90"
)
LITEWITNESS_NOTE = (
    f"{LITEWITNESS_ORIGIN}\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
    f"— {LITEWITNESS_ORIGIN} 7BKT0gOfNZ1J0So9unY3BZtm2YkPIoNYM/dce0Z2avJDs8dxN6ts9bOSwwrVrbjm6P9K3"
    "ZxpK6jJngOG6YvGGzV/lwo=\n"
).encode()
LITEWITNESS_PUBLIC = "52c05edad1bf5feffa81354faae59a655d9a9a1a793ed2f62c39c26c0be2aecd"


def test_a_checkpoint_is_spelled_as_the_specification_spells_it():
    spec = Checkpoint.parse(SPEC_TEXT)
    assert (spec.origin, spec.size) == ("example.com/behind-the-sofa", 20852163)
    assert spec.text == SPEC_TEXT
    note = sign_checkpoint(CHECKPOINT, LOG)
    assert Checkpoint.parse(Note.parse(note.encoded).text) == CHECKPOINT
    assert open_note(note, [LOG.verifier]) == [LOG.verifier]


def test_another_implementations_checkpoint_is_accepted():
    known = VerifierKey(LITEWITNESS_ORIGIN, 1, bytes.fromhex(LITEWITNESS_PUBLIC))
    note = Note.parse(LITEWITNESS_NOTE)
    assert open_note(note, [known]) == [known]
    assert Checkpoint.parse(note.text).size == 1


SPELLED = CHECKPOINT.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        SPELLED[:-1],
        SPELLED + "\n",
        "\n" + SPELLED,
        "\n".join(SPELLED.split("\n")[:2]) + "\n",
        *(
            SPELLED.replace("1000000", size)
            for size in (
                *("01000000", "+5", "-1", "5 ", " 5", "1_000", "١", "", "1e3", "0x10", "５"),
                *("9223372036854775808", "99999999999999999999", "1" * 5000),
            )
        ),
        SPELLED.replace("=\n", "\n"),
        SPELLED.replace("=\n", "==\n"),
        f"{ORIGIN}\n5\n{'A' * 40}\n",
        f"{ORIGIN}\n5\n{'A' * 42}==\n",
        f"{ORIGIN}\n5\n{'A' * 44}\n",
        SPELLED.replace("\n", "\r\n"),
        SPELLED.replace("\n", "\u2028"),
        SPELLED + "\n\n",
        SPELLED + "extension\n\nextension\n",
        SPELLED + "exten\tsion\n",
    ],
)
def test_another_spelling_of_a_checkpoint_is_refused(text):
    with pytest.raises(MalformedText):
        Checkpoint.parse(text)


def test_the_largest_size_is_2_to_the_63_less_1():
    assert Checkpoint.parse(SPELLED.replace("1000000", str(2**63 - 1))).size == 2**63 - 1
    with pytest.raises(MalformedText):
        Checkpoint(ORIGIN, 2**63, ROOT)
    with pytest.raises(MalformedText):
        Checkpoint(ORIGIN, 5, ROOT[:-1])
    with pytest.raises(MalformedText):
        Checkpoint("two\nlines", 5, ROOT)


def test_extension_lines_are_read_but_never_written():
    extended = Checkpoint.parse(SPELLED + "future 1\n")
    assert extended.extensions == ("future 1",)
    assert extended.text == SPELLED + "future 1\n"
    with pytest.raises(MalformedText, match="no extension lines"):
        sign_checkpoint(extended, LOG)


def test_a_log_signs_only_under_its_own_name():
    with pytest.raises(MalformedText, match="cannot sign for"):
        sign_checkpoint(CHECKPOINT, key("other.example"))


@pytest.mark.parametrize("algorithm", [ED25519_COSIGNATURE, MLDSA44_COSIGNATURE])
def test_a_cosignature_covers_time_and_checkpoint(algorithm):
    witness = key("w.example", algorithm)
    line = cosign(CHECKPOINT, witness, NOW_S)
    assert parse_signature_lines(line.line.encode()) == (line,)
    assert verify_cosignature(CHECKPOINT, witness.verifier, line) == NOW_S
    others = [
        Checkpoint(ORIGIN, 1_000_001, ROOT),
        Checkpoint(ORIGIN, 1_000_000, EMPTY_ROOT),
        Checkpoint("other.example", 1_000_000, ROOT),
    ]
    for other in others:
        with pytest.raises(BadSignature):
            verify_cosignature(other, witness.verifier, line)
    later = NoteSignature(line.name, line.key_id, struct.pack(">Q", NOW_S + 1) + line.content[8:])
    with pytest.raises(BadSignature):
        verify_cosignature(CHECKPOINT, witness.verifier, later)
    for content, problem in (
        (b"", MalformedText),
        (line.content[:8], MalformedText),
        (line.content[:9], BadSignature),
        (line.content[:-1], BadSignature),
        (line.content + b"\0", BadSignature),
    ):
        cut = NoteSignature(line.name, line.key_id, content)
        with pytest.raises(problem):
            verify_cosignature(CHECKPOINT, witness.verifier, cut)


def test_the_messages_that_are_signed_byte_for_byte():
    line = cosign(CHECKPOINT, VIGILANCE, NOW_S)
    message = f"cosignature/v1\ntime {NOW_S}\n{CHECKPOINT.text}".encode()
    VIGILANCE.verifier.verify(message, line.content[8:])
    assert struct.unpack(">Q", line.content[:8]) == (NOW_S,)
    expected = (
        b"subtree/v1\n\0\x09w.example"
        + NOW_S.to_bytes(8, "big")
        + bytes([len(ORIGIN)])
        + ORIGIN.encode()
        + bytes(8)
        + (1_000_000).to_bytes(8, "big")
        + ROOT
    )
    assert subtree_message("w.example", NOW_S, ORIGIN, 1_000_000, ROOT) == expected


def test_the_specifications_cosignature_line_is_taken_apart():
    (line,) = parse_signature_lines(SPEC_LINE.encode())
    assert line.line == SPEC_LINE
    assert struct.unpack(">Q", line.content[:8]) == (1679315147,)
    assert len(line.content) == 72


def test_ml_dsa_covers_the_witnesss_name_and_ed25519_does_not():
    for algorithm, covered in ((MLDSA44_COSIGNATURE, True), (ED25519_COSIGNATURE, False)):
        witness = key("w.example", algorithm)
        renamed = VerifierKey("v.example", algorithm, witness.verifier.public)
        line = cosign(CHECKPOINT, witness, NOW_S)
        stolen = NoteSignature(renamed.name, renamed.key_id, line.content)
        if covered:
            with pytest.raises(BadSignature):
                verify_cosignature(CHECKPOINT, renamed, stolen)
        else:
            # Why no key may serve two witnesses, and why a policy refuses a key listed twice.
            assert verify_cosignature(CHECKPOINT, renamed, stolen) == NOW_S


@pytest.mark.parametrize("time_s", [1, 2**63 - 1])
def test_the_first_and_the_last_time_are_accepted(time_s):
    line = cosign(CHECKPOINT, VIGILANCE, time_s)
    assert verify_cosignature(CHECKPOINT, VIGILANCE.verifier, line) == time_s


@pytest.mark.parametrize("time_s", [0, -1, 2**63, 2**64])
def test_a_time_that_cannot_be_is_refused(time_s):
    with pytest.raises(MalformedText, match="2\\^63"):
        cosign(CHECKPOINT, VIGILANCE, time_s)
    if 0 <= time_s < 2**64:
        content = struct.pack(">Q", time_s) + bytes(64)
        line = NoteSignature(VIGILANCE.name, VIGILANCE.verifier.key_id, content)
        with pytest.raises(MalformedText, match="2\\^63"):
            verify_cosignature(CHECKPOINT, VIGILANCE.verifier, line)


def test_a_line_is_judged_by_its_own_key_only():
    line = cosign(CHECKPOINT, VIGILANCE, NOW_S)
    with pytest.raises(BadSignature, match="not by the key"):
        verify_cosignature(CHECKPOINT, AUDIT.verifier, line)
    with pytest.raises(MalformedText, match="a log's, not a witness's"):
        cosign(CHECKPOINT, LOG, NOW_S)


def test_names_of_255_bytes_are_the_longest_for_ml_dsa():
    longest = key("w" * 255, MLDSA44_COSIGNATURE)
    line = cosign(CHECKPOINT, longest, NOW_S)
    assert verify_cosignature(CHECKPOINT, longest.verifier, line) == NOW_S
    witness = key("w" * 256, MLDSA44_COSIGNATURE)
    with pytest.raises(MalformedText, match="255 are the most"):
        cosign(CHECKPOINT, witness, NOW_S)
