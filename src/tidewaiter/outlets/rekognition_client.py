"""Amazon's SDK behind the port of the adapter: it signs, sends once, and every failure returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from tidewaiter.errors import ConfigurationError, MissingWeights
from tidewaiter.face_audit.service import TEST_KIT_HEADER, TRIAL_HEADER
from tidewaiter.face_audit.services.rekognition import CloudAnswer
from tidewaiter.face_audit.translating import retry_after_s

INSTALL_COMMAND = "pip install 'tidewaiter[audit-aws]'"
DEFAULT_TIMEOUT_S = 30.0

_trial: ContextVar[str] = ContextVar("trial", default="")


class Boto3Client:
    """A Rekognition client of boto3; credentials are found as the SDK always finds them."""

    def __init__(
        self, *, region: str, endpoint_url: str = "", timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> None:
        """Raises MissingWeights where boto3 is not installed."""
        boto3, botocore_config, self._errors = _sdk()
        config = botocore_config.Config(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            retries={"total_max_attempts": 1},
            # An address from the environment would send faces elsewhere than the protocol says.
            ignore_configured_endpoint_urls=True,
        )
        try:
            # A session of its own: the SDK's common one keeps credentials it once found.
            self._client = boto3.session.Session().client(
                "rekognition",
                region_name=region,
                endpoint_url=endpoint_url or None,
                config=config,
            )
        except (self._errors.BotoCoreError, ValueError) as error:
            raise ConfigurationError(
                f"the client for Rekognition cannot be made ({type(error).__name__}); check "
                "region and endpoint in [target.options]"
            ) from None
        self._client.meta.events.register("before-sign.rekognition", _add_trial)
        self.endpoint = str(self._client.meta.endpoint_url)
        self.met_test_kit = False

    def call(self, operation: str, arguments: Mapping[str, Any], trial: str) -> CloudAnswer:
        """Carry out one operation once."""
        mark = _trial.set(trial)
        started = time.monotonic()
        try:
            content = getattr(self._client, operation)(**arguments)
        except self._errors.ClientError as error:
            return self._refused(error.response, started)
        except self._errors.BotoCoreError as error:
            return CloudAnswer(None, self._code_of(error), latency_ms=_ms_since(started))
        finally:
            _trial.reset(mark)
        metadata = content.pop("ResponseMetadata", {})
        self._note_stamp(metadata)
        status = metadata.get("HTTPStatusCode")
        return CloudAnswer(content, status=status, latency_ms=_ms_since(started))

    def _refused(self, response: Mapping[str, Any], started: float) -> CloudAnswer:
        metadata = response.get("ResponseMetadata", {})
        self._note_stamp(metadata)
        return CloudAnswer(
            None,
            str(response.get("Error", {}).get("Code", "")),
            metadata.get("HTTPStatusCode"),
            _ms_since(started),
            retry_after_s(metadata.get("HTTPHeaders", {})),
        )

    def _note_stamp(self, metadata: Mapping[str, Any]) -> None:
        if TEST_KIT_HEADER.lower() in metadata.get("HTTPHeaders", {}):
            self.met_test_kit = True

    def _code_of(self, error: Exception) -> str:
        """The class of failure alone: the SDK's messages may quote requests."""
        errors = self._errors
        if isinstance(error, errors.NoCredentialsError | errors.PartialCredentialsError):
            return "NoCredentials"
        if isinstance(error, errors.ConnectTimeoutError | errors.ReadTimeoutError):
            return "timeout"
        return "connection" if isinstance(error, errors.HTTPClientError) else "sdk-error"


def _sdk() -> tuple[Any, Any, Any]:
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError as error:
        raise MissingWeights(
            f"boto3 is not installed; it signs requests to Rekognition; {INSTALL_COMMAND}"
        ) from error
    return boto3, botocore.config, botocore.exceptions


def _add_trial(request: Any, **_: Any) -> None:
    if _trial.get():
        request.headers[TRIAL_HEADER] = _trial.get()


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
