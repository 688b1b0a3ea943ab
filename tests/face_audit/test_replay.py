"""The rule by which published answers are counted, on answers made here."""

from __future__ import annotations

import csv
import dataclasses
import hashlib

import numpy as np
import pytest

from tidewaiter.errors import CorruptMedia, InputError, LimitExceeded, UnsupportedMedia
from tidewaiter.evaluation.clustered import korn_graubard, tally
from tidewaiter.face_audit import answers as reading
from tidewaiter.face_audit.answers import read_answers
from tidewaiter.face_audit.published import FILES, Person
from tidewaiter.face_audit.replay import plain_name, replay, replay_file

VOX1, CELEBDF, AMAZON = FILES[0], FILES[3], FILES[6]
HEADER = [
    "Filename",
    "Src",
    "Tar",
    "Src Pred.",
    "Src Conf.",
    "Tar Pred.",
    "Tar Conf.",
    "Similarity",
]
# Person, other, name of the real photo, name of the forgery, similarity.
ROWS = [
    ("Ana López", "7", "Ana Lopez", "ANA LOPEZ", "0.61"),
    ("Ana López", "8", "Ana Lopez", "", "0"),
    ("Bob", "9", "Robert Bob", "Robert Bob", "0.55"),
    ("Bob", "Cy", "", "Cy", "0.0"),
]


def write(path, rows=ROWS, header=HEADER, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number, (source, target, real, forgery, similar) in enumerate(rows):
            name = f"/authors/own/folder/{number}.jpg"
            writer.writerow([name, source, target, real, "1", forgery, "1", similar])
    return path


def replayed(tmp_path, published=VOX1, rows=ROWS):
    answers = read_answers(write(tmp_path / published.name, rows))
    return replay_file(published, answers, np.random.default_rng(1))


def test_spellings_compare_equal_and_nothing_else():
    assert (
        plain_name("Luis López-Pérez Jr.")
        == plain_name("luis lopez perez JR")
        == "luislopezperezjr"
    )
    assert plain_name("Gisele Bündchen") == "giselebundchen"
    assert plain_name("Ana") != plain_name("Anna")
    assert plain_name("수지") == ""


def test_hits_aliases_and_wrong_names_are_told_apart(tmp_path):
    found = replayed(tmp_path)
    assert (found.answers, found.people, found.people_hit) == (4, 2, 2)
    assert (found.hits.count, found.any_name.count) == (1, 3)
    assert (found.alias_hits.count, found.wrong_names.count) == (2, 1)
    assert (found.wrong_names_host, found.real_photo_named.count) == (1, 3)
    assert found.similarity[0].share.count == 2


def test_where_the_target_is_the_other_column_the_host_is_no_alias(tmp_path):
    rows = [("Host", "Ana", "Host", "Ana", "0.6"), ("Host", "Ana", "Host", "Host", "0.9")]
    found = replayed(tmp_path, CELEBDF, rows)
    assert (found.hits.count, found.alias_hits, found.people) == (1, None, 1)
    assert (found.wrong_names.count, found.wrong_names_host) == (1, 1)
    assert found.similarity_with_host


def test_names_without_any_letter_left_are_no_hit(tmp_path):
    found = replayed(
        tmp_path, rows=[("수지", "1", "수지", "수지", "0.6"), ("B", "2", "B", "B", "1")]
    )
    assert found.hits.count == 1
    assert found.any_name.count == 2


def test_the_headline_interval_is_clustered_by_person(tmp_path):
    found = replayed(tmp_path)
    counts = tally(np.array([True, False, False, False]), ["a", "a", "b", "b"])
    expected = korn_graubard(counts)
    assert found.clustered.lower == pytest.approx(100 * expected.lower)
    assert found.clustered.upper == pytest.approx(100 * expected.upper)


def test_a_service_that_scores_to_a_hundred_is_cut_at_its_own_steps(tmp_path):
    rows = [("A", "A", "A", "A", str(score)) for score in (79.9, 80, 95, 99.5)]
    found = replayed(tmp_path, AMAZON, rows)
    assert [s.at_least for s in found.similarity] == [80, 90, 95, 99]
    assert [s.share.count for s in found.similarity] == [3, 2, 2, 1]


def test_a_file_as_published_is_told_from_an_altered_one(tmp_path):
    path = write(tmp_path / VOX1.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    asked = dataclasses.replace(VOX1, sha256=digest)
    assert replay(tmp_path, files=[asked]).altered == ()
    assert replay(tmp_path, files=[VOX1]).altered == (VOX1.name,)


def test_what_is_absent_is_named_and_the_rest_replayed(tmp_path):
    write(tmp_path / VOX1.name)
    found = replay(tmp_path)
    assert [file.file for file in found.files] == [VOX1.name]
    assert [absence.file for absence in found.absent] == [file.name for file in FILES[1:]]
    assert "not in the folder" in found.absent[0].reason


def test_a_folder_without_any_of_the_files_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none of the 7 files.*name the folder"):
        replay(tmp_path)


def test_the_authors_folders_are_nowhere_in_the_result(tmp_path):
    write(tmp_path / VOX1.name)
    assert "authors" not in replay(tmp_path).model_dump_json()


def test_the_order_of_rows_changes_no_count(tmp_path):
    ahead, back = replayed(tmp_path), replayed(tmp_path, rows=ROWS[::-1])
    assert ahead.model_dump(exclude={"sha256"}) == back.model_dump(exclude={"sha256"})


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    path = write(tmp_path / "answers.csv", encoding="utf-8-sig")
    assert len(read_answers(path).source) == len(ROWS)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", UnsupportedMedia, "lacks the column Src, Tar"),
        (b"Src,Tar\na,b\n", UnsupportedMedia, "lacks the column Src Pred., Tar Pred., Similarity"),
        (b"Src,Src,Tar,Src Pred.,Tar Pred.,Similarity\n", UnsupportedMedia, "or has it twice"),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\n", CorruptMedia, "no answers"),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\na,b,c\n", CorruptMedia, "row 2: 3 cells"),
        (
            b"Src,Tar,Src Pred.,Tar Pred.,Similarity\na,b,c,d,x\n",
            CorruptMedia,
            "row 2.*not a number",
        ),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\na,b,c,d,nan\n", CorruptMedia, "0 to 100"),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\na,b,c,d,1e99\n", CorruptMedia, "0 to 100"),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\n\xff,b,c,d,1\n", CorruptMedia, "UTF-8"),
        (b'Src,Tar,Src Pred.,Tar Pred.,Similarity\n"a,b,c,d,1\n', CorruptMedia, "comma-separated"),
        (
            b"Src,Tar,Src Pred.,Tar Pred.,Similarity\n" + b"a" * 600 + b",b,c,d,1\n",
            CorruptMedia,
            "100 letters",
        ),
        (b"Src,Tar,Src Pred.,Tar Pred.,Similarity\n,b,c,d,1\n", CorruptMedia, "row 2.*no person"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), CorruptMedia, "UTF-8"),
    ],
)
def test_hostile_content_is_one_sentence(tmp_path, content, error, words):
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(error, match=words) as caught:
        read_answers(path)
    assert "answers.csv" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_limits_of_size_and_rows_hold(tmp_path, monkeypatch):
    path = write(tmp_path / "answers.csv")
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    with pytest.raises(LimitExceeded, match="more than 3 rows"):
        read_answers(path)
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    with pytest.raises(LimitExceeded, match="larger than"):
        read_answers(path)


def test_a_cell_longer_than_the_reader_takes_is_refused(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(b"Src,Tar,Src Pred.,Tar Pred.,Similarity\n" + b"a" * 200_000 + b",b,c,d,1\n")
    with pytest.raises(CorruptMedia, match="comma-separated"):
        read_answers(path)


def test_a_folder_in_place_of_a_file_is_absent(tmp_path):
    (tmp_path / VOX1.name).mkdir()
    with pytest.raises(InputError, match="not in the folder"):
        read_answers(tmp_path / VOX1.name)


def test_every_published_file_is_pinned_by_its_digest():
    assert len({file.sha256 for file in FILES}) == len(FILES) == 7
    assert all(len(file.sha256) == 64 for file in FILES)
    assert [file.person for file in FILES].count(Person.TARGET) == 1
