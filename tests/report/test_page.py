"""The page: valid, self-contained, escaped, accessible, and saying what the report says."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re

import pytest

from tests.report.pages import FORBIDDEN, StrictPage
from tests.report.samples import HOSTILE_NAME, Sample, all_samples
from tidewaiter.errors import ConfigurationError
from tidewaiter.report.page import html_report
from tidewaiter.report.rendering import data_uri
from tidewaiter.vocabulary import Status

SAMPLES = all_samples()


def page_of(sample: Sample, language: str = "en") -> str:
    return html_report(
        sample.report,
        sample.pictures,
        language,
        calibrations=sample.calibrations,
        looks_for=sample.looks_for,
        preview=sample.preview,
    )


PAGES = {name: page_of(sample) for name, sample in SAMPLES.items()}
READ = {name: StrictPage(page) for name, page in PAGES.items()}
every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_it_is_well_formed_and_begins_with_its_type(name: str) -> None:
    assert PAGES[name].startswith('<!DOCTYPE html>\n<html lang="en">')


@every_page
def test_it_holds_nothing_that_runs_or_loads(name: str) -> None:
    read = READ[name]
    assert not FORBIDDEN & set(read.tags)
    assert not [a for _, a, _ in read.attributes if a.startswith("on") or a == "style"]
    links = read.values("href") + read.values("src") + read.values("xlink:href")
    assert all(link.startswith("data:image/") for link in links)
    assert not re.search(r"@import|https?:|//[a-z]", _style(PAGES[name]))


@every_page
def test_its_policy_allows_its_own_style_and_nothing_else(name: str) -> None:
    page = PAGES[name]
    digest = base64.b64encode(hashlib.sha256(_style(page).encode()).digest()).decode()
    policy = next(v for v in READ[name].values("content") if "default-src" in v)
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@every_page
def test_ids_are_unique_and_references_resolve(name: str) -> None:
    ids = READ[name].values("id")
    assert len(ids) == len(set(ids))
    references = " ".join(READ[name].values("aria-labelledby")).split()
    references += re.findall(r"url\(#([^)]+)\)", PAGES[name])
    assert set(references) <= set(ids)


@every_page
def test_headings_descend_one_step_at_a_time(name: str) -> None:
    levels = READ[name].headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@every_page
def test_pictures_and_drawings_have_words(name: str) -> None:
    page = PAGES[name]
    assert all(re.search(r'alt="[^"]+"', image) for image in re.findall(r"<img [^>]*>", page))
    for drawing in re.findall(r'<svg class="plot.*?</svg>', page, re.DOTALL):
        assert re.search(r"<title [^>]*>[^<]+</title><desc [^>]*>[^<]+</desc>", drawing)


@every_page
def test_every_finding_opinion_and_digest_is_on_it(name: str) -> None:
    report, text = SAMPLES[name].report, READ[name].text
    assert text.count(report.exhibit.sha256) >= 2
    for finding in report.findings:
        shown = str(finding.reason or finding.concludes or finding.detector)
        assert finding.status is Status.EXAMINED or _seen(shown) in text
    for opinion in report.opinions:
        assert opinion.verdict.value in text


def test_the_answer_comes_before_everything_else() -> None:
    text = READ["picture"].text
    order = [
        "What was examined",
        "What the findings support",
        "What was not examined",
        "What to do next",
        "Findings, one by one",
        "How stable",
        "Error rates",
        "does not claim",
        "Versions and digests",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_strength_is_told_in_words_number_interval_and_bound() -> None:
    text = READ["picture"].text
    assert "about 40 times more probable" in text
    assert "Likelihood ratio 40, 95 % interval 9 to 100" in text
    assert "1/30 to 100 at most" in text


def test_a_flip_is_named_with_its_transform() -> None:
    assert "Not stable; what turned it: sent through a messenger" in READ["video"].text


def test_the_number_names_the_manipulation_that_it_is_about() -> None:
    assert "The number is about this kind of manipulation: " in READ["picture"].text


def test_stability_says_how_often_the_verdict_remains() -> None:
    assert "The verdict is the same after 5 of 8 ways of re-shipping" in READ["picture"].text


def test_error_rates_never_stand_without_an_interval() -> None:
    text = READ["picture"].text
    assert "0.0 % (95 % interval 0.0 to 7.9 %)" in text
    assert not re.search(r"(?<![\d.])0(\.0+)? %(?! \(95 %)", text)


def test_nobody_is_called_a_liar() -> None:
    assert not any(
        re.search(r"\bfake|genuine file\b", read.text, re.IGNORECASE) for read in READ.values()
    )


def test_hostile_words_stay_words() -> None:
    page, text = PAGES["hostile"], READ["hostile"].text
    assert "<script" not in page
    assert "<img" not in page
    assert "onload" not in re.sub(r">[^<]*<", "><", page)
    assert not {"\u202e", "\u2066", "\x00", "\U000e0041"} & set(page)
    assert "⟨U+202E⟩" in text
    assert "{{7*7}}{x}" in text
    assert _seen(HOSTILE_NAME) in text


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page_of(all_samples()["picture"]) == PAGES["picture"]


def test_the_language_is_declared_and_used() -> None:
    page = page_of(SAMPLES["picture"], "fr")
    read = StrictPage(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="fr">')
    for english in (
        "What was examined",
        "cannot tell",
        "Limits of this method",
        "supports manipulated",
    ):
        assert english not in read.text


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        page_of(SAMPLES["declined"], "xx")


def test_only_png_and_jpeg_are_embedded() -> None:
    with pytest.raises(ValueError, match="PNG or JPEG"):
        data_uri(b"<svg onload=alert(1)>")


def test_a_picture_that_is_not_there_is_said_to_be_missing() -> None:
    page = html_report(SAMPLES["picture"].report, {}, "en")
    assert "No picture could be drawn" in page


def test_printed_sheets_carry_the_digest() -> None:
    assert (
        f'@top-right {{ content: "{SAMPLES["picture"].report.exhibit.sha256}"' in PAGES["picture"]
    )


def _seen(words: str) -> str:
    from tidewaiter.report.showing import visible

    return " ".join(visible(words).split())


def _style(page: str) -> str:
    return page.split("<style>")[1].split("</style>", maxsplit=1)[0]
