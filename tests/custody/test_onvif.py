"""The reference validator's tests by their names, on streams that a test camera signs.

The names are those of ONVIF's own suite (media-signing-framework), active ones and those it has
switched off; what is expected is what the specification asks, which for the latter is our reading.
`test_onvif_groups` has more of them, `test_onvif_names` counts them.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.custody.onvif_camera import Camera, changed, identity, judged, letters

AUTHENTIC, INCOMPLETE, WRONG = "authentic", "incomplete", "not-authentic"
SETTINGS = {
    "h264 v2": {},
    "h264 v1, unescaped": {"version": 1, "escapes": "none", "start": 22_400_444},
    "hevc v2, escaped after": {"codec": "hevc", "escapes": "after"},
    "hevc v1": {"codec": "hevc", "version": 1},
    "h264 v2, no hash list": {"hash_list": False},
}


@pytest.fixture(params=SETTINGS)
def settings(request):
    return SETTINGS[request.param]


def signed(settings, pictures, expected, **more):
    camera = Camera(**settings, **more)
    units = camera.sign(pictures)
    assert letters(units) == expected
    return camera, units


def without(units, *numbers):
    """Numbers count from 1, as in the reference suite."""
    return [unit for number, unit in enumerate(units, 1) if number not in numbers]


def modified(units, number, letter, at=-4):
    assert units[number - 1].letter == letter
    return [changed(u, at) if n == number else u for n, u in enumerate(units, 1)]


def moved(units, number, after):
    """A unit taken out, then put behind the unit that now has the number `after`."""
    rest = without(units, number)
    return [*rest[:after], units[number - 1], *rest[after:]]


INTACT = {
    "intact_stream": ("IPPIPPIPPIPPIPPIPPIP", "IPPISPPISPPISPPISPPISPPISP"),
    "intact_multislice_stream": (
        "IiPpPpIiPpPpIiPpPpIiPpPpIiPp",
        "IiPpPpIiSPpPpIiSPpPpIiSPpPpIiSPp",
    ),
    "intact_stream_with_pps_nalu_stream": ("VIPPIPPIP", "VIPPISPPISP"),
    "intact_ms_stream_with_pps_nalu_stream": ("VIiPpPpIiPpPpIiPp", "VIiPpPpIiSPpPpIiSPp"),
    "intact_with_undefined_nalu_in_stream": ("IPXPIPPIP", "IPXPISPPISP"),
    "intact_with_undefined_multislice_nalu_in_stream": (
        "IiPpXPpIiPpPpIiPp",
        "IiPpXPpIiSPpPpIiSPp",
    ),
}


@pytest.mark.parametrize("name", INTACT)
def test_intact(name, settings):
    camera, units = signed(settings, *INTACT[name])
    found = judged(units, camera)
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-known")
    assert found.faults == ()
    assert found.missing == found.head == 0
    # The last group is not signed yet: its message would come with the next.
    last = letters(units).rindex("I")
    assert found.tail == sum(letter in "IP" for letter in letters(units)[last:])
    assert found.confirmed == found.pictures - found.tail


def test_no_trusted_certificate_added(settings):
    camera, units = signed(settings, *INTACT["intact_stream"])
    found = judged(units, camera, anchors=[])
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-unknown")


def test_remove_one_p_frame(settings):
    camera, units = signed(settings, "IPPIPPPIPPIP", "IPPISPPPISPPISP")
    found = judged(without(units, 7), camera)
    if camera.hash_list:
        assert found.authenticity.value == INCOMPLETE
        assert [(g.first, g.missing) for g in found.groups if g.missing] == [(3, 1)]
        assert found.confirmed == 9
    else:
        assert found.authenticity.value == WRONG
        assert found.confirmed == 6


def test_interchange_two_p_nalus(settings):
    camera, units = signed(settings, "IPPIPPPIPPIP", "IPPISPPPISPPISP")
    found = judged(moved(units, 7, 7), camera)
    assert found.authenticity.value == WRONG
    if camera.hash_list:
        assert [g.foreign for g in found.groups if g.foreign] == [(5,)]


def test_modify_one_p_frame(settings):
    camera, units = signed(settings, "IPPIPPPIPPIP", "IPPISPPPISPPISP")
    found = judged(modified(units, 3, "P"), camera)
    assert found.authenticity.value == WRONG
    foreign = [g.foreign for g in found.groups if g.foreign]
    assert foreign == ([(2,)] if camera.hash_list else [(0, 1, 2)])
    assert found.provenance.value == "signer-known"


def test_modify_one_i_frame(settings):
    camera, units = signed(settings, "IPPIPPPIPPIPPIP", "IPPISPPPISPPISPPISP")
    found = judged(modified(units, 4, "I"), camera)
    assert found.authenticity.value == WRONG
    assert [g.foreign for g in found.groups if g.foreign] == [(3, 4, 5, 6)]
    assert found.confirmed == 9


def test_modify_one_sei_frame(settings):
    camera, units = signed(settings, "IPPIPPPIPPIPPIP", "IPPISPPPISPPISPPISP")
    found = judged(modified(units, 10, "S", -50), camera)
    assert found.authenticity.value == WRONG
    assert "the signature of message 2 does not hold" in found.faults
    assert found.confirmed == 9


def test_remove_the_g_frame(settings):
    camera, units = signed(settings, "IPPIPPIPPIPPIP", "IPPISPPISPPISPPISP")
    found = judged(without(units, 9), camera)
    assert found.authenticity.value == WRONG
    assert found.confirmed == 9
    assert any("not signed" in fault for fault in found.faults)


def test_remove_one_i_frame(settings):
    camera, units = signed(settings, "IPPIPPPIPPIPPIPIP", "IPPISPPPISPPISPPISPISP")
    assert units[8].letter == "I"
    found = judged(without(units, 9), camera)
    assert found.authenticity.value == WRONG
    assert found.confirmed == 3 + 4 + 3 + 2
    assert [g.foreign for g in found.groups if g.foreign] == [(7, 8)]


def test_remove_the_gi_nalus(settings):
    camera, units = signed(settings, "IPPIPPIPPIPPIP", "IPPISPPISPPISPPISP")
    found = judged(without(units, 8, 9), camera)
    assert found.authenticity.value == WRONG
    assert any("1 messages are missing" in fault for fault in found.faults)


def test_sei_arrives_late(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIP", "IPPPISPPPISPPPISP")
    late = moved(units, 6, 7)
    assert letters(late) == "IPPPIPPSPISPPPISP"
    assert judged(late, camera).authenticity.value == AUTHENTIC


def delayed(settings):
    camera, units = signed(settings, "IPPPPIPPPIPPPIPPPIP", "IPPPPISPPPISPPPISPPPISP")
    for number, after in ((22, 22), (17, 19), (12, 15), (7, 12)):
        units = moved(units, number, after)
    return camera, units


def test_all_seis_arrive_late(settings):
    camera, units = delayed(settings)
    assert judged(units, camera).authenticity.value == AUTHENTIC


def test_all_seis_arrive_late_first_gop_scrapped(settings):
    camera, units = delayed(settings)
    found = judged(units[5:], camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.head == 0


def test_with_blocked_signing(settings):
    camera, units = signed(settings, "IPPIPPIPPIPPIPPIPP", "IPPISPPISPPISPPISPPISPP")
    for number, after in ((21, 21), (17, 19), (13, 17), (9, 15)):
        units = moved(units, number, after)
    assert letters(units) == "IPPISPPIPPIPPIPSPSISPSP"
    assert judged(units, camera).authenticity.value == AUTHENTIC


def test_lost_g_before_late_sei_arrival(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    units = without(moved(units, 11, 12), 6)
    found = judged(units, camera)
    assert found.authenticity.value == WRONG


def test_lost_g_and_gop_with_late_sei_arrival(settings):
    camera, units = signed(settings, "IPIPPPIPPPIP", "IPISPPPISPPPISP")
    late = moved(moved(moved(units, 14, 14), 9, 9), 4, 4)
    assert letters(late) == "IPIPSPPIPSPPIPS"
    found = judged(late[2:], camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.confirmed == 8


def test_lost_all_nalus_between_two_seis(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    found = judged(without(units, 7, 8, 9, 10), camera)
    assert letters(without(units, 7, 8, 9, 10)) == "IPPPISSPPPISPPISP"
    assert found.authenticity.value == WRONG


def test_a_whole_group_lost_but_not_its_message(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    found = judged(without(units, 5, 7, 8, 9), camera)
    assert found.authenticity.value == INCOMPLETE
    assert found.missing == 4
    assert found.confirmed == 11


def test_a_whole_group_lost_with_its_message(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    found = judged(without(units, 5, 7, 8, 9, 11), camera)
    assert found.authenticity.value == INCOMPLETE
    assert any("1 messages are missing before message 2" in fault for fault in found.faults)


def test_add_one_sei_nalu_after_signing(settings):
    camera, units = signed(settings, "IPPIPPPIPPIP", "IPPISPPPISPPISP")
    foreign = camera.unit("Z")
    assert judged([*units[:7], foreign, *units[7:]], camera).authenticity.value == AUTHENTIC


@pytest.mark.parametrize("letter", ["I", "P"])
def test_add_one_frame_after_signing(letter, settings):
    camera, units = signed(settings, "IPPIPPPIPPIPPIP", "IPPISPPPISPPISPPISP")
    found = judged([*units[:6], camera.unit(letter), *units[6:]], camera)
    assert found.authenticity.value == WRONG


def test_pictures_of_a_kind_that_is_never_signed_are_noticed(settings):
    camera, units = signed(settings, "IPPIPPPIPPIP", "IPPISPPPISPPISP")
    # A data partition of H.264, a leading picture of H.265: shown by decoders, never hashed.
    header = b"\x42" if camera.codec == "h264" else bytes((8 << 1, 2))
    slipped_in = replace(units[1], letter="X", data=header + units[1].data[len(header) :])
    found = judged([*units[:6], slipped_in, *units[6:]], camera)
    assert found.authenticity.value == WRONG
    assert "1 coded parts are of a kind that is never signed" in found.faults


def test_camera_reset_on_signing_side(settings):
    camera, units = signed(settings, "IPPIPPIP", "IPPISPPISP")
    _, more = signed(settings, "IPPPIPPIP", "IPPPISPPISP", seed=1)
    found = judged([*units[:7], *more], camera)
    # The tail before the reset was never signed.
    assert found.authenticity.value == WRONG
    found = judged([*units[:3], units[4], *more], camera)
    assert found.authenticity.value == INCOMPLETE
    assert any("began signing anew" in fault for fault in found.faults)


def test_detect_change_of_public_key(settings):
    camera, units = signed(settings, "IPPIPPIP", "IPPISPPISP")
    other, more = signed(settings, "IPPPIPPIP", "IPPPISPPISP", identity=identity("camera 2"))
    anchors = [camera.identity.anchor, other.identity.anchor]
    found = judged([*units[:3], units[4], *more], camera, anchors)
    assert found.authenticity.value == WRONG
    assert "the key changes at message 2" in found.faults
    assert found.provenance.value == "signer-known"


def test_fast_forward_stream_with_reset(settings):
    camera, units = signed(settings, "IPPPPIPPPIPPPIPPPIPPPIP", "IPPPPISPPPISPPPISPPPISPPPISP")
    found = judged(units[10:], camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.head == 0


def test_fast_forward_stream_without_reset(settings):
    camera, units = signed(settings, "IPPPPIPPPIPPPIPPPIPPPIP", "IPPPPISPPPISPPPISPPPISPPPISP")
    found = judged([*units[:8], *units[15:]], camera)
    # What was begun before the jump is not signed any more.
    assert found.authenticity.value == WRONG
    assert found.confirmed == 5 + 4 + 4


def test_fast_forward_stream_with_delayed_seis(settings):
    camera, units = delayed(settings)
    start = letters(units).index("I", 12)
    found = judged(units[start:], camera)
    assert found.authenticity.value in {AUTHENTIC, "undecided"}
    assert found.faults == ()


@pytest.mark.parametrize("ends", ["dangling", "on an I"])
def test_file_export(ends, settings):
    camera, units = signed(settings, "VIPPIPPIPPIPPIPPIPP", "VIPPISPPISPPISPPISPPISPP")
    exported = [units[0], *units[8 : -4 if ends == "on an I" else -2]]
    found = judged(exported, camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.head == 0
    assert found.missing == 0


def test_export_in_the_middle_of_a_group(settings):
    camera, units = signed(settings, "VIPPIPPIPPIPPIPPIPP", "VIPPISPPISPPISPPISPPISPP")
    found = judged([units[0], *units[6:]], camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.head == 2


@pytest.mark.parametrize("pictures", ["IPPIPPIPPIPPI", "IiPpPpIiPpPpIiPpPpIiPpPpIi"])
def test_no_signature(pictures, settings):
    camera = Camera(**settings)
    found = judged([camera.unit(letter) for letter in pictures], camera)
    assert found.authenticity.value == "unsigned"
    assert found.names() == ()


def test_late_public_key_and_no_sei_before_key_arrives(settings):
    camera = Camera(**settings, certificates=False)
    units = camera.sign("IPPIPPIPPIP")
    camera.certificates = True
    units += camera.sign("PIPPIP")
    found = judged(units, camera)
    assert found.authenticity.value == AUTHENTIC
    assert judged(without(units, 9), camera).authenticity.value == WRONG


def test_without_any_certificate(settings):
    camera, units = signed(settings, "IPPIPPIP", "IPPISPPISP", certificates=False)
    found = judged(units, camera)
    assert found.authenticity.value == WRONG
    assert found.provenance is None


@pytest.mark.parametrize("place", [0, 1])
def test_golden_sei(place, settings):
    camera = Camera(**settings, certificates=False)
    golden = camera.golden()
    units = camera.sign("IPPIPPPIPPPIP")
    found = judged([*units[:place], golden, *units[place:]], camera)
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-known")


@pytest.mark.parametrize("escapes", ["none", "after", "signed"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_no_emulation_prevention_bytes(codec, escapes):
    camera = Camera(codec=codec, escapes=escapes)
    units = camera.sign("IPPIPPIP")
    assert (b"\x00\x00\x03" in units[4].data) == (escapes != "none")
    assert judged(units, camera).authenticity.value == AUTHENTIC


SEVERAL = "IPPIPPIPPIPPIPPIPPIP", "IPPIsPPIsPPISPPIsPPIsPPISP"


def test_sign_multiple_gops(settings):
    camera, units = signed(settings, *SEVERAL, sign_every=3)
    found = judged(units, camera)
    assert found.authenticity.value == AUTHENTIC
    assert found.confirmed == 18
    unfinished = judged(units[:20], camera)
    assert unfinished.authenticity.value == AUTHENTIC
    assert unfinished.confirmed == 9


def test_remove_one_p_frame_multiple_gops(settings):
    camera, units = signed(settings, *SEVERAL, sign_every=3)
    found = judged(without(units, 7), camera)
    assert found.authenticity.value == (INCOMPLETE if camera.hash_list else WRONG)
    assert found.missing == 1 or not camera.hash_list


@pytest.mark.parametrize(("number", "letter"), [(7, "P"), (4, "I"), (5, "s"), (13, "S")])
def test_modify_one_frame_multiple_gops(number, letter, settings):
    camera, units = signed(settings, *SEVERAL, sign_every=3)
    found = judged(modified(units, number, letter, -50 if letter in "sS" else -4), camera)
    assert found.authenticity.value == WRONG


def test_remove_one_i_frame_multiple_gops(settings):
    camera, units = signed(
        settings, "IPPIPPIPPIPPIPPIPPIIIIP", "IPPIsPPIsPPISPPIsPPIsPPISIsIsISP", sign_every=3
    )
    assert units[7].letter == "I"
    assert judged(without(units, 8), camera).authenticity.value == WRONG


PARTS = "IPPPPPIPPIPPPPPIPPIPIP", "IPPPPSPISPPISPPPPSPISPPISPISP"


def test_sign_partial_gops(settings):
    camera, units = signed(
        settings, "IPPPPPIPPIPPPPPPPPPIP", "IPPPPSPISPPISPPPPSPPPPSPISP", partial=4
    )
    found = judged(units, camera)
    assert found.authenticity.value == AUTHENTIC
    assert len(found.groups) == 6


def test_remove_one_p_frame_partial_gops(settings):
    camera, units = signed(settings, *PARTS, partial=4)
    found = judged(without(units, 15), camera)
    assert found.authenticity.value == (INCOMPLETE if camera.hash_list else WRONG)


@pytest.mark.parametrize(("number", "letter"), [(15, "P"), (12, "I"), (18, "S")])
def test_modify_one_frame_partial_gops(number, letter, settings):
    camera, units = signed(settings, *PARTS, partial=4)
    found = judged(modified(units, number, letter, -50 if letter == "S" else -4), camera)
    assert found.authenticity.value == WRONG


def test_remove_one_i_frame_partial_gops(settings):
    camera, units = signed(settings, *PARTS, partial=4)
    assert units[11].letter == "I"
    assert judged(without(units, 12), camera).authenticity.value == WRONG


def test_groups_swapped_with_their_messages(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    cut = [0, 4, 10, 16]
    parts = [units[a:b] for a, b in itertools.pairwise([*cut, len(units)])]
    found = judged([*parts[0], *parts[2], *parts[1], *parts[3]], camera)
    assert found.authenticity.value == WRONG


def test_a_group_played_twice(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    found = judged([*units[:10], *units[4:]], camera)
    assert found.authenticity.value == WRONG


def test_the_first_group_played_again_is_no_new_beginning(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    found = judged([*units[:10], *units[:4], units[5], *units[10:]], camera)
    assert found.authenticity.value == WRONG
    assert any("repeated" in fault for fault in found.faults)


def test_unsigned_groups_at_either_end(settings):
    camera, units = signed(settings, "IPPPIPPPIPPPIPPIP", "IPPPISPPPISPPPISPPISP")
    foreign = [camera.unit(letter) for letter in "IPPIPPIPP"]
    assert judged([*foreign, *units], camera).authenticity.value == WRONG
    assert judged([*units, *foreign], camera).authenticity.value == WRONG


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_hashes_and_kinds_of_key(hash_name, kind):
    camera = Camera(hash_name=hash_name, identity=identity(kind=kind))
    units = camera.sign("IPPIPPIP")
    found = judged(units, camera)
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-known")
    assert judged(modified(units, 2, "P"), camera).authenticity.value == WRONG


def test_times_are_told_where_the_camera_knows_them():
    camera = Camera()
    found = judged(camera.sign("IPPIPPIP"), camera)
    assert found.signed_from_ms == 1_772_352_000_000
    assert found.signed_to_ms == found.signed_from_ms + 3000
    assert found.vendor[2] == "Maker"
    relative = Camera(version=1, start=22_400_444)
    assert judged(relative.sign("IPPIPPIP"), relative).signed_from_ms is None


def test_certificates_are_judged_at_signing_time():
    old = Camera(identity=identity(days=(-400, -200)))
    assert judged(old.sign("IPPIPPIP"), old).provenance.value == "signer-expired"
    then = Camera(identity=identity(days=(-400, -200)), start=Camera().start - 300 * 864 * 10**9)
    assert judged(then.sign("IPPIPPIP"), then).provenance.value == "signer-known"
    # A clock that began with the stream says nothing about dates.
    unknown = Camera(identity=identity(days=(-400, -200)), start=0)
    assert judged(unknown.sign("IPPIPPIP"), unknown).provenance.value == "signer-known"


def test_an_intermediate_that_is_no_authority_leads_nowhere():
    camera = Camera(identity=identity(ca=False))
    assert judged(camera.sign("IPPIPPIP"), camera).provenance.value == "signer-unknown"
    direct = Camera(identity=identity(between=False))
    assert judged(direct.sign("IPPIPPIP"), direct).provenance.value == "signer-known"


def test_another_anchor_does_not_vouch():
    camera = Camera()
    found = judged(camera.sign("IPPIPPIP"), camera, [identity("camera 2").anchor])
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-unknown")


def test_the_chain_is_no_anchor_of_itself():
    key = identity()
    camera = Camera(identity=replace(key, chain=key.chain + key.anchor))
    found = judged(camera.sign("IPPIPPIP"), camera, [])
    assert found.provenance.value == "signer-unknown"
