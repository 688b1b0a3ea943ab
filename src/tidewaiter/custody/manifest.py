"""The manifest of a recording: its fingerprints as bytes, and a Merkle root over them.

A manifest is text up to its first blank line (canonical JSON) and packed arrays after it. Its
root has separate leaves for facts, parameter sets, times and sound, and one leaf for each
group of pictures, so that a clip cut out of a recording can be proven to belong to it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.errors import MalformedText
from tidewaiter.traces.fingerprints import (
    CLOCK_HEIGHT,
    CLOCK_WIDTH,
    HASH_LENGTH,
    SHARE_UNITS,
    SMALL_HEIGHT,
    SMALL_WIDTH,
    ClockBox,
    Fingerprints,
)
from tidewaiter.traces.sound_bands import BANDS

MAGIC = b"tidewaiter/manifest/v1\n"
LONGEST_HEAD = 1 << 20
"""Bytes of the JSON at most."""
LONGEST_BEGINNING = len(MAGIC) + LONGEST_HEAD
MOST_ROWS = 4_000_000
"""Pictures, frames or sound rows at most: two days at 25 a second."""
PACKING = 3
"""Level of compression: 6 takes 2 % less room and three times as long."""
PIECE_ROWS, PIECE_BYTES = 4096, 1 << 20
"""Rows, and bytes, that are packed or opened at a time."""
DIRECT_LEAVES = 4
"""Leaves before those of the groups of pictures: facts, parameter sets, times, sound."""

SHAPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "picture_hash": ("|u1", (HASH_LENGTH,)),
    "picture_pts": ("<i8", ()),
    "picture_dts": ("<i8", ()),
    "picture_key": ("|b1", ()),
    "picture_bytes": ("<i8", ()),
    "small": ("<u2", (SMALL_HEIGHT, SMALL_WIDTH)),
    "clock": ("<u2", (CLOCK_HEIGHT, CLOCK_WIDTH)),
    "frame_time": ("<i8", ()),
    "sound_hash": ("|u1", (HASH_LENGTH,)),
    "sound_pts": ("<i8", ()),
    "sound_band": ("|u1", (BANDS,)),
}
"""Sections after the head, in this order: type and shape of a row."""
DIFFERENCED = frozenset({"picture_pts", "picture_dts", "small", "clock", "frame_time", "sound_pts"})
"""Sections stored as differences from row to row, which pack better."""
TOGETHER = (
    ("picture_hash", "picture_pts", "picture_dts", "picture_key", "picture_bytes"),
    ("small", "frame_time"),
    ("sound_hash", "sound_pts"),
)
"""Sections that must have as many rows as each other."""


@dataclass(frozen=True)
class Manifest:
    """Facts of one recording and its fingerprints.

    `reason` says why there are no fingerprints (not a video, cut off, over a limit); such a
    manifest stands for the bytes alone. `fps` is in frames per second, 0 where unknown.
    `clock` is the box of a burnt-in clock, which copies are then fingerprinted at too.
    """

    sha256: str
    byte_length: int
    media_type: str
    name: str
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    sound_codec: str = ""
    sound_rate: int = 0
    reason: str = ""
    clock: ClockBox = ()
    prints: Fingerprints | None = None

    def encode(self) -> bytes:
        """The manifest as bytes; the same manifest always gives the same head and arrays."""
        head = {name: _plain(getattr(self, name)) for name in HEAD_FIELDS}
        packed = []
        if self.prints is not None:
            packed = [_packed(name, getattr(self.prints, name)) for name in SHAPES]
            head["rows"] = {n: len(getattr(self.prints, n)) for n in SHAPES}
            head["packed"] = [len(part) for part in packed]
            head["prints"] = {
                "broken": self.prints.broken,
                "marks": dict(self.prints.marks),
                "parameters": list(self.prints.parameters),
                "sound_start": self.prints.sound_start,
            }
        text = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return MAGIC + text.encode() + b"\n\n" + b"".join(packed)

    def leaves(self) -> list[bytes]:
        """The bytes under the root: facts, parameter sets, times, sound, then each group."""
        facts = {name: _plain(getattr(self, name)) for name in HEAD_FIELDS if name != "name"}
        leaves = [json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()]
        if self.prints is None:
            return leaves
        found = self.prints
        leaves.append("\n".join(found.parameters).encode())
        times = (found.picture_pts, found.picture_dts, found.frame_time, found.sound_pts)
        leaves.append(b"".join(part.astype("<i8").tobytes() for part in times))
        leaves.append(found.sound_hash.tobytes() + found.sound_band.tobytes())
        starts = group_starts(found.picture_key)
        ends = [*starts[1:], len(found.picture_hash)]
        leaves += [
            found.picture_hash[start:end].tobytes() for start, end in zip(starts, ends, strict=True)
        ]
        pictures = hashlib.sha256()
        for name in ("small", "clock"):
            for part in _parts(getattr(found, name)):
                pictures.update(part.astype("<u2").tobytes())
        return [*leaves, pictures.digest()]

    def root(self) -> bytes:
        """The Merkle root over `leaves` (RFC 6962)."""
        return Tree(leaf_hash(leaf) for leaf in self.leaves()).root()


HEAD_FIELDS = tuple(item.name for item in fields(Manifest) if item.name != "prints")


def group_starts(key: NDArray[np.bool_]) -> list[int]:
    """Where groups of pictures begin, in file order; the first always at 0."""
    if not len(key):
        return []
    return [0, *(int(place) for place in np.flatnonzero(key) if place)]


def decode(data: bytes) -> Manifest:
    """The manifest in these bytes. Raises MalformedText for anything not written by `encode`."""
    with _format_kept():
        head, end = _head(data)
        return _manifest(head, memoryview(data)[end:])


@dataclass(frozen=True)
class Facts:
    """What a manifest says before its fingerprints, which are not opened.

    `rows` is how many it announces of each section of `SHAPES`; none without fingerprints.
    """

    manifest: Manifest
    rows: Mapping[str, int]


def facts_of(data: bytes) -> Facts:
    """The facts in the first bytes of a manifest (`LONGEST_BEGINNING` of them always suffice).

    Raises MalformedText.
    """
    with _format_kept():
        head, _ = _head(data)
        facts = {name: _checked(name, head[name]) for name in HEAD_FIELDS}
        rows = {_text(name): _integer(count) for name, count in head.get("rows", {}).items()}
        return Facts(Manifest(**facts), rows)


def is_manifest(head: bytes) -> bool:
    """Whether a file that begins so is a manifest."""
    return head.startswith(MAGIC)


@contextmanager
def _format_kept() -> Iterator[None]:
    """Any error of a reader that meets another format is one of the manifest."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error) as error:
        raise MalformedText(
            f"the manifest breaks its own format ({type(error).__name__}: {str(error)[:120]}); it "
            "was cut off or changed. Take it again from the recording"
        ) from error


def _head(data: bytes) -> tuple[Any, int]:
    """The JSON at the beginning, and where the packed arrays begin."""
    if not data.startswith(MAGIC):
        raise MalformedText(
            f"a manifest begins with {MAGIC.decode().strip()!r}; found {data[:24]!r}. Take it "
            "again with `tidewaiter custody manifest`"
        )
    end = data.find(b"\n\n", len(MAGIC), len(MAGIC) + LONGEST_HEAD)
    if end < 0:
        raise ValueError("its head has no end")
    return json.loads(data[len(MAGIC) : end].decode()), end + 2


def _manifest(head: Any, body: memoryview) -> Manifest:
    facts = {name: _checked(name, head[name]) for name in HEAD_FIELDS}
    if "rows" not in head:
        if len(body) or set(head) != set(HEAD_FIELDS):
            raise ValueError("there is more than the facts")
        return Manifest(**facts)
    if set(head) != {*HEAD_FIELDS, "rows", "packed", "prints"}:
        raise ValueError("the head has other fields")
    return Manifest(**facts, prints=_prints(head, body))


def _prints(head: Mapping[str, Any], body: memoryview) -> Fingerprints:
    rows, packed, rest = head["rows"], head["packed"], head["prints"]
    if set(rows) != set(SHAPES) or len(packed) != len(SHAPES):
        raise ValueError("the sections are others")
    for names in TOGETHER:
        if len({rows[name] for name in names}) != 1:
            raise ValueError(f"{' and '.join(names)} have different lengths")
    if not all(type(n) is int and 0 <= n <= MOST_ROWS for n in rows.values()):
        raise ValueError("a section has an impossible number of rows")
    if rows["clock"] not in (0, rows["small"]):
        raise ValueError("the clock is not seen in every frame")
    if not all(type(n) is int and n >= 0 for n in packed) or sum(packed) != len(body):
        raise ValueError(f"{sum(packed)} bytes announced, {len(body)} found")
    arrays: dict[str, Any] = {}
    position = 0
    for name, length in zip(SHAPES, packed, strict=True):
        arrays[name] = _unpacked(name, body[position : position + length], rows[name])
        position += length
    return Fingerprints(
        **arrays,
        sound_start=_integer(rest["sound_start"]),
        parameters=tuple(_text(item) for item in rest["parameters"]),
        marks={_text(mark): _integer(count) for mark, count in rest["marks"].items()},
        broken=_integer(rest["broken"]),
    )


def _packed(name: str, rows: NDArray[Any]) -> bytes:
    kind = np.dtype(SHAPES[name][0])
    pack, packed = zlib.compressobj(PACKING), []
    before: NDArray[Any] | None = None
    for part in _parts(rows):
        values = part.astype(kind)
        if name in DIFFERENCED:
            # Unsigned arithmetic wraps around and so loses nothing.
            whole = values.view(f"<u{kind.itemsize}")
            values = np.diff(whole, axis=0, prepend=whole[:1] * 0 if before is None else before)
            before = whole[-1:]
        packed.append(pack.compress(values.tobytes()))
    return b"".join([*packed, pack.flush()])


def _unpacked(name: str, data: memoryview, rows: int) -> NDArray[Any]:
    kind, shape = np.dtype(SHAPES[name][0]), SHAPES[name][1]
    expected = rows * kind.itemsize * int(np.prod(shape, dtype=np.int64))
    plain = _opened(name, data, expected)
    if kind.kind == "b" and len(plain) and plain.max() > 1:
        raise ValueError(f"section {name} holds neither yes nor no")
    if name in DIFFERENCED:
        whole = plain.view(f"<u{kind.itemsize}").reshape(rows, *shape)
        before: NDArray[Any] | None = None
        for part in _parts(whole):
            if before is not None:
                part[:1] += before
            part[:] = np.cumsum(part, axis=0, dtype=whole.dtype)
            before = part[-1:]
        return whole.view(kind)
    return plain.view(kind).reshape(rows, *shape)


def _opened(name: str, data: memoryview, expected: int) -> NDArray[np.uint8]:
    """Exactly `expected` bytes out of packed ones, piece by piece: memory is needed once."""
    plain, filled = np.empty(expected, np.uint8), 0
    opened = zlib.decompressobj()
    for start in range(0, len(data), PIECE_BYTES):
        rest: Any = data[start : start + PIECE_BYTES]
        while len(rest):
            part = opened.decompress(rest, PIECE_BYTES)
            rest = opened.unconsumed_tail
            if filled + len(part) > expected or opened.unused_data or (opened.eof and len(rest)):
                raise ValueError(f"section {name}: {expected} bytes announced, more found")
            plain[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
            if opened.eof and start + PIECE_BYTES < len(data):
                raise ValueError(f"section {name}: there is something after its end")
    if filled != expected or not opened.eof:
        raise ValueError(f"section {name}: {expected} bytes announced, {filled} found")
    return plain


def _parts(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Rows some at a time, as views."""
    for start in range(0, len(rows), PIECE_ROWS):
        yield rows[start : start + PIECE_ROWS]


def _plain(value: Any) -> Any:
    """Numbers with a fraction as text, so that no two programs write them differently."""
    if isinstance(value, tuple):
        return list(value)
    return f"{value:.6f}" if isinstance(value, float) else value


def _checked(name: str, value: Any) -> Any:
    if name == "fps":
        found = float(_text(value))
        if not 0 <= found < 1e6 or f"{found:.6f}" != value:
            raise ValueError("fps is not a rate")
        return found
    if name == "clock":
        box = tuple(_integer(side) for side in value)
        if box and not _is_box(box):
            raise ValueError("the clock's box lies outside the picture")
        return box
    return _integer(value) if name in _INTEGERS else _text(value)


def _is_box(box: ClockBox) -> bool:
    return (
        len(box) == 4
        and 0 <= box[0] < box[2] <= SHARE_UNITS
        and 0 <= box[1] < box[3] <= SHARE_UNITS
    )


_INTEGERS = frozenset({"byte_length", "width", "height", "sound_rate"})


def _integer(value: Any) -> int:
    if type(value) is not int or not -(2**62) < value < 2**62:
        raise ValueError(f"{str(value)[:40]} is not a whole number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"{str(value)[:40]} is not text")
    return value
