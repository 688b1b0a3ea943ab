"""A custody site made by the commands themselves, with a witness that answers and one that is
carried to."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from tidewaiter import wiring_witness
from tidewaiter.cli.program import program
from tidewaiter.errors import TidewaiterError

ORIGIN = "custody.customs.example/2026"
FOUNDERS = ("dora:log", "amara:vigilance", "bilal:legal")


@dataclass
class Answer:
    """What a command printed and how it ended."""

    code: int
    text: str


def run(*words) -> Answer:
    """Run `tidewaiter custody …` in this process, as the program would end."""
    done = CliRunner().invoke(program, ["custody", *map(str, words)])
    if isinstance(done.exception, TidewaiterError):
        return Answer(done.exception.exit_code, f"{done.output}{done.exception}")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Answer(done.exit_code, done.output)


@dataclass
class Place:
    """A folder with a site, two witnesses and a camera's card."""

    folder: Path
    vkeys: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def card(self) -> Path:
        return self.folder / "card"

    @property
    def policy(self) -> Path:
        return self.site / "policy"

    def key(self, name: str) -> Path:
        return self.site / "founders" / f"{name}.key"

    def approvers(self) -> list[str]:
        return [f"--approver={self.key(name)}" for name in ("amara", "bilal")]

    def do(self, *words) -> Answer:
        return run(*words, "--site", self.site)

    def found(self, *extra) -> Answer:
        """Two witnesses: the court's answers at an address, vigilance's is carried to."""
        for name in ("vigilance", "court"):
            made = run(
                "witness", "init", "--name", f"witness.{name}.example",
                "--key", self.folder / f"{name}.wkey", "--book", self.folder / f"{name}.book",
            )  # fmt: skip
            self.vkeys[name] = made.text.split("\n")[0]
        words = [f"--founder={one}" for one in FOUNDERS]
        words += [f"--witness={name} {vkey}" for name, vkey in self.vkeys.items()]
        return self.do("init", "--origin", ORIGIN, *words, *extra)

    def files(self, name: str) -> wiring_witness.WitnessFiles:
        return wiring_witness.WitnessFiles(
            self.folder / f"{name}.wkey", self.folder / f"{name}.book", self.site / "for-witnesses"
        )

    def carry(self, *names: str) -> None:
        """Carry the newest checkpoint to witnesses on a stick, and their answers back."""
        stick = self.folder / "stick"
        asked = self.do("checkpoint", "--requests", stick)
        assert asked.code == 0, asked.text
        answers = []
        for name in names:
            request = max(
                stick.glob(f"{name}-*.add-checkpoint"), key=lambda one: one.stat().st_mtime_ns
            )
            signed = request.with_suffix(".cosigned")
            signed.write_text(wiring_witness.sign_request(self.files(name), request))
            answers += ["--answer", name, str(signed)]
            request.unlink()
        done = self.do("checkpoint", *answers)
        assert done.code == 0, done.text

    @contextlib.contextmanager
    def served(self, name: str):
        """A witness at an address that stands in the policy from now on."""
        with wiring_witness.serving(self.files(name), host="127.0.0.1", port=0) as address:
            line = f"witness {name} {self.vkeys[name]}"
            text = re.sub(
                rf"(?m)^{re.escape(line)}.*$", f"{line} {address}", self.policy.read_text()
            )
            self.policy.chmod(0o600)
            self.policy.write_text(text)
            yield address


def founded(folder: Path) -> Place:
    """A site with a dock and a camera that cannot sign."""
    place = Place(folder)
    made = place.found()
    assert made.code == 0, made.text
    enrolled = place.do("device", "add", "dock-1", "--holder", "dock", *place.approvers())
    assert enrolled.code == 0, enrolled.text
    added = place.do("device", "add", "bwc-0017", "--dock", "dock-1", "--file-number", r"MOV_(\d+)")
    assert added.code == 0, added.text
    place.card.mkdir()
    return place
