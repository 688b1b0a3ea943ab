"""The page of an audit holds the verdict first, every rate with its interval, and no surprise."""

from __future__ import annotations

import re

import pytest

from tests.face_audit.test_measuring import GATED, measured
from tidewaiter.report.audit_page import audit_page

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def record():
    return measured(GATED)[2]


def test_the_verdict_stands_before_every_table(record):
    page = audit_page(record, {})
    assert page.index("the most successful of 2 kinds of attack") < page.index("<table")
    for sentence in record.not_covered:
        assert str(sentence).split("'")[0] in page


def test_no_rate_of_nothing_stands_without_its_bound(record):
    page = audit_page(record, {})
    text = re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ")
    rates = re.findall(r"\d+/\d+ = [\d.]+ %( \[[\d.]+–[\d.]+\])?", text)
    assert rates
    assert all(rates)
    assert re.search(r"\b0 of \d+ = 0\.0 % (?!\(95 %)", text) is None


def test_names_from_outside_are_shown_and_never_obeyed(record):
    page = audit_page(record.model_copy(update={"audit": "<script>alert(1)</script>"}), {})
    assert "<script>" not in page


def test_the_worst_pictures_are_shown_with_their_files(record):
    first = record.worst[0]
    page = audit_page(record, {first.file: PNG})
    assert "data:image/png" in page
    assert first.file in page
    assert all(file in page for file in first.made_from)


def test_the_page_speaks_french_and_is_the_same_every_time(record):
    page = audit_page(record, {}, "fr")
    assert "Ce que cet audit ne couvre pas" in page
    assert "What this audit" not in page
    assert page == audit_page(record, {}, "fr")
