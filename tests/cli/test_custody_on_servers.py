"""The custody commands on a site whose log is in PostgreSQL and whose media are in a bucket."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.cli.custody_kit import ORIGIN, founded, run
from tests.storage.cut_cable import Cable
from tests.storage.strict_s3 import ACCESS_KEY, SECRET_KEY, strict_s3

pytestmark = pytest.mark.xdist_group("postgres")
SCHEMA = "custody_by_commands"


class StrictObjects:
    """Our own store in memory, and root's hands on its host."""

    name = "media"

    def __init__(self, state):
        self.state, self.endpoint = state, state.endpoint

    def all_are_locked(self) -> bool:
        kept = [one for versions in self.state.buckets["media"].values() for one in versions]
        return bool(kept) and all(one.mode == "COMPLIANCE" and one.is_locked for one in kept)

    def overwrite_one(self) -> None:
        self.state.overwrite("media", self.state.keys("media")[0], b"another medium")


class RadosObjects:
    """Ceph's gateway, and root's hands on the storage below it."""

    def __init__(self, bucket):
        self.bucket, self.name, self.endpoint = bucket, bucket.name, bucket.server.endpoint

    def all_are_locked(self) -> bool:
        heads = [self.bucket.client.head_object(Bucket=self.name, Key=key) for key in self.keys()]
        return bool(heads) and all(one.get("ObjectLockMode") == "COMPLIANCE" for one in heads)

    def overwrite_one(self) -> None:
        key = self.keys()[0]
        size = self.bucket.client.head_object(Bucket=self.name, Key=key)["ContentLength"]
        self.bucket.overwrite(key, b"another medium".ljust(size))

    def keys(self):
        return self.bucket.keys()


@pytest.fixture(params=["strict", "rados"])
def objects(request):
    pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `s3`")
    with contextlib.ExitStack() as stack:
        if request.param == "strict":
            yield StrictObjects(stack.enter_context(strict_s3("media")))
        else:
            yield RadosObjects(request.getfixturevalue("rados_server").bucket(is_locking=True))


@pytest.fixture
def place(tmp_path, postgres_server, objects, monkeypatch):
    """A site and two recordings; the tables are the owner's, the site writes as a role."""
    postgres_server.execute(
        f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE",
        "DROP ROLE IF EXISTS site_writer",
        "CREATE ROLE site_writer LOGIN",
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    (tmp_path / "site").mkdir()
    settings = tmp_path / "site" / "custody.toml"
    settings.write_text(configuration(postgres_server.address, objects))
    place = founded(tmp_path)
    settings.write_text(settings.read_text().replace("user=postgres", "user=site_writer"))
    place.objects, place.server = objects, postgres_server
    (place.card / "MOV_0001.txt").write_bytes(b"first recording " * 999)
    (place.card / "MOV_0002.txt").write_bytes(b"second recording " * 999)
    return place


@pytest.fixture
def shift(place):
    """The recordings docked and confirmed."""
    with place.served("court"):
        docked = place.do("dock", "--device", "bwc-0017", place.card)
        assert docked.code == 0, docked.text
        place.carry("vigilance")
        yield place


def configuration(address: str, objects) -> str:
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
            f'bucket = "{objects.name}"',
            f'endpoint = "{objects.endpoint}"',
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
    assert shift.objects.all_are_locked()

    shift.objects.overwrite_one()
    shift.server.execute(
        f"UPDATE {SCHEMA}.leaf SET body = convert_to('x', 'UTF8') WHERE i = "
        f"(SELECT max(i) FROM {SCHEMA}.leaf)"
    )
    answer = shift.do("audit", "--json")
    assert answer.code == 4
    names = {one["name"] for one in json.loads(answer.text)["discrepancies"]}
    assert {"media-edited", "record-edited"} <= names


@pytest.mark.parametrize("objects", ["strict"], indirect=True)
@pytest.mark.parametrize("arrives", [True, False])
def test_a_line_cut_at_the_commit_loses_and_doubles_nothing(place, arrives):
    """What the dock numbered and signed before the line was cut is handed in as it was."""
    folder = place.server.folder
    with Cable(folder, arrives=arrives) as cable:
        settings = place.site / "custody.toml"
        settings.write_text(
            settings.read_text().replace(f"host={folder} ", f"host={cable.folder} ")
        )
        cable.cuts_at = b"COMMIT"
        first = place.do("dock", "--device", "bwc-0017", place.card)
        assert cable.cuts_at == b""
        assert first.code == (0 if arrives else 6), first.text
        if not arrives:
            assert "none of this batch was stored or acknowledged" in first.text
        again = place.do("dock", "--device", "bwc-0017", place.card)
        assert again.code == 0, again.text
        place.carry("vigilance", "court")
        audited = place.do("audit", "--json")
    assert audited.code == 0, audited.text
    assert json.loads(audited.text)["discrepancies"] == []
    assert len(list((place.site / "receipts").glob("bwc-0017_*.tlog-proof"))) == 2
