"""Put a witness together: its keys, its memory, the logs it knows, and its server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.custody.fork import FORK_SUFFIX, fork_between
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    SEED_BYTES,
    SigningKey,
    VerifierKey,
)
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.witness import LARGEST_REQUEST_BYTES, AddCheckpoint, Witness, WitnessAnswer
from tidewaiter.errors import (
    ConfigurationError,
    InputError,
    IntegrityError,
    MalformedText,
    UnknownSigner,
)
from tidewaiter.outlets.witness_server import serving_witness
from tidewaiter.storage.key_file import read_keys, write_keys
from tidewaiter.storage.reports import write_whole
from tidewaiter.storage.witness_book import SqliteWitnessBook


@dataclass(frozen=True)
class WitnessFiles:
    """Where a witness keeps its keys and its memory, and the policy file naming its logs."""

    key: Path
    book: Path
    logs: Path


def make_witness(name: str, key: Path, book: Path, *, post_quantum: bool = False) -> list[str]:
    """Make a witness's keys and its empty memory; gives its verifier keys.

    Raises ConfigurationError where either exists, MalformedText for a name that is none.
    """
    algorithms = [ED25519_COSIGNATURE] + [MLDSA44_COSIGNATURE] * post_quantum
    keys = [SigningKey(name, algorithm, os.urandom(SEED_BYTES)) for algorithm in algorithms]
    if book.exists():
        raise ConfigurationError(f"{book.name!r} exists; a witness's memory is never emptied")
    write_keys(key, keys)
    SqliteWitnessBook.create(book, _spelled(keys)).close()
    return [str(one.verifier) for one in keys]


@contextmanager
def serving(files: WitnessFiles, *, host: str, port: int, prefix: str = "") -> Iterator[str]:
    """Serve a witness within the block; gives its submission prefix."""
    with opened_witness(files) as (witness, book):
        served = serving_witness(witness, book, host=host, port=port, prefix=prefix, now=time.time)
        with served as address:
            yield address


def sign_request(
    files: WitnessFiles, request: Path, *, now: Callable[[], float] = time.time
) -> str:
    """The cosignature lines for a request carried here as a file; remembered before given.

    Raises InputError where the witness knows another size or no such log, IntegrityError where
    the checkpoint does not continue what was confirmed, or nobody known signed it.
    """
    try:
        with request.open("rb") as file:
            body = file.read(LARGEST_REQUEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{request.name!r} cannot be read ({error.strerror})") from error
    with opened_witness(files) as (witness, book):
        return confirmed_lines(witness.add_checkpoint(body, book, int(now())))


def confirmed_lines(answer: WitnessAnswer) -> str:
    """The cosignature lines of an answer; any other answer as the error it means."""
    said = answer.body.strip()
    if answer.status == 200:
        return answer.body
    if answer.status == 409:
        raise InputError(
            f"this witness last confirmed {said} entries; make the request from there, with the "
            f"consistency proof from {said}"
        )
    kinds: dict[int, type[Exception]] = {
        400: MalformedText,
        403: UnknownSigner,
        404: InputError,
        503: ConfigurationError,
    }
    raise kinds.get(answer.status, IntegrityError)(said)


def export_forks(files: WitnessFiles, folder: Path) -> tuple[list[Path], list[Path]]:
    """Write what may prove that a log forked: proven forks, and requests that need its leaves."""
    with SqliteWitnessBook(files.book, _spelled(read_keys(files.key))) as book:
        kept = book.kept()
    forks: list[Path] = []
    requests: list[Path] = []
    for number, (_, _, _, request, known) in enumerate(kept, 1):
        note = AddCheckpoint.parse(request).note.encoded
        fork = _proven(known, note)
        if fork is None:
            requests.append(write_whole(folder / f"{number:04}.add-checkpoint", request))
        else:
            forks.append(write_whole(folder / f"{number:04}{FORK_SUFFIX}", fork))
    return forks, requests


@contextmanager
def opened_witness(files: WitnessFiles) -> Iterator[tuple[Witness, SqliteWitnessBook]]:
    """The witness of these files and its memory, within the block."""
    keys = read_keys(files.key)
    witness = Witness(keys, known_logs(files.logs))
    with SqliteWitnessBook(files.book, _spelled(keys)) as book:
        yield witness, book


def known_logs(path: Path) -> dict[str, tuple[VerifierKey, ...]]:
    """The keys of each log, by its origin, that a policy file names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path.name!r} cannot be read ({error.strerror})") from error
    try:
        policy = Policy.parse(data)
    except MalformedText as error:
        raise ConfigurationError(f"{path.name!r}: {error}") from error
    if not policy.logs:
        raise ConfigurationError(f"{path.name!r} names no log; a witness confirms those it knows")
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for log in policy.logs:
        logs[log.key.name] = (*logs.get(log.key.name, ()), log.key)
    return logs


def _spelled(keys: list[SigningKey] | tuple[SigningKey, ...]) -> str:
    return "\n".join(str(key.verifier) for key in keys)


def _proven(known: bytes | None, note: bytes) -> bytes | None:
    """The fork that two checkpoints of one size prove by themselves."""
    if known is None:
        return None
    try:
        fork = fork_between(known, note)
    except IntegrityError:
        return None
    return fork.encoded if fork else None
