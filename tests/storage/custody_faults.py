"""Faults put into the calls by which a log and its media reach the disk, and what is left after.

`injected`: a process appends while strace lets one chosen call fail (EIO, ENOSPC) or kills it
there, before or after the call. `power_cuts`: the calls of one whole run are recorded, and the
disk is rebuilt as a power cut could have left it: everything that was synced, and of what was
not, any part, torn at 512 bytes. Either way the log is then started again and audited.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.custody.record_kit import World
from tidewaiter.casework.custody_audit import Place, audit
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.record import parse_record
from tidewaiter.errors import StorageError, TidewaiterError
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_sqlite import SqliteLog

ORIGIN = "custody.customs.example/2026"
LOG_KEY = SigningKey(ORIGIN, ED25519_NOTE, b"log key." * 4)
POLICY = Policy.parse(f"log {LOG_KEY.verifier}\nquorum none\n".encode())
CALLS = (
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "unlink",
    "rename",
    "openat",
    "write",
    "close",
)
FAULTS = {
    "EIO": "error=EIO",
    "ENOSPC": "error=ENOSPC",
    "killed before": "error=EIO:signal=SIGKILL",
    "killed after": "signal=SIGKILL",
}
REFUSED, GIVEN_UP = 3, 9
SECTOR = 512


@dataclass(frozen=True)
class Plan:
    """What a run appends: leaves in batches, on top of a base that holds the first ones."""

    leaves: tuple[bytes, ...]
    base: int
    batches: tuple[int, ...]

    def parts(self) -> Iterator[list[bytes]]:
        start = self.base
        for size in self.batches:
            yield list(self.leaves[start : start + size])
            start += size


@dataclass
class Aftermath:
    """What many faults did."""

    runs: int = 0
    fired: int = 0
    by_outcome: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def make_plan(rng: random.Random) -> Plan:
    """A small world; heartbeats and segments in batches of one to nine."""
    world = World()
    world.enrol("bwc-1")
    for _ in range(12):
        world.heartbeat("bwc-1")
    base = len(world.leaves)
    batches = [rng.randint(1, 9) for _ in range(rng.randint(1, 3))]
    for _ in range(sum(batches)):
        if rng.random() < 0.4:
            world.segment("bwc-1")
        else:
            world.heartbeat("bwc-1")
    return Plan(tuple(world.leaves), base, tuple(batches))


def make_base(folder: Path, plan: Plan) -> None:
    """The log that every run of a plan begins with."""
    with SqliteLog.create(folder / "log.sqlite", ORIGIN) as store:
        open_log(store, LOG_KEY).append(list(plan.leaves[: plan.base]))
    FolderOfBlobs(folder / "media").put(io.BytesIO(b"an older medium"))


def work(folder: Path, plan: Plan, acknowledge) -> None:
    """Append as an ingest does: media first, then the records, then the receipts."""
    blobs = FolderOfBlobs(folder / "media")
    with SqliteLog(folder / "log.sqlite") as store:
        log = open_log(store, LOG_KEY)
        for part in plan.parts():
            for leaf in part:
                keep_medium(blobs, leaf)
            log.append(part)
            acknowledge(log.head.size)


def keep_medium(blobs: FolderOfBlobs, leaf: bytes) -> None:
    record = parse_record(leaf)
    if record.kind == "segment":
        blobs.put(io.BytesIO(medium_of(record)))


def medium_of(record) -> bytes:
    """What record_kit seals; long enough in odd segments to need several writes."""
    return b"sealed " + f"medium {record.device} {record.seq}".encode()


def judged(folder: Path, plan: Plan, acknowledged: int) -> str:
    """Start the log again and audit it; an empty string where everything is as it must be."""
    try:
        return _judged(folder, plan, acknowledged)
    except TidewaiterError as error:
        return f"{type(error).__name__}: {error}"


def _judged(folder: Path, plan: Plan, acknowledged: int) -> str:
    tree = Tree(map(leaf_hash, plan.leaves))
    with SqliteLog(folder / "log.sqlite") as store:
        log = open_log(store, LOG_KEY)
        size = log.head.size
        if log.discrepancies:
            return f"the log refuses to start: {log.discrepancies}"
        if size < acknowledged:
            return f"{acknowledged} records were acknowledged, {size} are there"
        if size not in {plan.base, *_sums(plan)} or log.head.root != tree.root(size):
            return f"a log of {size} records is none of those that were to be"
        blobs = FolderOfBlobs(folder / "media")
        result = audit(Place(store, POLICY, blobs), Judge(check_signatures=False))
        if result.discrepancies:
            return f"the audit found {result.discrepancies}"
        for part in plan.parts():
            for leaf in part:
                keep_medium(blobs, leaf)
            log.append(part)
        if log.head.root != tree.root():
            return "handing everything in again did not lead to the whole log"
    return ""


def _sums(plan: Plan) -> list[int]:
    return [plan.base + sum(plan.batches[: n + 1]) for n in range(len(plan.batches))]


# ----- calls that fail, processes that die -----


def can_inject() -> bool:
    """Whether strace is here and may attach to a child; containers may forbid it."""
    if shutil.which("strace") is None:
        return False
    pid = _forked_and_stopped(lambda: None)
    command = ["strace", "-qq", "-p", str(pid), "-o", os.devnull, "-e", "trace=close"]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    is_attached = _is_traced(pid, tracer)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    tracer.wait()
    return is_attached


def counted_calls(folder: Path, plan: Plan) -> Counter[str]:
    """How often an undisturbed run makes each call."""
    with _copied(folder) as copy:
        pid = _forked_and_stopped(lambda: work(copy, plan, lambda _size: None))
        listing = copy / "calls"
        command = [
            "strace",
            "-qq",
            "-p",
            str(pid),
            "-o",
            str(listing),
            "-e",
            f"trace={','.join(CALLS)}",
        ]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        assert _is_traced(pid, tracer), "strace did not attach"
        os.kill(pid, signal.SIGCONT)
        _, status = os.waitpid(pid, 0)
        assert status == 0
        tracer.wait()
        return Counter(re.findall(r"^(\w+)\(", listing.read_text("latin-1"), re.MULTILINE))


def injected(folder: Path, plan: Plan, call: str, fault: str, number: int) -> tuple[str, str]:
    """One run with a fault at the n-th such call: how it ended, and what was wrong afterwards."""
    with _copied(folder) as copy:
        receipts = copy / "receipts"
        descriptor = os.open(receipts, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        # writev, so that no counted call is a receipt.
        pid = _forked_and_stopped(
            lambda: work(copy, plan, lambda size: os.writev(descriptor, [b"%d\n" % size]))
        )
        os.close(descriptor)
        tracer = _attached(pid, call, FAULTS[fault], number)
        os.kill(pid, signal.SIGCONT)
        _, status = os.waitpid(pid, 0)
        tracer.wait()
        acknowledged = max([plan.base, *map(int, receipts.read_bytes().split())])
        outcome = _outcome(status)
        wrong = judged(copy, plan, acknowledged)
        if not wrong and outcome.startswith("crashed"):
            wrong = "the process died of an error that is not ours"
        return outcome, wrong


def _outcome(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "killed"
    code = os.WEXITSTATUS(status)
    return {0: "went on", REFUSED: "refused"}.get(code, f"crashed {code}")


def _forked_and_stopped(action) -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, os.WUNTRACED)
        return pid
    try:
        os.kill(os.getpid(), signal.SIGSTOP)
        action()
    except StorageError:
        os._exit(REFUSED)
    except BaseException:  # noqa: BLE001 - whatever it is, the parent must learn of it
        traceback.print_exc()
        os._exit(GIVEN_UP)
    os._exit(0)


def _attached(pid: int, call: str, fault: str, number: int) -> subprocess.Popen[bytes]:
    inject = f"inject={call}:{fault}:when={number}"
    command = [
        "strace",
        "-qq",
        "-p",
        str(pid),
        "-o",
        os.devnull,
        "-e",
        f"trace={call}",
        "-e",
        inject,
    ]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    assert _is_traced(pid, tracer), "strace did not attach"
    return tracer


def _is_traced(pid: int, tracer: subprocess.Popen[bytes]) -> bool:
    """Wait until the tracer has the process; False where it gave up."""
    end = time.monotonic() + 60
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


@contextlib.contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    copy = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        yield copy
    finally:
        shutil.rmtree(copy)


# ----- power cuts -----


@dataclass
class Call:
    """One call of a recorded run that changes the disk, or a receipt."""

    kind: str
    path: str = ""
    offset: int = 0
    content: bytes = b""
    other: str = ""


def recorded(folder: Path, plan: Plan) -> list[Call]:
    """The calls of one whole run, in order, with what they wrote."""
    with _copied(folder) as copy:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        pid = _forked_and_stopped(
            lambda: work(copy, plan, lambda size: os.writev(nowhere, [b"receipt %d" % size]))
        )
        os.close(nowhere)
        listing = copy.parent / f"{copy.name}.calls"
        calls = "pwrite64,write,writev,fdatasync,fsync,ftruncate,unlink,rename,openat,close,mkdir,fchmod,chmod"
        command = [
            "strace",
            "-qq",
            "-xx",
            "-s",
            "1000000",
            "-p",
            str(pid),
            "-o",
            str(listing),
            "-e",
            f"trace={calls}",
        ]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        assert _is_traced(pid, tracer), "strace did not attach"
        os.kill(pid, signal.SIGCONT)
        _, status = os.waitpid(pid, 0)
        assert status == 0
        tracer.wait()
        calls = _parsed(listing.read_text("latin-1").splitlines(), str(copy))
        listing.unlink()
        return calls


LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+)")


def _parsed(lines: list[str], root: str) -> list[Call]:
    """Calls under the folder `root`, their paths relative to it."""
    reading = _Calls()
    for line in lines:
        match = LINE.match(line)
        if match is not None and int(match[3]) >= 0:
            reading.take(match[1], match[2], match[3])
    return [
        Call(
            one.kind,
            one.path.removeprefix(root),
            one.offset,
            one.content,
            one.other.removeprefix(root),
        )
        for one in reading.calls
        if one.kind == "receipt" or one.path.startswith(root)
    ]


@dataclass
class _Calls:
    """The calls so far, and which file each descriptor is."""

    calls: list[Call] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)

    def take(self, kind: str, text: str, result: str) -> None:
        texts = [ast.literal_eval(f"b{one}") for one in re.findall(r'"(?:\\x[0-9a-f]{2})*"', text)]
        number, last = text.split(",", 1)[0], text.rsplit(",", 1)[-1]
        name = self.names.get(number, "")
        if kind == "openat":
            self.names[result], self.written[result] = texts[0].decode(), 0
            self.calls.append(Call("open", self.names[result], content=text.encode()))
        elif kind == "writev":
            self.calls.append(Call("receipt", content=b"".join(texts)))
        elif kind in {"pwrite64", "write"}:
            offset = int(last) if kind == "pwrite64" else self.written[number]
            self.calls.append(Call("write", name, offset, texts[0]))
            self.written[number] += len(texts[0])
        elif kind in {"fdatasync", "fsync"}:
            self.calls.append(Call("sync", name))
        elif kind == "ftruncate":
            self.calls.append(Call("truncate", name, int(last)))
        elif kind in {"unlink", "mkdir", "rename"}:
            paths = [one.decode() for one in texts] + [""]
            self.calls.append(Call(kind, paths[0], other=paths[1]))


def power_cut(folder: Path, plan: Plan, calls: list[Call], rng: random.Random) -> str:
    """Rebuild the disk after a cut at a random call; what is wrong with it, or nothing."""
    end = rng.randint(1, len(calls))
    with _copied(folder) as copy:
        acknowledged = plan.base
        for at, call in enumerate(calls[:end]):
            if call.kind == "receipt":
                acknowledged = int(call.content.split()[1])
            elif _is_kept(calls, at, end):
                _carry_out(copy, call, call.content)
            elif call.kind == "write":
                _carry_out_torn(copy, call, rng)
            elif rng.random() < 0.5:
                _carry_out(copy, call, call.content)
        # Shared memory is never on the disk; SQLite makes it anew.
        for path in copy.glob("*-shm"):
            path.unlink()
        return judged(copy, plan, acknowledged)


def _is_kept(calls: list[Call], at: int, end: int) -> bool:
    """Whether a sync before the cut made this call durable."""
    call = calls[at]
    if call.kind in {"open", "mkdir", "sync"}:
        return True
    if call.kind in {"rename", "unlink"}:
        place = str(Path(call.other or call.path).parent)
        return any(one.kind == "sync" and one.path == place for one in calls[at:end])
    # A rename moves what was synced under the old name.
    return any(one.kind == "sync" and one.path == call.path for one in calls[at:end])


def _carry_out(copy: Path, call: Call, content: bytes) -> None:
    path = Path(f"{copy}{call.path}")
    if call.kind == "mkdir":
        path.mkdir(exist_ok=True)
    elif call.kind == "open" and b"O_CREAT" in call.content:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    elif call.kind == "write":
        _write(path, call.offset, content)
    elif call.kind == "truncate" and path.exists():
        os.truncate(path, call.offset)
    elif call.kind == "unlink":
        path.unlink(missing_ok=True)
    elif call.kind == "rename" and path.exists():
        path.rename(f"{copy}{call.other}")


def _carry_out_torn(copy: Path, call: Call, rng: random.Random) -> None:
    """Any of the sectors of an unsynced write are on the disk, in any order."""
    path = Path(f"{copy}{call.path}")
    for start in range(0, len(call.content), SECTOR):
        if rng.random() < 0.5:
            _write(path, call.offset + start, call.content[start : start + SECTOR])


def _write(path: Path, offset: int, content: bytes) -> None:
    if not path.exists():
        return
    if not os.access(path, os.W_OK):
        path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
