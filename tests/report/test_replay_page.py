"""The page of a replayed study: well formed, self-contained, and nothing of the authors' own."""

from __future__ import annotations

import pytest

from tests.report.pages import FORBIDDEN, StrictPage
from tidewaiter.face_audit.replay import Absence, Ends, Replay, ReplayedFile, Share, SimilarShare
from tidewaiter.report.replay import answer, notes, replay_page, tables, warnings


def share(count: int) -> Share:
    return Share(count=count, percent=100 * count / 200)


def file(name: str, hits: int, *, as_published: bool = True, alias: bool = True) -> ReplayedFile:
    ends = Ends(lower=hits / 2 - 1, upper=hits / 2 + 1)
    return ReplayedFile(
        file=name,
        sha256="ab" * 32,
        as_published=as_published,
        service="Azure",
        data=f"data of {hits}",
        person_column="Src",
        answers=200,
        people=10,
        people_hit=9,
        hits=share(hits),
        bootstrap=ends,
        clustered=ends,
        design_effect=12.6 if alias else None,
        any_name=share(hits + 2),
        alias_hits=share(hits + 1) if alias else None,
        wrong_names=share(1),
        wrong_names_host=0,
        real_photo_named=share(190),
        similarity_endpoint="Azure FindSimilar",
        similarity_with_host=not alias,
        similarity=(SimilarShare(at_least=None, share=share(80), bootstrap=ends, clustered=ends),),
    )


RESULT = Replay(
    seed=1,
    files=(
        file("Results_vox1.csv", 150),
        file("Results_vox2.csv", 20, as_published=False),
        file("Results_celebDF.csv", 60, alias=False),
    ),
    absent=(Absence(file="x.csv", reason="x.csv is <b>not</b> in the folder"),),
)


def test_the_page_is_well_formed_and_self_contained():
    page = StrictPage(replay_page(RESULT))
    assert not FORBIDDEN & set(page.tags)
    assert page.headings[0] == 1
    assert not [v for v in page.values("src") + page.values("href") if "//" in v]
    assert "<b>not</b>" in page.text


def test_the_answer_names_the_worst_cell_as_one_of_many():
    worst, others = (str(sentence) for sentence in answer(RESULT))
    assert "data of 150" in worst
    assert "75.00 %, 95 % interval 74.0 to 76.0 %" in worst
    assert "one of 3 cells" in others
    assert "10.00 %" in others


def test_a_single_cell_is_not_compared():
    assert len(answer(Replay(seed=1, files=RESULT.files[:1]))) == 1


def test_a_bound_never_reads_as_none():
    none = file("Results_vox1.csv", 0).model_copy(update={"clustered": Ends(lower=0, upper=0.0037)})
    said = Replay(seed=1, files=(none,))
    assert "0.00 %, 95 % interval 0.0 to 0.004 %" in str(answer(said)[0])
    assert "[0.00–0.004]" in tables(said)[0].rows[0][4]


def test_what_differs_from_the_study_is_said():
    said = [str(sentence) for sentence in warnings(RESULT)]
    assert said[0].startswith("Results_vox2.csv is not the published file")
    assert said[1].startswith("Not replayed: x.csv")
    assert warnings(Replay(seed=1, files=RESULT.files[:1])) == ()


def test_both_tables_have_a_cell_for_every_heading():
    for table in tables(RESULT):
        assert {len(row) for row in table.rows} == {len(table.headings)}
    named, similar = tables(RESULT)
    assert named.rows[2][6:8] == ("–", "–")
    assert str(similar.rows[2][2]) == "the attacker"


def test_the_notes_count_people_only_where_both_halves_are_there():
    assert str(notes(RESULT)[0]).startswith("18 of the 20 people")
    assert "people of VoxCelebTH were" not in str(notes(Replay(seed=1, files=RESULT.files[:1]))[0])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_speaks_the_readers_language(language):
    page = replay_page(RESULT, language)
    assert f'lang="{language}"' in page
    assert ("Comment lire ceci" in page) == (language == "fr")
