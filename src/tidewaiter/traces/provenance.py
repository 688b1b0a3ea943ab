"""Content Credentials (C2PA) of a file, read offline against the operator's own trust list.

The library may reach the network unless told not to, and accepts mistyped settings in
silence. Three settings keep it offline here, each by itself enough for what it governs;
a test proves with a value of the wrong type that each name is known to the library, and
another reads files with all sockets blocked. Source: C2PA Technical Specification 2.x.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, BinaryIO

from tidewaiter.errors import ConfigurationError
from tidewaiter.media import Picture, Video
from tidewaiter.media.stored import stored_bytes
from tidewaiter.traces.base import Options, PictureTrace, Traces, Untaken, VideoTrace
from tidewaiter.traces.shown import shown
from tidewaiter.vocabulary import Status, tr

TRUST_ANCHORS = "trust_anchors_pem"
"""Option: PEM text of the certificates whose signatures the operator trusts; absent: none."""

OFFLINE_SETTINGS: dict[str, dict[str, object]] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}
MAX_ACTIONS = 20
MAX_CODES = 12
SEARCH_STEP = 1024 * 1024
MAX_SEARCHED_BYTES = 64 * SEARCH_STEP

# Every embedded manifest store is a JUMBF box; one kept elsewhere is named in the XMP.
_EMBEDDED_MARK, _REMOTE_MARK = b"jumb", b"provenance"
_REMOTE_ERROR = "must fetch remote manifests from url"
# C2PA 2.x, section 15: codes that say that signed bytes are no longer what was signed.
_CHANGED_ENDINGS = (
    "dataHash.mismatch",
    "bmffHash.mismatch",
    "boxesHash.mismatch",
    "hashedURI.mismatch",
    "claimSignature.mismatch",
    "collectionHash.mismatch",
)


class CredentialState(StrEnum):
    """What became of reading the credentials."""

    NONE = "none"
    ELSEWHERE = "elsewhere"
    BROKEN = "broken"
    UNTRUSTED = "untrusted"
    TRUSTED = "trusted"


@dataclass(frozen=True)
class Action:
    """One step the signer states: what was done, with which program, from what source."""

    action: str
    software: str = ""
    source_type: str = ""


@dataclass(frozen=True)
class Credentials:
    """Content Credentials as read; all words are safe to show.

    `changed` is true where a hash or signature proves that bytes differ from what was
    signed; `failures` are the C2PA codes of everything that did not hold. `issuer` and
    `name` are from the signing certificate: unless the state is TRUSTED, anyone may
    have written them.
    """

    state: CredentialState
    changed: bool = False
    issuer: str = ""
    name: str = ""
    signed_at: str = ""
    generator: str = ""
    actions: tuple[Action, ...] = ()
    ingredients: int = 0
    failures: tuple[str, ...] = ()
    remote_url: str = ""
    trust_list_given: bool = False


class PictureCredentials(PictureTrace):
    """Content Credentials of a picture file."""

    name = "file.credentials"

    @classmethod
    def obstacle(cls) -> str | None:
        """The reader of Content Credentials is an extra."""
        return _not_installed()

    def measure(self, picture: Picture, earlier: Traces) -> Any:  # noqa: ARG002 - contract
        """Credentials; `Untaken` for formats in which none are defined."""
        anchors = trust_anchors(self.options)
        data = picture.data
        if _EMBEDDED_MARK not in data and _REMOTE_MARK not in data:
            return Credentials(CredentialState.NONE, trust_list_given=bool(anchors))
        return read_credentials(io.BytesIO(data), picture.exhibit.media_type, anchors)


class VideoCredentials(VideoTrace):
    """Content Credentials of a video file; reads the whole file once to compare its hash."""

    name = "file.credentials"

    @classmethod
    def obstacle(cls) -> str | None:
        """The reader of Content Credentials is an extra."""
        return _not_installed()

    def begin(self, video: Video) -> None:
        """Read and verify before the first packet."""
        with stored_bytes(video) as stream:
            media_type = video.exhibit.media_type
            self._found = read_credentials(stream, media_type, trust_anchors(self.options))

    def result(self, earlier: Traces) -> Any:  # noqa: ARG002 - contract
        """Credentials; `Untaken` for formats in which none are defined."""
        return self._found


def _not_installed() -> str | None:
    if find_spec("c2pa") is not None:
        return None
    return "c2pa-python is not installed; install it with: pip install 'tidewaiter[provenance]'"


def trust_anchors(options: Options) -> str:
    """The trust list of the options; raises ConfigurationError if it holds no certificate."""
    anchors = options.get(TRUST_ANCHORS) or ""
    if not isinstance(anchors, str) or (anchors and "-----BEGIN CERTIFICATE-----" not in anchors):
        raise ConfigurationError(
            "the trust list holds no certificate; a PEM file with at least one block "
            "BEGIN CERTIFICATE is needed: correct the setting trust_list"
        )
    return anchors


def read_credentials(stream: BinaryIO, media_type: str, anchors: str) -> Credentials | Untaken:
    """Read and verify offline; what the library refuses is a state, never an exception."""
    import c2pa

    if media_type not in c2pa.Reader.get_supported_mime_types():
        return Untaken(
            Status.NOT_APPLICABLE,
            tr("no Content Credentials are defined for {media_type}", media_type=media_type),
        )
    context = _context(anchors)
    given = bool(anchors)
    try:
        with c2pa.Reader(media_type, stream, context=context) as reader:
            found: dict[str, Any] = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return Credentials(CredentialState.NONE, trust_list_given=given)
    except c2pa.C2paError as error:
        return _refused(str(error), stream, trust_list_given=given)
    return _credentials(found, trust_list_given=given)


def _context(anchors: str) -> Any:
    import c2pa

    settings: dict[str, object] = dict(OFFLINE_SETTINGS)
    if anchors:  # an empty list of anchors is an error to the library
        settings["trust"] = {"trust_anchors": anchors}
    try:
        return c2pa.Context(c2pa.Settings.from_dict(settings))
    except c2pa.C2paError as error:
        raise ConfigurationError(
            f"the trust list cannot be used ({shown(str(error), 80)}); a PEM file of X.509 "
            "certificates is needed: correct the setting trust_list"
        ) from error


def _refused(message: str, stream: BinaryIO, *, trust_list_given: bool) -> Credentials | Untaken:
    if _REMOTE_ERROR in message:
        url = shown(message.partition(_REMOTE_ERROR)[2])
        return Credentials(
            CredentialState.ELSEWHERE, remote_url=url, trust_list_given=trust_list_given
        )
    if not _marked(stream):
        return Untaken(
            Status.NOT_APPLICABLE,
            tr(
                "the file cannot be searched for Content Credentials: {problem}",
                problem=shown(message),
            ),
        )
    return Credentials(
        CredentialState.BROKEN, failures=(shown(message),), trust_list_given=trust_list_given
    )


def _marked(stream: BinaryIO) -> bool:
    """Whether a manifest store begins somewhere in the first MAX_SEARCHED_BYTES."""
    stream.seek(0)
    tail = b""
    for _ in range(MAX_SEARCHED_BYTES // SEARCH_STEP):
        block = stream.read(SEARCH_STEP)
        if _EMBEDDED_MARK in tail + block:
            return True
        if not block:
            break
        tail = block[-len(_EMBEDDED_MARK) :]
    return False


def _credentials(found: Mapping[str, Any], *, trust_list_given: bool) -> Credentials:
    active = str(found.get("active_manifest", ""))
    manifest: Mapping[str, Any] = found.get("manifests", {}).get(active, {})
    signature: Mapping[str, Any] = manifest.get("signature_info", {})
    codes = _failures(found.get("validation_results", {}))
    state = {
        "Trusted": CredentialState.TRUSTED,
        "Valid": CredentialState.UNTRUSTED,
    }.get(str(found.get("validation_state")), CredentialState.BROKEN)
    return Credentials(
        state=state,
        changed=state is CredentialState.BROKEN
        and any(code.endswith(_CHANGED_ENDINGS) for code in codes),
        issuer=shown(str(signature.get("issuer", ""))),
        name=shown(str(signature.get("common_name", ""))),
        signed_at=shown(str(signature.get("time", "")), 40),
        generator=_generator(manifest),
        actions=_actions(manifest),
        ingredients=len(manifest.get("ingredients", ())),
        failures=tuple(codes[:MAX_CODES]),
        trust_list_given=trust_list_given,
    )


def _failures(results: Mapping[str, Any]) -> list[str]:
    """Failure codes of the active manifest and of its ingredients, each once."""
    parts = [results.get("activeManifest", {})]
    parts += [delta.get("validationDeltas", {}) for delta in results.get("ingredientDeltas", ())]
    codes = (shown(str(f.get("code", "")), 80) for part in parts for f in part.get("failure", ()))
    return list(dict.fromkeys(codes))


def _generator(manifest: Mapping[str, Any]) -> str:
    stated = manifest.get("claim_generator_info") or [{"name": manifest.get("claim_generator", "")}]
    first = stated[0] if isinstance(stated[0], Mapping) else {}
    return shown(f"{first.get('name', '')} {first.get('version', '')}")


def _actions(manifest: Mapping[str, Any]) -> tuple[Action, ...]:
    listed = [
        action
        for assertion in manifest.get("assertions", ())
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", ())
    ]
    return tuple(_action(action) for action in listed[:MAX_ACTIONS])


def _action(stated: Mapping[str, Any]) -> Action:
    software = stated.get("softwareAgent", "")
    name = software.get("name", "") if isinstance(software, Mapping) else software
    source = str(stated.get("digitalSourceType", ""))
    return Action(
        action=shown(str(stated.get("action", ""))),
        software=shown(str(name)),
        source_type=shown(source.rpartition("/")[2]),
    )
