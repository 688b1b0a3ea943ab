"""Fixtures for every test."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def ordinary_scheduling():
    """Fails a test that leaves its worker at real-time priority: all that follow would starve."""
    yield
    if hasattr(os, "sched_getscheduler"):
        policy = os.sched_getscheduler(0)
        assert policy in (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE), policy


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real media with known truth; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the media of ../shared/data are not present on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def untrained_site(tmp_path_factory) -> Path:
    """A folder as `tidewaiter fit face` writes it, around a network that learned nothing."""
    torch = pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")
    from tidewaiter.training.export import write_onnx
    from tidewaiter.training.network import FaceNetwork

    folder = tmp_path_factory.mktemp("untrained-site")
    torch.manual_seed(1)
    write_onnx(FaceNetwork().eval(), folder / "face_manipulation.onnx")
    digest = hashlib.sha256((folder / "face_manipulation.onnx").read_bytes()).hexdigest()
    card = {"network": {"file": "face_manipulation.onnx", "sha256": digest}}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server of our own; skips where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; see the extra `postgres`")
    from tests.storage.private_postgres import found_binaries, private_postgres

    if found_binaries() is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def rados_server():
    """Ceph's S3 gateway above a cluster of our own; skips where Ceph is not installed."""
    pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `s3`")
    from tests.storage.private_rados import private_rados, rados_is_installed

    if not rados_is_installed():
        pytest.skip("Ceph is not installed; on Debian: apt-get install radosgw ceph-mon ceph-osd")
    with private_rados() as server:
        yield server
