"""Any service with an HTTP interface, described by its operator: templates out, JSON paths in.

Templates hold `{reference}` and `{probe}` (the picture as Base64; in a form, the file
itself), `{identity}`, `{trial}` and, in headers only, `{key}`. Other braces are left
alone, so that a JSON body can be written as it is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.fitness import Knowing, first_unfit
from tidewaiter.face_audit.json_path import json_path
from tidewaiter.face_audit.multipart import Part, form
from tidewaiter.face_audit.service import (
    TRIAL_HEADER,
    Answer,
    Limits,
    Outcome,
    Picture,
    Price,
    Reply,
    Request,
    Secret,
    ServiceCard,
    Transport,
    Unanswered,
)
from tidewaiter.face_audit.translating import (
    compared,
    json_of,
    number_of,
    searched,
    unanswered,
    unreadable,
    unsuccessful,
)

_PLACE = re.compile(r"\{(reference|probe|identity|trial|key)\}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """Holds when the value at `path` equals `equals`, or is there at all without it."""

    path: str
    equals: str | int | float | bool | None = None

    def holds_in(self, document: Any) -> bool:
        """Whether the document fulfils the condition."""
        found = json_path(self.path).all_in(document)
        return bool(found) if self.equals is None else self.equals in found


class Operation(_Part):
    """How one operation is asked for, and where its answer is found."""

    url: str
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    """A JSON text; exactly one of `body` and `form` is given."""

    form: dict[str, str] | None = None
    score: str | None = None
    match: str | None = None
    """Where the service's own verdict is, true or false; needed where it hides its score."""

    identities: str | None = None
    scores: str | None = None
    no_face: Condition | None = None
    too_small: Condition | None = None
    done: Condition | None = None
    """What a successful answer to `enrol` shows; without it any status of success will do."""

    @model_validator(mode="after")
    def _readable(self) -> Operation:
        if (self.body is None) == (self.form is None):
            raise ValueError("exactly one of body and form is needed")
        try:
            for path in (self.score, self.match, self.identities, self.scores):
                if path is not None:
                    json_path(path)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self


class RestOptions(_Part):
    """The `[target.options]` of the adapter `rest`."""

    compare: Operation | None = None
    search: Operation | None = None
    enrol: Operation | None = None
    max_bytes: int | None = Field(default=None, ge=1)
    min_face_px: int = Field(default=0, ge=0)
    media_types: tuple[str, ...] = ()

    def limits(self) -> Limits:
        """What the operator says the service takes."""
        return Limits(
            media_types=frozenset(self.media_types) or None,
            most_bytes=self.max_bytes,
            least_face_px=self.min_face_px,
        )


class RestRecogniser:
    """Whatever score the operator's service gives; a distance enters with its sign turned."""

    def __init__(  # noqa: PLR0913 - one argument per thing the adapter cannot do itself
        self,
        options: RestOptions,
        key: Secret | None,
        transport: Transport,
        knowing: Knowing,
        *,
        price: Price,
        given: float | None,
        is_distance: bool = False,
    ) -> None:
        """`given` is the threshold in the service's own scale."""
        self._options, self._key, self._transport = options, key, transport
        self._knowing, self._sign = knowing, -1.0 if is_distance else 1.0
        self._given = None if given is None else self._sign * given
        self.limits, self.price = options.limits(), price
        self.modes = _modes(options, given)
        first = options.compare or options.search
        self._card = ServiceCard(
            adapter="rest",
            endpoint=re.split(r"[?#]", first.url)[0] if first else "",
            version="as its operator describes it",
            score_meaning="minus the service's distance" if is_distance else "the service's score",
            given_threshold=self._given,
            remote=True,
            keeps_gallery=True,
        )

    @property
    def card(self) -> ServiceCard:
        """What the report prints; stamped once a stand-in has answered."""
        return replace(self._card, test_kit=self._transport.met_test_kit)

    def compare(self, reference: Picture, probe: Picture, *, trial: str = "") -> Reply:
        """Send both pictures as the template of `compare` says."""
        operation = self._offered(self._options.compare, "compare")
        refusal = first_unfit(self.limits, self._knowing, reference, probe)
        if refusal is not None:
            return refusal
        way = self._send(operation, {"reference": reference, "probe": probe}, trial=trial)
        if not isinstance(way, Answer):
            return way
        document = json_of(way)
        score = _number_at(operation.score, document)
        match = json_path(operation.match).first_in(document) if operation.match else None
        return self._judged(way, score, match)

    def search(self, probe: Picture, *, trial: str = "") -> Reply:
        """Send the probe as the template of `search` says."""
        operation = self._offered(self._options.search, "search")
        refusal = first_unfit(self.limits, self._knowing, probe)
        if refusal is not None:
            return refusal
        way = self._send(operation, {"probe": probe}, trial=trial)
        return self._candidates(way, operation) if isinstance(way, Answer) else way

    def enrol(self, identity: str, pictures: Sequence[Picture]) -> tuple[Reply, ...]:
        """Send each picture as the template of `enrol` says."""
        return tuple(self._enrolled(identity, picture) for picture in pictures)

    def _enrolled(self, identity: str, picture: Picture) -> Reply:
        operation = self._offered(self._options.enrol, "enrol")
        refusal = first_unfit(self.limits, self._knowing, picture)
        if refusal is not None:
            return refusal
        way = self._send(operation, {"probe": picture}, identity=identity)
        if not isinstance(way, Answer):
            return way
        if operation.done is not None and not operation.done.holds_in(json_of(way)):
            return unreadable(way, calls=1)
        return Reply(Outcome.ENROLLED, **_facts(way))

    def _judged(self, way: Answer, score: float | None, match: Any) -> Reply:
        similarity = None if score is None else self._sign * score
        if isinstance(match, bool):
            outcome = Outcome.MATCH if match else Outcome.NO_MATCH
            return Reply(outcome, score=similarity, **_facts(way))
        if similarity is None or self._given is None:
            return unreadable(way, calls=1)
        return compared(similarity, self._given, **_facts(way))

    def _candidates(self, way: Answer, operation: Operation) -> Reply:
        document = json_of(way)
        names = json_path(operation.identities or "$").all_in(document)
        if document is None or not all(isinstance(name, str | int) for name in names):
            return unreadable(way, calls=1)
        if operation.scores is None:
            returned = tuple(str(name) for name in names)
            outcome = Outcome.MATCH if returned else Outcome.NO_MATCH
            return Reply(outcome, returned=returned, **_facts(way))
        scores = [number_of(value) for value in json_path(operation.scores).all_in(document)]
        if len(scores) != len(names) or None in scores or self._given is None:
            return unreadable(way, calls=1)
        best: dict[str, float] = {}
        for name, score in zip(map(str, names), scores, strict=True):
            best[name] = max(self._sign * (score or 0.0), best.get(name, float("-inf")))
        return searched(best, self._given, **_facts(way))

    def _send(
        self,
        operation: Operation,
        pictures: Mapping[str, Picture],
        *,
        identity: str = "",
        trial: str = "",
    ) -> Answer | Reply:
        """The successful answer, or the reply that ends the operation."""
        said = {"identity": identity, "trial": trial}
        content_type, body = _body(operation, pictures, said)
        key = {"key": self._key.reveal()} if self._key else {}
        headers = {"Content-Type": content_type, **({TRIAL_HEADER: trial} if trial else {})}
        headers |= {name: _filled(text, said | key) for name, text in operation.headers.items()}
        url = _filled(operation.url, {name: quote(text, safe="") for name, text in said.items()})
        way = self._transport.send(Request(operation.method, url, headers, body))
        if isinstance(way, Unanswered):
            return unanswered(way, calls=1)
        document = json_of(way)
        for outcome, condition in (
            (Outcome.NO_FACE, operation.no_face),
            (Outcome.TOO_SMALL, operation.too_small),
        ):
            if condition is not None and condition.holds_in(document):
                return Reply(outcome, service_code=outcome.value, **_facts(way))
        return way if 200 <= way.status < 300 else unsuccessful(way, calls=1)

    def _offered(self, operation: Operation | None, name: str) -> Operation:
        if operation is None:
            raise ConfigurationError(
                f"the protocol describes no operation {name!r} for the adapter rest; "
                f"write [target.options.{name}]"
            )
        return operation


def _modes(options: RestOptions, given: float | None) -> frozenset[str]:
    compare, search = options.compare, options.search
    if compare and compare.match is None and (compare.score is None or given is None):
        raise ConfigurationError(
            "the operation compare tells neither a verdict (match) nor a score with a threshold "
            "in service; write target.options.compare.match, or .score and target.threshold.given"
        )
    if search and (search.identities is None or (search.scores is not None and given is None)):
        raise ConfigurationError(
            "the operation search needs identities, and target.threshold.given where it has scores"
        )
    offered = {"verify": compare, "identify": search and options.enrol}
    modes = frozenset(name for name, operation in offered.items() if operation)
    if not modes:
        raise ConfigurationError(
            "the adapter rest needs [target.options.compare], or [target.options.search] "
            "and [target.options.enrol]"
        )
    return modes


def _body(
    operation: Operation, pictures: Mapping[str, Picture], said: Mapping[str, str]
) -> tuple[str, bytes]:
    if operation.form is not None:
        return form([_part(*field, pictures, said) for field in operation.form.items()])
    coded = {name: base64.b64encode(p.content).decode("ascii") for name, p in pictures.items()}
    quoted = {name: json.dumps(text)[1:-1] for name, text in said.items()}
    return "application/json", _filled(operation.body or "", coded | quoted).encode()


def _part(field: str, text: str, pictures: Mapping[str, Picture], said: Mapping[str, str]) -> Part:
    picture = pictures.get(text.strip("{}"))
    if picture is not None and text.startswith("{"):
        return Part(field, picture.content, file_name="picture")
    return Part(field, _filled(text, said).encode())


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its places filled in one go, so that a value is never a template."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)


def _number_at(path: str | None, document: Any) -> float | None:
    return None if path is None else number_of(json_path(path).first_in(document))


def _facts(answer: Answer) -> dict[str, Any]:
    return {"http": answer.status, "latency_ms": answer.latency_ms, "calls": 1}
