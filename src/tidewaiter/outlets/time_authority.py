"""Asking a time-stamping authority for an RFC 3161 stamp, at the one address configured.

A digest leaves and nothing else, and a reply counts only once it was checked against the
authority's certificates, so the road to it need not be trusted.
"""

from __future__ import annotations

from tidewaiter.errors import ExchangeError
from tidewaiter.face_audit.service import Answer, Request, Transport
from tidewaiter.outlets.http import HttpTransport

AUTHORITY_TIMEOUT_S = 30.0
# RFC 3161, section 3.4.
_ASKED, _ANSWERED = "application/timestamp-query", "application/timestamp-reply"


def ask_time_authority(url: str, request: bytes, transport: Transport | None = None) -> bytes:
    """The authority's reply (DER), unchecked.

    Raises ExchangeError where none came, ConfigurationError where the address is none.
    """
    road = transport or HttpTransport(url, timeout_s=AUTHORITY_TIMEOUT_S, plain_http=True)
    answer = road.send(Request("POST", url, {"Content-Type": _ASKED}, request))
    if not isinstance(answer, Answer):
        raise ExchangeError(
            f"the time-stamping authority did not answer ({answer.code}); ask again later, or "
            "carry the request to it by hand"
        )
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or media_type != _ANSWERED:
        raise ExchangeError(
            f"the time-stamping authority answered {answer.status} with {media_type[:60]!r}; "
            f"200 with {_ANSWERED} needed: check its address in custody.toml"
        )
    return answer.body
