"""The same audit through a virtual camera: every picture injected into a page that films.

Genuine pictures take the same way, so that thresholds and the gate's cut are those of the
camera, and what differs between species is the species.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.auditing import Audit
from tidewaiter.face_audit.keeping import Store
from tidewaiter.face_audit.material import Shown, forgery_name
from tidewaiter.face_audit.results import AuditResults, Rate
from tidewaiter.face_audit.service import Picture
from tidewaiter.face_audit.trials import Probe
from tidewaiter.forgeries.face_camera import clip, still
from tidewaiter.media.material import Pixels
from tidewaiter.vocabulary import tr


@dataclass(frozen=True)
class Method:
    """One way of injecting: its name in reports, the ending of its films, and the maker."""

    name: str
    ending: str
    film: Callable[[Pixels, int], bytes]


METHODS = MappingProxyType(
    {
        "still": Method("injection-still", "y4m", lambda pixels, _seed: still(pixels)),
        "clip": Method("injection-clip", "mjpeg", clip),
    }
)
"""Every way of injecting, by the name a user gives."""


@dataclass(frozen=True)
class Taken:
    """What a page took from its camera: an encoded picture, and the name it saw of the camera."""

    content: bytes
    label: str


class Camera(Protocol):
    """A page that films whatever it is given as its camera."""

    def take(self, film: bytes) -> Taken:
        """Show the film and bring back what the page took. Raises ExaminationError."""


class Injected:
    """Probes as a page's camera shows them; each is taken once and kept.

    `show` gives what is injected, `view` its pixels.
    """

    def __init__(
        self,
        show: Callable[[Probe], Shown],
        view: Callable[[Probe], Pixels],
        camera: Camera,
        store: Store,
        method: Method,
    ) -> None:
        self._show, self._view, self._camera = show, view, camera
        self._store, self._method = store, method

    def show(self, probe: Probe) -> Shown:
        """What the page took. Raises UnfitFaces where there is nothing to inject."""
        injected = self._show(probe)
        name = _taken_name(self._method, forgery_name(probe))
        content = self._store.get(name)
        if content is None:
            film = self._method.film(self._view(probe), _seed(probe))
            taken = self._camera.take(film)
            self._store.put(f"{name}.json", json.dumps({"camera": taken.label}).encode())
            self._store.put(name, taken.content)
            content = taken.content
        return replace(injected, picture=Picture(name, content))


def method_named(name: str) -> Method:
    """The method of that name. Raises ConfigurationError."""
    if name not in METHODS:
        raise ConfigurationError(f"no method {name!r}; one of {', '.join(METHODS)} is needed")
    return METHODS[name]


def through_camera(audit: Audit, method: Method) -> Audit:
    """The same trials under ids of their own, so that no ledger can mistake them."""
    named = f"{audit.protocol.audit[:60]} · {method.name}"
    return replace(
        audit,
        protocol=audit.protocol.model_copy(update={"audit": named}),
        digest=_digest(audit.digest, method),
        trials=tuple(replace(trial, id=_digest(trial.id, method)) for trial in audit.trials),
    )


def explained(results: AuditResults, method: Method, browser: str) -> AuditResults:
    """The record with a first sentence that says how the pictures came in.

    Its worst pictures are those that the page took.
    """
    sentence = tr(
        "Every picture, genuine ones too, was shown through a virtual camera ({method}) to a "
        "page in {browser}, and the page’s own picture of it was compared.",
        method=method.name,
        browser=browser,
    )
    worst = tuple(
        picture.model_copy(update={"file": _taken_name(method, picture.file)})
        for picture in results.worst
    )
    return results.model_copy(update={"verdict": (sentence, *results.verdict), "worst": worst})


@dataclass(frozen=True)
class Beside:
    """One species at one threshold: accepted as a file, and through the camera."""

    threshold: str
    species: str
    pair: str
    as_file: Rate | None
    injected: Rate | None


def beside(direct: AuditResults | None, injected: AuditResults) -> Iterator[Beside]:
    """Every species of the injected audit beside the same of the direct one, if there is one."""
    known = dict(_rates(direct)) if direct else {}
    for (threshold, species, pair), rate in _rates(injected):
        yield Beside(threshold, species, pair, known.get((threshold, species, pair)), rate)


def labels_of(notes: Iterable[bytes]) -> Mapping[str, int]:
    """How often the page saw each name of its camera."""
    counted: dict[str, int] = {}
    for note in notes:
        label = str(json.loads(note)["camera"])
        counted[label] = counted.get(label, 0) + 1
    return counted


def _rates(results: AuditResults) -> Iterator[tuple[tuple[str, str, str], Rate | None]]:
    for at in results.at:
        for row in at.attacks:
            yield (at.threshold.name, row.species, row.pair), row.accepted


def _taken_name(method: Method, forgery: str) -> str:
    """The file of what the page took of a probe, by the name of a forgery of that probe."""
    key = forgery.removesuffix(".png").rpartition("-")[2]
    return f"{method.name}-{key}.jpg"


def _seed(probe: Probe) -> int:
    return int(probe.key[:8], 16)


def _digest(name: str, method: Method) -> str:
    return hashlib.sha256(f"{method.name}/{name}".encode()).hexdigest()
