"""The catalogues are what the source says, French is complete, and nothing is guessed."""

from __future__ import annotations

import io
import string

import pytest
from babel.messages.mofile import read_mo

from recipes import messages as recipe
from tidewaiter.errors import ConfigurationError
from tidewaiter.messages import languages, translator


@pytest.fixture(scope="module")
def sentences() -> list[recipe.Sentence]:
    return sorted(recipe.extract(recipe.SOURCE))


def placeholders(template: str) -> set[tuple[str, str, str]]:
    parsed = string.Formatter().parse(template)
    return {(name, spec or "", turn or "") for _, name, spec, turn in parsed if name is not None}


def test_the_source_language_needs_no_catalogue() -> None:
    assert languages()[0] == "en"
    assert translator("en")("no such sentence") == "no such sentence"


def test_french_is_offered_and_differs() -> None:
    assert "fr" in languages()
    assert translator("fr")("cannot tell") != "cannot tell"


def test_an_unknown_language_is_refused_with_those_available() -> None:
    with pytest.raises(ConfigurationError, match=r"'xx'.*en, fr"):
        translator("xx")


def test_the_header_of_a_catalogue_never_shows() -> None:
    assert translator("fr")("") == ""


def test_a_sentence_outside_the_catalogue_stays_english() -> None:
    assert translator("fr")("A sentence nobody wrote.") == "A sentence nobody wrote."


def test_the_template_catalogue_is_the_extraction(sentences: list[recipe.Sentence]) -> None:
    assert recipe.POT.read_bytes() == recipe.pot_bytes(sentences), "run: make messages"


@pytest.mark.parametrize("language", recipe.languages())
def test_every_sentence_is_translated(language: str, sentences: list[recipe.Sentence]) -> None:
    missing = recipe.missing(sentences, recipe.read_catalogue(language))
    listing = "\n".join(repr(template) for template in missing)
    assert not missing, (
        f"{len(missing)} sentences are not in {language}; run `make messages`, then translate:\n{listing}"
    )


@pytest.mark.parametrize("language", recipe.languages())
def test_translations_hold_the_same_placeholders(language: str) -> None:
    differing = [
        message.id
        for message in recipe.read_catalogue(language)
        if message.id
        and message.string
        and placeholders(message.id) != placeholders(message.string)
    ]
    assert not differing


@pytest.mark.parametrize("language", recipe.languages())
def test_no_translation_is_a_guess(language: str) -> None:
    assert not [m.id for m in recipe.read_catalogue(language) if m.id and m.fuzzy]


@pytest.mark.parametrize("language", recipe.languages())
def test_the_compiled_catalogue_is_the_edited_one(language: str) -> None:
    edited = recipe.read_catalogue(language)
    compiled = read_mo(io.BytesIO(recipe.po_path(language).with_suffix(".mo").read_bytes()))
    wanted = {m.id: m.string for m in edited if m.id and m.string}
    assert {m.id: m.string for m in compiled if m.id} == wanted, "run: make messages"


def test_refreshing_twice_gives_the_same_bytes(sentences: list[recipe.Sentence]) -> None:
    once = recipe.update(sentences, recipe.read_catalogue("fr"), "fr")
    twice = recipe.update(sentences, once, "fr")
    assert recipe.po_bytes(once) == recipe.po_bytes(twice)
    assert recipe.mo_bytes(once) == recipe.mo_bytes(twice)


def test_a_sentence_that_cannot_be_extracted_is_named(tmp_path) -> None:
    (tmp_path / "bad.py").write_text("tr(f'{x} found')\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.py:1: tr\(\) without a literal template"):
        list(recipe.extract(tmp_path))


def test_extraction_joins_adjacent_literals_and_reads_templates(tmp_path) -> None:
    (tmp_path / "a.py").write_text("tr('one '\n   'two', n=f(1))\n", encoding="utf-8")
    (tmp_path / "b.html.j2").write_text('{{ _("three {n}", n=1) }}', encoding="utf-8")
    assert sorted(recipe.extract(tmp_path)) == [("one two", "a.py"), ("three {n}", "b.html.j2")]
