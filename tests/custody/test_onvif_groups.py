"""Streams signed a group at a time, several groups at a time, and in parts of a group."""

from __future__ import annotations

import itertools

import pytest

from tests.custody.onvif_camera import Camera, changed, judged, letters
from tidewaiter.custody.onvif_message import parse_signing_message

AUTHENTIC, INCOMPLETE, WRONG = "authentic", "incomplete", "not-authentic"
SETTINGS = {
    "h264 v2": {},
    "h264 v1, unescaped": {"version": 1, "escapes": "none", "start": 22_400_444},
    "hevc v2": {"codec": "hevc"},
}
WAYS = {"group by group": {}, "three groups": {"sign_every": 3}, "parts": {"partial": 4}}
LONG = "VIPPIPPPPPIPPIPPPPPPPPPIPPPPPIPIPP"
EXPORTED = {
    "group by group": "VIPPISPPPPPISPPISPPPPPPPPPISPPPPPISPISPP",
    "three groups": "VIPPIsPPPPPIsPPISPPPPPPPPPIsPPPPPIsPISPP",
    "parts": "VIPPISPPPPSPISPPISPPPPSPPPPSPISPPPPSPISPISPP",
}
SHORT = "IPPIPPPPIPPIPPIPPIPPIPIP"


@pytest.fixture(params=SETTINGS)
def settings(request):
    return SETTINGS[request.param]


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def picture_numbers(units):
    """Where in the stream pictures stand, from 0."""
    return [at for at, unit in enumerate(units) if unit.letter in "IP"]


def groups(units):
    """The stream cut before every I."""
    starts = [at for at, unit in enumerate(units) if unit.letter == "I"] + [len(units)]
    return [units[a:b] for a, b in itertools.pairwise(starts)]


def test_all_seis_arrive_late(settings, way):
    """Also all_seis_arrive_late_multiple_gops and all_seis_arrive_late_partial_gops."""
    camera = Camera(**settings, **WAYS[way], delay=3)
    units = camera.sign("IPPIPPIPPIPPIPPIPPPPPIPPPP")
    if way == "group by group":
        assert letters(units) == "IPPIPPISPPISPPISPPISPPPSPPIPPPSP"
    found = judged(units, camera)
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-known")
    assert found.missing == 0


def test_file_export_and_scrubbing(settings, way):
    """Also file_export_and_scrubbing_multiple_gops and file_export_and_scrubbing_partial_gops."""
    camera = Camera(**settings, **WAYS[way])
    units = camera.sign(LONG)
    assert letters(units) == EXPORTED[way]
    # The first group stays behind; parameter sets come along, and go with the scrubbing.
    exported = units[4:]
    for played in ([units[0], *exported], exported):
        found = judged(played, camera)
        assert (found.authenticity.value, found.missing, found.head) == (AUTHENTIC, 0, 0)
    # Played from the second group on: what was signed with the first is not at hand.
    parts = groups(exported)
    first = [unit for part in parts[:2] for unit in part]
    rest = [unit for part in parts[3:] for unit in part]
    for played in (first, rest):
        found = judged(played, camera)
        assert found.faults == ()
        assert found.authenticity.value in {AUTHENTIC, INCOMPLETE, "undecided"}


@pytest.mark.parametrize("letter", ["P", "I"])
def test_add_one_p_frame(settings, way, letter):
    """Also add_one_p_frame_multiple_gops and add_one_p_frame_partial_gops."""
    camera = Camera(**settings, **WAYS[way])
    units = camera.sign(SHORT)
    foreign = camera.unit(letter)
    for at in picture_numbers(units)[1:7]:
        found = judged([*units[:at], foreign, *units[at:]], camera)
        assert found.authenticity.value == WRONG


def test_remove_one_sei_frame(settings, way):
    """Also remove_sei_frames_multiple_gops and remove_one_sei_frame_partial_gops.

    Each message but the last one or two, which nothing yet follows.
    """
    camera = Camera(**settings, **WAYS[way])
    units = camera.sign(SHORT)
    places = [at for at, unit in enumerate(units) if unit.letter in "sS"]
    for at in places[1:-2]:
        found = judged(units[:at] + units[at + 1 :], camera)
        assert found.authenticity.value != AUTHENTIC, at
        assert any("missing" in fault or "not signed" in fault for fault in found.faults), at


def test_interchange_two_seis(settings):
    """Each message still describes its own group; what they say of their order is told."""
    camera = Camera(**settings)
    units = camera.sign("IPPIPPPIPPIPPIPPIP")
    first, second = [at for at, unit in enumerate(units) if unit.letter == "S"][1:3]
    units[first], units[second] = units[second], units[first]
    found = judged(units, camera)
    assert found.authenticity.value == WRONG
    assert any("out of order" in fault for fault in found.faults)


def test_remove_both_i_and_sei(settings, way):
    camera = Camera(**settings, **WAYS[way])
    units = camera.sign(SHORT)
    at = next(
        n for n, unit in enumerate(units) if n > 5 and unit.letter == "I"
        and units[n + 1].letter in "sS"
    )  # fmt: skip
    found = judged(units[:at] + units[at + 2 :], camera)
    assert found.authenticity.value == WRONG


def test_lost_a_gop(settings, way):
    camera = Camera(**settings, **WAYS[way])
    parts = groups(camera.sign(SHORT))
    left = [unit for n, part in enumerate(parts) if n != 2 for unit in part]
    assert judged(left, camera).authenticity.value in {INCOMPLETE, WRONG}


def test_late_seis_and_first_gop_scrapped(settings, way):
    camera = Camera(**settings, **WAYS[way], delay=3)
    parts = groups(camera.sign("IPPIPPIPPIPPIPPIPPPPPIPPPP"))
    left = [unit for part in parts[1:] for unit in part]
    found = judged(left, camera)
    assert found.faults == ()
    assert found.authenticity.value == AUTHENTIC


def messages(camera, units):
    header = 1 if camera.codec == "h264" else 2
    return [
        parse_signing_message(unit.data, header, camera.hash_name)
        for unit in units
        if unit.letter in "sS"
    ]


@pytest.mark.parametrize(
    ("pictures", "more", "expected"),
    [
        ("IPPIPPIPPI", {}, "IPPISPPISPPIS"),
        ("IiPpPpIiPpPpI", {}, "IiPpPpIiSPpPpIS"),
        ("IPXPIPPI", {}, "IPXPISPPIS"),
        ("IPPIPPIPPIPPIPPIPPI", {"sign_every": 3}, "IPPIsPPIsPPISPPIsPPIsPPIS"),
        ("IPPPPPIPPIPPPPPPPPPI", {"partial": 4}, "IPPPPSPISPPISPPPPSPPPPSPIS"),
        ("IiPpPpPpPpPpIiPp", {"partial": 4}, None),
    ],
)
def test_a_signer_puts_its_messages_where_they_are_due(settings, pictures, more, expected):
    """correct_nalu_sequence_without_eos, correct_multislice_nalu_sequence_without_eos,
    undefined_nalu_in_sequence, signing_multiple_gops, signing_partial_gops,
    signing_multislice_stream_partial_gops."""
    camera = Camera(**settings, **more)
    units = camera.sign(pictures)
    assert expected is None or letters(units) == expected
    found = messages(camera, units)
    assert [one.described.counter for one in found] == list(range(1, len(found) + 1))
    assert [bool(one.signature) for one in found] == [
        unit.letter == "S" for unit in units if unit.letter in "sS"
    ]
    assert [one.described.units for one in found] == [len(one.hash_list) for one in found]
    assert judged(units, camera).authenticity.value == AUTHENTIC


def test_sei_size_increase_with_gop_length(settings):
    sizes = []
    for length in (2, 5, 9):
        camera = Camera(**settings)
        units = camera.sign("I" + "P" * (length - 1) + "IP")
        (found,) = messages(camera, units)
        assert len(found.hash_list) == length
        sizes.append(len(next(unit.data for unit in units if unit.letter == "S")))
    assert sizes[0] < sizes[1] < sizes[2]


def test_limited_sei_payload_size(settings):
    """A message without room for its list still vouches for the group, as a whole or not at all."""
    camera = Camera(**settings, hash_list=False)
    units = camera.sign("IPPIPPPPPPPPIP")
    assert all(not one.hash_list for one in messages(camera, units))
    assert judged(units, camera).authenticity.value == AUTHENTIC
    spoilt = [changed(unit) if n == 6 else unit for n, unit in enumerate(units)]
    found = judged(spoilt, camera)
    assert found.authenticity.value == WRONG
    assert found.confirmed == 3


def test_start_stream_with_certificate_sei(settings):
    camera = Camera(**settings, certificates=False)
    units = [camera.golden(), *camera.sign("IPPIPPIP")]
    assert letters(units) == "GIPPISPPISP"
    assert judged(units, camera).names()[-1] == "onvif:signer-known"


def test_correct_timestamp():
    """Times are ticks of 100 ns since 1601; each message is two seconds after the one before."""
    camera = Camera()
    found = messages(camera, camera.sign("IPPIPPIPPI"))
    starts = [one.described.start for one in found]
    assert [b - a for a, b in itertools.pairwise(starts)] == [2 * 10**7] * 2
    assert [one.described.end - one.described.start for one in found] == [10**7] * 3
