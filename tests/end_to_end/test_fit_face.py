"""`tidewaiter fit face` and `fit gate` from pictures to a decision, with a stop in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tidewaiter.weights.own import SHIPPED, gate_network, shipped_network, site_network

COMMAND = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
PEOPLE = 84
REFUSED = 8


def command(*arguments: object, what: str = "face") -> list[str]:
    return [*COMMAND, "fit", what, *map(str, arguments)]


def run(*arguments: object, what: str = "face") -> subprocess.CompletedProcess[str]:
    asked = command(*arguments, what=what)
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def people(shared_data, tmp_path_factory) -> Path:
    """One picture of each of some people of LFW, and one file that is none."""
    folder = tmp_path_factory.mktemp("people")
    for person in sorted((shared_data / "lfw_deepfunneled").iterdir())[:PEOPLE]:
        (folder / person.name).mkdir()
        shutil.copy(min(person.glob("*.jpg")), folder / person.name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return folder


def settings(site: Path, tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(f"face_network = '{site}'\n", encoding="utf-8")
    return path


def until_tried(out: Path, count: int) -> None:
    """Wait until so many held-out files were tried."""
    record = out / ".work" / "queue.sqlite"
    for _ in range(3000):
        time.sleep(0.1)
        if record.exists():
            with sqlite3.connect(record, timeout=30) as database:
                made = database.execute("SELECT COUNT(*) FROM sqlite_master WHERE name='task'")
                rows = (0,)
                if made.fetchone()[0]:
                    rows = database.execute(
                        "SELECT COUNT(*) FROM task WHERE key LIKE 'try/%' AND state='done'"
                    ).fetchone()
            database.close()
            if rows[0] >= count:
                return
    raise AssertionError("nothing was tried within five minutes")


@pytest.mark.shared
@pytest.mark.slow
def test_a_stopped_fit_goes_on_to_a_decision(people, untrained_site, tmp_path):
    arguments = ["--genuine", people, "--out", tmp_path / "site", "--pairs", 32, "--jobs", 1]
    arguments += ["--settings", settings(untrained_site, tmp_path)]
    begun = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until_tried(tmp_path / "site", 3)
    os.kill(begun.pid, signal.SIGKILL)
    begun.wait()

    outcome = run(*arguments)
    said = outcome.stdout + outcome.stderr
    assert outcome.returncode in (0, REFUSED), said
    assert "left out: broken.jpg" in said
    assert "training: 1 of 1" in said
    assert "training: 0 of 1" not in said, "it was trained twice"
    assert "trying both networks: 0 of" not in said, "what was tried is tried again"
    site = tmp_path / "site"
    into = site if outcome.returncode == 0 else site / "rejected"
    card = json.loads((into / "card.json").read_text(encoding="utf-8"))
    assert card["accepted"] is (outcome.returncode == 0)
    assert card["decision"] in said
    assert card["made"]["held_out_sources"] >= 30
    assert card["figures"][0]["genuine_items"] > 0
    assert site_network(into).sha256 == card["network"]["sha256"]
    assert (into / "card.md").read_text(encoding="utf-8").startswith("# A face network")
    assert not (site / ".work").exists(), "faces were left behind"

    again = run(*arguments)
    assert again.returncode == 2
    assert "holds a fitted network already" in again.stderr


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED, reason="no network is shipped that could be made worse")
def test_a_network_made_worse_is_refused_and_nothing_installed(people, tmp_path):
    site = tmp_path / "site"
    outcome = run("--genuine", people, "--out", site, "--pairs", 64, "--rate", 10, "--jobs", 1)
    assert outcome.returncode == REFUSED, outcome.stdout + outcome.stderr
    assert outcome.stderr.strip().splitlines()[-1].startswith("tidewaiter: refused: ")
    assert outcome.stdout == ""
    assert sorted(path.name for path in site.iterdir()) == ["rejected"]
    card = json.loads((site / "rejected" / "card.json").read_text(encoding="utf-8"))
    assert card["made"]["base_sha256"] == shipped_network().sha256
    assert card["figures"][0]["gain"]["value"] < 0


@pytest.fixture
def few(tmp_path) -> Path:
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(79):
        (folder / f"{number}.jpg").write_bytes(b"")
    return folder


def test_too_few_sources_are_refused_at_once(few, untrained_site, tmp_path):
    outcome = run(
        "--genuine", few, "--out", tmp_path / "site", "--settings",
        settings(untrained_site, tmp_path),
    )  # fmt: skip
    assert outcome.returncode == 2
    assert "79 independent sources of genuine faces; 80 needed" in outcome.stderr
    assert not (tmp_path / "site").exists()


def test_the_folder_of_pictures_is_not_written_to(few, untrained_site, tmp_path):
    outcome = run("--genuine", few, "--out", few, "--settings", settings(untrained_site, tmp_path))
    assert outcome.returncode == 2
    assert sorted(p.name for p in few.iterdir()) == sorted(f"{n}.jpg" for n in range(79))


def test_without_the_extra_the_command_that_installs_it_is_named(few, tmp_path):
    program = (
        "import sys; from importlib import util; found = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'torch' else found(name, *rest)\n"
        "from tidewaiter.cli import main\n"
        f"sys.argv = ['tidewaiter', 'fit', 'face', '--genuine', {str(few)!r}, "
        f"'--out', {str(tmp_path / 'site')!r}]\n"
        "main()\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 3
    assert "pip install 'tidewaiter[training]'" in outcome.stderr


@pytest.mark.shared
@pytest.mark.slow
def test_a_gate_is_fitted_and_named_in_a_protocol(people, untrained_site, tmp_path):
    site = tmp_path / "gate"
    arguments = ["--genuine", people, "--out", site, "--pairs", 32, "--leave-out", "recapture"]
    arguments += ["--settings", settings(untrained_site, tmp_path)]
    outcome = run(*arguments, what="gate")
    said = outcome.stdout + outcome.stderr
    assert outcome.returncode in (0, REFUSED), said
    into = site if outcome.returncode == 0 else site / "rejected"
    card = json.loads((into / "card.json").read_text(encoding="utf-8"))
    assert card["decision"] in said
    assert card["made"]["left_out"] == ["recapture"]
    assert {row["family"] for row in card["passing"]} >= {"recapture", "swap"}
    assert [row["family"] for row in card["passing"] if row["is_held_out"]] == ["recapture"]
    assert gate_network(into).sha256 == card["network"]["sha256"]
    assert (into / "card.md").read_text(encoding="utf-8").startswith("# A network for a gate")


def test_a_family_that_is_none_is_refused_before_anything_is_done(tmp_path):
    (tmp_path / "faces").mkdir()
    out = tmp_path / "gate"
    arguments = ["--genuine", tmp_path / "faces", "--out", out, "--leave-out", "masks"]
    outcome = run(*arguments, what="gate")
    assert outcome.returncode == 2
    assert "'masks' was given to --leave-out; some of morph" in outcome.stderr
