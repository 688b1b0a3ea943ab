"""Rates are of what they say, and the page about attacks says what the results say."""

from __future__ import annotations

from benchmarks.detection.attacks import page
from benchmarks.detection.attacks.summary import AS_ISSUED, MANIPULATED, rate, summarise
from tidewaiter.vocabulary import Verdict

CANNOT_TELL = Verdict.CANNOT_TELL.value
LEVELS = {
    "threshold": 1.0,
    "usual_genuine": -2.0,
    "usual_detected": 3.0,
    "lowest": -5.0,
    "highest": 6.0,
    "genuine": 9,
    "forged": 5,
}


def row(source, score, *, cell="saved again", means="none", forged=True, told=CANNOT_TELL):
    return {
        "cell": cell,
        "means": means,
        "kind": "own",
        "source": source,
        "forged": forged,
        "score": score,
        "queries": 7 if means == "queries" else 0,
        "face": told,
        "strongest": told,
        "survived": 0.4 if told == MANIPULATED else None,
    }


def summarised(*rows):
    return summarise(rows, rows, rows, LEVELS, most_queries=1000)


def test_an_attack_succeeds_where_the_score_falls_to_the_threshold():
    attacked = [
        row(s, v, cell="PGD-20, 2/255", means="gradient") for s, v in (("a", 1.0), ("b", 1.1))
    ]
    found = summarised(row("a", 2.0), row("b", 2.0), *attacked)["network"]
    assert found["saved again"]["missed"] == rate([False, False])
    assert found["PGD-20, 2/255"]["missed"] == rate([True, False])


def test_a_face_that_the_network_declines_is_missed_and_counted():
    after = row("a", None, cell="NES, 8/255", means="queries")
    found = summarised(row("a", 2.0), after)["network"]["NES, 8/255"]
    assert found["missed"]["value"] == 1
    assert found["declined"] == rate([True])
    assert found["queries, median"] == 7


def test_laundering_is_listed_apart():
    found = summarised(row("a", 2.0), row("a", 0.0, cell="blur", means="laundering"))
    assert list(found["laundering"]) == ["blur"]
    assert list(found["network"]) == ["saved again"]


def test_what_is_detected_untouched_is_told_by_kind():
    found = summarised(row("a", 2.0), row("b", 0.0))["basis"]["detected, not attacked"]
    assert found == {"own": rate([True, False])}


def test_the_worst_attack_of_each_access_is_named_by_its_rate():
    strong = [row(s, 0.0, cell="PGD-20, 8/255", means="gradient", told=AS_ISSUED) for s in "ab"]
    weak = [row("a", 0.0, cell="FGSM, 8/255", means="gradient")]
    found = summarised(row("a", 2.0), row("b", 2.0), *strong, *weak)["opinion"]
    assert found["worst"]["white-box"]["value"] == 0
    assert found["FGSM, 8/255"]["not as issued"]["value"] == 1
    assert "black-box" not in found["worst"]


def test_scores_that_no_untouched_face_has_are_counted():
    rows = [row("a", 2.0), row("b", 6.5), row("c", -5.5), row("d", None)]
    assert summarised(*rows)["network"]["saved again"]["beyond"] == rate([False, True, True, False])


def test_genuine_faces_are_counted_apart():
    rows = [
        row("a", 2.0),
        row("g", 2.0, forged=False, told=MANIPULATED),
        row("h", 0.0, forged=False),
    ]
    found = summarised(*rows)
    assert found["genuine"]["network"]["saved again"]["above threshold"]["value"] == 0.5
    assert found["genuine"]["opinion"]["saved again"]["face"]["value"] == 0.5
    assert found["opinion"]["saved again"]["face"]["of"] == 1
    assert found["stability"] == {"forged": {}, "genuine": {"saved again": rate([False])}}


def test_the_tables_of_the_page_are_those_of_the_results():
    written = page.PAGE.read_text(encoding="utf-8")
    assert written == page.page(written), "run: python benchmarks/detection/attacks/page.py"
    assert written.count("| saved again |") == 2
