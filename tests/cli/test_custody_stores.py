"""The commands on PostgreSQL and object storage, by configuration alone."""

from __future__ import annotations

import json

import pytest

from tests.cli.custody_kit import FOUNDERS, ORIGIN, Place, run

pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `s3`")

from tests.storage.strict_s3 import ACCESS_KEY, SECRET_KEY, strict_s3

CONFIGURATION = """
origin = "{origin}"
[log]
store = "postgres"
address = "{address}"
schema_name = "by_command"
[media]
store = "s3"
bucket = "media"
endpoint = "{endpoint}"
prefix = "custody/"
"""


@pytest.mark.xdist_group("postgres")
def test_a_site_in_postgres_and_object_storage(tmp_path, postgres_server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    place = Place(tmp_path)
    with strict_s3("media") as state:
        place.site.mkdir()
        text = CONFIGURATION.format(
            origin=ORIGIN, address=postgres_server.address, endpoint=state.endpoint
        )
        (place.site / "custody.toml").write_text(text)
        made = place.found()
        assert made.code == 0, made.text
        scan = tmp_path / "scan.txt"
        scan.write_bytes(b"a scan")
        taken = place.do("ingest", scan)
        assert taken.code == 0, taken.text
        place.carry("vigilance", "court")
        proof = tmp_path / "scan.tlog-proof"
        assert place.do("prove", scan, "--out", proof).code == 0
        assert run("verify", proof, scan, "--policy", place.policy).code == 0
        assert place.do("audit").code == 0
        blob = next(key for key in state.keys("media"))
        state.overwrite("media", blob, b"something else")
        answer = place.do("audit", "--json")
        assert answer.code == 4
        assert json.loads(answer.text)["discrepancies"][0]["name"] == "media-edited"


def test_a_founded_site_is_never_founded_again(tmp_path):
    place = Place(tmp_path)
    words = ["--origin", ORIGIN, *[f"--founder={one}" for one in FOUNDERS]]
    first = place.do("init", *words)
    assert first.code == 0
    assert "no witness" in first.text
    again = place.do("init", *words)
    assert again.code == 7
    assert "never made anew" in again.text


@pytest.mark.parametrize(
    ("founders", "said"),
    [
        (("a:vigilance", "b:legal"), "2 founders"),
        (("a:log", "b:storage", "c:legal"), "of whom 1 may approve"),
        (("a:log", "b:legal", "c:legal"), "two of them of different roles"),
        (("a:log", "a:legal", "c:vigilance"), "one name"),
    ],
)
def test_founders_who_could_not_decide_anything_are_refused(tmp_path, founders, said):
    answer = Place(tmp_path).do("init", "--origin", ORIGIN, *[f"--founder={f}" for f in founders])
    assert answer.code == 7
    assert said in answer.text
    assert not (tmp_path / "site").exists()
