"""Whether tests notice small faults in the verifier: `python benchmarks/custody/mutants.py`.

Every module that is joined into the stand-alone verifier gets each fault of mutations.py, one at
a time. Its tests run once to learn which of them reach which line; then, for each fault, a forked
process puts it into the loaded modules and runs the tests that reach it, until one fails. No file
is written but the result. A fault that no test notices survives; `mutants_equivalent.tsv` says of
those that change no behaviour why they do not. A fault is also noticed if the module does not load
with it, or if its tests take far more processor time.

    --module judging   only these; of the others the result keeps what it knows
    --sample 200       so many faults of each module, chosen by seed
    --again            only what survived before (of these modules), after tests were added
"""

from __future__ import annotations

import argparse
import ast
import csv
import gc
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
# Of these tests each takes a tenth of that: whoever takes longer is caught in an endless loop.
MOST_CPU_S = 3
# Or it waits for something that never comes, such as a writer to a pipe.
MOST_WAIT_S = 100
MOST_MEMORY_BYTES = 4 << 30
# The tests of these modules: what is in their names. Fuzzing and other programs are left out,
# and the verdict in French, which asks for words alone.
TESTS = (
    "custody/test_approvals", "custody/test_checkpoints", "custody/test_gaps",
    "custody/test_judge_decisions", "custody/test_judging", "custody/test_key_history",
    "custody/test_merkle", "custody/test_note", "custody/test_policies", "custody/test_record",
    "custody/test_retention", "custody/test_verif", "custody/test_weak_keys",
    "storage/test_custody_verifier",
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
    noticed_by: Counter[int] = field(default_factory=Counter)
    """How many faults a test was the first to notice; such a test is asked earlier."""

    known_read: dict[tuple[str, frozenset[int]], dict[str, set[int]]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    survivors: list[dict[str, Any]] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    finished: list[str] = field(default_factory=list)

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
        gc.collect()
        gc.freeze()  # A fork then shares what it does not change.
        for module in self.hunted:
            tree = ast.parse(self.sources[module])
            for site in self._chosen(module, tree):
                order = self._order(module, site, usable)
                self.tried[module] += 1
                if self._is_noticed(module, tree, site, {at: items[at] for at in order}):
                    self.killed[module] += 1
                else:
                    self._note_survivor(module, site, len(order))
            self.finished.append(module)
            _write(self)
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

    def _chosen(self, module: str, tree: ast.Module) -> list[Site]:
        again = {(one["module"], one["where"], one["fault"]) for one in self.known}
        whole = [
            one
            for one in sites(tree)
            if not again or (_short(module), one.where, one.what) in again
        ]
        rng = random.Random(f"{SEED} {module}")  # noqa: S311 - a seeded sample, no secret
        chosen = rng.sample(range(len(whole)), min(self.sample or len(whole), len(whole)))
        return [whole[at] for at in sorted(chosen)]

    def _order(self, module: str, site: Site, usable: Sequence[int]) -> list[int]:
        """The tests that reach the fault, those first that notice much in little time.

        What stands at the top of a module is reached where its name is read.
        """
        span = set(range(site.first, site.last + 1))
        lines = {module: span}
        if not site.is_run:
            read = self._read(module, frozenset(span))
            lines = read | {module: read[module] | span}
        found = [
            place
            for place in usable
            if any(of & self.reached[place].get(name, set()) for name, of in lines.items())
        ]
        return sorted(found, key=lambda at: self.taken_s[at] / (1 + self.noticed_by[at]))

    def _read(self, module: str, span: frozenset[int]) -> dict[str, set[int]]:
        """By module, the lines that read what is defined on these lines of this one."""
        if (module, span) not in self.known_read:
            names = names_made(self.sources[module], span)
            read = {name: lines_that_read(text, names) for name, text in self.sources.items()}
            self.known_read[module, span] = read
        return self.known_read[module, span]

    def _is_noticed(
        self, module: str, tree: ast.Module, site: Site, items: Mapping[int, pytest.Item]
    ) -> bool:
        sys.stdout.flush()
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            site.apply()
            os._exit(_run_changed(module, tree, items, tell))
        os.close(tell)
        with os.fdopen(told, "rb") as stream:
            asked = stream.read()
        _, status = os.waitpid(child, 0)
        if status and asked:
            self.noticed_by[int(asked.split()[-1])] += 1
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
    asked_for = options.module or [_last(name) for name in names]
    known = [one for one in _known()["survivors"] if _last(one["module"]) in asked_for]
    if options.again:
        asked_for = [_last(one["module"]) for one in known]
    hunted = [name for name in names if _last(name) in asked_for]
    known = known if options.again else []
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


def _write(hunt: Hunt) -> None:
    """What is known after a module was finished: a hunt that is broken off keeps the others."""
    spent = os.times()
    result = _merged(hunt, spent.user + spent.system + spent.children_user + spent.children_system)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print(_short(hunt.finished[-1]), result["modules"][_short(hunt.finished[-1])], flush=True)


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


def _run_changed(module: str, tree: ast.Module, items: Mapping[int, pytest.Item], tell: int) -> int:
    """0 where all tests pass although the module is this; else the process ends in another way.

    Writes to `tell` which test it begins.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    for ends in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(ends, signal.SIG_DFL)
    fresh = ModuleType(module)
    fresh.__file__ = sys.modules[module].__file__
    try:
        exec(compile(tree, str(fresh.__file__), "exec"), vars(fresh))  # noqa: S102 - our own source
    except Exception:  # noqa: BLE001 - a module that does not load is noticed
        return 2
    replace_module(sys.modules[module], fresh)
    for (place, item), following in zip(items.items(), [*[*items.values()][1:], None], strict=True):
        os.write(tell, f"{place}\n".encode())
        signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
        signal.setitimer(signal.ITIMER_REAL, MOST_WAIT_S)
        if not _passes(item, following):
            return 1
    return 0


def _merged(hunt: Hunt, cpu_s: float) -> dict[str, Any]:
    """The result with what was found of the last module in place of what was known of it."""
    known = _known()
    with EQUIVALENT.open(encoding="utf-8", newline="") as stream:
        reasons = {tuple(row[:3]): row[3] for row in csv.reader(stream, delimiter="\t") if row}
    for one in hunt.survivors:
        one["why it changes nothing"] = reasons.get((one["module"], one["where"], one["fault"]), "")
    counting = _tried_again if hunt.known else _summary
    last = hunt.finished[-1]
    counted_now = counting(hunt, last, known["modules"].get(_short(last)))
    modules = known["modules"] | {_short(last): counted_now}
    survivors = [one for one in known["survivors"] if one["module"] != _short(last)]
    survivors += [one for one in hunt.survivors if one["module"] == _short(last)]
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
    here = {(one.where, one.what) for one in sites(ast.parse(hunt.sources[name]))}
    gone = sum(
        (one["where"], one["fault"]) not in here
        for one in hunt.known
        if one["module"] == _short(name)
    )
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


def _last(name: str) -> str:
    return name.rpartition(".")[2]


if __name__ == "__main__":
    main()
