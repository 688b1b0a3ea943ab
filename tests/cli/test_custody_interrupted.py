"""Commands that stop half-way: doing them again finishes them, and nothing is made up meanwhile."""

from __future__ import annotations

import pytest

from tests.cli.custody_kit import founded, run
from tidewaiter.errors import StorageError
from tidewaiter.wiring_custody_site import SitePlace


@pytest.fixture
def place(tmp_path):
    return founded(tmp_path)


def test_a_class_whose_key_could_not_be_kept_is_defined_the_next_time(place, monkeypatch):
    def full(_place, _retention):
        raise StorageError("disk is full")

    asked = place.do("retain", "brief", "--days", "1", "--basis", "law")
    assert asked.code == 3
    (request,) = (place.site / "requests").iterdir()
    for name in ("amara", "bilal"):
        assert run("approve", request, "--yes", "--key", place.key(name)).code == 0
    with monkeypatch.context() as broken:
        broken.setattr(SitePlace, "make_class_key", full)
        assert place.do("carry-out", request).code == StorageError.exit_code
    assert place.do("carry-out", request).code == 0
    assert len(SitePlace(place.site).class_key("brief")) == 32


def test_secrets_that_are_gone_are_not_begun_anew(place):
    """A disk that is not mounted would else get keys that nobody finds again."""
    (place.site / "secrets.sqlite").unlink()
    (place.card / "MOV_0001.txt").write_bytes(b"recording")
    answer = place.do("dock", "--device", "bwc-0017", place.card)
    assert answer.code == 7
    assert "secrets.sqlite" in answer.text
    assert not (place.site / "secrets.sqlite").exists()
