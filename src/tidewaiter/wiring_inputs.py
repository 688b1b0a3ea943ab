"""Signatures inside files that are handed in, read in a killable worker of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidewaiter.casework.custody_inputs import (
    UNREAD,
    Inputs,
    Trusted,
    may_carry_credentials,
    read_inputs,
)
from tidewaiter.custody.manifest import Manifest
from tidewaiter.custody.onvif_message import ONVIF_UUID
from tidewaiter.custody.onvif_revocation import crls_as_pem, parse_revocations
from tidewaiter.custody.onvif_signer import MOST_ANCHORS, certificates_in
from tidewaiter.errors import (
    ConfigurationError,
    ExaminationError,
    LimitExceeded,
    MalformedText,
    UnknownExhibit,
)
from tidewaiter.jobs.queue import Queue
from tidewaiter.jobs.supervisor import run
from tidewaiter.settings import Settings
from tidewaiter.wiring import error_named

INPUTS_HANDLER = "tidewaiter.wiring_inputs:inputs_task"


def inputs_of(
    paths: Sequence[Path], manifests: Sequence[Manifest], settings: Settings
) -> list[Inputs]:
    """What signatures each file brings along; a worker starts only where there are marks of any.

    Raises ConfigurationError where a list of trusted signers in the settings is unusable.
    """
    marked = [
        path
        for path, manifest in zip(paths, manifests, strict=True)
        if has_camera_marks(manifest) or _has_credential_marks(path)
    ]
    found = dict(zip(marked, read_signatures(marked, settings), strict=True))
    return [found.get(path, Inputs()) for path in paths]


def has_camera_marks(manifest: Manifest) -> bool:
    """Whether a recording carries messages of ONVIF Media Signing."""
    return manifest.prints is not None and bool(manifest.prints.marks.get(ONVIF_UUID.hex()))


def read_signatures(paths: Sequence[Path], settings: Settings) -> list[Inputs]:
    """The signatures in each file, whatever its marks; one that breaks the worker is unread."""
    if not paths:
        return []
    trusted = {"camera_trust_list": _pem(settings.camera_trust_list, "camera_trust_list")}
    trusted["trust_list"] = _pem(settings.trust_list, "trust_list")
    trusted["camera_revoked_list"] = _revoked(settings.camera_revoked_list)
    trusted["camera_crls"] = _crls(settings.camera_crls)
    limits = settings.limits.model_dump(mode="json")
    with tempfile.TemporaryDirectory(prefix="tidewaiter-signatures-") as folder:
        queue = Queue(Path(folder) / "queue.sqlite")
        try:
            payloads = [
                {"path": str(path.absolute()), "limits": limits, **trusted} for path in paths
            ]
            queue.add([(str(number), payload) for number, payload in enumerate(payloads)])
            run(queue, INPUTS_HANDLER, workers=1, limits=settings.limits)
            tasks = {task.key: task for task in queue.tasks()}
        finally:
            queue.close()
    ordered = [tasks[str(number)] for number in range(len(paths))]
    return [_inputs(task.result, task.error) for task in ordered]


def inputs_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: read one file's signatures."""
    limits = Settings.model_validate({"limits": payload["limits"]}).limits
    trusted = Trusted(
        cameras=payload["camera_trust_list"].encode("utf-8"),
        credentials=payload["trust_list"],
        revoked=payload["camera_revoked_list"],
        crls=payload["camera_crls"].encode("ascii"),
    )
    found = read_inputs(Path(payload["path"]), limits, trusted)
    return {"names": list(found.names), "facts": dict(found.facts)}


def _inputs(result: Mapping[str, Any] | None, failure: Mapping[str, str] | None) -> Inputs:
    if failure is not None:
        error = error_named(failure["type"], failure["message"])
        if not isinstance(error, LimitExceeded | ExaminationError):
            raise error
        return Inputs((UNREAD,), {"any": {"reason": str(error)}})
    found = result or {"names": (), "facts": {}}
    return Inputs(tuple(found["names"]), found["facts"])


def _has_credential_marks(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return may_carry_credentials(stream)
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error


def _pem(path: Path | None, setting: str) -> str:
    """The text of a list of trusted certificates; empty where none is set."""
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
        certificates_in(text.encode("utf-8"), MOST_ANCHORS)
    except (OSError, UnicodeDecodeError, MalformedText) as error:
        raise ConfigurationError(
            f"{path.name!r} cannot be read as PEM certificates ({error}); correct {setting} in the "
            "settings"
        ) from error
    return text


def _revoked(path: Path | None) -> str:
    """The operator's list of withdrawn certificates; empty where none is set."""
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
        parse_revocations(text)
    except (OSError, UnicodeDecodeError, MalformedText) as error:
        raise ConfigurationError(
            f"{path.name!r} cannot be read as a list of revoked certificates ({error}); correct "
            "camera_revoked_list in the settings"
        ) from error
    return text


def _crls(path: Path | None) -> str:
    """The lists of withdrawn certificates that makers signed, in PEM; empty where none is set."""
    if path is None:
        return ""
    try:
        return crls_as_pem(path.read_bytes())
    except (OSError, MalformedText) as error:
        raise ConfigurationError(
            f"{path.name!r} cannot be read as certificate revocation lists ({error}); correct "
            "camera_crls in the settings"
        ) from error
