"""The verifier as one file: current, alone, and of the same opinion as the package."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.custody.bundle_kit import bundle_of, camera_world, plain, proof_of
from tests.custody.signers import POLICY
from tidewaiter.custody.stand_alone import join_modules, modules_needed
from tidewaiter.storage.custody_bundle import (
    files_of_bundle,
    hand_in,
    read_bundle,
    run_verifier,
)
from tidewaiter.storage.custody_verifier import VERIFIER_NAME, stand_alone_verifier
from tidewaiter.storage.plain_file import opened_plain

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "verifier" / VERIFIER_NAME
ALONE = (
    "import runpy, sys\n"
    "sys.modules['tidewaiter'] = None\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    world = camera_world()
    made = bundle_of(world)
    for part in made.proofs:
        target = folder / "bundle" / "proofs" / part.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(part.body)
    (folder / "bundle" / "openings.json").write_bytes(made.openings[0].body)
    (folder / "bundle" / "media").mkdir()
    (folder / "bundle" / "media" / "2.mp4").write_bytes(plain("bwc-1", 2))
    (folder / "policy").write_bytes(POLICY)
    (folder / "changed.mp4").write_bytes(plain("bwc-1", 2) + b".")
    (folder / "holiday.jpg").write_bytes(b"\xff\xd8\xff")
    salts = {"media": world.openings[1].salt}
    (folder / "receipt.tlog-proof").write_bytes(proof_of(world.leaves, 5, salts=salts))
    return folder


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(COMMITTED), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_committed_verifier_is_the_one_that_the_modules_make():
    assert COMMITTED.read_text(encoding="utf-8") == stand_alone_verifier(), (
        "run: python recipes/stand_alone_verifier.py"
    )


def test_it_runs_without_the_package_and_proves_a_bundle(bundle):
    outcome = alone(bundle, "bundle", "--policy", "policy")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("PROVEN")
    assert "2.mp4 is, byte for byte, the recording bwc-1/2" in outcome.stdout


def test_the_four_ends_are_the_same_alone_and_within_the_package(bundle, capsys, monkeypatch):
    monkeypatch.chdir(bundle)
    for expected, arguments in (
        (0, ["receipt.tlog-proof", "bundle/media/2.mp4", "--policy", "policy", "--json"]),
        (4, ["receipt.tlog-proof", "changed.mp4", "--policy", "policy"]),
        (3, ["bundle/proofs/000000000005.tlog-proof", "bundle/media/2.mp4", "--policy", "policy"]),
        (2, ["holiday.jpg", "--policy", "policy"]),
    ):
        assert run_verifier(arguments) == expected
        told = capsys.readouterr().out
        outcome = alone(bundle, *arguments)
        assert (outcome.returncode, outcome.stdout) == (expected, told)


def test_the_verdict_as_json(bundle, capsys):
    receipt, policy = str(bundle / "receipt.tlog-proof"), str(bundle / "policy")
    film = str(bundle / "changed.mp4")
    assert run_verifier([receipt, film, "--policy", policy, "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert (told["conclusion"], told["exit_code"]) == ("contradicted", 4)
    assert told["contradictions"][0]["name"] == "media-edited"


def test_a_file_that_is_not_there_is_named(bundle, capsys):
    assert run_verifier([str(bundle / "none"), "--policy", str(bundle / "policy")]) == 2
    assert "none: No such file" in capsys.readouterr().err


def test_what_never_ends_or_answers_is_not_read(bundle, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    policy = bundle / "policy"
    for words in ((bundle, pipe, "--policy", policy), (bundle, "--policy", pipe)):
        assert run_verifier([str(one) for one in words]) == 2
        assert f"{pipe}: no plain file" in capsys.readouterr().err


def test_an_older_python_is_named_before_anything_else(bundle):
    older = "import sys\nsys.version_info, sys.version = (3, 10, 12), '3.10.12 (main)'\n"
    command = [sys.executable, "-I", "-c", older + ALONE, str(COMMITTED), "bundle"]
    outcome = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    assert outcome.returncode == 3
    assert outcome.stderr == "Python 3.11 or later is needed; this is 3.10.12\n"
    ast.parse(COMMITTED.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_a_terminal_that_knows_fewer_letters_is_no_failure(bundle, monkeypatch):
    film = bundle / "\u0915\u0948\u092e\u0930\u093e.mp4"
    film.write_bytes(plain("bwc-1", 2))
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    receipt, policy = str(bundle / "receipt.tlog-proof"), str(bundle / "policy")
    assert run_verifier([receipt, str(film), "--policy", policy, "--lang", "fr"]) == 0
    screen.flush()
    told = screen.buffer.getvalue()
    assert told.startswith(b"PROUV\\xc9 : ")
    assert b"\\u0915\\u0948\\u092e\\u0930\\u093e.mp4 est, octet pour octet" in told


def test_a_policy_out_of_the_bundle_is_told(bundle, capsys, monkeypatch):
    """Whoever forges a bundle would put their own witnesses into it."""
    monkeypatch.chdir(bundle)
    told = "that these are the right witnesses: the policy was taken from the bundle itself"
    shutil.copytree("bundle", "with-policy")
    shutil.copy("policy", "with-policy/policy")
    for policy, language, expected in (
        ("with-policy/policy", "en", told),
        ("with-policy/policy", "fr", "que ce soient les bons témoins : la politique a été prise"),
    ):
        assert run_verifier(["with-policy", "--policy", policy, "--lang", language]) == 0
        assert expected in capsys.readouterr().out
    assert run_verifier(["with-policy", "--policy", "policy"]) == 0
    assert told not in capsys.readouterr().out


def test_output_that_is_no_terminal_is_written_as_it_is(bundle, monkeypatch):
    page = io.StringIO()
    monkeypatch.setattr(sys, "stdout", page)
    assert run_verifier([str(bundle / "holiday.jpg"), "--policy", str(bundle / "policy")]) == 2
    assert page.getvalue().startswith("NOT A BUNDLE")


def test_the_verdict_in_french_is_the_same_alone_and_within_the_package(
    bundle, capsys, monkeypatch
):
    monkeypatch.chdir(bundle)
    arguments = ["receipt.tlog-proof", "changed.mp4", "--policy", "policy", "--lang", "fr"]
    assert run_verifier(arguments) == 4
    told = capsys.readouterr().out
    assert told.startswith("CONTREDIT : quelque chose ici n'est pas ce qui a été consigné.\n")
    outcome = alone(bundle, *arguments)
    assert (outcome.returncode, outcome.stdout) == (4, told)


def test_a_missing_library_is_named(bundle, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    arguments = [str(bundle / "receipt.tlog-proof"), "--policy", str(bundle / "policy")]
    assert run_verifier(arguments) == 3
    assert "pip install cryptography" in capsys.readouterr().err


def test_a_policy_must_be_given_from_outside(bundle):
    with pytest.raises(SystemExit):
        run_verifier([str(bundle / "bundle")])


def test_a_bundle_is_read_in_the_order_of_its_names(bundle):
    found = read_bundle(bundle / "bundle")
    assert [part.name for part in found.proofs] == [
        f"proofs/{index:012d}.tlog-proof" for index in range(8)
    ]
    assert [part.name for part in found.openings] == ["openings.json"]
    assert hand_in(bundle / "changed.mp4").byte_length == len(plain("bwc-1", 2)) + 1


def test_a_part_is_read_to_just_above_its_limit(tmp_path):
    (tmp_path / "large.tlog-proof").write_bytes(bytes(2**20 + 9))
    (tmp_path / "openings-2.json").write_bytes(bytes(2**20))
    found = read_bundle(tmp_path)
    assert [len(part.body) for part in (*found.proofs, *found.openings)] == [2**20 + 1, 2**20]
    alone_read = read_bundle(tmp_path / "large.tlog-proof").proofs
    assert [(part.name, len(part.body)) for part in alone_read] == [("large.tlog-proof", 2**20 + 1)]


def test_folders_are_searched_and_are_no_files_themselves(tmp_path):
    for folder in ("a.tlog-proof", "openings.json", "media/case 1", "manifests", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("media/case 1/b.mp4", "media/a.mp4", "manifests/m", "elsewhere/x", "y.mp4"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a.tlog-proof" / "one.tlog-proof").write_bytes(b"1")
    (tmp_path / "openings.json" / "openings.json").write_bytes(b"2")
    found = read_bundle(tmp_path)
    assert [part.name for part in found.proofs] == ["a.tlog-proof/one.tlog-proof"]
    assert [part.name for part in found.openings] == ["openings.json/openings.json"]
    handed_in = [one.relative_to(tmp_path).as_posix() for one in files_of_bundle(tmp_path)]
    assert handed_in == ["manifests/m", "media/a.mp4", "media/case 1/b.mp4"]


def test_a_file_larger_than_what_is_read_at_once_is_hashed_whole(tmp_path):
    body = bytes(2**20) + b"end"
    (tmp_path / "long.mp4").write_bytes(body)
    found = hand_in(tmp_path / "long.mp4")
    assert (found.sha256, found.byte_length) == (hashlib.sha256(body).hexdigest(), len(body))


def test_the_verdict_as_json_is_written_for_people_too(bundle, capsys):
    film = bundle / "caméra.mp4"
    film.write_bytes(plain("bwc-1", 2))
    receipt, policy = str(bundle / "receipt.tlog-proof"), str(bundle / "policy")
    assert run_verifier([receipt, str(film), "--policy", policy, "--json"]) == 0
    told = capsys.readouterr().out
    assert told.startswith('{\n "conclusion": "proven",\n')
    assert "caméra.mp4 is, byte for byte, the recording bwc-1/2" in told


def test_what_is_no_plain_file_is_closed_again(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    with opened_plain(tmp_path / "file") as stream:
        free = stream.fileno()
    for _ in range(3):
        with pytest.raises(OSError, match="no plain file"):
            opened_plain(tmp_path / "pipe")
    with opened_plain(tmp_path / "file") as stream:
        assert stream.fileno() == free, "the lowest number that is free, as POSIX has it"


def test_a_module_is_joined_after_those_it_imports():
    sources = {
        "tidewaiter.a": "from tidewaiter.b import x\n\ny = x\n",
        "tidewaiter.b": '"""B."""\n\nimport os\n\nx = os.sep\n',
    }
    assert modules_needed(sources, "tidewaiter.a") == ["tidewaiter.b", "tidewaiter.a"]
    text = join_modules(sources, "tidewaiter.a")
    assert text.index("x = os.sep") < text.index("y = x")
    assert text.count("import os") == 1
    assert "from tidewaiter" not in text


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import numpy\n", "numpy"),
        ("def f():\n    import requests\n", "requests"),
        ("def f():\n    from tidewaiter.b import x\n", "late or under another name"),
        ("from tidewaiter.b import x as z\n", "late or under another name"),
        ("from tidewaiter.b import x\n\nx = 1\n", "both define x"),
        ("from tidewaiter.b import x\n\n\nclass x:\n    pass\n", "both define x"),
    ],
)
def test_what_would_not_stand_alone_is_refused(source, named):
    sources = {"tidewaiter.a": source, "tidewaiter.b": "x: int = 1\n"}
    with pytest.raises(ValueError, match=named):
        join_modules(sources, "tidewaiter.a")
