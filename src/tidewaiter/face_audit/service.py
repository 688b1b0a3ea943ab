"""A face-recognition service under audit: the port, what it answers, what it takes and costs.

An adapter in services/ only translates. It opens no socket, reads no key and retries
nothing: HTTP goes through a `Transport`, keys arrive as `Secret`, and the driver decides
from the outcome whether to ask again. One orientation everywhere: scores are
similarities, larger is more alike; an adapter enters a distance d as -d.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Protocol


class Outcome(StrEnum):
    """What came of one enrolment, comparison or search; each enters the rates in its own way."""

    MATCH = "match"
    """The service compared and said yes at its own threshold; a search returned somebody."""

    NO_MATCH = "no-match"
    """The service compared and said no at its own threshold; a search returned nobody."""

    ENROLLED = "enrolled"
    """The picture was taken into the gallery; the answer to `enrol` only."""

    NO_FACE = "no-face"
    """No template could be made, since no face was found: FTA or FTE, never "no match"."""

    TOO_SMALL = "too-small"
    """The face is below the service's minimum; found here, so nothing was sent or paid."""

    THROTTLED = "throttled"
    """Too many requests; ask again later, and not before `retry_after_s`."""

    REFUSED = "refused"
    """The service does not take this picture (format, size, parameter); asking again is useless."""

    ERROR = "error"
    """Server error, timeout, dropped connection or unreadable reply; ask again."""

    DENIED = "denied"
    """Key, permission or licence is missing, or nothing is at the address; stop the run."""


COMPARED = frozenset({Outcome.MATCH, Outcome.NO_MATCH})
"""The service looked at faces and decided."""

UNCAPTURED = frozenset({Outcome.NO_FACE, Outcome.TOO_SMALL})
"""No template: refused in IAPAR and FRR, counted in FTA or FTE."""

WORTH_ASKING_AGAIN = frozenset({Outcome.THROTTLED, Outcome.ERROR})
"""Passing trouble; all other outcomes would come back the same."""

MISSING = frozenset({Outcome.THROTTLED, Outcome.REFUSED, Outcome.ERROR, Outcome.DENIED})
"""What leaves every denominator and is counted in each table, once retries have run out."""


@dataclass(frozen=True)
class Picture:
    """One encoded picture, as it is sent: never decoded and encoded anew on the way."""

    name: str
    """For messages only; never sent."""

    content: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Digest of the content, by which templates and replies are kept."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Reply:
    """What one operation came to."""

    outcome: Outcome
    score: float | None = None
    """Similarity of the pair, or of the best answer of a search; None where the service hides it
    or nothing was compared."""

    returned: tuple[str, ...] = ()
    """Identities a search returned at the service's threshold, best first."""

    candidates: tuple[tuple[str, float], ...] = ()
    """Every identity a search named, with its score, best first, also below the threshold, as far
    as the service tells; for other thresholds than the one in service."""

    http: int | None = None
    """Status of the last HTTP reply; None without one."""

    service_code: str = ""
    """The service's own word for what happened, or ours for a failure on the way."""

    latency_ms: float = 0.0
    calls: int = 0
    """Requests sent that the service may bill, whether or not a reply came."""

    retry_after_s: float | None = None


@dataclass(frozen=True)
class Limits:
    """What the service takes; checked before anything is sent. None: no limit is known."""

    media_types: frozenset[str] | None = None
    least_bytes: int = 0
    most_bytes: int | None = None
    least_side_px: int = 0
    least_face_px: int = 0
    """Shorter side of the smallest face taken, in the picture as sent; 0 where none is known."""

    face_reference_px: tuple[int, int] | None = None
    """(width, height) of the picture in which `least_face_px` holds; a larger picture needs a
    face larger in proportion. None: it holds in any picture."""

    most_gallery: int | None = None
    template_life_s: float | None = None
    """How long a face once located can be compared; None: as long as the run."""


@dataclass(frozen=True)
class Price:
    """What operations cost, for the plan and for the cap. Retries come on top."""

    per_call: Decimal | None
    """Money per billed call, in the protocol's currency; None: nobody said, so nothing is sent to
    a paid service. Zero for what runs here."""

    calls_per_enrolment: int = 1
    calls_per_compare: int = 1
    calls_per_search: int = 1
    calls_per_reference: int = 0
    """Further calls for each reference, once per `Limits.template_life_s`."""

    calls_per_probe: int = 0
    """Further calls for each probe picture not seen within `Limits.template_life_s`."""

    @property
    def most_calls_per_trial(self) -> int:
        """Upper bound of the billed calls of one comparison or search, for the cap."""
        once = max(self.calls_per_compare, self.calls_per_search)
        return once + self.calls_per_reference + self.calls_per_probe


@dataclass(frozen=True)
class ServiceCard:
    """What the report prints about the service; holds no key."""

    adapter: str
    endpoint: str
    """Address without user, query or key; "embedded" for what runs in this process."""

    version: str
    """Model or interface version as far as known."""

    score_meaning: str
    """What the score is and its range, e.g. "minus the Euclidean distance of 128-d embeddings"."""

    given_threshold: float | None
    """Threshold in service, as a similarity: the verdict is match when score >= threshold. None:
    the service decides by itself and tells its verdict only."""

    remote: bool
    """Whether pictures leave this machine's processes."""

    keeps_gallery: bool
    """Whether what was enrolled is still there for the next process; else enrol again."""

    test_kit: bool = False
    """Whether a stand-in answered; its reports carry a stamp."""


class Recogniser(Protocol):
    """A service that compares faces. Conformance: tests/conformance/test_recognisers.py."""

    @property
    def card(self) -> ServiceCard:
        """What the report prints about the service."""

    @property
    def limits(self) -> Limits:
        """What the service takes."""

    @property
    def price(self) -> Price:
        """What operations cost."""

    @property
    def modes(self) -> frozenset[str]:
        """Which of "verify" (compare) and "identify" (enrol, search) it offers."""

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Put pictures of one person into the gallery; one reply each, in order."""

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Say whether this is the same face; `trial` goes along, so that calls can be counted."""

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Say who of the enrolled this is."""


class Secret:
    """A key or password that shows itself in no repr, log, error or pickle."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self.__value

    def withheld_from(self, said: object) -> str:
        """A service's words without this value, which a careless one repeats; else empty."""
        return said.replace(self.__value, "…") if isinstance(said, str) else ""

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str | tuple[object, ...]:
        message = "a secret is not written to disk"
        raise TypeError(message)


@dataclass(frozen=True)
class Request:
    """One HTTP request; headers and body may hold keys and faces, so they are not shown."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """One complete HTTP reply; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    latency_ms: float = 0.0


@dataclass(frozen=True)
class Unanswered:
    """No complete reply came, though the service may have worked and may bill.

    `code` is one of timeout, connection, truncated, too-long.
    """

    code: str
    latency_ms: float = 0.0


class Transport(Protocol):
    """The way out of this process, opened only for hosts that the protocol names."""

    @property
    def met_test_kit(self) -> bool:
        """Whether an answer so far bore the stamp of a stand-in."""

    def send(self, request: Request) -> Answer | Unanswered:
        """Send once; no redirect is followed and nothing is tried again."""


TEST_KIT_HEADER = "X-Tidewaiter-Test-Kit"
"""The stamp that a stand-in puts on every answer."""

TRIAL_HEADER = "X-Tidewaiter-Trial"
"""Carries the trial id, a digest, so that billed calls can be counted per trial."""
