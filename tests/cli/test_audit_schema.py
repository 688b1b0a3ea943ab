"""Programs find every field of an audit's results in its schema, and results read back whole."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tests.face_audit.test_measuring import GATED, measured
from tidewaiter.cli.program import program
from tidewaiter.face_audit.results import AuditResults


def test_the_schema_of_an_audit_is_printed_and_names_what_is_written():
    printed = json.loads(CliRunner().invoke(program, ["schema", "audit"]).stdout)
    record = measured(GATED)[2]
    assert set(json.loads(record.model_dump_json())) == set(printed["properties"])


def test_results_read_back_whole():
    record = measured(GATED)[2]
    again = AuditResults.model_validate_json(record.model_dump_json())
    assert again.model_dump_json() == record.model_dump_json()
