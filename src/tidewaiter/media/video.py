"""Play a video once, in one thread and bounded memory, with the limits checked on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tidewaiter.errors import InputError
from tidewaiter.media.files import state_of
from tidewaiter.media.material import Frame, Packet, Unexamined
from tidewaiter.media.orientation import CLOCKWISE_DEGREES, QUARTER_TURNED
from tidewaiter.media.playback import Playback
from tidewaiter.media.source import Source
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Exhibit, Text


@dataclass
class AvVideo:
    """A video over PyAV. `play` may be called again; each call decodes anew.

    `exhibit` has the size of the upright frame. `notes` says what was met while playing
    (damaged packets, an early end, a change of size, missing times); it is complete when
    the last frame has been played.
    """

    exhibit: Exhibit
    codec: str
    pixel_format: str
    nominal_fps: float | None
    rotation_degrees: int
    path: str
    source: Source = field(repr=False)
    limits: Limits = field(repr=False)
    notes: list[Text] = field(default_factory=list)
    begun: Playback | None = field(default=None, repr=False)

    def play(self) -> Iterator[Packet | Frame]:
        """Every packet of the examined stream and every frame, in one decode.

        Raises CorruptMedia where no frame can be decoded, LimitExceeded where the stream
        outgrows its limits, InputError where the file was exchanged since it was opened.
        """
        # The first frame was decoded on opening; the first run goes on from there.
        playback, self.begun = self.begun or _begin(self.source, self.limits), None
        self.notes.clear()
        try:
            yield from playback.items()
            self.notes.extend(playback.closing_notes())
        finally:
            playback.close()


def open_video(source: Source, limits: Limits) -> AvVideo | Unexamined:
    """The video at `source`, its first frame already decoded; `Unexamined` if it is sound only.

    Raises CorruptMedia, UnsupportedMedia, LimitExceeded, InputError.
    """
    playback = _begin(source, limits)
    if playback.stream is None:
        playback.close()
        return Unexamined(source.exhibit(), "a sound recording")
    view = playback.view
    quarter = view.orientation in QUARTER_TURNED
    exhibit = source.exhibit(
        width=view.height if quarter else view.width,
        height=view.width if quarter else view.height,
        duration_s=playback.promised_s,
        notes=tuple(playback.opening_notes()),
    )
    return AvVideo(
        exhibit=exhibit,
        codec=playback.stream.codec_context.codec.canonical_name,
        pixel_format=playback.pixel_format,
        nominal_fps=playback.clock.nominal_fps,
        rotation_degrees=CLOCKWISE_DEGREES[view.orientation],
        path=str(source.path),
        source=source,
        limits=limits,
        begun=playback,
    )


def _begin(source: Source, limits: Limits) -> Playback:
    """Opened, and certainly the file whose digest was taken: looked at before and after."""
    check_unchanged(source)
    playback = Playback(source, limits)
    try:
        check_unchanged(source)
    except InputError:
        playback.close()
        raise
    return playback


def check_unchanged(source: Source) -> None:
    """Raise InputError where a file was exchanged since its digest was taken."""
    if source.state is None:
        return
    try:
        unchanged = state_of(source.path) == source.state
    except OSError:
        unchanged = False
    if not unchanged:
        raise InputError(
            f"{source.shown}: the file changed or vanished after its digest was taken. Copy it to "
            "a place where nothing writes to it and examine the copy."
        )
