"""A policy counts distinct witnesses, and means one thing only."""

import itertools

import pytest

from tests.custody.signers import AUDIT, LOG, ORIGIN, POLICY, VIGILANCE, WCO, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.keys import ED25519_COSIGNATURE, ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import Note, NoteSignature
from tidewaiter.custody.policy import Policy, shown_name
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.trust import judge_checkpoint, judge_proof
from tidewaiter.errors import BadSignature, BrokenProof, MalformedText, UnknownSigner

NOW_S = 1_790_000_000
LEAVES = [str(number).encode() for number in range(7)]
TREE = Tree(map(leaf_hash, LEAVES))
CHECKPOINT = Checkpoint(ORIGIN, 7, TREE.root())
NOTE = sign_checkpoint(CHECKPOINT, LOG)
WITNESSES = {"vigilance": VIGILANCE, "audit": AUDIT, "wco": WCO}


def cosigned(*names, time_s=NOW_S):
    return NOTE.with_signatures(cosign(CHECKPOINT, WITNESSES[name], time_s) for name in names)


def policy(rest):
    lines = [f"witness {name} {signer.verifier}" for name, signer in WITNESSES.items()]
    return Policy.parse("\n".join([f"log {LOG.verifier}", *lines, rest]).encode())


def test_the_handbooks_policy():
    read = Policy.parse(POLICY)
    assert [log.url for log in read.logs] == ["https://log.example/"]
    assert [witness.name for witness in read.witnesses] == ["vigilance", "audit", "wco"]
    assert read.needed_words == "2 of vigilance, audit, wco"
    for count in range(4):
        for names in itertools.combinations(WITNESSES, count):
            assert read.quorum_met(set(names)) is (count >= 2)


def test_every_subset_of_witnesses_is_judged_by_who_they_are():
    read = Policy.parse(POLICY)
    for count in range(4):
        for names in itertools.permutations(WITNESSES, count):
            judged = judge_checkpoint(cosigned(*names).encoded, read)
            assert judged.quorum_met is (count >= 2)
            assert judged.confirmed == dict.fromkeys(names, NOW_S)
            assert judged.not_after_s == (NOW_S if count >= 2 else None)


def test_lines_are_not_witnesses_and_the_log_is_none():
    read = Policy.parse(POLICY)
    doubled = cosigned("vigilance", "vigilance", "vigilance")
    assert not judge_checkpoint(doubled.encoded, read).quorum_met
    # The naive “three valid signatures”: the log twice and one witness.
    padded = cosigned("audit").with_signatures(NOTE.signatures)
    assert not judge_checkpoint(padded.encoded, read).quorum_met
    # The log's own key as a cosigner's is not in the policy, so its line is ignored.
    own = SigningKey(LOG.name, ED25519_COSIGNATURE, LOG.seed)
    selfmade = cosigned("audit").with_signatures([cosign(CHECKPOINT, own, NOW_S)])
    assert not judge_checkpoint(selfmade.encoded, read).quorum_met


def test_a_witness_that_signed_twice_counts_once_at_its_earlier_time():
    note = cosigned("wco", time_s=NOW_S + 9).with_signatures(cosigned("wco").signatures[1:])
    judged = judge_checkpoint(note.encoded, Policy.parse(POLICY))
    assert judged.confirmed == {"wco": NOW_S}
    assert judged.not_after_s is None
    later = note.with_signatures(cosigned("audit", time_s=NOW_S + 5).signatures[1:])
    judged = judge_checkpoint(later.encoded, Policy.parse(POLICY))
    assert judged.confirmed == {"wco": NOW_S, "audit": NOW_S + 5}
    assert judged.not_after_s == NOW_S + 5, "no single witness says when"


def test_a_false_line_of_a_known_witness_spoils_everything():
    line = cosign(CHECKPOINT, WCO, NOW_S)
    false = NoteSignature(line.name, line.key_id, line.content[:-1] + b"\0")
    note = cosigned("vigilance", "audit").with_signatures([false])
    with pytest.raises(BadSignature, match="wco"):
        judge_checkpoint(note.encoded, Policy.parse(POLICY))


def test_a_log_that_is_not_in_the_policy_is_named():
    strange = key("other.example/log")
    note = sign_checkpoint(Checkpoint(strange.name, 7, TREE.root()), strange)
    with pytest.raises(UnknownSigner, match=r"other\.example/log is not in the policy"):
        judge_checkpoint(note.encoded, Policy.parse(POLICY))
    namesake = SigningKey(ORIGIN, ED25519_NOTE, bytes(32))
    with pytest.raises(UnknownSigner, match="no signature"):
        judge_checkpoint(sign_checkpoint(CHECKPOINT, namesake).encoded, Policy.parse(POLICY))
    # A log of the policy cannot speak for another one of the policy.
    both = policy(f"log {strange.verifier}\nquorum none")
    forged = Note(Checkpoint(strange.name, 7, TREE.root()).text, NOTE.signatures)
    with pytest.raises(UnknownSigner):
        judge_checkpoint(forged.encoded, both)


def test_extension_lines_on_our_own_log_are_refused_by_name():
    extended = Note(CHECKPOINT.text + "hidden\n", NOTE.signatures)
    with pytest.raises(MalformedText, match="extension lines"):
        judge_checkpoint(extended.encoded, Policy.parse(POLICY))


def test_groups_of_groups():
    nested = policy(
        "witness spare " + str(key("spare.example", ED25519_COSIGNATURE).verifier) + "\n"
        "group inner any vigilance audit\ngroup outer all inner wco\nquorum outer"
    )
    assert nested.needed_words == "2 of (1 of vigilance, audit), wco"
    assert nested.quorum_met({"audit", "wco"})
    assert not nested.quorum_met({"audit", "vigilance", "spare"})
    assert policy("quorum wco").quorum_met({"wco"})
    both = policy("group both 2 vigilance audit\nquorum both")
    assert both.quorum_met({"vigilance", "audit"})
    assert not both.quorum_met({"vigilance", "wco"})
    assert not policy("quorum wco").quorum_met({"audit", "vigilance", "outside"})
    # A name confirmed by nobody's cosignature cannot be claimed from outside.
    assert not nested.quorum_met({"inner", "wco"})


def test_no_quorum_is_legal_and_says_so():
    alone = policy("quorum none")
    assert alone.quorum_met(set())
    assert not alone.needs_witnesses


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("", "no quorum line"),
        ("quorum wco\nquorum wco", "second quorum line"),
        ("quorum nobody", "not defined above"),
        ("quorum", "“quorum <name>”"),
        ("quorum wco audit", "“quorum <name>”"),
        ("quorum g\ngroup g any wco", "not defined above"),
        ("group g any later\ngroup later any wco\nquorum g", "not defined above"),
        ("group g any g\nquorum g", "not defined above"),
        ("group g any wco wco\nquorum g", "a member already"),
        ("group g any wco\ngroup h any wco\nquorum h", "a member already"),
        ("group wco any audit\nquorum wco", "taken already"),
        ("group none any audit\nquorum none", "taken already"),
        ("group g any none\nquorum g", "not defined above"),
        ("group g any\nquorum g", "“group <name>"),
        ("group g 0 wco\nquorum g", "threshold"),
        ("group g 2 wco\nquorum g", "threshold"),
        ("group g 01 wco\nquorum g", "threshold"),
        ("group g +1 wco\nquorum g", "threshold"),
        ("group g ALL wco\nquorum g", "threshold"),
        ("group g ١ wco\nquorum g", "threshold"),
        ("Quorum wco", "none of log, witness, group, quorum"),
        ("quorum wco # the best", "“quorum <name>”"),
        ("witness w", "“witness <name>"),
        (f"witness w {LOG.verifier}\nquorum w", "a witness's"),
        (f"log {VIGILANCE.verifier}\nquorum wco", "a log's"),
        ("log", "“log <vkey>"),
        (f"log {LOG.verifier}\nquorum wco", "listed already"),
        ("quorum wco\r", "control character"),
        ("quorum\x0bwco", "control character"),
        ("quorum \x7fwco", "control character"),
        ("quorum wco\0", "control character"),
        ("#" * 300_000 + "\nquorum wco", "are read at most"),
    ],
)
def test_a_policy_that_means_nothing_or_two_things_is_refused(rest, problem):
    with pytest.raises(MalformedText, match=problem):
        policy(rest)


def test_one_key_under_two_names_is_refused():
    twin = SigningKey("twin.example", ED25519_COSIGNATURE, WCO.seed)
    with pytest.raises(MalformedText, match="one key cannot count twice"):
        policy(f"witness twin {twin.verifier}\nquorum wco")
    own = SigningKey("self.example", ED25519_COSIGNATURE, LOG.seed)
    with pytest.raises(MalformedText, match="line 5 of the policy"):
        policy(f"witness self {own.verifier}\nquorum self")


def test_spaces_tabs_comments_and_foreign_bytes_are_as_the_specification_allows():
    spaced = (
        b"\t# \xff\xfe a comment\n\n \t \n"
        + f"  log\t{LOG.verifier}  \n witness\tZ\u00fcrich  {WCO.verifier}\n".encode()
        + b"witness \xff "
        + str(AUDIT.verifier).encode()
        + b"\ngroup g any \xff Z\xc3\xbcrich\nquorum g"
    )
    read = Policy.parse(spaced)
    assert shown_name(read.witnesses[0].name) == "Zürich"
    assert shown_name(read.witnesses[1].name) == "�"
    assert read.needed_words == "1 of �, Zürich"
    assert read.quorum_met({read.witnesses[1].name})


def test_thirty_two_logs_witnesses_and_groups_are_read():
    lines = [f"log {key(f'log{n}.example').verifier}" for n in range(40)]
    lines += [
        f"witness w{n} {key(f'w{n}.example', ED25519_COSIGNATURE).verifier}" for n in range(40)
    ]
    lines += [f"group g{n} any w{n}" + (f" g{n - 1}" if n else "") for n in range(40)]
    read = Policy.parse("\n".join([*lines, "quorum g39"]).encode())
    assert (len(read.logs), len(read.witnesses), len(read.groups)) == (40, 40, 40)
    assert read.quorum_met({"w0"})


def test_a_proof_file_is_followed_from_leaf_to_quorum():
    read, note = Policy.parse(POLICY), cosigned("vigilance", "wco")
    for index, leaf in enumerate(LEAVES):
        path = tuple(TREE.inclusion_proof(index))
        proof = ProofFile(index, path, note.encoded, leaf)
        assert ProofFile.parse(proof.encoded) == proof
        assert judge_proof(proof, leaf, read).quorum_met
        with pytest.raises(BrokenProof):
            judge_proof(proof, leaf + b"!", read)
        with pytest.raises(BrokenProof):
            judge_proof(ProofFile(index ^ 1, path, note.encoded), leaf, read)


def test_a_proof_file_with_three_witnesses_at_a_million_leaves_keeps_to_2_kb():
    path = tuple(leaf_hash(bytes([level])) for level in range(20))
    note = cosigned("vigilance", "audit", "wco")
    leaf_bytes = 400
    assert len(ProofFile(123_456, path, note.encoded, bytes(leaf_bytes)).encoded) < 2_100
    assert len(ProofFile(123_456, path, note.encoded).encoded) < 1_560


PROOF = ProofFile(3, (leaf_hash(b"a"), leaf_hash(b"b")), NOTE.encoded, b"leaf").encoded


def altered(old, new):
    assert old in PROOF
    return PROOF.replace(old, new, 1)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no blank line"),
        (altered(b"@v1", b"@v2"), "begins with"),
        (altered(b"@v1\n", b"@v1\r\n"), "begins with"),
        (b"\n" + PROOF, "begins with"),
        (altered(b"index 3", b"index 03"), "index"),
        (altered(b"index 3", b"index -3"), "index"),
        (altered(b"index 3", b"index  3"), "index"),
        (altered(b"index 3\n", b""), "no index"),
        (altered(b"extra ", b"Extra "), "no index"),
        (altered(b"extra bGVhZg==", b"extra bGVhZg="), "base64"),
        (altered(b"extra bGVhZg==", b"extra bGVhZh=="), "canonical"),
        (altered(b"index 3\n", b"index 3\nAAAA\n"), "32 needed"),
        (altered(b"index 3\n", b"index 3\n" + b"A" * 43 + b"=\n" * 1 + b"x\n"), "base64"),
        (altered(b"index 3\n", b"index 3\n" + (b"A" * 43 + b"=\n") * 62), "63 are the most"),
        (PROOF.replace(b"\n\n", b"\n", 1), "hash of the path"),
        (b"c" * 2_000_000, "are read at most"),
    ],
)
def test_another_spelling_of_a_proof_file_is_refused(data, problem):
    with pytest.raises(MalformedText, match=problem):
        ProofFile.parse(data)


def test_extra_may_be_missing_or_empty():
    for extra in (None, b"", bytes(range(256))):
        proof = ProofFile(0, (), NOTE.encoded, extra)
        assert ProofFile.parse(proof.encoded) == proof


def test_an_address_stands_last_or_is_empty():
    lines = [
        f"log {LOG.verifier} https://log.example/",
        f"log {key('other.example').verifier}",
        f"witness a {VIGILANCE.verifier} https://a.example/w",
        f"witness b {AUDIT.verifier}",
        "quorum a",
    ]
    read = Policy.parse("\n".join(lines).encode())
    assert [one.url for one in read.logs] == ["https://log.example/", ""]
    assert [one.url for one in read.witnesses] == ["https://a.example/w", ""]
    assert read.quorum == "a"
