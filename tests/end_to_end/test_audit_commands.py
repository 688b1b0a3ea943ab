"""An audit from the command line: begun, planned, run, reported, refused where it must be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.shared]


def audit(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from tidewaiter.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "audit", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory, shared_data):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    folder = tmp_path_factory.mktemp("audit")
    (folder / "few").mkdir()
    people = sorted((shared_data / "lfw_deepfunneled").iterdir())[:6]
    for person in people:
        (folder / "few" / person.name).symlink_to(person)
    demo = audit("demo", "--faces", "few", "--out", "d", folder=folder)
    assert demo.returncode == 0, demo.stderr
    return folder, demo.stdout


def test_the_demonstration_ends_in_a_report(done):
    folder, said = done
    assert "the most successful of 4 kinds of attack" in said
    record = json.loads((folder / "d/protocol/report.json").read_text(encoding="utf-8"))
    assert not record["partial"]
    assert {row["pair"] for row in record["at"][0]["attacks"]} >= {"all", "random"}
    for picture in record["worst"]:
        assert (folder / "d/protocol/pictures" / picture["file"]).is_file()
        assert all((folder / "d" / file).is_file() for file in picture["made_from"])
    assert str(folder) not in (folder / "d/protocol/report.html").read_text(encoding="utf-8")


def test_a_second_run_adds_nothing_and_a_report_is_the_same(done):
    folder, _ = done
    ledger = (folder / "d/protocol/ledger.jsonl").read_bytes()
    page = (folder / "d/protocol/report.html").read_bytes()
    assert audit("run", "d/protocol.toml", folder=folder).returncode == 0
    assert (folder / "d/protocol/ledger.jsonl").read_bytes() == ledger
    assert audit("report", "d/protocol.toml", folder=folder).returncode == 0
    assert (folder / "d/protocol/report.html").read_bytes() == page
    status = audit("status", "d/protocol.toml", folder=folder)
    assert "trials; none left" in status.stdout


def test_the_plan_says_what_so_few_people_can_show(done):
    folder, _ = done
    planned = audit("plan", "d/protocol.toml", folder=folder)
    assert "too few to show that anything is below 7 %" in planned.stdout
    assert "calls       0" in planned.stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed here")
def test_the_same_audit_through_a_virtual_camera(done):
    folder, _ = done
    injected = audit("inject", "d/protocol.toml", folder=folder)
    assert injected.returncode == 0, injected.stderr
    assert "the page saw a camera named 'camera.y4m'" in injected.stdout
    place = folder / "d/protocol/injection-still"
    record = json.loads((place / "injection.json").read_text(encoding="utf-8"))
    for row in record["rows"]:
        assert row["injected"]["trials"] == row["as_file"]["trials"]
    # A still film of a recaptured portrait loses nothing that a recogniser needs.
    kept = [r for r in record["rows"] if r["species"] == "recapture-screen"]
    assert all(r["injected"]["events"] >= r["as_file"]["events"] / 2 for r in kept)
    report = json.loads((place / "report.json").read_text(encoding="utf-8"))
    assert not report["partial"]
    assert report["audit"].endswith("injection-still")
    for picture in report["worst"]:
        assert (place / "pictures" / picture["file"]).read_bytes()[:3] == b"\xff\xd8\xff"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed here")
def test_the_report_is_printed_where_a_browser_is(done):
    folder, _ = done
    printed = audit("report", "d/protocol.toml", "--pdf", folder=folder)
    assert printed.returncode == 0, printed.stderr
    assert (folder / "d/protocol/report.pdf").read_bytes().startswith(b"%PDF")
    refused = audit("report", "d/protocol.toml", "--pdf", "--browser", "nothing", folder=folder)
    assert refused.returncode == 7
    assert "'nothing' cannot be run" in refused.stderr


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed here")
@pytest.mark.parametrize("width", [500, 1280])
def test_the_report_keeps_within_a_telephone_and_a_screen(done, tmp_path, width):
    folder, _ = done
    shot = tmp_path / "shot.png"
    page = (folder / "d/protocol/report.html").as_uri()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    arguments = [f"--user-data-dir={tmp_path}/profile", f"--screenshot={shot}"]
    size = f"--window-size={width},9000"
    subprocess.run(["chromium", *flags, *arguments, size, page], capture_output=True, check=False)
    pixels = np.asarray(Image.open(shot).convert("L"), float)
    assert pixels.shape == (9000, width)
    assert pixels[:2000].std() > 10, "the page is blank"
    assert pixels[:, -4:].std() < 10, "something reaches the right edge"


def test_a_changed_protocol_or_picture_is_refused(done):
    folder, _ = done
    protocol = folder / "d/protocol.toml"
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace("swap-feather", "swap-poisson"), encoding="utf-8")
    refused = audit("run", "d/protocol.toml", folder=folder)
    assert refused.returncode == 4
    assert "belongs to protocol" in refused.stderr
    protocol.write_text(text, encoding="utf-8")
    listed = (folder / "d/identities.csv").read_text(encoding="utf-8").splitlines()[1].split(",")
    victim = folder / "d" / listed[1]
    content = victim.read_bytes()
    victim.write_bytes(content + b"\0")
    changed = audit("run", "d/protocol.toml", folder=folder)
    assert changed.returncode == 4
    assert "has changed since" in changed.stderr
    victim.write_bytes(content)


def test_a_picture_that_cannot_be_used_is_named_before_anything_is_sent(done):
    folder, _ = done
    listed = folder / "d/identities.csv"
    text = listed.read_text(encoding="utf-8")
    (folder / "d/plain.txt").write_text("no picture", encoding="utf-8")
    first = text.splitlines()[1].split(",")[1]
    listed.write_text(text.replace(first, "plain.txt"), encoding="utf-8")
    refused = audit("plan", "d/protocol.toml", "--out", "e", folder=folder)
    listed.write_text(text, encoding="utf-8")
    assert refused.returncode == 2
    assert "plain.txt" in refused.stderr
    assert "Traceback" not in refused.stderr
