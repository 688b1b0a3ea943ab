from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.errors import CorruptMedia
from tidewaiter.media.nal import Splitter, by_lengths, by_start_codes, length_width

SLICE, IDR, SEI, SPS, PPS, AUD = 0x41, 0x65, 0x06, 0x67, 0x68, 0x09
UUID = bytes(range(16))


def avc(width: int) -> bytes:
    sps, pps = bytes([SPS, 1, 2, 3]), bytes([PPS, 9])
    return b"".join(
        (
            bytes([1, 66, 0, 30, 0xFC | (width - 1), 0xE1]),
            len(sps).to_bytes(2, "big") + sps,
            b"\x01" + len(pps).to_bytes(2, "big") + pps,
        )
    )


def measured(units: list[bytes], width: int) -> bytes:
    return b"".join(len(unit).to_bytes(width, "big") + unit for unit in units)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_lengths_and_start_codes_give_the_same_picture(width):
    units = [bytes([AUD, 0xF0]), bytes([SPS, 1, 2, 3]), bytes([IDR, 5, 6]), bytes([SLICE, 7])]
    in_mp4 = Splitter("h264", avc(width)).units(measured(units[2:], width))
    in_ts = Splitter("h264", b"").units(b"".join(b"\x00\x00\x00\x01" + u for u in units))
    assert in_mp4.picture == in_ts.picture == (bytes([IDR, 5, 6]), bytes([SLICE, 7]))
    assert in_ts.parameters == (bytes([SPS, 1, 2, 3]),)


def test_the_width_of_lengths_is_read():
    assert [length_width("h264", avc(width)) for width in (1, 2, 4)] == [1, 2, 4]
    hevc = bytearray(23)
    hevc[0], hevc[21] = 1, 0b11111110 | 1
    assert length_width("hevc", bytes(hevc)) == 4
    assert length_width("h264", b"") == 0
    assert length_width("h264", b"\x00\x00\x00\x01\x67\x01\x02\x03") == 0


def test_parameter_sets_come_from_the_header():
    assert Splitter("h264", avc(4)).parameters == (bytes([SPS, 1, 2, 3]), bytes([PPS, 9]))
    vps = bytes([32 << 1, 1, 7])
    hevc = bytes([1]) + bytes(20) + bytes([3, 1, 0xA0]) + b"\x00\x01\x00\x03" + vps
    assert Splitter("hevc", hevc).parameters == (vps,)


def test_a_length_beyond_the_packet_is_refused():
    with pytest.raises(CorruptMedia, match="announces"):
        list(by_lengths(b"\x00\x00\x00\x09ab", 4))


def test_user_data_is_known_by_its_uuid():
    message = bytes([SEI, 5, 16]) + UUID + b"\x80"
    signed = Splitter("h264", avc(4)).units(measured([message, bytes([IDR, 1])], 4))
    assert signed.marks() == (UUID.hex(),)
    in_hevc = bytes([39 << 1, 1, 5, 16]) + UUID
    assert Splitter("hevc", b"").units(b"\x00\x00\x01" + in_hevc).marks() == (UUID.hex(),)


def test_trailing_zeros_belong_to_no_unit():
    assert list(by_start_codes(b"\x00\x00\x01\x41\x05\x00\x00\x00\x01\x41\x06\x00")) == [
        b"\x41\x05",
        b"\x41\x06",
    ]


def test_a_header_repeated_before_a_picture_is_left_out():
    picture = b"\x00\x00\x01\xb6\x10\x20"
    assert Splitter("mpeg4", b"").units(b"\x00\x00\x01\x20xyz" + picture).picture == (picture,)
    assert Splitter("vp9", b"").units(b"\x82abc").picture == (b"\x82abc",)


@given(
    codec=st.sampled_from(["h264", "hevc", "mpeg4"]),
    configuration=st.binary(max_size=60),
    packet=st.binary(max_size=200),
)
def test_foreign_bytes_never_raise_anything_else(codec, configuration, packet):
    try:
        Splitter(codec, configuration).units(packet).marks()
    except CorruptMedia:
        return
