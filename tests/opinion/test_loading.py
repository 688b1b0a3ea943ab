"""Calibration files: shipped, of a site, of another version, hostile."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.opinion.making import ALTERED, calibration
from tidewaiter.errors import ConfigurationError, MissingCalibration
from tidewaiter.opinion.choosing import require_calibration
from tidewaiter.opinion.cues import Terms
from tidewaiter.opinion.loading import dump_calibration, load_calibrations, parse_calibration
from tidewaiter.vocabulary import tr

VERSIONS = {"image.grid": "1"}


def _site(folder: Path, **changes: object) -> Path:
    entry = calibration(origin="site", **changes)  # type: ignore[arg-type]
    (folder / "one.json").write_text(dump_calibration(entry), encoding="utf-8")
    return folder


def test_a_calibration_survives_its_file() -> None:
    entry = calibration()
    assert parse_calibration(dump_calibration(entry), "x") == entry


def test_a_site_folder_is_read(tmp_path: Path) -> None:
    found = load_calibrations(VERSIONS, _site(tmp_path), shipped=False)
    assert [entry.origin for entry in found.usable] == ["site"]


def test_every_shipped_calibration_can_be_read() -> None:
    found = load_calibrations({})
    assert found.usable == ()
    assert all("not installed" in str(entry.reason) for entry in found.ignored)


def test_another_version_is_ignored_with_the_reason(tmp_path: Path) -> None:
    found = load_calibrations({"image.grid": "2"}, _site(tmp_path), shipped=False)
    assert found.usable == ()
    assert "fitted on 1" in str(found.ignored[0].reason)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"may_clear": True}, "never speak for"),
        ({"may_clear": False}, "never say more than log10 LR 0.50"),
        ({"may_clear": False, "cap": 1.0}, "up to 1.00"),
        ({"may_clear": False, "proposition": "face.manipulated"}, "no likelihood ratio"),
        ({"may_clear": False, "cap": 0.5}, None),
    ],
)
def test_no_file_lets_a_detector_say_more_than_its_design(tmp_path, changes, words) -> None:
    terms = {"image.grid": Terms("image.grid", "1", ALTERED, False, 0.5, tr("always"))}  # noqa: FBT003
    found = load_calibrations(VERSIONS, _site(tmp_path, **changes), shipped=False, terms=terms)
    assert len(found.usable) == (words is None)
    assert words is None or words in str(found.ignored[0].reason)


def test_a_detector_that_states_facts_has_no_calibration(tmp_path: Path) -> None:
    found = load_calibrations(VERSIONS, _site(tmp_path), shipped=False, terms={})
    assert "no likelihood ratio" in str(found.ignored[0].reason)


def test_asking_for_another_version_is_missing_calibration() -> None:
    assert require_calibration("image.grid", "1", [calibration()]).id == "image.grid-1-any"
    with pytest.raises(MissingCalibration, match=r"version 1 found, version 2 needed"):
        require_calibration("image.grid", "2", [calibration()])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent is not a folder"):
        load_calibrations(VERSIONS, tmp_path / "absent", shipped=False)


def _changed(**changes: object) -> str:
    return json.dumps(json.loads(dump_calibration(calibration())) | changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "{" * 5000,
        "[" * 100_000,
        '{"id": NaN}',
        _changed(id="../../escape"),
        _changed(bounds={"lower": -2, "upper": 9}),
        _changed(bounds={"lower": 1, "upper": 2}),
        _changed(surprise=1),
        _changed(curve={"kind": "pickle"}),
        _changed(usual_as_issued=1e999),
        _changed(members=[]),
        _changed(members=[{"detector": "a", "version": "1", "calibration": "other"}]),
    ],
)
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"bad\.json"):
        load_calibrations(VERSIONS, tmp_path, shipped=False)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b" " * (8 * 1024 * 1024 + 1)])
def test_bytes_that_are_no_text_or_too_many_are_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(raw)
    with pytest.raises(ConfigurationError, match=r"bad\.json"):
        load_calibrations(VERSIONS, tmp_path, shipped=False)


@given(st.integers(0, 400), st.text(max_size=4))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, insertion: str) -> None:
    text = dump_calibration(calibration())
    damaged = text[:place] + insertion + text[place + 3 :]
    with contextlib.suppress(ConfigurationError):
        assert parse_calibration(damaged, "damaged").bounds.upper <= 3.31


def test_draws_that_do_not_fit_are_refused() -> None:
    entry = json.loads(dump_calibration(calibration()))
    entry["curve"]["draws"]["data"] = "AAAA"
    with pytest.raises(ConfigurationError, match="draws"):
        parse_calibration(json.dumps(entry), "x")
    entry["curve"]["draws"]["data"] = "AADAfwAAwH8="
    with pytest.raises(ConfigurationError, match="finite"):
        parse_calibration(json.dumps(entry), "x")
