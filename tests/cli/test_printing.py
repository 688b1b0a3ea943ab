"""What a terminal shows of text from outside: its letters, nothing that moves the cursor."""

from __future__ import annotations

from click.testing import CliRunner

from tests.face_audit.test_measuring import measured
from tidewaiter.cli.printing import printable
from tidewaiter.cli.program import program
from tidewaiter.messages import translator
from tidewaiter.vocabulary import tr


def test_what_could_rewrite_a_line_is_shown_as_unknown():
    assert printable("a\x1b[2Jb\u202ec\ud800\n") == "a�[2Jb�c?�"


def test_french_spaces_stay():
    french = tr(
        "whether this is below {limit:.0f} % cannot be told from so few people", limit=7.0
    ).render(translator("fr"))
    assert printable(french + "\u00a0:\u202f!") == french + "\u00a0:\u202f!"


def test_names_in_a_verdict_do_not_reach_the_terminal_as_they_are(tmp_path, monkeypatch):
    record = measured()[2]
    hostile = record.model_copy(
        update={"verdict": (tr("The gate {gate}.", gate="\x1b]0;owned\x07"), *record.verdict)}
    )
    monkeypatch.setattr("tidewaiter.wiring_audit.open_audit", lambda *_: (None, []))
    monkeypatch.setattr("tidewaiter.wiring_audit.write_report", lambda *_: hostile)
    (tmp_path / "p.toml").write_text("")
    said = CliRunner().invoke(program, ["audit", "report", str(tmp_path / "p.toml")])
    assert said.exit_code == 0
    assert "\x1b" not in said.output
    assert "The gate �]0;owned�." in said.output
