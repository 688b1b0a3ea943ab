"""Notes and keys are read as C2SP signed-note spells them, and in no other spelling."""

import base64
import hashlib
import sys

import pytest

from tests.custody.signers import LOG, ORIGIN, VIGILANCE, key
from tidewaiter.custody import keys as keys_module
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    SigningKey,
    VerifierKey,
)
from tidewaiter.custody.note import MOST_SIGNATURES, Note, open_note, sign_note
from tidewaiter.errors import BadSignature, ConfigurationError, MalformedText, UnknownSigner

# The example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncA"
    "lTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
    "fqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# From the tests of transparency-dev/formats: a cosigner's key of type 0x04.
COSIGNER_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def test_the_specifications_own_note_is_accepted():
    known = VerifierKey.parse(SPEC_KEY)
    note = Note.parse(SPEC_NOTE)
    assert open_note(note, [known]) == [known]
    assert note.text == "This is an example message.\n"
    assert note.encoded == SPEC_NOTE
    assert str(known) == SPEC_KEY


def test_the_go_key_signs_the_go_note_byte_for_byte():
    secret = SigningKey.parse(GO_SECRET)
    assert str(secret.verifier) == GO_KEY
    assert secret.secret_text() == GO_SECRET
    assert sign_note(GO_TEXT, secret).encoded == GO_NOTE


def test_a_cosigners_key_of_another_implementation_is_read():
    known = VerifierKey.parse(COSIGNER_KEY)
    assert (known.algorithm, known.key_id.hex()) == (ED25519_COSIGNATURE, "da77ade7")
    assert str(known) == COSIGNER_KEY


@pytest.mark.parametrize("algorithm", [1, 4, 6])
def test_keys_come_back_as_they_were_written(algorithm):
    secret = key("witness.example/ü", algorithm)
    assert SigningKey.parse(secret.secret_text()) == secret
    assert VerifierKey.parse(str(secret.verifier)) == secret.verifier
    assert "seed" not in repr(secret)


@pytest.mark.parametrize(
    ("spelled", "problem"),
    [
        ("", "is no verifier key"),
        ("example.com/foo+530d903a", "is no verifier key"),
        (SPEC_KEY.replace("530d903a", "530D903A"), "is no verifier key"),
        (SPEC_KEY.replace("530d903a", "53 0d 90"), "is no verifier key"),
        (SPEC_KEY.replace("530d903a", "530d903b"), "states the ID 530d903b"),
        (SPEC_KEY.replace("foo", "fop"), "states the ID"),
        (SPEC_KEY + "=", "base64"),
        (SPEC_KEY + "\n", "base64"),
        (SPEC_KEY[:-1] + "l", "was altered"),
        (SPEC_KEY.replace("+Aek", "+Ze", 1), "base64"),
        (SPEC_KEY.replace("+Aek", "+Zek", 1), "0x65 is not understood"),
        (SPEC_KEY[:-4], "public key of 29 bytes"),
        ("a b+530d903a+AekyeRrm", "no key name"),
        ("+530d903a+AekyeRrm", "no key name"),
        ("a\u2003b+530d903a+AekyeRrm", "no key name"),
        ("n+530d903a+", "holds no key"),
        ("n" * 5000, "are read at most"),
        (b"\xff+530d903a+AekyeRrm", "not UTF-8"),
    ],
)
def test_another_spelling_of_a_key_is_refused(spelled, problem):
    with pytest.raises(MalformedText, match=problem):
        VerifierKey.parse(spelled)


def test_a_damaged_secret_key_is_refused_without_being_quoted():
    for damaged in (GO_SECRET[:-2], GO_SECRET.replace("c74f20a3", "c74f20a4"), GO_SECRET[8:], ""):
        with pytest.raises(MalformedText) as refused:
            SigningKey.parse(damaged)
        assert "YEKFALVFG" not in str(refused.value)
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
    with pytest.raises(MalformedText, match="31 bytes"):
        SigningKey("n", 1, bytes(31))


def changed(old, new):
    assert old in SPEC_NOTE
    return SPEC_NOTE.replace(old, new, 1)


MALFORMED = {
    "no_blank_line": changed(b"\n\n", b"\n"),
    "no_signature": SPEC_NOTE[: SPEC_NOTE.index(b"\xe2")],
    "empty": b"",
    "no_last_newline": SPEC_NOTE[:-1],
    "one_newline_more": SPEC_NOTE + b"\n",
    "carriage_returns": SPEC_NOTE.replace(b"\n", b"\r\n"),
    "tab": changed(b"This is", b"This\tis"),
    "null": changed(b"This is", b"This\0is"),
    "unit_separator": changed(b"This is", b"This\x1fis"),
    "not_utf_8": changed(b"This is", b"This\xffis"),
    "surrogate": changed(b"This is", b"This\xed\xa0\x80is"),
    "hyphen_for_dash": changed("—".encode(), b"-"),
    "no_space": changed("— ".encode(), "—".encode()),
    "two_spaces": changed("— ".encode(), "—  ".encode()),
    "space_at_end": SPEC_NOTE[:-1] + b" \n",
    "plus_in_name": changed(b"example.com/foo", b"example.com+foo"),
    "line_separator_in_name": changed(b"/foo", "/f\u2028o".encode()),
    "no_break_space_in_name": changed(b"/foo", "/f\u00a0o".encode()),
    "base64_with_url_letters": changed(b"ncAl", b"ncA-"),
    "base64_not_canonical": changed(b"yaQM=", b"yaQN="),
    "base64_unpadded": changed(b"yaQM=", b"yaQM"),
    "base64_padded_twice": changed(b"yaQM=", b"yaQM=="),
    "signature_of_four_bytes": changed(SPEC_NOTE[-101:-1], b"Uw2QOg=="),
    "line_after_signatures": SPEC_NOTE + b"more\n",
    "too_large": b"x" * 10_000_000 + SPEC_NOTE,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_another_spelling_of_a_note_is_refused(name):
    with pytest.raises(MalformedText):
        open_note(Note.parse(MALFORMED[name]), [VerifierKey.parse(SPEC_KEY)])


def test_the_last_blank_line_parts_text_and_signatures():
    note = sign_note("one\n\ntwo\n\n", LOG)
    assert Note.parse(note.encoded) == note
    assert open_note(note, [LOG.verifier])
    assert Note.parse(sign_note("\n", LOG).encoded).text == "\n"


def test_sixteen_signatures_are_read_and_a_hundred_and_one_are_not():
    keys = [key(f"k{number}.example") for number in range(16)]
    note = sign_note("text\n", *keys)
    known = [signer.verifier for signer in keys]
    assert open_note(Note.parse(note.encoded), known) == known
    many = Note("text\n", note.signatures[:1] * (MOST_SIGNATURES + 1))
    with pytest.raises(MalformedText, match="101 signature lines"):
        Note.parse(many.encoded)


def test_unknown_keys_are_ignored_and_do_not_suffice():
    stranger = key("stranger.example")
    note = sign_note("text\n", stranger, LOG)
    assert open_note(note, [LOG.verifier]) == [LOG.verifier]
    with pytest.raises(UnknownSigner, match=ORIGIN):
        open_note(sign_note("text\n", stranger), [LOG.verifier])
    # The same name with another key, and the same ID under another name, are strangers too.
    namesake = SigningKey(ORIGIN, 1, hashlib.sha256(b"another").digest())
    with pytest.raises(UnknownSigner):
        open_note(sign_note("text\n", namesake), [LOG.verifier])


def test_one_false_line_of_a_known_key_spoils_the_note():
    good = sign_note("text\n", LOG)
    line = good.signatures[0]
    bad = type(line)(line.name, line.key_id, line.content[:-1] + bytes([line.content[-1] ^ 1]))
    for lines in ((line, bad), (bad, line), (bad,)):
        with pytest.raises(BadSignature, match=ORIGIN):
            open_note(Note(good.text, lines), [LOG.verifier])
    with pytest.raises(BadSignature):
        open_note(Note("other\n", (line,)), [LOG.verifier])


def test_a_flipped_bit_in_any_byte_of_a_note_is_noticed():
    known = VerifierKey.parse(SPEC_KEY)
    for at in range(len(SPEC_NOTE)):
        flipped = bytearray(SPEC_NOTE)
        flipped[at] ^= 1 << at % 8
        with pytest.raises((MalformedText, BadSignature, UnknownSigner)):
            open_note(Note.parse(bytes(flipped)), [known])


def test_a_witness_cannot_sign_a_note_nor_a_text_be_signed_that_is_none():
    with pytest.raises(MalformedText, match="as a witness"):
        sign_note("text\n", VIGILANCE)
    for text in ("text", "te\rxt\n", ""):
        with pytest.raises(MalformedText):
            sign_note(text, LOG)
    with pytest.raises(UnknownSigner):
        open_note(sign_note("text\n", LOG), [VIGILANCE.verifier])


def test_a_key_of_no_use_is_refused_where_it_is_made():
    with pytest.raises(MalformedText, match="0x05 is not understood"):
        VerifierKey("n", 5, bytes(32))
    with pytest.raises(MalformedText, match="1312 needed"):
        VerifierKey("n", MLDSA44_COSIGNATURE, bytes(32))
    short = base64.b64encode(b"\x06" + bytes(32)).decode()
    with pytest.raises(MalformedText, match="1312 needed"):
        VerifierKey.parse(f"n+00000000+{short}")


def test_a_key_that_the_library_refuses_is_named(monkeypatch):
    def refuse(*_):
        raise ValueError("invalid point")

    monkeypatch.setattr(keys_module, "_public_key", refuse)
    with pytest.raises(MalformedText, match=r"example\.com/foo is no point"):
        open_note(Note.parse(SPEC_NOTE), [VerifierKey.parse(SPEC_KEY)])


def test_an_older_library_checks_ed25519_and_names_what_it_lacks(monkeypatch):
    post_quantum = key("pq.example", MLDSA44_COSIGNATURE).verifier
    asymmetric = "cryptography.hazmat.primitives.asymmetric"
    monkeypatch.setitem(sys.modules, f"{asymmetric}.mldsa", None)
    monkeypatch.delattr(sys.modules[asymmetric], "mldsa", raising=False)
    assert open_note(Note.parse(SPEC_NOTE), [VerifierKey.parse(SPEC_KEY)])
    with pytest.raises(ConfigurationError, match="install a newer one"):
        post_quantum.verify(b"text", bytes(2420))
