"""Files of an audit that are no text, not there or damaged: one sentence each, no traceback."""

from __future__ import annotations

import pytest

from tidewaiter import wiring_audit
from tidewaiter.errors import ConfigurationError, InputError
from tidewaiter.settings import Settings
from tidewaiter.testing.samples import spliced_picture

PROTOCOL = """
audit = "files"
[target]
adapter = "dlib"
[[attacks]]
species = "swap-feather"
"""


def opened(folder):
    return wiring_audit.open_audit(folder / "p.toml", folder / "p", Settings())


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'audit = "\xff"', "not UTF-8 text \\(byte 10\\); save it as UTF-8"), (None, "No such file")],
)
def test_a_protocol_that_cannot_be_read_is_told_so(tmp_path, content, said):
    if content is not None:
        (tmp_path / "p.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=said) as raised:
        opened(tmp_path)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,file,role,consent\n\xe9,a.jpg,probe,signed\n".encode("latin-1"), "save it as UTF-8"),
        ("id,file,role,consent\n".encode("utf-16"), "save it as UTF-8"),
        (None, "`people` in the protocol names it"),
    ],
)
def test_a_list_of_people_that_cannot_be_read_is_told_so(tmp_path, content, said):
    (tmp_path / "p.toml").write_text(PROTOCOL, encoding="utf-8")
    if content is not None:
        (tmp_path / "identities.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        opened(tmp_path)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("damaged", [b"", b"\x89PNG\r\n\x1a\n", b"no picture"])
def test_a_damaged_forgery_is_left_out_of_the_report(damaged):
    assert wiring_audit._thumbnail(damaged) is None
    assert wiring_audit._thumbnail(spliced_picture()) is not None
