"""Unseen characters are written out; people's scripts stay as they are."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.report.showing import escaped_json, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202egpj.exe", "invoice⟨U+202E⟩gpj.exe"),
        ("a\nb\tc\x00", "a⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩"),
        ("\ufeffx\u200by", "⟨U+FEFF⟩x⟨U+200B⟩y"),
        ("\udcff", "⟨U+DCFF⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
    ],
)
def test_unseen_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    ["фото 1.jpg", "发票.png", "صورة.jpg", "می\u200cخواهم", "👩\u200d🚀", "naïve – “x”", "a\u0301"],
)
def test_scripts_and_their_joiners_stay(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_unseen_is_left_and_nothing_is_done_twice(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    shown.encode("utf-8")


@given(st.text())
def test_escaped_json_has_the_same_value(text: str) -> None:
    document = escaped_json(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(document) == {"name": text}
    assert "\u202e" not in document
