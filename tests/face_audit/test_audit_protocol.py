"""A protocol says only what is known, and names no secret."""

from __future__ import annotations

import pytest

from tests.face_audit.making import PROTOCOL, protocol
from tidewaiter.errors import ConfigurationError


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('audit = "test"', 'audit = "test"\ncolour = "red"', "colour"),
        ("swap-feather", "swap-nothing", "no attack species 'swap-nothing'"),
        ("swap-feather", "retouch-slim", "no attack species 'retouch-slim'"),
        ("swap-feather", "morph-complete", "listed twice"),
        ("fmr = [0.1]", "fmr = [0.0]", "greater than 0"),
        ("fmr = [0.1]", "fmr = [0.1], given = nan", "finite"),
        ("[[attacks]]", "options = { api_key = 'x' }\n[[attacks]]", "secret"),
        ("retries = 3", "retries = 3\nmax_cost = '8 euro'", "max_cost"),
        ("price_per_call = 0.01", "\n[gate]\ndetector = 'a'\nopinion = 'b'", "exactly one"),
        ("price_per_call = 0.01", "\n[split]\nhold_out_species = ['reenact']", "not among"),
        ('"swap-feather"', '"swap-feather"\nalpha = [0.5]', "mixes no faces"),
        ('"morph-complete"', '"morph-complete"\nalpha = [0.5, 0.5]', "stands there twice"),
        ("[[attacks]]", "[[also]]\nadapter = 'dlib'\n[[attacks]]", "the same adapter"),
        ("[[attacks]]", "[[also]]\nadapter = 'a'\nmode = 'identify'\n[[attacks]]", "only verify"),
        ("[[attacks]]", "[capture]\njpeg = 101\n[[attacks]]", "capture.jpeg"),
        ("fmr = [0.1]", "fmr = [0.1, 0.1]", "stands there twice"),
        ("audit =", "audit", "not TOML"),
        ("audit =", f"colour = {'[' * 3000}\naudit =", "too deep"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(old, new, said):
    with pytest.raises(ConfigurationError, match=said):
        protocol(base=PROTOCOL.replace(old, new, 1))


def test_a_refusal_says_what_was_found_unless_it_may_be_a_key():
    def said(old, new):
        with pytest.raises(ConfigurationError) as refused:
            protocol(base=PROTOCOL.replace(old, new, 1))
        return str(refused.value)

    assert "'target.threshold.fmr.0' 2.0: it should be less than 1" in said("[0.1]", "[2.0]")
    unknown = said("[[attacks]]", "password = 'k3y'\n[[attacks]]")
    assert "there is no key 'target.password'" in unknown
    assert "k3y" not in unknown
    assert "'audit' is missing" in said('audit = "test"', "")
    assert "'limits.max_cost' is not in the form" in said("retries = 3", "max_cost = '8 euro'")
    assert "'attacks.0.seeds' is empty" in said('"swap-feather"', '"swap-feather"\nseeds = []')


def test_an_environment_variable_may_be_named_for_a_key():
    text = PROTOCOL.replace("[[attacks]]", "options = { key_env = 'KEY' }\n[[attacks]]", 1)
    assert protocol(base=text).target.options == {"key_env": "KEY"}


def test_the_digest_follows_what_decides_trials_and_not_the_limits():
    first = protocol()
    raised = protocol(base=PROTOCOL.replace("retries = 3", "retries = 9"))
    other = protocol(base=PROTOCOL.replace("swap-feather", "swap-poisson"))
    assert first.digest(b"people") == raised.digest(b"people")
    assert first.digest(b"people") != other.digest(b"people")
    assert first.digest(b"people") != first.digest(b"others")


@pytest.mark.parametrize(
    "options",
    [
        "compare = { headers = { Authorization = 'Bearer sk-1' } }",
        "compare = { headers = { 'X-Api-Key' = 'sk-1' } }",
        "compare = { headers = { 'Ocp-Apim-Subscription-Key' = 'sk-1' } }",
        "compare = { url = 'https://gate.example/v1?access_token=sk-1' }",
        """compare = { body = '{"client_secret": "sk-1", "live": "{probe}"}' }""",
        "compare = { form = { password = 'sk-1' } }",
        "command = ['./compare', '--api-key=sk-1']",
        "command = ['./compare', '--token', 'sk-1']",
    ],
)
def test_a_secret_is_refused_wherever_it_stands_and_not_repeated(options):
    with pytest.raises(ConfigurationError, match="secret into the protocol") as refused:
        protocol(base=PROTOCOL.replace("[[attacks]]", f"options = {{ {options} }}\n[[attacks]]", 1))
    assert "sk-1" not in str(refused.value)


def test_a_gate_that_is_given_a_secret_is_refused():
    with pytest.raises(ConfigurationError, match="secret into the protocol"):
        protocol("[gate]\nprogram = ['./gate', '--password', 'sk-1']")


def test_what_names_a_secret_or_leaves_its_place_open_is_taken():
    options = """
[target.options]
key_env = 'GATE_KEY'
key_file = 'key'
command = ['./compare', '--token-file', 'key']
[target.options.compare]
url = 'https://tokens.example:8443/compare'
headers = { Authorization = 'Bearer {key}', 'X-Api-Key' = '{key}' }
body = '{"token": "{trial}", "live": "{probe}"}'
"""
    base = PROTOCOL.replace("[[attacks]]", f"{options}[[attacks]]", 1)
    assert protocol(base=base).target.options["key_env"] == "GATE_KEY"
