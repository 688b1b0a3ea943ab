"""Keys come from where the protocol says, and nothing that is said shows one."""

import pickle
import traceback

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.service import Request, Secret
from tidewaiter.outlets.credentials import needed_secret, secret

KEY = "hunter2hunter2"


def test_a_key_is_read_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert secret({"K": KEY}, key_env="K", folder=tmp_path).reveal() == KEY
    assert secret({}, key_file="key", folder=tmp_path).reveal() == KEY
    assert secret({}, folder=tmp_path) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty or not set"),
        (f"{KEY}\n{KEY}".encode(), "does not hold a key"),
        (KEY.encode() * 400, "does not hold a key"),
        (f"{KEY}é".encode(), "not plain text"),
    ],
)
def test_a_file_that_holds_no_key_is_refused_without_being_quoted(tmp_path, content, problem):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        secret({}, key_file="key", folder=tmp_path)
    assert KEY not in "".join(traceback.format_exception(refused.value))
    assert str(tmp_path) not in str(refused.value)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="variable GATE_KEY is empty or not set"):
        secret({}, key_env="GATE_KEY", folder=tmp_path)
    with pytest.raises(ConfigurationError, match="'absent' cannot be read"):
        secret({}, key_file="absent", folder=tmp_path)
    with pytest.raises(ConfigurationError, match="both given"):
        secret({}, key_env="K", key_file="key", folder=tmp_path)
    with pytest.raises(ConfigurationError, match="needs a key"):
        needed_secret(None, "azure")


def test_a_secret_shows_itself_nowhere():
    hidden = Secret(KEY)
    shown = [repr(hidden), str(hidden), f"{hidden}", repr([hidden]), repr(hidden.__class__)]
    shown.append(repr(Request("GET", f"https://a/?k={KEY}", {"k": KEY}, KEY.encode())))
    assert not any(KEY in text for text in shown)
    assert not hasattr(hidden, "__dict__")
    with pytest.raises(TypeError, match="not written to disk"):
        pickle.dumps(hidden)
