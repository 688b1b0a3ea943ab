"""Which files are examined, under which key, and how a run is summed up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.opinion.making import calibration
from tidewaiter.casework.batch import Summary, find_exhibits, keep_apart, task_key
from tidewaiter.casework.plan import Plan, plan_for
from tidewaiter.casework.ports import Outcome
from tidewaiter.casework.site_calibration import Fitted, site_items, site_name, superseded
from tidewaiter.errors import ConfigurationError, InputError, StorageError
from tidewaiter.opinion.loading import dump_calibration
from tidewaiter.settings import Settings
from tidewaiter.storage.reports import (
    FolderOfReports,
    read_texts,
    remove_files,
    report_stem,
    safe_stem,
    write_whole,
)


def test_folders_are_walked_in_order_without_hidden_files_and_reports(tmp_path):
    for name in ("b.jpg", "a/z.jpg", "a/.hidden.jpg", ".git/x.jpg", "out/report.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_exhibits([tmp_path, tmp_path / "b.jpg"], leave_out=tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["b.jpg", "a/z.jpg"]


def test_a_changed_file_has_another_key(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    before = task_key(path)
    path.write_bytes(b"longer")
    assert task_key(path) != before
    assert task_key(tmp_path / "nothing").endswith("missing")


def test_names_that_are_not_utf8_or_too_long_have_keys_of_their_own(tmp_path):
    names = [b"caf\xe9", rb"caf\xe9", rb"caf\udce9", b"x" * 300]
    keys = {task_key(tmp_path / os.fsdecode(name)) for name in names}
    assert len(keys) == 4
    assert all(key.isascii() for key in keys)
    assert [*find_exhibits([tmp_path / ("x" * 300)], leave_out=tmp_path / "out")]


def test_a_folder_that_cannot_be_listed_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").touch()
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = [*find_exhibits([tmp_path], leave_out=tmp_path / "out")]
    assert [path.name for path in found] == ["a.jpg", "closed"]


def test_reports_are_kept_apart_from_exhibits(tmp_path):
    with pytest.raises(InputError, match="choose another --out"):
        keep_apart([tmp_path / "."], tmp_path)
    keep_apart([tmp_path], tmp_path / "reports")
    keep_apart([tmp_path / "a.jpg"], tmp_path)


def test_the_fingerprint_follows_what_changes_a_report():
    plain = Plan()
    assert plain.fingerprint() == Plan().fingerprint()
    others = [Plan(stability=False), Plan(only=("image.jpeg_grid",)), Plan(language="fr")]
    assert len({plan.fingerprint() for plan in [plain, *others]}) == 4


def test_an_unreadable_trust_list_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="trust list"):
        Plan(trust_list=tmp_path / "none.pem").fingerprint()


def test_an_unknown_detector_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="no detector"):
        plan_for(Settings(), only=("image.nothing",))


def test_a_domain_nobody_calibrated_for_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match="'moon'; there are: any"):
        plan_for(Settings(), domain="moon")


def test_a_summary_counts_errors_and_support():
    outcomes = (
        Outcome("1", "a", "/a", verdicts={"image.altered": "supports manipulated"}),
        Outcome("2", "b", "/b", verdicts={"image.altered": "cannot tell"}),
        Outcome("3", "c", "/c", error=("CorruptMedia", "broken")),
    )
    summary = Summary(outcomes, earlier=0)
    assert [o.name for o in summary.supports_manipulated] == ["a"]
    assert [o.name for o in summary.errors] == ["c"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "etc_passwd"),
        ("line\nbreak", "line_break"),
        ("декларация.jpg", "декларация.jpg"),
        ("???", "exhibit"),
    ],
)
def test_file_names_of_reports_are_safe(name, stem):
    assert safe_stem(name) == stem
    assert len(safe_stem("長" * 300).encode()) <= 80


def test_reports_are_written_whole(tmp_path):
    store = FolderOfReports(tmp_path / "new")
    names = store.save("a b.jpg", "f" * 64, as_json="{}", as_html="<p>")
    assert all(name.startswith(f"a_b.jpg-{'f' * 32}-") for name in names)
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(names)


def test_no_report_takes_the_place_of_another():
    digest = "f" * 64
    crafted = "f" * 24 + "0" * 40
    names = [("a_b.jpg", digest), ("a b.jpg", digest), ("a?b.jpg", digest), ("a_b.jpg", crafted)]
    assert len({report_stem(name, sha256) for name, sha256 in names}) == 4


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_whole(tmp_path / "report.html", "<p>")
    assert list(tmp_path.iterdir()) == []


def test_site_items_count_subfolders_as_sources(tmp_path):
    for name in ("g/cam1/a.jpg", "g/cam1/b.jpg", "g/loose.jpg", "x/c.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    items = site_items(tmp_path / "g", tmp_path / "x", out=tmp_path / "out")
    assert sorted(item.source for item in items) == [
        "as_issued/cam1",
        "as_issued/cam1",
        "as_issued/loose.jpg",
        "manipulated/c.jpg",
    ]
    with pytest.raises(InputError, match="apart"):
        site_items(tmp_path / "g", tmp_path / "g" / "cam1", out=tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no files"):
        site_items(tmp_path / "empty", None, out=tmp_path / "out")


def test_a_new_site_calibration_takes_the_place_of_the_old_one(tmp_path):
    old = calibration(origin="site", recipe="tidewaiter calibrate")
    own = calibration("image.other", origin="site", recipe="tidewaiter calibrate")
    handmade = calibration(origin="site", recipe="by an expert")
    for name, entry in (("old", old), ("own", own), ("handmade", handmade)):
        (tmp_path / f"{name}.json").write_text(dump_calibration(entry), encoding="utf-8")
    (tmp_path / "notes.json").write_text("[]", encoding="utf-8")
    fitted = Fitted((), {"new.json": "{}"}, frozenset({"image.grid"}))
    gone = superseded(read_texts(tmp_path, ".json"), fitted)
    assert gone == ["old.json"]
    remove_files(tmp_path, [*gone, "never-there.json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "handmade.json",
        "notes.json",
        "own.json",
    ]
    assert read_texts(tmp_path / "absent", ".json") == {}


def test_a_site_is_named_after_its_folder():
    assert site_name(Path("/x/Port of Rotterdam")) == "port-of-rotterdam"
