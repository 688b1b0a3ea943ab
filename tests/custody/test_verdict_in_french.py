"""A verdict in French says all that the English one says, and no sentence is forgotten."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from tests.custody.bundle_kit import bundle_of, camera_world, handed_in, proof_of
from tests.custody.honest_history import honest_world
from tests.custody.signers import POLICY
from tests.custody.test_judge_robustness import Absurd
from tidewaiter.custody import (
    approvals,
    chains,
    gaps,
    judging,
    key_history,
    retention,
    trust,
    verdict,
    verify_files,
)
from tidewaiter.custody import (
    verify as verify_module,
)
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.findings_french import FRENCH_FINDINGS
from tidewaiter.custody.translating import NOT_TRANSLATED, words_in
from tidewaiter.custody.verdict import Conclusion, Verdict
from tidewaiter.custody.verdict_french import FRENCH_SENTENCES, FRENCH_TITLES, FRENCH_WORDS
from tidewaiter.custody.verify import Bundle, Part, verify

SPEAKING = (
    approvals, chains, gaps, judging, key_history, retention, trust, verdict, verify_files,
    verify_module,
)  # fmt: skip
TABLE = FRENCH_SENTENCES | FRENCH_FINDINGS
PART = re.compile(r"\{\w+[*#@]?\}|<\w+[,;]?>")
# Sentences that stand in the table in the forms that they take, not as they are put together.
PUT_TOGETHER = {
    "{} missing from the records of {}", "number {} is", "numbers {} to {} are",
    "number {} of {} is {} by entry {}", "logged again",
    "used for a second record with other content", "number {} of {} (entry {}) {}",
    "does not name number {} as logged (entry {})", "is its first and yet names one before it",
    "the unit {}", "{}: {}", "{}: {}{}{}", " after {}", " before {}", "{} {}", " ({})", " and ",
    "approved by {}; two people of different roles needed{}", "who signed: ",
    "{}{} (the bundle is only part of the log)", "{} ms after 1970", "  - {}",
    "%Y-%m-%d %H:%M:%S UTC", "{} of {}",
    "entry {}, erase: {}", "entry 0: the signature is not by the founder {}",
    "entry {} of {} claims a time {} s after witnesses had confirmed it",
    "{} was signed by {}, not by {}", "entry {} of {} is the medium of entry {} again",
    "entry {}, {}: no entry before it brings in {}", "entry {} of {}", "{}: the signature is not by key {} of {}",
}  # fmt: skip


def said_by(module) -> set[str]:
    """Every text with a space in it that a module is written with, but for docstrings."""
    tree = ast.parse(inspect.getsource(module))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in ast.walk(node) if part is not node}  # fmt: skip
    inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in node.values]
            found.add("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {one for one in found if " " in one.strip(" ,;")}


def test_every_sentence_of_the_verifier_is_in_the_table():
    known = {PART.sub("{}", english) for english in TABLE} | PUT_TOGETHER
    known |= set(FRENCH_WORDS) | set(FRENCH_TITLES) | set(verdict._HEADLINES.values())
    for module in SPEAKING:
        assert said_by(module) - known == set(), module.__name__


def test_a_translation_carries_over_every_part_and_no_other():
    for english, french in TABLE.items():
        assert sorted(PART.findall(english)) == sorted(PART.findall(french)), english
        assert french != english
    assert {str(one) for one in Conclusion} == set(verdict.EXIT_CODES)


def must_be_french(verdict: Verdict) -> None:
    english, french = words_in(verdict, "en"), words_in(verdict, "fr")
    assert english == verdict.words()
    assert french.count("\n") == english.count("\n")
    for before, after in zip(english.splitlines(), french.splitlines(), strict=True):
        assert sorted(re.findall(r"\d+", before)) == sorted(re.findall(r"\d+", after)), (
            before,
            after,
        )
        if before and not before.startswith("  - {"):
            assert before != after, before
        assert NOT_TRANSLATED not in after, (before, after)


@pytest.mark.parametrize("seed", range(4))
def test_honest_histories_in_french(seed):
    world, _ = honest_world(seed)
    must_be_french(verify(bundle_of(world), POLICY))
    must_be_french(verify(bundle_of(world, range(3, len(world.leaves), 2)), POLICY))


@pytest.mark.parametrize("seed", range(4))
def test_absurd_histories_in_french(seed):
    world, draw = camera_world(), Absurd(seed)
    world.leaves += [draw.leaf() for _ in range(40)]
    must_be_french(verify(bundle_of(world), POLICY))
    must_be_french(verify(bundle_of(world, range(5, 48, 3)), POLICY))


def test_what_a_verifier_says_of_files_in_french():
    world = camera_world()
    world.erase("bwc-1/2")
    files = [handed_in("one film.mp4", b"strange"), handed_in("m", b"sealed medium bwc-1 1")]
    must_be_french(verify(bundle_of(world), POLICY, files))
    must_be_french(verify(bundle_of(world, openings=False), POLICY, files))
    must_be_french(verify(bundle_of(world, [0, 1]), POLICY, files))
    must_be_french(verify(Bundle(()), POLICY))
    moved = proof_of(world.leaves, 5).replace(b"index 5", b"index 6")
    must_be_french(verify(Bundle((Part("moved proof", moved),)), POLICY))


def test_details_of_a_format_stay_english_and_say_so():
    broken = Part("broken", proof_of(camera_world().leaves, 5).replace(b"index 5", b"index 05"))
    told = words_in(verify(Bundle((broken,)), POLICY), "fr")
    assert "record-malformed : broken : (en anglais) the index of the proof file reads" in told
    edited = Part("broken", proof_of(camera_world().leaves, 5).replace(b"\n", b"\r\n"))
    first = Part("whole", proof_of(camera_world().leaves, 5))
    told = words_in(verify(Bundle((first, edited)), POLICY), "fr")
    assert "  - record-malformed : broken : (en anglais) the proof file has no blank line" in told


def test_a_name_from_outside_is_no_part_of_a_sentence():
    """Whoever names a file as a sentence gets the name back, whatever else is printed."""
    name = "x is the manifest of y logged as entry 3"
    told = words_in(verify(bundle_of(camera_world(), [0]), POLICY, [handed_in(name, b"")]), "fr")
    assert f"l'entrée à laquelle {name} pourrait être comparé" in told


def test_a_sentence_that_no_table_has_is_marked():
    odd = Verdict(
        Conclusion.CONTRADICTED, contradictions=(Discrepancy("split-view", "something new"),)
    )
    assert "split-view : (en anglais) something new" in words_in(odd, "fr")
