"""The installed command on real files, in a subprocess, as a user would run it."""

from __future__ import annotations

import io
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
from PIL import Image

from tidewaiter.casework.plan import plan_for
from tidewaiter.settings import Limits, Settings
from tidewaiter.testing.samples import clean_video, spliced_picture, untouched_picture
from tidewaiter.vocabulary import Report
from tidewaiter.wiring import QueueCrew

COMMAND = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]


def run(*arguments: str | Path, cwd: Path | None = None, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        check=False,
        capture_output=True,
        timeout=300,
        **options,
    )


@pytest.fixture(scope="session")
def exhibits(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exhibits")
    (folder / "untouched.jpg").write_bytes(untouched_picture())
    (folder / "renamed.txt").write_bytes(spliced_picture())
    clean_video(folder / "clip.mp4")
    return folder


@pytest.mark.slow
def test_a_folder_with_every_kind_of_trouble(exhibits, tmp_path):
    folder = tmp_path / "in"
    shutil.copytree(exhibits, folder)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(untouched_picture()[:200])
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 20)
    (folder / "line\nbreak\x1b[31m\u202e.jpg").write_bytes(untouched_picture())
    os.mkfifo(folder / "pipe.jpg")
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    out = tmp_path / "reports"
    done = run("examine", folder, folder / "missing.jpg", "--out", out, "--json", "--jobs", "2")
    assert done.returncode == 2, done.stderr.decode()
    assert b"Traceback" not in done.stderr + done.stdout
    objects = [json.loads(line) for line in done.stdout.decode().splitlines()]
    errors = {o["name"]: o["error"] for o in objects if "error" in o}
    assert set(errors) == {
        "empty.jpg",
        "cut.jpg",
        "noise.bin",
        "pipe.jpg",
        "gone.jpg",
        "missing.jpg",
    }
    assert errors["noise.bin"]["type"] == "UnsupportedMedia"
    assert errors["empty.jpg"]["type"] == "CorruptMedia"
    assert errors["missing.jpg"]["type"] == "UnknownExhibit"
    assert all(len(error["message"]) > 20 for error in errors.values())
    reports = [Report.model_validate(o) for o in objects if "error" not in o]
    kinds = sorted(report.exhibit.kind.value for report in reports)
    assert kinds == ["document", "picture", "picture", "picture", "video"]
    assert b"\x1b[31m" not in done.stderr
    pages = list(out.glob("*.html"))
    assert len(pages) == len(reports) + 1
    assert (out / "index.html").exists()


def test_standard_input_and_the_same_bytes_twice(exhibits, tmp_path):
    data = (exhibits / "untouched.jpg").read_bytes()
    first = run("examine", "-", "--json", input=data, cwd=tmp_path)
    second = run("examine", "-", "--json", input=data, cwd=tmp_path)
    assert first.returncode == 0, first.stderr.decode()
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["exhibit"]["byte_length"] == len(data)
    assert list(tmp_path.iterdir()) == []


def test_names_in_any_bytes_and_any_terminal(tmp_path):
    small = io.BytesIO()
    Image.new("RGB", (16, 16), (120, 3, 4)).save(small, "PNG")
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"caf\xe9.png", "декларация.png".encode(), b"-"):
        (folder / os.fsdecode(name)).write_bytes(small.getvalue())
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = run("examine", folder, "--json", "--out", tmp_path / "r", cwd=folder, env=latin)
    assert done.returncode == 0, done.stderr.decode("latin-1")
    names = [json.loads(line)["exhibit"]["name"] for line in done.stdout.decode().splitlines()]
    assert names == ["-", r"caf\udce9.png", "декларация.png"]
    lines = run("examine", "./-", folder, "--out", tmp_path / "r", cwd=folder, env=latin)
    assert lines.returncode == 0, lines.stderr.decode("latin-1")
    assert rb"\u0434" in lines.stdout


def test_a_report_that_was_lost_is_made_again(exhibits, tmp_path):
    arguments = ["examine", exhibits / "untouched.jpg", "--no-stability", "--out", tmp_path]
    assert run(*arguments).returncode == 0
    (lost,) = tmp_path.glob("*.json")
    before = lost.read_bytes()
    lost.unlink()
    again = run(*arguments, "--resume", "--json")
    assert again.returncode == 0, again.stderr.decode()
    assert lost.read_bytes() == before


def test_resuming_for_one_folder_leaves_the_open_work_on_another(exhibits, tmp_path):
    crew = QueueCrew(tmp_path, workers=1, limits=Limits())
    plan = plan_for(Settings())
    crew.start_over(plan.fingerprint())
    crew.take_on([("elsewhere", {"path": "/elsewhere.jpg", "name": "elsewhere.jpg"})])
    crew.close()
    done = run("examine", exhibits / "untouched.jpg", "--out", tmp_path, "--resume")
    assert done.returncode == 0, done.stdout.decode()
    assert b"elsewhere" not in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_output_is_one_sentence(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "schema", "report"], check=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 6
    assert done.stderr.startswith(b"tidewaiter: the output cannot be written")
    assert done.stderr.count(b"\n") == 1


def test_a_limit_is_named_in_the_refusal(exhibits, tmp_path):
    settings = tmp_path / "small.toml"
    settings.write_text("[limits]\nmax_pixels = 1000\n")
    done = run("examine", exhibits / "untouched.jpg", "--settings", settings, cwd=tmp_path)
    assert done.returncode == 2
    assert b"max_pixels" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["examine"], 2, b"PATHS"),
        (["examine", "x.jpg", "--only", "image.nothing"], 7, b"no detector"),
        (["examine", "x.jpg", "--resume"], 2, b"--out"),
        (["examine", "x.jpg", "--lang", "xx"], 7, b"xx"),
        (["examine", "x.jpg", "--settings", "none.toml"], 7, b"none.toml"),
        (["examine", "-", "-"], 2, b"once"),
        (["examine", ".", "--out", "."], 2, b"choose another --out"),
        (["examine", "."], 2, b"nothing to examine"),
        (["calibrate", "--genuine", ".", "--out", "."], 2, b"choose another --out"),
        (["conjure"], 2, b"conjure"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, code, words, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert b"Traceback" not in done.stderr


def test_french_lines_and_page(exhibits, tmp_path):
    done = run("examine", exhibits / "untouched.jpg", "--lang", "fr", "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr.decode()
    page = next((tmp_path / "r").glob("untouched*.html")).read_text(encoding="utf-8")
    assert '<html lang="fr"' in page


def test_fail_on_is_an_exit_code_of_its_own(exhibits, tmp_path):
    done = run(
        "examine",
        exhibits / "renamed.txt",
        "--out",
        tmp_path / "r",
        "--fail-on",
        "supports-manipulated",
    )
    assert done.returncode == 10, done.stdout.decode() + done.stderr.decode()


@pytest.mark.slow
def test_kill_of_the_whole_then_resume_examines_nothing_twice(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.jpg").write_bytes(untouched_picture(seed=number))
    arguments = ["examine", folder, "--out", out, "--no-stability", "--jobs", "2"]
    whole = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(list(out.glob("*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(whole.pid, signal.SIGKILL)
    whole.wait()
    written = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    database = sqlite3.connect(out / ".tidewaiter" / "queue.sqlite")
    done = database.execute("SELECT COUNT(*) FROM task WHERE state='done'").fetchone()[0]
    database.close()
    assert 1 <= done < 8
    again = run(*arguments, "--resume")
    assert again.returncode == 0, again.stderr.decode()
    assert f"{done} of 8".encode() in again.stdout
    rewritten = [p for p, t in written.items() if p.stat().st_mtime_ns != t]
    assert len(rewritten) <= len(written) - done
    assert len(list(out.glob("*.json"))) == 8


def test_two_runs_into_one_folder_are_kept_apart(exhibits, tmp_path):
    out = tmp_path / "out"
    (out / ".tidewaiter").mkdir(parents=True)
    import fcntl

    with (out / ".tidewaiter" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("examine", exhibits / "untouched.jpg", "--out", out)
    assert done.returncode == 6
    assert b"another run" in done.stderr


def test_the_schema_accepts_what_examine_prints(exhibits, tmp_path):
    schema = json.loads(run("schema", "report").stdout)
    assert schema["title"] == "Report"
    assert {"exhibit", "findings", "opinions", "stability", "versions"} <= schema[
        "properties"
    ].keys()


@pytest.mark.slow
def test_the_selftest_proves_this_installation(tmp_path):
    started = time.monotonic()
    done = run("selftest", cwd=tmp_path)
    assert done.returncode == 0, done.stdout.decode()
    assert time.monotonic() > started
    assert done.stdout.decode().count("✓") == 8


def test_the_three_lines_of_the_python_api(exhibits):
    import tidewaiter

    report = tidewaiter.examine(exhibits / "untouched.jpg")
    assert report.exhibit.name == "untouched.jpg"
    assert {entry.id for entry in tidewaiter.list_detectors()} >= {"image.jpeg_grid"}
