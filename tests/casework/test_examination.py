"""One exhibit from end to end, inside this process."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from tidewaiter.casework.examination import examine_file
from tidewaiter.casework.outcome import one_line, reports_of
from tidewaiter.casework.plan import Plan
from tidewaiter.testing.samples import (
    broken_credentials_picture,
    spliced_picture,
    untouched_picture,
)
from tidewaiter.vocabulary import MediaKind, Proposition, Report, Status, Verdict


@pytest.fixture(scope="module")
def spliced(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("exhibit") / "spliced.jpg"
    path.write_bytes(spliced_picture())
    return path


def test_a_spliced_picture_is_supported_stably_and_drawn(spliced):
    examination = examine_file(spliced, Plan())
    opinions = {o.proposition: o for o in examination.report.opinions}
    altered = opinions[Proposition.IMAGE_ALTERED]
    assert altered.verdict is Verdict.SUPPORTS_MANIPULATED
    assert altered.log10_lr <= altered.bound_upper
    assert altered.calibration in examination.report.versions.calibrations
    assert examination.report.stability.state == "examined"
    assert len(examination.report.stability.transforms) >= 8
    assert examination.pictures
    as_json, as_html = reports_of(examination, "en")
    assert Report.model_validate_json(as_json).exhibit == examination.report.exhibit
    assert "supports manipulated" in one_line(examination.report, "en")
    assert as_html.startswith("<!")


def test_every_applicable_detector_is_in_the_report(spliced):
    plan = Plan(stability=False)
    report = examine_file(spliced, plan).report
    expected = [d.id for d in plan.detectors_for(MediaKind.PICTURE)]
    assert [finding.detector for finding in report.findings] == expected
    assert not [f for f in report.findings if f.status is Status.FAILED]
    assert report.stability.state == "not_asked"


def test_only_asks_only_that_detector(spliced):
    report = examine_file(spliced, Plan(only=("image.jpeg_grid",))).report
    assert [finding.detector for finding in report.findings] == ["image.jpeg_grid"]


def test_a_calibration_of_another_version_is_named_and_unused(tmp_path, spliced):
    shipped = next(
        file
        for file in (files("tidewaiter.opinion") / "calibrations").iterdir()
        if file.name.startswith("image.jpeg_double")
    )
    stale = json.loads(shipped.read_text(encoding="utf-8"))
    stale["id"], stale["members"][0]["version"] = "stale", "999"
    (tmp_path / "stale.json").write_text(json.dumps(stale), encoding="utf-8")
    report = examine_file(spliced, Plan(stability=False, calibrations=tmp_path)).report
    assert any("stale was not used" in str(note) for note in report.exhibit.notes)
    assert report.opinions[0].calibration != "stale"


def test_an_untouched_picture_supports_nothing(tmp_path):
    path = tmp_path / "untouched.jpg"
    path.write_bytes(untouched_picture())
    report = examine_file(path, Plan()).report
    assert {o.verdict for o in report.opinions} == {Verdict.CANNOT_TELL}
    assert report.stability.state == "not_needed"


def test_a_broken_signature_is_told_in_the_line_and_at_the_head(tmp_path):
    path = tmp_path / "signed.jpg"
    path.write_bytes(broken_credentials_picture())
    examination = examine_file(path, Plan(stability=False))
    assert "changed after it was signed" in one_line(examination.report, "en")
    _, page = reports_of(examination, "en")
    head, findings = page.split("Findings, one by one")
    assert "changed after it was signed" in head
    assert "Facts that do not fit" in head
    assert findings
