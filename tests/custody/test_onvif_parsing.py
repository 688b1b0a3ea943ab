"""Hostile messages of ONVIF Media Signing, and the samples that ONVIF publishes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.custody.onvif_camera import Camera, Unit, changed, escape, judged, read
from tidewaiter.custody.onvif import OnvifReader
from tidewaiter.custody.onvif_message import (
    LONGEST_MESSAGE,
    ONVIF_UUID,
    is_signing_message,
    parse_signing_message,
    posix_ms,
)
from tidewaiter.custody.onvif_signer import LONGEST_CHAIN, certificates_in, judge_signer
from tidewaiter.errors import MalformedText
from tidewaiter.media.nal import Splitter

HEAD = b"\x06\x05"


def message(escapes="none", **more):
    return Camera(escapes=escapes, **more).sign("IPPIP")[4].data


def body(*parts: bytes, flags: int = 0) -> bytes:
    """A message of these parts, in a unit of H.264."""
    payload = ONVIF_UUID + bytes((flags,)) + b"".join(parts)
    return HEAD + b"\xff" * (len(payload) // 255) + bytes((len(payload) % 255,)) + payload + b"\x80"


def part(tag: int, value: bytes) -> bytes:
    return bytes((tag,)) + len(value).to_bytes(2, "big") + value


def general(version=2, length=32, extra=b""):
    return part(1, bytes((version, 0, 0, 1, 0)) + bytes(16 + 4 + 2 + 2 * length) + extra)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (HEAD + b"\xff", "ends within its length"),
        (b"\x06\x04\x10" + bytes(16), "no user data"),
        (body(), "describes no pictures"),
        (body(general(version=3)), "version 3"),
        (body(general(version=0)), "version 0"),
        (body(part(1, b"")), "version 0"),
        (body(general(length=31)), "hashes of 62 bytes"),
        (body(general(extra=b"x")), "hashes of 65 bytes"),
        (body(general(), general()), "stands twice"),
        (body(general(), part(3, b"\x01\x00\x01s"), part(5, b"\x01")), "after its signature"),
        (body(general(), part(3, b"\x01\x00\x09s")), "signature of 9 bytes"),
        (body(general(), part(3, b"\x01\x00\x00")), "signature of 0 bytes"),
        (body(general(), part(3, b"\x02\x00\x01s")), "in a version other than 1"),
        (body(general(), part(2, b"\x01" + bytes(33))), "not in steps of 32"),
        (body(general(), part(4, b"\x01\x02\x06\x00")), "SHA-2 is known"),
        (body(general(), part(4, b"\x01")), "SHA-2 is known"),
        (body(general(), b"\x05\xff\xff\x01"), "beyond its end"),
        (body(general())[:-20], "breaks off"),
        (HEAD + b"\x10" + ONVIF_UUID + b"\x80", "without anything in it"),
        (body(b"\0" * LONGEST_MESSAGE), "at most"),
    ],
)
def test_each_broken_rule_is_named(data, says):
    with pytest.raises(MalformedText, match=says):
        parse_signing_message(data, 1)


def test_a_broken_message_is_a_fault_and_never_an_exception():
    camera = Camera()
    units = camera.sign("IPPIPPIP")
    broken = Unit("S", body(general(version=9)))
    found = judged([*units[:5], broken, *units[5:]], camera)
    assert found.authenticity.value == "not-authentic"
    assert any("version 9" in fault for fault in found.faults)
    only = judged([camera.unit("I"), broken], camera)
    assert only.authenticity.value == "not-authentic"


@given(at=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_any_changed_byte_is_noticed_or_refused(at, value, cut):
    camera, units = _stream()
    data = bytearray(units[4].data)
    at %= len(data)
    if data[at] == value and not cut:
        return
    data[at] = value
    data = data[: len(data) - cut]
    found = judged([*units[:4], Unit("S", bytes(data)), *units[5:]], camera)
    unchanged = bytes(data).rstrip(b"\x01\x80") == units[4].data.rstrip(b"\x01\x80")
    # The padding behind the signature and the stop bit are outside what is signed.
    signature_at = units[4].data.rfind(b"\x03\x00\x53\x01")
    in_padding = at >= signature_at + 6 and found.authenticity.value == "authentic"
    assert unchanged or in_padding or found.authenticity.value != "authentic"


def _stream(cache=[]):  # noqa: B006 - made once, read only
    if not cache:
        camera = Camera()
        cache.append((camera, camera.sign("IPPIPPIP")))
    return cache[0]


@given(st.binary(max_size=400), st.sampled_from(["h264", "hevc"]))
@settings(max_examples=80, deadline=None)
def test_noise_is_only_ever_refused(noise, codec):
    header = b"\x06" if codec == "h264" else b"\x4e\x01"
    for data in (noise, header + b"\x05" + noise, header + b"\x05\xff\x00" + ONVIF_UUID + noise):
        if data:
            found = read([Unit("S", data)], codec).result()
            assert found.authenticity.value in {"unsigned", "not-authentic", "undecided"}


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_certificates_of_noise(noise):
    for text in (
        noise,
        b"-----BEGIN CERTIFICATE-----\n" + noise + b"\n-----END CERTIFICATE-----\n",
    ):
        with pytest.raises(MalformedText):
            certificates_in(text)


def test_a_chain_has_a_longest_length():
    chain = Camera().identity.chain
    with pytest.raises(MalformedText, match="at most"):
        judge_signer(chain * LONGEST_CHAIN, [], None)


def test_what_is_signed_ends_before_the_signature_however_it_is_escaped():
    for escapes in ("none", "after", "signed"):
        data = message(escapes)
        found = parse_signing_message(data, 1)
        assert data.startswith(found.signed) == (escapes != "after")
        assert escapes != "after" or data.startswith(escape(found.signed))
        assert len(found.hash_list) == found.described.units == 3
        assert found.vendor == ("1.2", "\0\0\1\0\0\0", "Maker")


def test_other_user_data_is_none_of_these_messages():
    assert not is_signing_message(Camera().unit("Z").data, 1)
    assert is_signing_message(message(), 1)
    assert not is_signing_message(changed(Unit("S", message()), 8).data, 1)


def test_times_count_from_1601():
    assert posix_ms(116_444_736_000_000_000) == 0
    assert posix_ms(116_444_736_000_000_000 + 15_000) == 1


def test_hostile_lengths_take_no_time():
    """Many messages over many equal pictures: no square of their number."""
    camera = Camera(hash_list=False)
    units = camera.sign("IPPIP")
    reader = OnvifReader("h264")
    for _ in range(400):
        reader.feed([units[0].data, units[1].data, changed(units[4], 60).data])
    started = time.process_time()
    reader.result()
    assert time.process_time() - started < 10


@pytest.mark.shared
@pytest.mark.parametrize("name", ["test_signed_h264.mp4", "test_signed_h265.mp4"])
def test_the_published_samples(name, shared_data):
    folder = shared_data / "onvif_signed"
    if not folder.is_dir():
        pytest.skip("the samples of ONVIF media signing are not present on this machine")
    packets, codec, configuration = _packets(folder / name)
    anchor = (folder / "ca.pem").read_bytes()
    found = _judge(packets, codec, configuration, [anchor])
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-known")
    assert len(found.groups) == 5
    assert found.faults == ()
    # The camera's clock began with the stream, so its certificate, expired since, stays good.
    assert found.signed_from_ms is None
    assert _judge(packets, codec, configuration, []).provenance.value == "signer-unknown"
    wrong = [
        packet if n != 77 else packet[:-3] + b"\x55\x55\x55" for n, packet in enumerate(packets)
    ]
    found = _judge(wrong, codec, configuration, [anchor])
    assert found.authenticity.value == "not-authentic"
    assert [group.foreign for group in found.groups if group.foreign] == [(77,)]
    found = _judge(packets[:70] + packets[72:], codec, configuration, [anchor])
    assert found.authenticity.value == "incomplete"
    assert found.missing == 2


@pytest.mark.shared
def test_the_unsigned_sample(shared_data):
    path = shared_data / "onvif_signed" / "test_h264.mp4"
    if not path.is_file():
        pytest.skip("the samples of ONVIF media signing are not present on this machine")
    assert _judge(*_packets(path), []).names() == ()


def _packets(path):
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
        context = stream.codec_context
        return packets, context.codec.canonical_name, bytes(context.extradata)


def _judge(packets, codec, configuration, anchors):
    splitter, reader = Splitter(codec, configuration), OnvifReader(codec)
    for packet in packets:
        reader.feed(splitter.in_order(packet))
    return reader.result(anchors)
