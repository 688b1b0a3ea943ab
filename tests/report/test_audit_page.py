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


def test_no_derived_figure_of_nothing_stands_without_its_bound(record):
    """ProdAvg, RMMR, P_morph, RIAPAR, D-EER, BPCER20: what is 0 may still be something."""
    nothing = {"prod_avg": 0.0, "rmmr": 0.0, "expected": 0.0}
    morphs = [row.model_copy(update=nothing) for row in record.at[0].morphs]
    attacks = [row.model_copy(update={"riapar": 0.0}) for row in record.at[0].attacks]
    at = record.at[0].model_copy(update={"morphs": tuple(morphs), "attacks": tuple(attacks)})
    rows = [row.model_copy(update={"equal_error": 0.0}) for row in record.gate.detection]
    worst = [
        row.model_copy(update={"bpcer_at": {"20": 0.0}, "apcer_at": {"5": 0.0}})
        for row in record.gate.worst
    ]
    gate = record.gate.model_copy(update={"detection": tuple(rows), "worst": tuple(worst)})
    page = audit_page(record.model_copy(update={"at": (at,), "gate": gate}), {})
    text = page.replace("\u00a0", " ")
    cells = re.findall(r"<t[dh][^>]*>(0\.0 %[^<]*)<", text)
    assert len(cells) >= 3 * len(morphs) + len(attacks) + len(rows) + 2 * len(worst)
    bounds = [re.fullmatch(r"0\.0 % \(≤ ([\d.]+)\)", cell) for cell in cells]
    assert all(bound and float(bound[1]) > 5 for bound in bounds), cells


def test_a_small_rate_is_not_rounded_to_nothing(record):
    few = record.at[0].licit.fmr_random.model_copy(
        update={"events": 3, "trials": 30_000, "value": 0.0001}
    )
    licit = record.at[0].licit.model_copy(update={"fmr_random": few})
    at = record.at[0].model_copy(update={"licit": licit})
    page = audit_page(record.model_copy(update={"at": (at,)}), {}).replace("\u00a0", " ")
    assert "3/30000 = 0.010 %" in page


def test_every_share_of_morphs_has_its_counts_and_interval(record):
    rows = [row for at in record.at for row in at.morphs]
    assert rows
    for row in rows:
        for shares, ends in zip(row.attack_potential, row.potential_ends, strict=True):
            for share, end in zip(shares, ends, strict=True):
                assert 0 <= end.lower <= share <= end.upper <= 1
                assert end.upper > 0
                assert (share * row.morphs) % 1 == pytest.approx(0)
    page = audit_page(record, {})
    table = page.partition("Morph attack potential")[2].partition("</table>")[0]
    table = table.replace("\u00a0", " ")
    cells = re.findall(r'data-label="at least \d+ of[^"]*">([^<]*)<', table)
    assert cells
    assert all(re.fullmatch(r"\d+/\d+ = [\d.]+ % \[[\d.]+–[\d.]+\]", cell) for cell in cells)


def test_a_threshold_is_told_on_the_services_own_scale(record):
    page = audit_page(record, {})
    assert "At the threshold in service (similarity at least 0.5)" in page
    turned = {**record.protocol, "target": {**record.protocol["target"], "score": "distance"}}
    value = record.at[0].threshold.model_copy(update={"value": -0.6})
    first = record.at[0].model_copy(update={"threshold": value})
    page = audit_page(record.model_copy(update={"protocol": turned, "at": (first,)}), {})
    assert "At the threshold in service (distance at most 0.6)" in page
    assert "threshold (minus the distance)" in page


def test_names_from_outside_are_shown_and_never_obeyed(record):
    page = audit_page(record.model_copy(update={"audit": "<script>alert(1)</script>"}), {})
    assert "<script>" not in page


def test_the_worst_pictures_are_shown_with_their_files(record):
    first = record.worst[0]
    page = audit_page(record, {first.file: PNG})
    assert "data:image/png" in page
    assert first.file in page
    assert all(file in page for file in first.made_from)
    others = len(record.worst) - 1
    assert page.count("missing or damaged in the folder of the audit") == others > 0


def test_the_page_speaks_french_and_is_the_same_every_time(record):
    page = audit_page(record, {}, "fr")
    assert "Ce que cet audit ne couvre pas" in page
    assert "What this audit" not in page
    assert "(look-alike)" not in page
    assert page == audit_page(record, {}, "fr")
