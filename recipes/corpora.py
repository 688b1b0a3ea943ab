"""Pictures and clips of known truth for calibrations: genuine, altered, re-shipped.

Every item carries the independent source it comes from; an altered item has the source of
its host, so that genuine and altered items of one source stay on one side of any split.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from material import Genuine, genuine_pictures, photographs, source_group
from numpy.typing import NDArray
from PIL import Image
from scoring import Truth

from tidewaiter.forgeries.pictures import (
    copy_move,
    decoded,
    inpaint,
    jpeg_bytes,
    local_blur,
    local_noise_change,
    splice,
)
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED

Pixels = NDArray[np.uint8]

PHOTOGRAPH_LONG_SIDE = 1280
"""Photographs are scaled to this: it erases their own JPEG history and bounds the run time."""
SMALL_KINDS = {"lfw": 150, "dfdc": 100, "utkface": 100, "ecuador": 2, "intel_videos": 3, "ffpp": 8}
"""How many sources of each kind of small genuine picture are taken."""


def picture_items(
    shared_data: Path, *, seed: int, sources: int | None = None
) -> Iterator[tuple[Truth, bytes]]:
    """Genuine and altered pictures, source by source; `sources` limits their number for a trial."""
    hosts = [*_photograph_hosts(), *_small_hosts(shared_data, seed)]
    if sources is not None:
        picks = np.linspace(0, len(hosts) - 1, min(sources, len(hosts))).astype(int)
        hosts = [hosts[i] for i in picks]
    donors = [host.rgb for host in hosts]
    for index, host in enumerate(hosts):
        rng = np.random.default_rng([seed, zlib.crc32(host.name.encode())])
        yield from _genuine(host, rng)
        yield from _altered(host, donors[(index + 7) % len(donors)], rng)


def _photograph_hosts() -> Iterator[Genuine]:
    for picture in photographs():
        height, width = picture.rgb.shape[:2]
        factor = PHOTOGRAPH_LONG_SIDE / max(height, width)
        size = (round(width * factor), round(height * factor))
        rgb = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
        yield Genuine(np.asarray(rgb, np.uint8), picture.source, picture.kind, picture.name)


def _small_hosts(shared_data: Path, seed: int) -> Iterator[Genuine]:
    rng = np.random.default_rng(seed)
    for kind, wanted in SMALL_KINDS.items():
        per_source = 6 if kind == "ecuador" else 2 if kind in ("ffpp", "intel_videos") else 1
        found = list(genuine_pictures(shared_data, kinds=[kind], rng=rng, per_source=per_source))
        groups = sorted({picture.source for picture in found})
        kept = set(rng.permutation(groups)[:wanted].tolist())
        yield from (picture for picture in found if picture.source in kept)


def _genuine(host: Genuine, rng: np.random.Generator) -> Iterator[tuple[Truth, bytes]]:
    first = int(rng.integers(75, 97))
    received = host.data or jpeg_bytes(host.rgb, first)
    again = int(rng.integers(70, 97))
    yield _item(host, AS_ISSUED, "", "as_received", received)
    yield _item(host, AS_ISSUED, "", f"saved again at {again}", _saved(received, again))
    shipping = str(rng.choice(sorted(SHIPPINGS)))
    yield _item(host, AS_ISSUED, "", shipping, SHIPPINGS[shipping](decoded(received)))
    if rng.random() < 0.2:
        yield _item(host, AS_ISSUED, "", "png", _png(decoded(received)))


def _altered(
    host: Genuine, donor: Pixels, rng: np.random.Generator
) -> Iterator[tuple[Truth, bytes]]:
    makers: dict[str, Callable[[Pixels], Pixels]] = {
        "splice": lambda rgb: splice(rgb, donor, rng, share=_share(rng)).rgb,
        "copy-move": lambda rgb: (
            copy_move(
                rgb,
                rng,
                share=_share(rng),
                scale=float(rng.choice([1.0, 1.0, 0.9, 1.1])),
                degrees=float(rng.choice([0, 0, 10, 90])),
            ).rgb
        ),
        "inpaint": lambda rgb: inpaint(rgb, rng, share=0.5 * _share(rng)).rgb,
        "noise": lambda rgb: local_noise_change(rgb, rng, share=_share(rng)).rgb,
        "blur": lambda rgb: local_blur(rgb, rng, share=_share(rng)).rgb,
    }
    large = host.kind == "photograph"
    chosen = [*makers, "splice"] if large else ["splice", str(rng.choice(sorted(makers)))]
    for number, species in enumerate(chosen):
        history = (
            host.rgb if host.data else decoded(jpeg_bytes(host.rgb, int(rng.integers(50, 93))))
        )
        rgb = makers[species](history)
        last = int(rng.integers(75, 99))
        data = _png(rgb) if rng.random() < 0.2 else jpeg_bytes(rgb, last)
        yield _item(host, MANIPULATED, species, f"as_received {number}", data)


def _share(rng: np.random.Generator) -> float:
    """Share of the picture that is altered: 2 to 15 per cent."""
    return float(rng.uniform(0.02, 0.15))


def _item(
    host: Genuine, label: str, species: str, shipping: str, data: bytes
) -> tuple[Truth, bytes]:
    name = f"{source_group(host)}/{host.name}/{species or 'genuine'}"
    return Truth(name, source_group(host), label, species, shipping), data


def _saved(data: bytes, quality: int) -> bytes:
    return jpeg_bytes(decoded(data), quality)


def _png(rgb: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _scaled(rgb: Pixels, factor: float) -> Pixels:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = (max(16, round(rgb.shape[1] * factor)), max(16, round(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)


def _cropped(rgb: Pixels) -> Pixels:
    top, left = round(rgb.shape[0] * 0.05) | 1, round(rgb.shape[1] * 0.05) | 1
    return np.ascontiguousarray(rgb[top:-top, left:-left])


SHIPPINGS: dict[str, Callable[[Pixels], bytes]] = {
    "jpeg 90": lambda rgb: jpeg_bytes(rgb, 90),
    "jpeg 50": lambda rgb: jpeg_bytes(rgb, 50),
    "half size": lambda rgb: jpeg_bytes(_scaled(rgb, 0.5), 85),
    "double size": lambda rgb: jpeg_bytes(_scaled(rgb, 2.0), 85),
    "cropped": lambda rgb: jpeg_bytes(_cropped(rgb), 92),
    "screenshot": lambda rgb: _png(_scaled(rgb, 0.75)),
    "messenger": lambda rgb: jpeg_bytes(_scaled(rgb, 0.8), 75),
}
"""What happens to genuine pictures on their way; written apart from the product's own
stability battery, so that calibration and stability do not share their transforms."""
