"""The JSON form: deterministic, rounded, readable back, safe to print."""

from __future__ import annotations

import json

import pytest

from tests.report.samples import HOSTILE_NAME, all_samples
from tidewaiter.errors import ConfigurationError
from tidewaiter.report.record import json_report
from tidewaiter.report.rounding import rounded
from tidewaiter.vocabulary import Report, tr

SAMPLES = all_samples()
PICTURE = SAMPLES["picture"]


@pytest.mark.parametrize("name", SAMPLES)
def test_it_reads_back_and_writes_the_same(name: str) -> None:
    text = json_report(SAMPLES[name].report, "en")
    assert json_report(Report.model_validate_json(text), "en") == text
    assert text.endswith("}\n")


def test_numbers_carry_six_significant_digits() -> None:
    document = json.loads(json_report(PICTURE.report, "en"))
    finding = document["findings"][0]
    assert finding["score"] == 3.21457
    assert finding["features"]["contrast"] == 1.23457


def test_numbers_inside_sentences_are_rounded_too() -> None:
    sample = PICTURE.report
    note = sample.exhibit.notes[0].model_copy(update={"values": {"value": 0.1234567891}})
    exhibit = sample.exhibit.model_copy(update={"notes": (note,)})
    changed = rounded(sample.model_copy(update={"exhibit": exhibit}))
    assert changed.exhibit.notes[0].values == {"value": 0.123457}


def test_rounding_gives_no_negative_zero_and_leaves_whole_numbers() -> None:
    sample = PICTURE.report
    finding = sample.findings[0].model_copy(update={"score": -0.0})
    changed = rounded(sample.model_copy(update={"findings": (finding,)}))
    assert str(changed.findings[0].score) == "0.0"
    assert changed.exhibit.byte_length == sample.exhibit.byte_length


def test_two_processors_that_differ_in_the_last_bits_give_one_report() -> None:
    sample = PICTURE.report
    finding = sample.findings[0]
    other = finding.model_copy(update={"score": finding.score * (1 + 3e-16)})
    changed = sample.model_copy(update={"findings": (other, *sample.findings[1:])})
    assert json_report(changed) == json_report(sample)


def test_hostile_names_survive_as_data_but_do_not_reorder_a_terminal() -> None:
    text = json_report(SAMPLES["hostile"].report, "en")
    assert json.loads(text)["exhibit"]["name"] == HOSTILE_NAME
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(text)


def test_sentences_are_in_the_language_asked_for() -> None:
    english, french = (json_report(PICTURE.report, language) for language in ("en", "fr"))
    assert "moderate support for manipulation" in english
    assert "moderate support for manipulation" not in french
    assert json.loads(french)["findings"][0]["score"] == json.loads(english)["findings"][0]["score"]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        json_report(PICTURE.report, "tlh")


def test_a_sentence_within_a_sentence_is_translated_and_rounded() -> None:
    inner = tr("{found:.2f} of their width", found=0.123456789)
    reason = tr(
        "{name}: {found}; {needed} needed", name=tr("shorter side"), found=inner, needed="“none”"
    )
    finding = SAMPLES["declined"].report.findings[0].model_copy(update={"reason": reason})
    report = SAMPLES["declined"].report.model_copy(update={"findings": (finding,)})
    said = json.loads(json_report(report, "fr"))["findings"][0]["reason"]
    assert "plus petit côté" in said
    assert "0.12 de leur largeur" in said
    assert "“none”" in said
