"""Our own networks are run only with the bytes they were pinned with."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from tidewaiter.errors import ConfigurationError, MissingWeights
from tidewaiter.weights import own
from tidewaiter.weights.engine import own_network


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(b"weights")
    return own.OwnNetwork(path, hashlib.sha256(b"weights").hexdigest())


@pytest.fixture
def site(untrained_site, tmp_path):
    return shutil.copytree(untrained_site, tmp_path / "site")


def as_gate(site):
    card = json.loads((site / "card.json").read_text(encoding="utf-8"))
    card["purpose"] = own.GATE
    (site / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return site


def test_a_gate_takes_a_network_for_gates_only(site):
    with pytest.raises(ConfigurationError, match=r"for examinations.*tidewaiter fit gate"):
        own.gate_network(site)
    assert own.gate_network(as_gate(site)).path == site / own.NETWORK_FILE


def test_no_examination_takes_a_network_for_gates(site):
    with pytest.raises(ConfigurationError, match=r"answers to replays.*tidewaiter fit face"):
        own.site_network(as_gate(site))


def test_a_gate_without_its_network_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gate\.network names .* `tidewaiter fit gate"):
        own.gate_network(tmp_path)


def test_bytes_with_the_right_digest_are_given(file):
    assert file.content() == b"weights"


def test_altered_bytes_are_refused(file):
    file.path.write_bytes(b"weighty")
    with pytest.raises(MissingWeights, match=r"SHA-256.*is needed; install tidewaiter anew"):
        file.content()


def test_an_absent_file_is_missed_by_name(file):
    file.path.unlink()
    with pytest.raises(MissingWeights, match=r"network\.onnx cannot be read"):
        file.content()


def test_every_shipped_network_is_there_and_fits_its_size():
    for name, shipped in own.SHIPPED.items():
        found = own.shipped_network(name)
        assert len(found.content()) == shipped.byte_length
        assert found.mark == ""
        assert own.own_digests()[name] == shipped.sha256
    assert sum(shipped.byte_length for shipped in own.SHIPPED.values()) <= 25 * 2**20


def test_a_network_that_is_not_shipped_is_missed_with_what_to_do():
    with pytest.raises(MissingWeights, match="tidewaiter fit face"):
        own.shipped_network("unheard_of")
    assert own.why_shipped_unusable("unheard_of") is None


def test_a_damaged_shipped_network_is_told(tmp_path, monkeypatch):
    damaged = own.ShippedFile("damaged", "absent.onnx", "0" * 64, 1, "is damaged")
    monkeypatch.setitem(own.SHIPPED, "damaged", damaged)
    assert "absent.onnx" in own.why_shipped_unusable("damaged")


def test_a_sites_network_carries_the_mark_of_its_digest(site):
    found = own.site_network(site)
    assert found.mark == f"+{found.sha256[:8]}"
    assert own.own_digests(found)["face_manipulation"] == found.sha256
    scores, masks = own_network(found, (1, 3, 160, 160)).run(np.zeros((1, 3, 160, 160), "f"))
    assert scores.shape == (1,)
    assert masks.shape == (1, 1, 10, 10)


def test_an_altered_network_of_a_site_is_refused(site):
    path = site / own.NETWORK_FILE
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ConfigurationError, match="its card says"):
        own.site_network(site)


@pytest.mark.parametrize(
    "card", ["", "[]", "{}", json.dumps({"network": []}), json.dumps({"network": {"file": "x"}})]
)
def test_a_folder_without_a_usable_card_is_refused(site, card):
    (site / own.CARD_FILE).write_text(card, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="tidewaiter fit face --out"):
        own.site_network(site)


def test_a_folder_without_a_network_is_refused(site):
    (site / own.NETWORK_FILE).unlink()
    with pytest.raises(ConfigurationError, match="holds no network"):
        own.site_network(site)
