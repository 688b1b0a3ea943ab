"""A run against a stand-in over HTTP, to be killed from outside at any moment.

People are coloured squares that a made embedder tells apart; the adapter, the transport
and the ledger are the product's own. The stand-in counts what it bills.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from tests.face_audit.killed_run import NoWaiting, gate
from tests.face_audit.making import audit, digest, listed, opening
from tidewaiter.errors import UnfitFaces
from tidewaiter.face_audit.driver import Ports, carry_out
from tidewaiter.face_audit.embedding import FaceBox, FaceMemory, Template
from tidewaiter.face_audit.material import Shown
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.service import Picture, Price, Secret
from tidewaiter.face_audit.services.compreface import ComprefaceRecogniser
from tidewaiter.face_audit.stand_in.faults import shares_of
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.face_audit.stand_in.standing_in import Script, StandIn
from tidewaiter.outlets.http import HttpTransport
from tidewaiter.storage.ledger_file import LedgerFile

AUDIT = audit(people=listed(7, probes=2))
# Every fault but the one that ends a run.
FAULTS = ("throttled=0.05", "server-error=0.04", "truncated=0.03", "not-json=0.02", "dropped=0.05")
# One reply in five fails: twelve more attempts leave none without an answer.
RETRIES = 12
CELLS, SIDE = 4, 64


class SquaresEmbedder:
    """Means of colour squares; distances within a person are about a third of those between."""

    name = "squares"

    def locate(self, pixels):
        return FaceBox(0, 0, pixels.shape[1], pixels.shape[0])

    def embed(self, pixels):
        cells = pixels.reshape(CELLS, SIDE // CELLS, CELLS, SIDE // CELLS, 3).mean(axis=(1, 3))
        return Template(self.locate(pixels), cells.ravel() / 255 * 0.3)


def standing(seed: int) -> StandIn:
    return stand_in("compreface", FaceMemory(SquaresEmbedder()), Script(shares_of(FAULTS), seed))


def carried_out(folder: Path, address: str, max_calls: int | None) -> None:
    """Run over the folder's ledger; leaves `ended.txt` with how it ended."""
    knowing = FaceMemory(SquaresEmbedder()).known
    transport = HttpTransport(address)
    recogniser = ComprefaceRecogniser(address, Secret("k"), transport, knowing, price=Price(None))
    limits = Limits(retries=RETRIES, max_calls=max_calls)
    with LedgerFile(folder / "ledger.jsonl", opening(AUDIT)) as ledger:
        ports = Ports(recogniser, ledger, photo, show, NoWaiting(), gate=gate)
        ending = carry_out(AUDIT.trials, AUDIT.gallery, ports, limits)
    (folder / "ended.txt").write_text(str(ending.reason or "done"))


@cache
def squares(file: str) -> np.ndarray:
    owner, _, shot = file.partition("/")
    own = np.random.default_rng(int(digest(owner)[:8], 16)).uniform(60, 190, (CELLS, CELLS, 3))
    other = np.random.default_rng(int(digest(file)[:8], 16)).normal(0, 12, own.shape)
    assert shot
    return np.kron(own + other, np.ones((SIDE // CELLS, SIDE // CELLS, 1)))


def photo(listed_photo) -> Picture:
    return encoded(listed_photo.file, squares(listed_photo.file))


def show(probe) -> Shown:
    """A forgery is half of either face."""
    if not probe.species:
        return Shown(photo(probe.host), (probe.host.file,))
    files = tuple(p.file for p in probe.choices[0] if p is not None)
    if digest(probe.key)[0] == "0":
        raise UnfitFaces("heads turned too far")
    mixed = np.mean([squares(file) for file in files], axis=0) + probe.seed
    return Shown(encoded(f"{probe.species}-{probe.key[:8]}", mixed), files)


def encoded(name: str, pixels: np.ndarray) -> Picture:
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "PNG")
    return Picture(name, out.getvalue())
