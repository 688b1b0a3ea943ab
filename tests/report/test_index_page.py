"""The index: a row for every exhibit, links that stay inside the folder, errors told."""

from __future__ import annotations

import pytest

from tests.report.pages import FORBIDDEN, StrictPage
from tests.report.samples import HOSTILE_NAME
from tidewaiter.report.index import Row, index_page
from tidewaiter.vocabulary import MediaKind, Proposition, Verdict

ROWS = (
    Row(
        "a.jpg",
        "a.jpg.html",
        "0" * 64,
        MediaKind.PICTURE,
        {Proposition.IMAGE_ALTERED: Verdict.SUPPORTS_MANIPULATED},
    ),
    Row(
        "b.mp4",
        "b.mp4.html",
        "1" * 64,
        MediaKind.VIDEO,
        {Proposition.VIDEO_ALTERED: Verdict.CANNOT_TELL},
    ),
    Row("c.wav", "c.html", "2" * 64, MediaKind.SOUND),
    Row(HOSTILE_NAME, error="the file ends after 12 bytes <b>"),
)


def test_it_is_valid_and_tells_every_exhibit() -> None:
    read = StrictPage(index_page(ROWS))
    assert not FORBIDDEN & set(read.tags)
    assert "4 exhibits: 1 with support for manipulation, 2 without, 1 not examined" in read.text
    assert "the file ends after 12 bytes <b>" in read.text
    assert read.values("href") == ["./a.jpg.html", "./b.mp4.html", "./c.html"]


@pytest.mark.parametrize(
    ("href", "link"),
    [
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("//evil.example/x", "./evil.example/x"),
        ("/etc/passwd", "./etc/passwd"),
        ('a" onclick="x', "./a%22%20onclick%3D%22x"),
        ("très #1?.html", "./tr%C3%A8s%20%231%3F.html"),
        ("\udcff.html", "./%FF.html"),
    ],
)
def test_links_cannot_lead_out_or_run(href: str, link: str) -> None:
    assert StrictPage(index_page((Row("x", href),))).values("href") == [link]


def test_an_empty_folder_has_an_index() -> None:
    assert "0 exhibits" in StrictPage(index_page(())).text


def test_french() -> None:
    page = index_page(ROWS, "fr")
    assert '<html lang="fr">' in page
    assert "exhibits" not in StrictPage(page).text
