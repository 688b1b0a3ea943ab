"""A site's secret for its cameras is made once, kept to its owner, and never guessed."""

from __future__ import annotations

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.storage.site_key import SITE_KEY_FILE, make_site_key, read_site_key

SECRET = bytes(range(32))


def test_a_secret_is_kept_for_its_owner_and_never_overwritten(tmp_path):
    folder = tmp_path / "keys"
    assert read_site_key(folder) is None
    make_site_key(folder, SECRET)
    assert read_site_key(folder) == SECRET
    assert (folder / SITE_KEY_FILE).stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigurationError, match="never overwritten"):
        make_site_key(folder, bytes(32))
    assert read_site_key(folder) == SECRET


@pytest.mark.parametrize("text", [b"", b"00" * 31, b"\xff", b"no digits"])
def test_what_is_no_secret_is_told(tmp_path, text):
    (tmp_path / SITE_KEY_FILE).write_bytes(text)
    (tmp_path / SITE_KEY_FILE).chmod(0o600)
    with pytest.raises(ConfigurationError, match="restore it from its backup"):
        read_site_key(tmp_path)
    (tmp_path / SITE_KEY_FILE).unlink()
    (tmp_path / SITE_KEY_FILE).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_site_key(tmp_path)


def test_a_secret_that_others_may_read_is_refused(tmp_path):
    make_site_key(tmp_path, SECRET)
    (tmp_path / SITE_KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_site_key(tmp_path)
