"""Our own networks: the ones shipped in this package, and those a site fitted itself.

A site's network is a folder, as `tidewaiter fit face --out DIR` writes it:

    face_manipulation.onnx  the network, written by training/export.py
    card.json               {"network": {"file": "face_manipulation.onnx", "sha256": "…"}, …}
    card.md                 the card for a reader
    calibrations/*.json     its calibrations

One of `tidewaiter fit gate` has no calibrations, and "purpose": "gate" in its card: it also
answers to replays, of which no examination may say that the face was manipulated.

Another network gives other scores. So the version of a detector that runs it ends in the
network's `mark` ("1+0123abcd"): calibrations of the shipped network do not speak for it,
and those in the folder name that version.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tidewaiter.errors import ConfigurationError, MissingWeights

FACE_MANIPULATION = "face_manipulation"
NETWORK_FILE = "face_manipulation.onnx"
CARD_FILE = "card.json"
CALIBRATIONS_FOLDER = "calibrations"
EXAMINE, GATE = "examine", "gate"
"""What a network is for: to examine, or to stand before face recognition."""
MARK_LENGTH = 8
"""Hexadecimal digits of a digest by which a site's network is told from others."""


@dataclass(frozen=True)
class ShippedFile:
    """A network in weights/shipped/, its digest and size, and what it is for."""

    name: str
    file: str
    sha256: str
    byte_length: int
    purpose: str


SHIPPED: dict[str, ShippedFile] = {
    shipped.name: shipped
    for shipped in (
        ShippedFile(
            name=FACE_MANIPULATION,
            file=NETWORK_FILE,
            sha256="06ba3645c5f28ff01c803c9b5529f5e9d5014ef0b4e89f9f1deaf4625bc60823",
            byte_length=11899393,
            purpose="tells manipulated faces from untouched ones, and where",
        ),
    )
}
"""Every network of our own by short name."""


@dataclass(frozen=True)
class OwnNetwork:
    """A network file to run: where it lies, what its bytes must be, whose it is."""

    path: Path
    sha256: str
    mark: str = ""
    """Appended to the version of a detector that runs it; empty for the shipped network."""

    def content(self) -> bytes:
        """The file's bytes, after their digest was checked; raises MissingWeights."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise MissingWeights(
                f"the network {self.path.name} cannot be read ({error.strerror}); "
                "install tidewaiter anew, or fit the site's network again"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise MissingWeights(
                f"the network {self.path.name} has SHA-256 {found[:16]}…, {self.sha256[:16]}… is "
                "needed; install tidewaiter anew, or fit the site's network again"
            )
        return content


def shipped_network(name: str = FACE_MANIPULATION) -> OwnNetwork:
    """The network of that name in this package; raises MissingWeights where none is shipped."""
    if name not in SHIPPED:
        raise MissingWeights(
            f"this release ships no network {name!r}; fit one with `tidewaiter fit face` and "
            "name its folder in the setting face_network"
        )
    shipped = SHIPPED[name]
    path = Path(str(importlib.resources.files("tidewaiter.weights") / "shipped" / shipped.file))
    return OwnNetwork(path, shipped.sha256)


@cache
def why_shipped_unusable(name: str = FACE_MANIPULATION) -> str | None:
    """Why the shipped network of that name cannot run; None when it can, or none is shipped."""
    if name not in SHIPPED:
        return None
    try:
        shipped_network(name).content()
    except MissingWeights as error:
        return str(error)
    return None


def site_network(folder: Path) -> OwnNetwork:
    """The network in a folder of `tidewaiter fit face`.

    Raises ConfigurationError when the folder holds none, or its bytes are not those that
    its card names, or it is a gate's.
    """
    where = f"the setting face_network names {folder.name!r}, which"
    network, purpose = _carded(folder, where, "face")
    if purpose == GATE:
        raise ConfigurationError(
            f"{where} holds a network for a gate; it answers to replays as to manipulated faces, "
            "so no examination may use it; name it in a protocol of `tidewaiter audit`, "
            "[gate] network, or fit one with `tidewaiter fit face`"
        )
    return network


def gate_network(folder: Path) -> OwnNetwork:
    """The network in a folder of `tidewaiter fit gate`; raises ConfigurationError."""
    where = f"gate.network names {folder.name!r}, which"
    network, purpose = _carded(folder, where, GATE)
    if purpose != GATE:
        raise ConfigurationError(
            f"{where} holds a network for examinations; for a gate with its limits name gate."
            'detector = "face.manipulation_network" and the folder in the setting face_network, '
            "or fit one with `tidewaiter fit gate`"
        )
    return network


def _carded(folder: Path, where: str, command: str) -> tuple[OwnNetwork, str]:
    """The network in a folder and what it is for; its bytes are those that its card names."""
    path = folder / NETWORK_FILE
    try:
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        wanted, purpose = str(card["network"]["sha256"]), str(card.get("purpose", ""))
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{where} holds no network with its card ({_reason(error)}); it needs "
            f"the folder that `tidewaiter fit {command} --out` wrote"
        ) from error
    if found != wanted:
        raise ConfigurationError(
            f"{NETWORK_FILE} in {folder.name!r} has SHA-256 {found[:16]}…, its card says "
            f"{wanted[:16]}…; fit the network again, or copy the whole folder again"
        )
    return OwnNetwork(path, found, f"+{found[:MARK_LENGTH]}"), purpose


def _reason(error: Exception) -> str:
    """Why, without the path that the system adds."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or f"{type(error).__name__}: {error}"


def own_digests(site: OwnNetwork | None = None) -> dict[str, str]:
    """SHA-256 of our own networks by short name; `site` replaces the shipped face network."""
    digests = {name: shipped.sha256 for name, shipped in SHIPPED.items()}
    return digests if site is None else {**digests, FACE_MANIPULATION: site.sha256}
