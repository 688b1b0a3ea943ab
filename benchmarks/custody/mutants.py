"""Whether tests notice small faults in the verifier: `python benchmarks/custody/mutants.py`.

Every module that is joined into the stand-alone verifier gets each fault of mutations.py, one at
a time. Its tests run once to learn which of them reach which line; then, for each fault, a forked
process puts it into the loaded modules and runs the tests that reach it, until one fails. No file
is written but the result. A fault that no test notices survives; `mutants_equivalent.tsv` says of
those that change no behaviour why they do not. A fault is also noticed if the module does not load
with it, or if its tests take far more processor time.

    --module judging   only these; of the others the result keeps what it knows
    --sample 200       so many faults of each module, chosen by seed
    --again            only what survived before, after tests were added
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from mutations import Site, lines_that_read, names_made, sites
from transplant import replace_module

from tidewaiter.custody.stand_alone import modules_needed
from tidewaiter.storage.custody_verifier import verifier_sources

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULT = HERE / "results" / "mutants.json"
EQUIVALENT = HERE / "mutants_equivalent.tsv"
SEED = 20261122
# They decide nothing: errors, names of findings, and the words of another language.
NOT_MUTATED = {
    "tidewaiter.errors",
    "tidewaiter.custody.discrepancy",
    "tidewaiter.custody.translating",
    "tidewaiter.custody.verdict_french",
    "tidewaiter.custody.findings_french",
}
# Slower tests look for what nobody thought of; the fast ones have to notice what is meant.
LONGEST_TEST_S = 0.3
USUAL_CPU_S = 5
MOST_MEMORY_BYTES = 4 << 30
# The tests of these modules: what is in their names. Fuzzing and other programs are left out,
# and the verdict in French, which asks for words alone.
TESTS = (
    "custody/test_approvals", "custody/test_checkpoints", "custody/test_gaps",
    "custody/test_judge_decisions", "custody/test_judging", "custody/test_key_history",
    "custody/test_merkle", "custody/test_note", "custody/test_policies", "custody/test_record",
    "custody/test_retention", "custody/test_verif", "storage/test_custody_verifier",
)  # fmt: skip


@dataclass
class Hunt:
    """A pytest plugin that runs the collected tests over and over, each time with one fault."""

    sources: dict[str, str]
    hunted: list[str]
    sample: int
    known: list[dict[str, Any]]
    """Survivors of earlier hunts that are tried again, and nothing else; empty for all."""

    reached: dict[int, dict[str, set[int]]] = field(default_factory=dict)
    taken_s: dict[int, float] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    survivors: list[dict[str, Any]] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what each test reaches, then put in one fault after the other."""
        items = list(session.items)
        for place, item in enumerate(items):
            self._learn(place, item)
        usable = [place for place, taken_s in self.taken_s.items() if taken_s <= LONGEST_TEST_S]
        print(
            f"{sum(self.taken_s.values()):.1f} s for {len(items)} tests, {len(usable)} fast",
            flush=True,
        )
        for module, number in self._chosen():
            site = sites(ast.parse(self.sources[module]))[number]
            order = self._order(module, site, usable)
            self.tried[module] += 1
            if order and self._is_noticed(module, number, [items[place] for place in order]):
                self.killed[module] += 1
            else:
                self._note_survivor(module, site, len(order))
        return True

    def _learn(self, place: int, item: pytest.Item) -> None:
        files = {str(sys.modules[name].__file__): name for name in self.sources}
        lines: dict[str, set[int]] = defaultdict(set)

        def trace_line(frame: FrameType, event: str, _arg: object) -> Any:
            if event == "line":
                lines[files[frame.f_code.co_filename]].add(frame.f_lineno)
            return trace_line

        def trace_call(frame: FrameType, _event: str, _arg: object) -> Any:
            return trace_line if frame.f_code.co_filename in files else None

        start = time.process_time()
        sys.settrace(trace_call)
        try:
            passed = _passes(item, None)
        finally:
            sys.settrace(None)
        if not passed:
            pytest.exit(f"{item.nodeid} fails without any fault", returncode=1)
        self.reached[place], self.taken_s[place] = dict(lines), time.process_time() - start

    def _chosen(self) -> Iterator[tuple[str, int]]:
        rng = random.Random(SEED)  # noqa: S311 - a seeded sample, no secret
        again = {(one["module"], one["where"], one["fault"]) for one in self.known}
        for module in self.hunted:
            found = enumerate(sites(ast.parse(self.sources[module])))
            name = _short(module)
            whole = [at for at, one in found if not again or (name, one.where, one.what) in again]
            chosen = rng.sample(whole, min(self.sample or len(whole), len(whole)))
            yield from ((module, number) for number in sorted(chosen))

    def _order(self, module: str, site: Site, usable: Sequence[int]) -> list[int]:
        """The tests that reach the fault, quick ones first.

        What stands at the top of a module is reached where its name is read.
        """
        span = set(range(site.first, site.last + 1))
        lines = {module: span}
        if not site.is_run:
            names = names_made(self.sources[module], span)
            read = {name: lines_that_read(text, names) for name, text in self.sources.items()}
            lines = read | {module: read[module] | span}
        found = [
            place
            for place in usable
            if any(of & self.reached[place].get(name, set()) for name, of in lines.items())
        ]
        return sorted(found, key=lambda place: self.taken_s[place])

    def _is_noticed(self, module: str, number: int, items: list[pytest.Item]) -> bool:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os._exit(_run_with_fault(module, self.sources[module], number, items))
        _, status = os.waitpid(child, 0)
        return status != 0

    def _note_survivor(self, module: str, site: Site, tests: int) -> None:
        name = _short(module)
        self.survivors.append(
            {"module": name, "where": site.where, "line": site.first, "fault": site.what}
            | {"tests_that_reach_it": tests}
        )
        print(
            f"survives: {name}:{site.first} {site.where}: {site.what} ({tests} tests)", flush=True
        )


def main() -> None:
    """Hunt and write the result."""
    options = _options()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    hypothesis.settings.register_profile(
        "hunt",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("hunt")
    every = verifier_sources()
    names = [name for name in modules_needed(every) if name not in NOT_MUTATED]
    for name in names:
        __import__(name)
    known = _known()["survivors"] if options.again else []
    asked_for = (
        [one["module"].rpartition(".")[2] for one in known]
        or options.module
        or [name.rpartition(".")[2] for name in names]
    )
    hunted = [name for name in names if name.rpartition(".")[2] in asked_for]
    hunt = Hunt({name: every[name] for name in names}, hunted, options.sample, known)
    asked = [
        "-q",
        "-x",
        "-s",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not shared",
    ]
    if pytest.main([*asked, *_test_files()], plugins=[hunt]):
        raise SystemExit(1)
    spent = os.times()
    result = _merged(hunt, spent.user + spent.system + spent.children_user + spent.children_system)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(result | {"survivors": len(result["survivors"])}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--again", action="store_true")
    return parser.parse_args()


def _test_files() -> list[str]:
    return sorted(str(file) for name in TESTS for file in (ROOT / "tests").glob(f"{name}*.py"))


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001 - as reruns of tests need it
    return not any(one.failed for one in runtestprotocol(item, log=False, nextitem=following))


def _run_with_fault(module: str, source: str, number: int, items: list[pytest.Item]) -> int:
    """0 where all tests pass although the fault is in; else the process ends in any other way."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, USUAL_CPU_S + 0.5 * len(items))
    tree = ast.parse(source)
    sites(tree)[number].apply()
    fresh = ModuleType(module)
    fresh.__file__ = sys.modules[module].__file__
    try:
        exec(compile(tree, str(fresh.__file__), "exec"), vars(fresh))  # noqa: S102 - our own source
    except Exception:  # noqa: BLE001 - a module that does not load is noticed
        return 2
    replace_module(sys.modules[module], fresh)
    for item, following in zip(items, [*items[1:], None], strict=True):
        if not _passes(item, following):
            return 1
    return 0


def _merged(hunt: Hunt, cpu_s: float) -> dict[str, Any]:
    """The result with what was found of these modules in place of what was known of them."""
    known = _known()
    with EQUIVALENT.open(encoding="utf-8", newline="") as stream:
        reasons = {tuple(row[:3]): row[3] for row in csv.reader(stream, delimiter="\t") if row}
    for one in hunt.survivors:
        one["why it changes nothing"] = reasons.get((one["module"], one["where"], one["fault"]), "")
    counting = _tried_again if hunt.known else _summary
    modules = known["modules"] | {
        _short(name): counting(hunt, name, known["modules"].get(_short(name)))
        for name in hunt.hunted
    }
    hunted = {_short(name) for name in hunt.hunted}
    survivors = [one for one in known["survivors"] if one["module"] not in hunted]
    survivors += hunt.survivors
    counted = ("faults", "noticed", "without effect", "not noticed")
    return {
        "what": "small faults put into the modules of the verifier, one at a time, and its tests",
        "seed": SEED,
        "tests": len(hunt.taken_s),
        "cpu_s_of_the_last_run": round(cpu_s),
        **{name: sum(one[name] for one in modules.values()) for name in counted},
        "modules": dict(sorted(modules.items())),
        "survivors": sorted(survivors, key=lambda one: (one["module"], one["line"], one["fault"])),
    }


def _known() -> dict[str, Any]:
    if RESULT.exists():
        result: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
        return result
    return {"modules": {}, "survivors": []}


def _tried_again(hunt: Hunt, name: str, known: dict[str, Any]) -> dict[str, Any]:
    """What was counted before, less what is noticed now and what is in the code no more."""
    before = sum(one["module"] == _short(name) for one in hunt.known)
    now = _summary(hunt, name, None)
    left = now["without effect"] + now["not noticed"]
    gone = max(0, before - hunt.tried[name])
    changed = {"faults": known["faults"] - gone, "noticed": known["noticed"] + before - gone - left}
    return known | now | changed


def _summary(hunt: Hunt, name: str, _known: dict[str, Any] | None) -> dict[str, Any]:
    mine = [one for one in hunt.survivors if one["module"] == _short(name)]
    explained = sum(bool(one["why it changes nothing"]) for one in mine)
    return {
        "possible faults": len(sites(ast.parse(hunt.sources[name]))),
        "faults": hunt.tried[name],
        "noticed": hunt.killed[name],
        "without effect": explained,
        "not noticed": len(mine) - explained,
    }


def _short(name: str) -> str:
    return name.removeprefix("tidewaiter.")


if __name__ == "__main__":
    main()
