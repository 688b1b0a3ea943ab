"""Advice follows from opinions and silence."""

from __future__ import annotations

import pytest

from tests.report.samples import all_samples
from tidewaiter.report import words
from tidewaiter.report.advice import advice
from tidewaiter.vocabulary import MediaKind, Proposition, Report, Status, Verdict

SAMPLES = {name: sample.report for name, sample in all_samples().items()}


def said(report: Report) -> str:
    return " ".join(str(step) for step in advice(report))


@pytest.mark.parametrize(
    ("sample", "words_of_advice"),
    [
        ("picture", "refer the exhibit"),
        ("picture", "marked as contradictions"),
        ("picture", "original file"),
        ("picture", "missing parts installed"),
        ("picture", "broke down"),
        ("video", "changed sides"),
        ("declined", "does not prove that the file is as issued"),
        ("hostile", "test of stability failed"),
        ("genuine", "only the question it stands beside"),
        ("genuine", "Examine again with the test of stability"),
    ],
)
def test_each_cause_has_its_advice(sample: str, words_of_advice: str) -> None:
    assert words_of_advice in said(SAMPLES[sample])


def test_support_for_manipulation_is_not_followed_by_comfort() -> None:
    assert "does not prove" not in said(SAMPLES["picture"])


def test_where_everything_spoke_no_original_is_asked_for() -> None:
    assert "original file" not in said(SAMPLES["genuine"])


def test_sound_and_documents_are_left_to_a_person() -> None:
    exhibit = SAMPLES["declined"].exhibit.model_copy(update={"kind": MediaKind.SOUND})
    report = SAMPLES["declined"].model_copy(update={"exhibit": exhibit, "findings": ()})
    assert "not examined yet" in said(report)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_last_word_is_to_keep_the_file(name: str) -> None:
    assert "Keep the file as it is" in str(advice(SAMPLES[name])[-1])


def test_everything_the_vocabulary_names_has_words() -> None:
    assert set(words.PROPOSITIONS) == set(Proposition)
    assert set(words.STATUSES) == set(Status)
    assert set(words.VERDICTS) == set(Verdict)
    assert set(words.KINDS) == set(MediaKind)
    assert set(words.CHANGES) == {"same", "attenuated", "strengthened", "flipped"}
