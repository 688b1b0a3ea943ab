"""A protocol's mistakes are named before anything is sent."""

from decimal import Decimal

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.outlets import opening
from tidewaiter.outlets.opening import ADAPTERS, Described, open_recogniser

KEYED = {"endpoint": "https://gate.example", "key_env": "K"}
COMPARE = {"url": "https://gate.example/c", "body": "{}", "score": "$.s"}
SEARCH = {"url": "https://gate.example/s", "body": "{}", "identities": "$.ids[*]"}


def described(tmp_path, adapter, options, *, mode="verify", given=None):
    return Described(
        adapter=adapter,
        mode=mode,
        is_distance=False,
        given=given,
        options=options,
        price_per_call=Decimal("0.001"),
        environment={"K": "hunter2"},
        folder=tmp_path,
    )


@pytest.fixture(autouse=True)
def _no_models(monkeypatch):
    monkeypatch.setattr(opening, "dlib_embedder", lambda: None)


@pytest.mark.parametrize(
    ("adapter", "options", "problem"),
    [
        ("face++", {}, "no adapter"),
        ("dlib", {"model": "large"}, "'model'"),
        ("faceres", {}, "'model'"),
        ("azure", {**KEYED, "endpont": "x"}, "'endpont'"),
        ("azure", {"endpoint": "https://gate.example"}, "needs a key"),
        ("azure", {**KEYED, "key_env": "ABSENT"}, "ABSENT is empty or not set"),
        ("compreface", {"key_env": "K"}, "'endpoint'"),
        ("compreface", {**KEYED, "endpoint": "https://a.example?key=hunter2"}, "'endpoint'"),
        ("compreface", {**KEYED, "endpoint": "http://gate.example"}, "unencrypted"),
        ("rekognition", {}, "'region'"),
        ("rekognition", {"region": "eu-west-1", "endpoint": "http://a.example"}, "unencrypted"),
        ("exec", {}, "'command'"),
        ("exec", {"command": []}, "'command'"),
        ("rest", {}, r"needs \[target.options.compare\]"),
        ("rest", {"compare": COMPARE}, "neither a verdict"),
        ("rest", {"compare": {**COMPARE, "form": {"a": "{probe}"}}}, "exactly one of body and"),
        ("rest", {"compare": {**COMPARE, "score": "s"}}, "does not begin with"),
        ("rest", {"compare": {**COMPARE, "scores": "$.a..b"}}, "cannot be read from"),
        (
            "rest",
            {"search": SEARCH, "enrol": {"url": "https://gate.example/e", "body": ""}},
            "mode",
        ),
        ("rest", {"search": {**SEARCH, "scores": "$.v[*]"}}, "needs identities, and"),
    ],
)
def test_a_mistake_is_named(tmp_path, adapter, options, problem):
    with pytest.raises(ConfigurationError, match=problem) as refused:
        open_recogniser(described(tmp_path, adapter, options))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("adapter", "options", "place"),
    [
        ("azure", KEYED, "person_group"),
        ("rekognition", {"region": "eu-west-1"}, "collection"),
    ],
)
def test_identification_needs_a_place_of_its_own(tmp_path, adapter, options, place):
    with pytest.raises(ConfigurationError, match=place):
        open_recogniser(described(tmp_path, adapter, options, mode="identify"))


def test_azure_counts_the_calls_of_each_mode(tmp_path):
    options = {**KEYED, "person_group": "audit"}
    verify = open_recogniser(described(tmp_path, "azure", options)).price
    identify = open_recogniser(described(tmp_path, "azure", options, mode="identify")).price
    assert (verify.most_calls_per_trial, identify.most_calls_per_trial) == (3, 2)
    assert verify.per_call == Decimal("0.001")


def test_every_adapter_has_its_section_in_the_docs(request):
    page = request.config.rootpath / "docs" / "howto" / "audit-adapters.md"
    text = page.read_text(encoding="utf-8")
    for adapter in ADAPTERS:
        assert f"## `{adapter}`" in text
    kinds = (
        opening.RemoteOptions,
        opening.AzureOptions,
        opening.ComprefaceOptions,
        opening.RekognitionOptions,
        opening.ExecOptions,
    )
    for kind in kinds:
        for name in kind.model_fields:
            assert f"`{name}`" in text, name
