"""Which tests of ONVIF's own suite are re-enacted here, by their names, and which are not.

The names are those of onvif/media-signing-framework at revision d4e284e (validator) and of a
revision near it (signer, common): 69 in all. Re-enacted are 58: 48 of 50 of the validator, 10 of 17
of the signer, 0 of 2 common ones. The other 11 test a C library's functions and parameters, or
are switched off there. A later revision (7634c1b) is said to have 75 names (55, 18 and 2); its
list was not at hand, so that up to 6 names more are not looked at here.
"""

from __future__ import annotations

import re

import pytest

from tests.custody import test_onvif, test_onvif_groups

C_LIBRARY = "a C library's own functions and parameters"
SWITCHED_OFF = "switched off in that suite; nothing in the format ends a stream"
WHOLE_UNITS = "units come whole from the demuxer here; splitting them is tested with the splitter"

VALIDATOR = {
    "invalid_api_inputs": C_LIBRARY,
    "intact_stream": "test_intact",
    "intact_multislice_stream": "test_intact",
    "intact_stream_with_splitted_nalus": WHOLE_UNITS,
    "intact_stream_with_pps_nalu_stream": "test_intact",
    "intact_ms_stream_with_pps_nalu_stream": "test_intact",
    "intact_with_undefined_nalu_in_stream": "test_intact",
    "intact_with_undefined_multislice_nalu_in_stream": "test_intact",
    "add_non_onvif_sei_after_signing": "test_add_one_sei_nalu_after_signing",
    "all_seis_arrive_late": "test_all_seis_arrive_late",
    "with_blocked_signing": "test_with_blocked_signing",
    "file_export_and_scrubbing": "test_file_export_and_scrubbing",
    "certificate_sei_first": "test_golden_sei",
    "certificate_sei_later": "test_golden_sei",
    "no_trusted_certificate_added": "test_no_trusted_certificate_added",
    "interchange_two_p_frames": "test_interchange_two_p_nalus",
    "modify_one_p_frame": "test_modify_one_p_frame",
    "remove_one_p_frame": "test_remove_one_p_frame",
    "add_one_p_frame": "test_add_one_p_frame",
    "modify_one_i_frame": "test_modify_one_i_frame",
    "remove_one_i_frame": "test_remove_one_i_frame",
    "modify_one_sei_frame": "test_modify_one_sei_frame",
    "remove_one_sei_frame": "test_remove_one_sei_frame",
    "interchange_two_seis": "test_interchange_two_seis",
    "remove_both_i_and_sei": "test_remove_both_i_and_sei",
    "late_seis_and_first_gop_scrapped": "test_late_seis_and_first_gop_scrapped",
    "lost_a_gop": "test_lost_a_gop",
    "detect_change_of_public_key": "test_detect_change_of_public_key",
    "sign_multiple_gops": "test_sign_multiple_gops",
    "all_seis_arrive_late_multiple_gops": "test_all_seis_arrive_late",
    "file_export_and_scrubbing_multiple_gops": "test_file_export_and_scrubbing",
    "modify_one_p_frame_multiple_gops": "test_modify_one_frame_multiple_gops",
    "remove_one_p_frame_multiple_gops": "test_remove_one_p_frame_multiple_gops",
    "add_one_p_frame_multiple_gops": "test_add_one_p_frame",
    "modify_one_i_frame_multiple_gops": "test_modify_one_frame_multiple_gops",
    "remove_one_i_frame_multiple_gops": "test_remove_one_i_frame_multiple_gops",
    "modify_sei_frames_multiple_gops": "test_modify_one_frame_multiple_gops",
    "remove_sei_frames_multiple_gops": "test_remove_one_sei_frame",
    "sign_partial_gops": "test_sign_partial_gops",
    "all_seis_arrive_late_partial_gops": "test_all_seis_arrive_late",
    "file_export_and_scrubbing_partial_gops": "test_file_export_and_scrubbing",
    "modify_one_p_frame_partial_gops": "test_modify_one_frame_partial_gops",
    "remove_one_p_frame_partial_gops": "test_remove_one_p_frame_partial_gops",
    "add_one_p_frame_partial_gops": "test_add_one_p_frame",
    "modify_one_i_frame_partial_gops": "test_modify_one_frame_partial_gops",
    "remove_one_i_frame_partial_gops": "test_remove_one_i_frame_partial_gops",
    "modify_one_sei_frame_partial_gops": "test_modify_one_frame_partial_gops",
    "remove_one_sei_frame_partial_gops": "test_remove_one_sei_frame",
    "unsigned_stream": "test_no_signature",
    "unsigned_multislice_stream": "test_no_signature",
}
SIGNER = {
    "api_inputs": C_LIBRARY,
    "incorrect_operation": C_LIBRARY,
    "correct_nalu_sequence_without_eos": "test_a_signer_puts_its_messages_where_they_are_due",
    "correct_multislice_nalu_sequence_without_eos": (
        "test_a_signer_puts_its_messages_where_they_are_due"
    ),
    "correct_nalu_sequence_with_eos": SWITCHED_OFF,
    "correct_multislice_sequence_with_eos": SWITCHED_OFF,
    "correct_signing_nalus_in_parts": C_LIBRARY,
    "sei_size_increase_with_gop_length": "test_sei_size_increase_with_gop_length",
    "get_seis_in_correct_order": C_LIBRARY,
    "undefined_nalu_in_sequence": "test_a_signer_puts_its_messages_where_they_are_due",
    "start_stream_with_certificate_sei": "test_start_stream_with_certificate_sei",
    "w_wo_emulation_prevention_bytes": "test_no_emulation_prevention_bytes",
    "limited_sei_payload_size": "test_limited_sei_payload_size",
    "display_sei_if_not_peek": C_LIBRARY,
    "signing_multiple_gops": "test_a_signer_puts_its_messages_where_they_are_due",
    "signing_partial_gops": "test_a_signer_puts_its_messages_where_they_are_due",
    "signing_multislice_stream_partial_gops": "test_a_signer_puts_its_messages_where_they_are_due",
}
COMMON = {"create_free_reset": C_LIBRARY, "onvif_media_signing_version": C_LIBRARY}
SUITES = (VALIDATOR, SIGNER, COMMON)


def enacted(names):
    return [name for name, by in names.items() if by.startswith("test_")]


@pytest.mark.parametrize("names", SUITES)
def test_what_is_said_to_be_re_enacted_is(names):
    for name in enacted(names):
        by = names[name]
        assert hasattr(test_onvif, by) or hasattr(test_onvif_groups, by), name
        if by == "test_intact":
            assert name in test_onvif.INTACT


def test_the_counts_above_are_true():
    said = [int(number) for number in re.findall(r"\b\d+\b", __doc__.split("Re-enacted are")[1])]
    counts = [number for names in SUITES for number in (len(enacted(names)), len(names))]
    done, whole = sum(counts[::2]), sum(counts[1::2])
    assert said[:8] == [done, *counts, whole - done]
    assert f"{whole} in all" in __doc__
