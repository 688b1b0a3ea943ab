"""Signatures inside files that come into custody: read in workers, logged as inputs."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from tests.cli.custody_kit import founded, run
from tests.custody.onvif_camera import Camera, signed_copy
from tests.custody.recordings import pictures, write
from tidewaiter.casework.custody_inputs import Trusted, may_carry_credentials, read_inputs
from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.locate import compare
from tidewaiter.custody.onvif_signer import certificates_in
from tidewaiter.custody.record import parse_record
from tidewaiter.errors import UnknownExhibit
from tidewaiter.settings import Limits
from tidewaiter.wiring_custody_site import SitePlace

GROUP = {"crf": "30", "g": "10", "bf": "0", "preset": "ultrafast", "slices": "1"}


@pytest.fixture(scope="module")
def camera():
    return Camera()


@pytest.fixture(scope="module")
def files(tmp_path_factory, camera):
    """Name to path: unsigned, signed by a camera, one frame of it changed, cut short, no video."""
    folder = tmp_path_factory.mktemp("signed")
    plain = write(folder / "plain.mp4", pictures(45), options=GROUP)
    signed = signed_copy(plain, folder / "MOV_0001.mp4", camera)
    data = bytearray(signed.read_bytes())
    data[_end_of_packet(signed, 25) - 3] ^= 0x10
    (folder / "changed.mp4").write_bytes(bytes(data))
    (folder / "cut.mp4").write_bytes(signed.read_bytes()[:2000])
    (folder / "note.txt").write_bytes(b"jumdc2pa\x00\x11\x00\x10 no picture at all")
    return {path.stem: path for path in folder.iterdir()}


def _end_of_packet(path, number):
    import av

    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return packets[number].pos + packets[number].size


def names(path, camera=None):
    anchors = camera.identity.anchor if camera is not None else b""
    return read_inputs(path, Limits(), Trusted(anchors)).names


def test_each_file_says_what_it_brings_along(files, camera):
    assert names(files["plain"]) == ()
    assert names(files["note"]) == ()
    signed = ("onvif", "onvif:authentic")
    assert names(files["MOV_0001"]) == (*signed, "onvif:signer-unknown")
    assert names(files["MOV_0001"], camera) == (*signed, "onvif:signer-known")
    assert names(files["changed"], camera)[1] == "onvif:not-authentic"
    assert names(files["cut"]) in ((), ("onvif:unread",))


def test_a_copy_without_the_messages_is_called_stripped(files):
    original, copy = (take_manifest(files[name], Limits()) for name in ("MOV_0001", "plain"))
    found = compare(original, copy)
    assert "signature stripped" in found.notes
    assert "signature stripped" not in compare(original, original).notes
    assert "signature stripped" not in compare(copy, original).notes


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mov"])
def test_the_container_does_not_matter(files, camera, tmp_path, suffix):
    import av

    target = tmp_path / f"copy{suffix}"
    with av.open(str(files["MOV_0001"])) as given, av.open(str(target), "w") as output:
        stream = given.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    assert names(target, camera)[1] == "onvif:authentic"


def test_the_command_says_it_in_words(files, camera, tmp_path):
    anchors = tmp_path / "cameras.pem"
    anchors.write_bytes(camera.identity.anchor)
    settings = tmp_path / "tidewaiter.toml"
    settings.write_text(f'camera_trust_list = "{anchors}"\n')
    said = run("signatures", files["MOV_0001"], files["plain"], "--settings", settings)
    assert said.code == 0
    assert "its pictures are those that were signed" in said.text
    assert "the signer is on your list: CN=camera 1" in said.text
    assert "plain.mp4: no signatures of its own" in said.text
    answer = run("signatures", files["changed"], "--json", "--settings", settings)
    (row,) = json.loads(answer.text)
    assert row["names"][1] == "onvif:not-authentic"
    assert [group["foreign"] for group in row["onvif"]["groups"] if group["foreign"]] == [[25]]


@pytest.mark.parametrize("name", ["camera_trust_list", "camera_revoked_list", "camera_crls"])
def test_a_list_that_is_none_is_an_error_of_configuration(files, tmp_path, name):
    (tmp_path / "none.pem").write_text("no certificate")
    settings = tmp_path / "tidewaiter.toml"
    settings.write_text(f'{name} = "{tmp_path / "none.pem"}"\n')
    said = run("signatures", files["plain"], "--settings", settings)
    assert said.code == 7
    assert f"correct {name}" in said.text


def test_a_camera_that_was_withdrawn_is_told_with_its_day_and_reason(files, camera, tmp_path):
    (leaf, *_) = certificates_in(camera.identity.chain)
    anchors, revoked = tmp_path / "cameras.pem", tmp_path / "revoked.txt"
    anchors.write_bytes(camera.identity.anchor)
    revoked.write_text(f"{leaf.fingerprint(SHA256()).hex()} 2026-02-01 signed an AI picture\n")
    settings = tmp_path / "tidewaiter.toml"
    lines = [f'camera_trust_list = "{anchors}"', f'camera_revoked_list = "{revoked}"', ""]
    settings.write_text("\n".join(lines))
    said = run("signatures", files["MOV_0001"], "--settings", settings)
    assert "its certificate was revoked: CN=camera 1" in said.text
    assert "revoked since 2026-02-01 00:00:00 UTC: signed an AI picture" in said.text


def test_what_was_there_is_logged_with_the_recording(files, tmp_path):
    place = founded(tmp_path)
    for name in ("MOV_0001", "plain"):
        (place.card / f"{name}.mp4").write_bytes(files[name].read_bytes())
    assert place.do("dock", place.card, "--device", "bwc-0017").code == 0
    records = []
    with SitePlace(place.site).open_store(read_only=True) as store:
        records = [parse_record(leaf.body) for leaf in store.leaves()]
    logged = [record.fields for record in records if record.kind == "segment"]
    assert len(logged) == 2
    assert sorted(fields.get("signatures", []) for fields in logged) == [
        [],
        ["onvif", "onvif:authentic", "onvif:signer-unknown"],
    ]


def test_content_credentials_are_an_input_too(tmp_path):
    pytest.importorskip("c2pa", reason="c2pa-python is not installed; see the extra `provenance`")
    from io import BytesIO

    from PIL import Image

    from tidewaiter.testing.credentials import signed_picture

    stream = BytesIO()
    Image.new("RGB", (64, 64), "grey").save(stream, "JPEG")
    data, authority = signed_picture(stream.getvalue(), "image/jpeg")
    path = tmp_path / "signed.jpg"
    path.write_bytes(data)
    assert names(path) == ("c2pa", "c2pa:untrusted")
    trusted = Trusted(credentials=authority.decode() if isinstance(authority, bytes) else authority)
    assert read_inputs(path, Limits(), trusted).names == ("c2pa", "c2pa:trusted")
    path.write_bytes(data[:-30] + bytes(28) + data[-2:])
    assert read_inputs(path, Limits(), trusted).names == ("c2pa", "c2pa:broken")


@pytest.mark.parametrize("at", [0, (1 << 20) - 5, 3 << 20])
def test_marks_are_found_across_blocks(at):
    from io import BytesIO

    data = bytes(at) + b"jumdc2pa\x00\x11\x00\x10" + bytes(1 << 20)
    assert may_carry_credentials(BytesIO(data))
    assert not may_carry_credentials(BytesIO(data.replace(b"c2pa", b"xxxx")))


def test_no_such_file(tmp_path):
    with pytest.raises(UnknownExhibit):
        read_inputs(tmp_path / "none.mp4", Limits(), Trusted())
