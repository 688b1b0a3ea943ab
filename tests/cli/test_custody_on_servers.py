"""The custody commands on a site whose log is in PostgreSQL and whose media are in a bucket."""

from __future__ import annotations

import json

import pytest

from tests.cli.custody_kit import ORIGIN, founded, run
from tests.storage.strict_s3 import ACCESS_KEY, SECRET_KEY, strict_s3

pytestmark = pytest.mark.xdist_group("postgres")
SCHEMA = "custody_by_commands"


@pytest.fixture
def shift(tmp_path, postgres_server, monkeypatch):
    """Two recordings docked and confirmed; the tables are the owner's, the site writes as a role."""
    pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `s3`")
    postgres_server.execute(
        f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE",
        "DROP ROLE IF EXISTS site_writer",
        "CREATE ROLE site_writer LOGIN",
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with strict_s3("media") as objects:
        (tmp_path / "site").mkdir()
        settings = tmp_path / "site" / "custody.toml"
        settings.write_text(configuration(postgres_server.address, objects.endpoint))
        place = founded(tmp_path)
        settings.write_text(settings.read_text().replace("user=postgres", "user=site_writer"))
        place.objects, place.server = objects, postgres_server
        (place.card / "MOV_0001.txt").write_bytes(b"first recording " * 999)
        (place.card / "MOV_0002.txt").write_bytes(b"second recording " * 999)
        with place.served("court"):
            docked = place.do("dock", "--device", "bwc-0017", place.card)
            assert docked.code == 0, docked.text
            place.carry("vigilance")
            yield place


def configuration(address: str, endpoint: str) -> str:
    return "\n".join(
        [
            f'origin = "{ORIGIN}"',
            "[log]",
            'store = "postgres"',
            f'address = "{address}"',
            f'schema_name = "{SCHEMA}"',
            'role = "site_writer"',
            "[media]",
            'store = "s3"',
            'bucket = "media"',
            f'endpoint = "{endpoint}"',
            "lock_days = 90",
            "",
        ]
    )


def test_a_shift_on_servers_is_proven_audited_and_an_insider_named(shift):
    receipt = shift.site / "receipts" / "bwc-0017_0.tlog-proof"
    proven = run("verify", receipt, shift.card / "MOV_0001.txt", "--policy", shift.policy)
    assert proven.code == 0, proven.text
    honest = shift.do("audit")
    assert honest.code == 0, honest.text
    versions = [one for kept in shift.objects.buckets["media"].values() for one in kept]
    assert versions
    assert all(one.mode == "COMPLIANCE" and one.is_locked for one in versions)

    key = max(shift.objects.keys("media"), key=lambda one: len(shift.objects.content("media", one)))
    shift.objects.overwrite("media", key, b"another medium")
    shift.server.execute(
        f"UPDATE {SCHEMA}.leaf SET body = convert_to('x', 'UTF8') WHERE i = "
        f"(SELECT max(i) FROM {SCHEMA}.leaf)"
    )
    answer = shift.do("audit", "--json")
    assert answer.code == 4
    names = {one["name"] for one in json.loads(answer.text)["discrepancies"]}
    assert {"media-edited", "record-edited"} <= names
