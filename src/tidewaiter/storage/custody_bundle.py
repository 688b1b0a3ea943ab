"""Bundles on disk, and the verifier as a program that needs nothing else of Tidewaiter.

A bundle is one proof file, or a folder of them: `*.tlog-proof`, `openings*.json`, and the files
to be checked under `media/` and `manifests/`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tidewaiter.custody.proof import PROOF_SUFFIX
from tidewaiter.custody.translating import VERDICT_LANGUAGES, words_in
from tidewaiter.custody.verdict import EXIT_CODES, Conclusion, Verdict
from tidewaiter.custody.verify import Bundle, Part, verify
from tidewaiter.custody.verify_files import HandedIn
from tidewaiter.storage.plain_file import opened_plain

LARGEST_PART_BYTES = 1 << 20
MOST_PARTS = 1_000_000
FOLDERS_OF_FILES = ("media", "manifests")
_READ_AT_ONCE = 1 << 20


def read_bundle(path: Path) -> Bundle:
    """The bundle at a path. Raises OSError."""
    if not path.is_dir():
        return Bundle((_read_part(path, path.name),))
    names = sorted(one.relative_to(path) for one in path.rglob("*") if one.is_file())
    proofs = [name for name in names if name.suffix == PROOF_SUFFIX][:MOST_PARTS]
    openings = [name for name in names if name.match("openings*.json")][:MOST_PARTS]
    return Bundle(
        tuple(_read_part(path / name, name.as_posix()) for name in proofs),
        tuple(_read_part(path / name, name.as_posix()) for name in openings),
    )


def files_of_bundle(path: Path) -> list[Path]:
    """The media and manifests that a bundle's folder carries."""
    folders = [path / name for name in FOLDERS_OF_FILES]
    return sorted(one for folder in folders for one in folder.rglob("*") if one.is_file())


def hand_in(path: Path) -> HandedIn:
    """A file's name, digest and length, read in pieces. Raises OSError."""
    digest, length = hashlib.sha256(), 0
    with opened_plain(path) as stream:
        while piece := stream.read(_READ_AT_ONCE):
            digest.update(piece)
            length += len(piece)
    return HandedIn(path.name, digest.hexdigest(), length)


def with_own_policy(verdict: Verdict, bundle: Path, policy: Path) -> Verdict:
    """The verdict, which says so where the policy lies in the bundle that it is to judge."""
    if not policy.resolve().is_relative_to(bundle.resolve()):
        return verdict
    text = (
        "that these are the right witnesses: the policy was taken from the bundle itself, so who "
        "made the bundle chose whom to trust; get it from somebody else"
    )
    return replace(verdict, not_proven=(text, *verdict.not_proven))


def verdict_json(verdict: Verdict) -> str:
    """The verdict for other programs."""
    fields = asdict(verdict) | {"exit_code": verdict.exit_code}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def run_verifier(arguments: Sequence[str] | None = None) -> int:
    """Verify what the command line names; prints the verdict and returns the exit code."""
    _print_whatever_comes()
    chosen = _command_line().parse_args(arguments)
    if importlib.util.find_spec("cryptography") is None:
        sys.stderr.write("signatures need a library: python -m pip install cryptography\n")
        return EXIT_CODES[Conclusion.CANNOT_TELL]
    try:
        policy = _read_part(chosen.policy, chosen.policy.name).body
        bundle = read_bundle(chosen.bundle)
        files = [hand_in(path) for path in [*chosen.file, *files_of_bundle(chosen.bundle)]]
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return EXIT_CODES[Conclusion.NOT_A_BUNDLE]
    verdict = with_own_policy(verify(bundle, policy, files), chosen.bundle, chosen.policy)
    told = verdict_json(verdict) if chosen.json else words_in(verdict, chosen.lang)
    sys.stdout.write(told)
    return verdict.exit_code


def _print_whatever_comes() -> None:
    """A name that this terminal cannot show must not end the program: it is spelled out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _read_part(path: Path, name: str) -> Part:
    """One part, cut just above its limit: what is longer then fails to parse."""
    with opened_plain(path) as stream:
        return Part(name, stream.read(LARGEST_PART_BYTES + 1))


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Verify a custody proof or bundle offline. Exit: 0 proven, 4 contradicted or "
        "unreadable, 3 cannot tell, 2 not a bundle."
    )
    parser.add_argument("bundle", type=Path, help="a .tlog-proof file, or a folder of them")
    parser.add_argument("file", type=Path, nargs="*", help="recordings or manifests to check")
    parser.add_argument(
        "--policy",
        type=Path,
        required=True,
        help="whom to trust; take it from the administration's witnesses, never from the bundle",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON, in English")
    parser.add_argument(
        "--lang", choices=VERDICT_LANGUAGES, default="en", help="language of the verdict"
    )
    return parser
