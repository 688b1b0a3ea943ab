"""Content Credentials: five states, offline, on files signed and tampered with here."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tidewaiter.errors import ConfigurationError
from tidewaiter.media import Picture
from tidewaiter.testing.credentials import SIGNER, signed_picture
from tidewaiter.traces.base import Untaken, collect_picture, collect_video
from tidewaiter.traces.provenance import (
    OFFLINE_SETTINGS,
    TRUST_ANCHORS,
    Credentials,
    CredentialState,
    read_credentials,
)
from tidewaiter.vocabulary import Exhibit, MediaKind, Status

REMOTE_XMP = (
    b"http://ns.adobe.com/xap/1.0/\0"
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
    b'dcterms:provenance="http://127.0.0.1:9/manifest.c2pa"/></rdf:RDF></x:xmpmeta>'
)


def drawn(media_type: str = "image/jpeg") -> bytes:
    pixels = np.random.default_rng(3).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, media_type.partition("/")[2].upper())
    return stream.getvalue()


def picture(data: bytes, media_type: str = "image/jpeg") -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64,
        byte_length=len(data),
        name="p",
        kind=MediaKind.PICTURE,
        media_type=media_type,
    )
    return Picture(exhibit, data, "", np.zeros((48, 64, 3), np.uint8))


def taken(data: bytes, media_type: str = "image/jpeg", **options: object) -> Credentials:
    traces = collect_picture(picture(data, media_type), ["file.credentials"], options=options)
    return traces["file.credentials"]


@pytest.fixture(scope="module")
def signed() -> tuple[bytes, str]:
    data, authority = signed_picture(drawn(), "image/jpeg")
    return data, authority.decode()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def test_none() -> None:
    assert taken(drawn()).state is CredentialState.NONE


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_valid_but_untrusted_without_a_trust_list(media_type: str) -> None:
    data, _ = signed_picture(drawn(media_type), media_type)
    found = taken(data, media_type)
    assert found.state is CredentialState.UNTRUSTED
    assert not found.changed
    assert found.issuer == SIGNER
    assert found.actions[0].action == "c2pa.created"
    assert found.actions[0].source_type == "digitalCapture"
    assert found.failures == ("signingCredential.untrusted",)


def test_trusted_with_the_authority_on_the_list(signed: tuple[bytes, str]) -> None:
    data, authority = signed
    found = taken(data, **{TRUST_ANCHORS: authority})
    assert found.state is CredentialState.TRUSTED
    assert found.trust_list_given


def test_another_authority_on_the_list_does_not_help(signed: tuple[bytes, str]) -> None:
    _, other = signed_picture(drawn(), "image/jpeg")
    found = taken(signed[0], **{TRUST_ANCHORS: other.decode()})
    assert found.state is CredentialState.UNTRUSTED


@pytest.mark.parametrize("place", [-40, -200, -600])
def test_changed_bytes_break_it_even_when_trusted(signed: tuple[bytes, str], place: int) -> None:
    data = bytearray(signed[0])
    data[place] ^= 1
    found = taken(bytes(data), **{TRUST_ANCHORS: signed[1]})
    assert found.state is CredentialState.BROKEN
    assert found.changed
    assert "assertion.dataHash.mismatch" in found.failures


def test_appended_bytes_break_it(signed: tuple[bytes, str]) -> None:
    found = taken(signed[0] + b"more", **{TRUST_ANCHORS: signed[1]})
    assert found.state is CredentialState.BROKEN
    assert found.changed


def test_truncated_is_broken_but_not_called_changed(signed: tuple[bytes, str]) -> None:
    found = taken(signed[0][:2000])
    assert found.state is CredentialState.BROKEN
    assert not found.changed


@pytest.mark.usefixtures("no_network")
def test_manifest_kept_elsewhere_is_named_and_not_fetched() -> None:
    plain = drawn()
    data = (
        plain[:2] + b"\xff\xe1" + (len(REMOTE_XMP) + 2).to_bytes(2, "big") + REMOTE_XMP + plain[2:]
    )
    found = taken(data)
    assert found.state is CredentialState.ELSEWHERE
    assert found.remote_url == "http://127.0.0.1:9/manifest.c2pa"


def test_no_connection_leaves_the_process() -> None:
    """The library opens sockets below Python, so a listener counts who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        port = str(server.getsockname()[1]).encode()
        xmp = REMOTE_XMP.replace(b"127.0.0.1:9/", b"127.0.0.1:" + port + b"/")
        plain = drawn()
        data = plain[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + plain[2:]
        assert taken(data).state is CredentialState.ELSEWHERE
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, key) for section, keys in OFFLINE_SETTINGS.items() for key in keys],
)
def test_every_offline_setting_is_known_to_the_library(section: str, key: str) -> None:
    """Unknown keys are accepted in silence; a known one refuses a value of the wrong type."""
    import c2pa

    with pytest.raises(c2pa.C2paError):
        c2pa.Context(c2pa.Settings.from_dict({section: {key: 3.5}}))
    c2pa.Context(c2pa.Settings.from_dict({section: {key + "x": 3.5}}))


@pytest.mark.parametrize(
    "anchors",
    ["garbage", 3, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"],
)
def test_a_useless_trust_list_is_an_error_of_configuration(
    signed: tuple[bytes, str], anchors: object
) -> None:
    with pytest.raises(ConfigurationError, match="trust_list"):
        taken(signed[0], **{TRUST_ANCHORS: anchors})


def test_format_without_credentials() -> None:
    found = read_credentials(io.BytesIO(b"BM"), "image/bmp", "")
    assert isinstance(found, Untaken)
    assert found.status is Status.NOT_APPLICABLE


class OpenedVideo:
    """The part of a video that reading credentials needs."""

    def __init__(self, path: Path, media_type: str = "video/mp4") -> None:
        self.path = str(path)
        self.exhibit = Exhibit(
            sha256="0" * 64,
            byte_length=path.stat().st_size,
            name=path.name,
            kind=MediaKind.VIDEO,
            media_type=media_type,
        )

    def play(self) -> list[object]:
        return []


def small_mp4(path: Path) -> bytes:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(5):
            pixels = np.full((48, 64, 3), 40 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


def test_video_states(tmp_path: Path) -> None:
    plain = small_mp4(tmp_path / "plain.mp4")
    data, authority = signed_picture(plain, "video/mp4")
    tampered = bytearray(data)
    tampered[data.index(b"mdat") + 60] ^= 1
    states = []
    for name, content in (("plain", plain), ("signed", data), ("tampered", bytes(tampered))):
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        video = OpenedVideo(path)
        options = {TRUST_ANCHORS: authority.decode()}
        states.append(
            collect_video(video, ["file.credentials"], options=options)["file.credentials"]
        )
    assert [found.state for found in states] == [
        CredentialState.NONE,
        CredentialState.TRUSTED,
        CredentialState.BROKEN,
    ]
    assert states[2].changed


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 20_000), place=st.integers(0, 20_000), noise=st.binary(max_size=40))
def test_any_damage_ends_in_a_state(
    signed: tuple[bytes, str], cut: int, place: int, noise: bytes
) -> None:
    data = bytearray(signed[0])
    data[place : place + len(noise)] = noise
    found = taken(bytes(data[: len(data) - cut]))
    assert isinstance(found, Credentials | Untaken)
    if isinstance(found, Untaken):
        assert found.status is Status.NOT_APPLICABLE
    else:
        assert found.state is not CredentialState.TRUSTED
