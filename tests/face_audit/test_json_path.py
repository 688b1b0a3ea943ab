"""Paths into a service's JSON lead where RFC 9535 says, or are refused with their place."""

import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.json_path import json_path

DOCUMENT = {
    "result": [{"score": 0.7, "face matches": [{"id": "a"}, {"id": "b"}]}],
    "error": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DOCUMENT]),
        ("$.result[0].score", [0.7]),
        ("$.result[-1].score", [0.7]),
        ("$['result'][0]['face matches'][*].id", ["a", "b"]),
        ('$.result[*]["face matches"][1].id', ["b"]),
        ("$.error", [None]),
        ("$.error.code", []),
        ("$.result[7]", []),
        ("$.result.score", []),
        ("$.result[0].score[0]", []),
    ],
)
def test_a_path_leads_to_its_values(path, found):
    assert json_path(path).all_in(DOCUMENT) == found


@pytest.mark.parametrize("path", ["result", "$..score", "$.result[?(@.a)]", "$.", "$[", ""])
def test_a_path_that_cannot_be_read_is_refused(path):
    with pytest.raises(ConfigurationError, match="JSON path"):
        json_path(path)
