"""When a frame is shown: by its own time stamp, else continued from the nominal rate."""

from __future__ import annotations

from typing import Any

USUAL_FPS = 25.0
"""Assumed where a stream states no rate at all."""

# No camera or screen delivers more; a higher rate is a wrong header.
HIGHEST_FPS = 1000.0


class Clock:
    """Seconds since the first frame, from `pts * time_base`, never from a frame count.

    AVI stores no presentation times; its frames are timed by the order of decoding
    (`by_dts`), which for that container is the order of showing, at a fixed delay.
    """

    def __init__(self, time_base: float, nominal_fps: float | None, *, by_dts: bool) -> None:
        self.nominal_fps = nominal_fps
        self.last_s = 0.0
        self.guessed = 0
        self._time_base = time_base
        self._by_dts = by_dts
        self._step_s = 1 / (nominal_fps or USUAL_FPS)
        self._zero: int | float | None = None
        self._frames = 0

    def time_of(self, av_frame: Any) -> tuple[float, bool]:
        """Time in seconds and whether it had to be guessed; call once per frame, in order."""
        stamp = av_frame.dts if self._by_dts else av_frame.pts
        expected_s = self.last_s + self._step_s if self._frames else 0.0
        self._frames += 1
        if stamp is None:
            self.last_s = expected_s
            # Frames of an AVI lie at a constant rate by the format's own definition.
            self.guessed += not self._by_dts
            return expected_s, not self._by_dts
        if self._zero is None:
            # Frames without a stamp may have come before: the count goes on from them.
            self._zero = stamp - (expected_s / self._time_base if expected_s else 0)
        self.last_s = float((stamp - self._zero) * self._time_base)
        return self.last_s, False

    @property
    def fps(self) -> float:
        """The rate at which missing times are continued."""
        return 1 / self._step_s

    @property
    def end_s(self) -> float:
        """When the last frame stops being shown, at the nominal rate."""
        return self.last_s + self._step_s


def nominal_rate(stream: Any) -> float | None:
    """The stream's average frame rate in frames per second, if it states a possible one."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= HIGHEST_FPS:
            return float(rate)
    return None
