"""What every measurement has in common: how it is asked for, taken and handed on.

A trace measures and does not judge. Its result is a frozen dataclass of numbers and
arrays. A detector names the traces it needs; `collect` takes the union of all needs in
one decode. One file may hold several traces; a file in this folder is found by walking.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

from tidewaiter.errors import MissingWeights, TidewaiterError
from tidewaiter.media import Frame, Packet, Picture, Video
from tidewaiter.vocabulary import MediaKind, Status, Text, tr

Options = Mapping[str, object]
"""What the operator hands to traces, by option name; a trace ignores what it does not know."""

NO_OPTIONS: Options = MappingProxyType({})


@dataclass(frozen=True)
class Untaken:
    """A trace that could not be taken, and why."""

    status: Status
    reason: Text


class PictureTrace(ABC):
    """A measurement on a still picture."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    """Names of traces that must be taken before; `measure` finds them in `earlier`."""
    options: Options = NO_OPTIONS
    """Set before `measure` is called."""

    @classmethod
    def obstacle(cls) -> str | None:
        """Why this trace can never be taken on this installation; None when it can."""
        return None

    @abstractmethod
    def measure(self, picture: Picture, earlier: Traces) -> Any:
        """The result, a frozen dataclass; or `Untaken` where there is nothing to measure."""


class VideoTrace(ABC):
    """A measurement on a video: an accumulator whose memory does not grow with length.

    A new instance is made for every video. It must not keep frames.
    """

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    """Names of traces that are fed before this one, frame by frame (see `Frame.shared`)."""
    options: Options = NO_OPTIONS
    """Set before `begin` is called."""

    def begin(self, video: Video) -> None:
        """Called once before the first packet."""

    def feed_packet(self, packet: Packet) -> None:
        """Called for every packet."""

    def feed(self, frame: Frame) -> None:
        """Called for every frame, in display order."""

    @classmethod
    def obstacle(cls) -> str | None:
        """Why this trace can never be taken on this installation; None when it can."""
        return None

    @abstractmethod
    def result(self, earlier: Traces) -> Any:
        """The result after the last frame; or `Untaken`."""


class Traces(Mapping[str, Any]):
    """Results by trace name. An untaken trace is an `Untaken`, never a missing key."""

    def __init__(self, kind: MediaKind, results: Mapping[str, Any]) -> None:
        self.kind = kind
        self._results = dict(results)

    def __getitem__(self, name: str) -> Any:
        return self._results[name]

    def __iter__(self) -> Any:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


@cache
def picture_traces() -> dict[str, type[PictureTrace]]:
    """Every picture trace of this folder, by name."""
    return {trace.name: trace for trace in _walk(PictureTrace)}


@cache
def video_traces() -> dict[str, type[VideoTrace]]:
    """Every video trace of this folder, by name."""
    return {trace.name: trace for trace in _walk(VideoTrace)}


def collect_picture(
    picture: Picture, needs: Iterable[str], *, options: Options = NO_OPTIONS
) -> Traces:
    """Take every needed trace of a picture, each at most once."""
    results: dict[str, Any] = {}
    for name in in_order(needs, picture_traces()):
        trace = picture_traces()[name]()
        trace.options = options
        earlier = Traces(MediaKind.PICTURE, results)
        results[name] = _guarded(lambda t=trace, e=earlier: t.measure(picture, e))
    return Traces(MediaKind.PICTURE, results)


def collect_video(video: Video, needs: Iterable[str], *, options: Options = NO_OPTIONS) -> Traces:
    """Take every needed trace of a video in one decode."""
    order = in_order(needs, video_traces())
    running = {name: video_traces()[name]() for name in order}
    for trace in running.values():
        trace.options = options
    results: dict[str, Any] = {}

    def feed_all(call: str, argument: Any) -> None:
        for name, trace in list(running.items()):
            outcome = _guarded(lambda t=trace: getattr(t, call)(argument))
            if isinstance(outcome, Untaken):
                results[name] = outcome
                del running[name]

    feed_all("begin", video)
    for item in video.play():
        feed_all("feed_packet" if isinstance(item, Packet) else "feed", item)
    for name in order:
        if name in running:
            earlier = Traces(MediaKind.VIDEO, results)
            results[name] = _guarded(lambda t=running[name], e=earlier: t.result(e))
    return Traces(MediaKind.VIDEO, results)


def too_small(picture: Picture, needed: int) -> Untaken | None:
    """Why a picture with a side under `needed` pixels cannot be measured; None for a larger one."""
    height, width = picture.rgb.shape[:2]
    if min(height, width) >= needed:
        return None
    reason = tr(
        "{width} x {height} pixels; at least {needed} a side needed",
        width=width,
        height=height,
        needed=needed,
    )
    return Untaken(Status.NOT_APPLICABLE, reason)


def in_order(needs: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    """Needed traces and what they come after, each once, in an order that respects `after`."""
    order: list[str] = []

    def add(name: str, waiting: tuple[str, ...]) -> None:
        if name in waiting:
            raise ValueError(f"traces wait for each other: {' → '.join((*waiting, name))}")
        if name in order or name not in known:
            return
        for earlier in known[name].after:
            add(earlier, (*waiting, name))
        order.append(name)

    for name in sorted(needs):
        add(name, ())
    return order


def _walk(base: type) -> list[Any]:
    package = importlib.import_module("tidewaiter.traces")
    found: dict[str, Any] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"tidewaiter.traces.{module_info.name}")
        for item in vars(module).values():
            named = isinstance(item, type) and issubclass(item, base) and hasattr(item, "name")
            if named and found.setdefault(item.name, item) is not item:
                raise ValueError(f"two traces are named {item.name}")
    return [found[name] for name in sorted(found)]


def _guarded(take: Any) -> Any:
    """Run one trace; what stops it is remembered for the detectors that need it."""
    try:
        return take()
    except MissingWeights as error:
        return Untaken(Status.UNAVAILABLE, tr("{problem}", problem=str(error)))
    except ModuleNotFoundError as error:
        return Untaken(
            Status.UNAVAILABLE,
            tr(
                "the library {library} is not installed; install it with: "
                "pip install 'tidewaiter[all]'",
                library=str(error.name),
            ),
        )
    except TidewaiterError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken trace must not silence the others
        return Untaken(
            Status.FAILED,
            tr("{kind}: {problem}", kind=type(error).__name__, problem=str(error)),
        )
