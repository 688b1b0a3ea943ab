"""Ask witnesses for both sides of a fork, at once and in any order: never may both get a quorum.

    python benchmarks/custody/schedules.py --schedules 100000 --folder FOLDER

In each schedule a log forks at a random size and its operator presses both views upon three
witnesses from several threads: with guessed, true and stale sizes, again after every refusal,
with answers lost and asked for once more. The witnesses are the shipped ones, each with its
SQLite book, to which every thread has its own connection; many schedules run interleaved. A
schedule is broken when two checkpoints that contradict each other are each cosigned by two of
three witnesses, or one witness cosigns both. FOLDER holds the books; on a memory file system the
figures are the same and come sooner, for what is tested is the order of events, not the disk.

`--careless` runs the same against witnesses that check and store in two transactions, which must
break: it shows that the schedules would find the race that C2SP tlog-witness warns of.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.fork import fork_between, prove_fork
from tidewaiter.custody.keys import ED25519_COSIGNATURE, ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import Note, parse_signature_lines
from tidewaiter.custody.witness import AddCheckpoint, Remembered, Witness, WitnessAnswer
from tidewaiter.evaluation.intervals import clopper_pearson
from tidewaiter.storage.witness_book import SqliteWitnessBook

RESULTS = Path(__file__).parent / "results"
SEED = 20261122
NOW_S = 1_790_000_000
WITNESSES = 3
QUORUM = 2
THREADS = 4
# Schedules whose requests are shuffled together, so that the books see them interleaved.
INTERLEAVED = 40
MOST_BEFORE_FORK = 6
MOST_AFTER_FORK = 6
LOG_SEED = bytes(range(32))
VIEWS = ("court", "vigilance")
TRIES = 2
# A new set of books after so many schedules, so that what is kept fits into memory.
PER_BOOK = 2500
PROOF_EVERY = 10
SHARE_LOST = 0.1


@dataclass
class Schedule:
    """One log that forks, and what its operator got for each view."""

    origin: str
    key: SigningKey
    forked_at: int
    trees: dict[str, Tree]
    confirmed: list[tuple[int, str, int]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    notes: dict[tuple[str, int], Note] = field(default_factory=dict)

    def note(self, view: str, size: int) -> Note:
        """The signed checkpoint of a view; signed once, as a log does."""
        if (view, size) not in self.notes:
            checkpoint = Checkpoint(self.origin, size, self.trees[view].root(size))
            self.notes[view, size] = sign_checkpoint(checkpoint, self.key)
        return self.notes[view, size]


class CarelessBook(SqliteWitnessBook):
    """A book that reads, judges and stores without holding a transaction over the three."""

    def step(
        self, origin: str, judge: Callable[[Remembered | None], WitnessAnswer]
    ) -> WitnessAnswer:
        """Judge by a state that may be stale by the time the answer is stored."""
        last = self.last(origin)
        answer = judge(last)
        if answer.remember is not None:
            now = answer.remember
            with self._guarded():
                self._database.execute(
                    "INSERT OR REPLACE INTO log (origin, size, root, note, time_s) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (origin, now.size, now.root, now.note, now.time_s),
                )
        return answer


class Panel:
    """Three witnesses; every thread has its own connection to each book."""

    def __init__(self, folder: Path, book: type[SqliteWitnessBook]) -> None:
        self.keys = [
            SigningKey(f"w{n}.example", ED25519_COSIGNATURE, bytes([n + 1]) * 32)
            for n in range(WITNESSES)
        ]
        self._folder, self._book, self._local = folder, book, threading.local()
        self._open: list[SqliteWitnessBook] = []
        for number, key in enumerate(self.keys):
            SqliteWitnessBook.create(self._path(number), str(key.verifier)).close()

    def ask(self, number: int, schedule: Schedule, body: bytes) -> WitnessAnswer:
        """One request to one witness."""
        known = {schedule.origin: (schedule.key.verifier,)}
        witness = Witness((self.keys[number],), known)
        return witness.add_checkpoint(body, self._books()[number], NOW_S)

    def close(self) -> None:
        """Let go of all books."""
        for book in self._open:
            book.close()

    def kept(self, number: int) -> list[tuple[str, int, str, bytes, bytes | None]]:
        """What one witness kept as evidence."""
        with SqliteWitnessBook(self._path(number), str(self.keys[number].verifier)) as book:
            return book.kept()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.book"

    def _books(self) -> list[SqliteWitnessBook]:
        if not hasattr(self._local, "books"):
            self._local.books = [
                self._book(self._path(number), str(key.verifier))
                for number, key in enumerate(self.keys)
            ]
            self._open += self._local.books
        books: list[SqliteWitnessBook] = self._local.books
        return books


def main() -> None:
    """Run the schedules; the result is written anew after every set of books."""
    options = _options()
    sys.setswitchinterval(1e-5)
    begun = time.perf_counter()
    book = CarelessBook if options.careless else SqliteWitnessBook
    rng = random.Random(options.seed)  # noqa: S311 - seeded schedules, no secret
    counts: Counter[str] = Counter()
    for first in range(0, options.schedules, PER_BOOK):
        with TemporaryDirectory(dir=options.folder) as folder:
            panel = Panel(Path(folder), book)
            last = min(options.schedules, first + PER_BOOK)
            counts += _run(panel, range(first, last), rng)
            counts += _proofs(panel)
            panel.close()
        _written(options, last, counts, time.perf_counter() - begun)
    sys.exit(bool(counts["broken"]) is not options.careless)


def _written(
    options: argparse.Namespace, schedules: int, counts: Counter[str], seconds: float
) -> None:
    broken = clopper_pearson(counts["broken"], schedules)
    result = {
        "what": "schedules in which two contradicting views both got a quorum",
        "witnesses": "careless: check and store apart" if options.careless else "as shipped",
        "seed": options.seed,
        "schedules": schedules,
        "broken": counts["broken"],
        "broken_share_interval_95": [broken.lower, broken.upper],
        **dict(sorted(counts.items())),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(result, indent=1), flush=True)
    if not options.no_result:
        RESULTS.mkdir(exist_ok=True)
        name = "schedules_careless.json" if options.careless else "schedules.json"
        (RESULTS / name).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, help="where the witnesses' books are made")
    parser.add_argument("--careless", action="store_true", help="check and store apart")
    parser.add_argument("--no-result", action="store_true", help="write no result file")
    return parser.parse_args()


def _run(panel: Panel, numbers: range, rng: random.Random) -> Counter[str]:
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for first in range(numbers.start, numbers.stop, INTERLEAVED):
            last = min(numbers.stop, first + INTERLEAVED)
            batch = [_schedule(number, rng) for number in range(first, last)]
            tasks = [task for schedule in batch for task in _tasks(panel, schedule, rng)]
            rng.shuffle(tasks)
            for done in [pool.submit(task) for task in tasks]:
                done.result()
            for schedule in batch:
                _count(schedule, counts)
    return counts


def _schedule(number: int, rng: random.Random) -> Schedule:
    origin, forked_at = f"log-{number}.example", rng.randrange(MOST_BEFORE_FORK + 1)
    trees = {
        view: Tree(
            leaf_hash(f"{view if index >= forked_at else ''} {index}".encode())
            for index in range(forked_at + MOST_AFTER_FORK)
        )
        for view in VIEWS
    }
    return Schedule(origin, SigningKey(origin, ED25519_NOTE, LOG_SEED), forked_at, trees)


def _tasks(panel: Panel, schedule: Schedule, rng: random.Random) -> Iterator[Callable[[], None]]:
    """What the operator does at once: each view to each witness, with tries of its own."""
    for number in range(WITNESSES):
        for view in VIEWS:
            seed = rng.getrandbits(32)
            yield lambda n=number, v=view, s=seed: _press(panel, schedule, n, v, s)


def _press(panel: Panel, schedule: Schedule, number: int, view: str, seed: int) -> None:
    """Press one view upon one witness: guess what it knows, and use what it says."""
    rng = random.Random(seed)  # noqa: S311
    tree = schedule.trees[view]
    size = rng.randrange(schedule.forked_at + 1, tree.size + 1)
    old = rng.choice((0, 0, schedule.forked_at, size, rng.randrange(size + 1)))
    for _ in range(TRIES):
        path = tuple(tree.consistency_proof(old, size))
        body = AddCheckpoint(old, path, schedule.note(view, size)).encoded
        answer = panel.ask(number, schedule, body)
        schedule.statuses.append(answer.status)
        if answer.status == 200:
            (line,) = parse_signature_lines(answer.body.encode())
            checkpoint = Checkpoint(schedule.origin, size, tree.root(size))
            verify_cosignature(checkpoint, panel.keys[number].verifier, line)
            schedule.confirmed.append((number, view, size))
            if rng.random() < SHARE_LOST:
                continue
            old, size = size, min(tree.size, size + rng.randrange(3))
        elif answer.status == 409:
            known = int(answer.body)
            if known > tree.size:
                return
            old, size = known, max(known, size)
        else:
            old = rng.randrange(size + 1)


def _count(schedule: Schedule, counts: Counter[str]) -> None:
    witnesses: dict[tuple[str, int], set[int]] = {}
    for number, view, size in schedule.confirmed:
        witnesses.setdefault((view, size), set()).add(number)
    by_view = [{view for view, size in witnesses if len(witnesses[view, size]) >= QUORUM}]
    both = {
        number
        for number in range(WITNESSES)
        if len({view for asked, view, _ in schedule.confirmed if asked == number}) == len(VIEWS)
    }
    counts["broken"] += len(by_view[0]) == len(VIEWS) or bool(both)
    counts["witness_confirmed_both"] += bool(both)
    counts["with_a_quorum"] += bool(by_view[0])
    counts["requests"] += len(schedule.statuses)
    counts.update(f"answered_{status}" for status in schedule.statuses)


def _proofs(panel: Panel) -> Counter[str]:
    """How many requests were kept; of every tenth, whether it proves a fork by itself."""
    counts: Counter[str] = Counter()
    for number in range(WITNESSES):
        kept = panel.kept(number)
        counts["kept"] += len(kept)
        for origin, _, _, request, known in kept[::PROOF_EVERY]:
            note = AddCheckpoint.parse(request).note.encoded
            fork = fork_between(known, note) if known and _same_size(known, note) else None
            if fork is not None:
                prove_fork(fork, [SigningKey(origin, ED25519_NOTE, LOG_SEED).verifier])
            counts["kept_and_looked_at"] += 1
            counts["of_these_a_proof_by_itself"] += fork is not None
    return counts


def _same_size(one: bytes, other: bytes) -> bool:
    sizes = {Checkpoint.parse(Note.parse(note).text).size for note in (one, other)}
    return len(sizes) == 1


if __name__ == "__main__":
    main()
