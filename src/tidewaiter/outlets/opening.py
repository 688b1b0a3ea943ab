"""Make the recogniser that a protocol's [target] describes. Nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.embedding import FaceMemory, Known, dlib_embedder, faceres_embedder
from tidewaiter.face_audit.keeping import Store
from tidewaiter.face_audit.service import Picture, Price, Recogniser, Secret
from tidewaiter.outlets.credentials import needed_secret, secret


@dataclass(frozen=True)
class Described:
    """A protocol's [target], as far as an adapter needs it.

    `given` is the threshold in service, in the service's own scale; None: its default.
    `price_per_call` may be None where nothing is paid. `folder` is the protocol's; `kept`
    saves the embeddings of embedded recognisers between runs.
    """

    adapter: str
    mode: str
    is_distance: bool
    given: float | None
    options: Mapping[str, Any]
    price_per_call: Decimal | None
    environment: Mapping[str, str]
    folder: Path
    kept: Store | None = None


def open_recogniser(described: Described) -> Recogniser:
    """The adapter of that name, ready to be asked.

    Raises ConfigurationError for what the protocol says wrongly, MissingWeights for what is
    not installed.
    """
    if described.adapter not in _OPENERS:
        raise ConfigurationError(
            f"no adapter {described.adapter!r}; one of {', '.join(ADAPTERS)} is needed"
        )
    recogniser = _OPENERS[described.adapter](described)
    if described.mode not in recogniser.modes:
        raise ConfigurationError(
            f"the adapter {described.adapter} is not described for the mode {described.mode!r}; "
            f"it offers {', '.join(sorted(recogniser.modes))}"
        )
    return recogniser


_Kind = TypeVar("_Kind", bound=BaseModel)


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DlibOptions(_Options):
    """The embedded recogniser has no options."""


class FaceresOptions(_Options):
    """Options of the adapter faceres."""

    model: Path = Field(
        description="folder that holds faceres.json and faceres.bin, beside the protocol"
    )


class RemoteOptions(_Options):
    """Options of every adapter that sends pictures away."""

    key_env: str = Field(default="", description="environment variable that holds the key")
    key_file: str = Field(default="", description="file that holds the key, beside the protocol")
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="longest wait for an answer")
    plain_http: bool = Field(default=False, description="allow http beyond this machine")


Endpoint = Annotated[str, Field(pattern=r"^[^?#\s]*$")]
"""The address of a server, without a query: it is printed, and a query may hold a key."""


class ComprefaceOptions(RemoteOptions):
    """Options of the adapter compreface."""

    endpoint: Endpoint = Field(description="address of the server, as https://host:port")


class AzureOptions(RemoteOptions):
    """Options of the adapter azure."""

    endpoint: Endpoint = Field(
        description="address of the resource, as https://NAME.cognitiveservices…"
    )
    version: str = Field(default="v1.0", description="version of the interface")
    detection_model: str = "detection_03"
    recognition_model: str = "recognition_04"
    person_group: str = Field(
        default="", pattern=r"^[a-z0-9_-]{0,64}$", description="group of the audit's own persons"
    )


class RekognitionOptions(_Options):
    """Options of the adapter rekognition; the SDK finds its credentials itself."""

    region: str = Field(description="region of the service, as eu-west-1")
    endpoint: Endpoint = Field(default="", description="another address, for a stand-in")
    collection: str = Field(
        default="", pattern=r"^[a-zA-Z0-9_.\-]{0,255}$", description="the audit's own collection"
    )
    timeout_s: float = Field(default=30.0, gt=0, le=600)


class ExecOptions(_Options):
    """Options of the adapter exec."""

    command: tuple[str, ...] = Field(min_length=1, description="program and its arguments")
    environment: tuple[str, ...] = Field(
        default=(), description="names of further environment variables that it may see"
    )
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="longest wait for an answer")
    memory_mib: int = Field(default=2048, ge=16, description="largest address space")


def _open_dlib(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.dlib import DEFAULT_DISTANCE, DlibRecogniser

    _understood(DlibOptions, described)
    given = -DEFAULT_DISTANCE if described.given is None else described.given
    turned = described.is_distance and described.given is not None
    return DlibRecogniser(dlib_embedder(), given=-given if turned else given, kept=described.kept)


def _open_faceres(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.faceres import FaceresRecogniser

    options = _understood(FaceresOptions, described)
    embedder = faceres_embedder(described.folder / options.model)
    return FaceresRecogniser(embedder, kept=described.kept, **_given(described))


def _open_exec(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.exec import ExecRecogniser
    from tidewaiter.outlets.program import LineProgram

    options = _understood(ExecOptions, described)
    program = LineProgram(
        options.command,
        described.environment,
        passed_on=options.environment,
        folder=described.folder,
        timeout_s=options.timeout_s,
        memory_mib=options.memory_mib,
    )
    price = Price(described.price_per_call or Decimal(0))
    return ExecRecogniser(
        program,
        _local_faces(described.kept),
        price=price,
        given=described.given,
        is_distance=described.is_distance,
    )


def _open_rest(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.rest import RestOptions, RestRecogniser

    ways = set(RemoteOptions.model_fields)
    remote = _understood(RemoteOptions, described, only=ways)
    options = _understood(RestOptions, described, only=set(described.options) - ways)
    operations = (options.compare, options.search, options.enrol)
    urls = [operation.url for operation in operations if operation]
    return RestRecogniser(
        options,
        _secret(remote, described),
        _transport(remote, *urls),
        _local_faces(described.kept),
        price=Price(described.price_per_call),
        given=described.given,
        is_distance=described.is_distance,
    )


def _open_compreface(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.compreface import ComprefaceRecogniser

    options = _understood(ComprefaceOptions, described)
    return ComprefaceRecogniser(
        options.endpoint,
        needed_secret(_secret(options, described), "compreface"),
        _transport(options, options.endpoint),
        _local_faces(described.kept),
        # Software one runs oneself: a call costs nothing unless the protocol says so.
        price=Price(described.price_per_call or Decimal(0)),
        **_given(described),
    )


def _open_azure(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.azure import AzureAddress, AzureRecogniser

    options = _understood(AzureOptions, described)
    _own_place(options.person_group, "person_group", described)
    address = AzureAddress(
        options.endpoint,
        options.version,
        options.detection_model,
        options.recognition_model,
        options.person_group,
    )
    references = 1 if described.mode == "verify" else 0
    return AzureRecogniser(
        address,
        needed_secret(_secret(options, described), "azure"),
        _transport(options, options.endpoint),
        _local_faces(described.kept),
        price=Price(described.price_per_call, calls_per_reference=references, calls_per_probe=1),
        now=time.time,
        **_given(described),
    )


def _open_rekognition(described: Described) -> Recogniser:
    from tidewaiter.face_audit.services.rekognition import RekognitionRecogniser
    from tidewaiter.outlets.http import check_address
    from tidewaiter.outlets.rekognition_client import Boto3Client

    options = _understood(RekognitionOptions, described)
    _own_place(options.collection, "collection", described)
    if options.endpoint:
        check_address(options.endpoint)
    client = Boto3Client(
        region=options.region, endpoint_url=options.endpoint, timeout_s=options.timeout_s
    )
    return RekognitionRecogniser(
        client,
        _local_faces(described.kept),
        price=Price(described.price_per_call),
        collection=options.collection,
        **_given(described),
    )


_OPENERS: dict[str, Callable[[Described], Recogniser]] = {
    "dlib": _open_dlib,
    "faceres": _open_faceres,
    "exec": _open_exec,
    "rest": _open_rest,
    "rekognition": _open_rekognition,
    "azure": _open_azure,
    "compreface": _open_compreface,
}
ADAPTERS = tuple(_OPENERS)
"""Every adapter's name, as `target.adapter` in a protocol."""


def _understood(kind: type[_Kind], described: Described, only: set[str] | None = None) -> _Kind:
    options = {
        name: value for name, value in described.options.items() if only is None or name in only
    }
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ConfigurationError(
            f"[target.options] of the adapter {described.adapter} says something unusable at "
            f"{place!r}: {first['msg']}; docs/howto/audit-adapters.md lists every option"
        ) from None


def _own_place(name: str, option: str, described: Described) -> None:
    if described.mode == "identify" and not name:
        raise ConfigurationError(
            f"the mode identify enrols people with the service; name a place of the audit's own "
            f"as {option} in [target.options]"
        )


def _given(described: Described) -> dict[str, float]:
    return {} if described.given is None else {"given": described.given}


def _secret(options: RemoteOptions, described: Described) -> Secret | None:
    return secret(
        described.environment,
        key_env=options.key_env,
        key_file=options.key_file,
        folder=described.folder,
    )


def _transport(options: RemoteOptions, *urls: str) -> Any:
    from tidewaiter.outlets.http import HttpTransport

    return HttpTransport(*urls, timeout_s=options.timeout_s, plain_http=options.plain_http)


def _local_faces(kept: Store | None) -> Callable[[Picture], Known]:
    """Sizes and faces as located here, to check limits before anything is sent or paid."""
    return FaceMemory(dlib_embedder(), kept=kept).known
