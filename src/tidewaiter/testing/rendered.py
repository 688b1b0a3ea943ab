"""Make eyelids, skin and pulses of known truth from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.face_geometry import SKIN_REGIONS
from tidewaiter.traces.faces import FaceTrack, VideoFaces

Numbers = NDArray[np.float64]

OPEN_EYE = 0.19
SHUT_EYE = 0.02
# Lids close faster than they open; seconds.
CLOSING_S = (0.05, 0.10)
SHUT_S = (0.01, 0.05)
OPENING_S = (0.10, 0.20)
SHORTEST_INTERVAL_S = 0.45
FINE_HZ = 600.0
# Mean colour of light skin and of the pulse in it (R, G, B), after de Haan & Jeanne 2013.
SKIN = (200.0, 150.0, 125.0)
PULSE_DIRECTION = (0.33, 0.77, 0.53)
PULSE_SHARE = 0.005
SECOND_HARMONIC = 0.3
HEART_BAND_HZ = (0.67, 4.0)


@dataclass(frozen=True)
class RenderedEyes:
    """Openings of two eyes (k x 2) at times (k), and the true blinks (start, end)."""

    time_s: Numbers
    eyes: Numbers
    blinks: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class EyeScript:
    """How eyes are to be rendered; rates per minute or second, noise in openings."""

    duration_s: float = 30.0
    looks_per_s: float = 15.0
    blinks_per_min: float = 17.0
    noise: float = 0.008
    drift: float = 0.15
    exposure_s: float = 0.02
    least_depth: float = 0.6
    lag_s: float = 0.0


@dataclass(frozen=True)
class SkinScript:
    """How skin is to be rendered: pulse, its strength against noise, and its spread.

    `snr_db` is the power of the pulse over that of the noise within 0.67..4 Hz, in the
    mean of the regions. `phases_degrees` and `amplitudes` are those of the regions.
    """

    duration_s: float = 20.0
    fps: float = 30.0
    bpm: float = 72.0
    snr_db: float = 6.0
    motion: float = 0.01
    drift_bpm: float = 0.0
    phases_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    amplitudes: tuple[float, float, float] = (1.0, 1.0, 1.0)


def blinking_eyes(rng: np.random.Generator, script: EyeScript) -> RenderedEyes:
    """Eyes that blink at random moments, seen by a camera with some exposure and noise."""
    fine = np.arange(0, script.duration_s, 1 / FINE_HZ)
    moments = _moments(rng, script)
    shut = np.zeros(fine.size)
    blinks = []
    for moment in moments:
        lid, span = _lid(rng, fine, moment, script.least_depth)
        shut = np.maximum(shut, lid)
        blinks.append(span)
    times = _looks(rng, script)
    usual = OPEN_EYE * _wander(rng, fine, script.drift)
    eyes = np.stack(
        [
            _exposed(fine, usual - np.roll(shut, shift) * (usual - SHUT_EYE), times, script)
            for shift in (0, round(script.lag_s * FINE_HZ))
        ],
        axis=1,
    )
    eyes = np.maximum(eyes + rng.normal(0, script.noise, eyes.shape), 0.0)
    return RenderedEyes(times, eyes, tuple(blinks))


def skin_colours(rng: np.random.Generator, script: SkinScript) -> tuple[Numbers, Numbers]:
    """Times (m) and mean colours (m x 3 regions x R, G, B) of skin with a known pulse."""
    times = np.arange(0, script.duration_s, 1 / script.fps)
    beat = _beat_phase(times, script)
    share = PULSE_SHARE * np.array(script.amplitudes)
    angles = beat[:, None] + np.radians(script.phases_degrees)
    pulse = share * (np.sin(angles) + SECOND_HARMONIC * np.sin(2 * angles))
    light = 1 + script.motion * (_wander(rng, times, 1.0) - 1)[:, None]
    relative = light[..., None] + pulse[..., None] * np.array(PULSE_DIRECTION)
    noise = rng.normal(0, _noise_share(script), relative.shape)
    return times, np.array(SKIN) * (relative + noise)


def skin_pictures(
    rng: np.random.Generator, script: SkinScript, side: int = 24, grain: float = 3.0
) -> tuple[Numbers, Numbers]:
    """`skin_colours` after a camera: 8-bit patches with grain, averaged again."""
    times, colours = skin_colours(rng, script)
    shape = (*colours.shape[:2], side * side, 3)
    seen = np.empty_like(colours)
    for index, colour in enumerate(colours):
        patch = colour[:, None, :] + rng.normal(0, grain, shape[1:])
        seen[index] = np.clip(np.round(patch), 0, 255).mean(axis=1)
    return times, seen


def face_track(
    *,
    eyes: RenderedEyes | None = None,
    skin: tuple[Numbers, Numbers] | None = None,
    width: float = 250.0,
    yaw_degrees: float = 0.0,
) -> FaceTrack:
    """A still face of that width with rendered eyes, rendered skin or both."""
    eye_times = eyes.time_s if eyes else np.zeros(0)
    skin_times, colours = skin or (np.zeros(0), np.zeros((0, len(SKIN_REGIONS), 3)))
    end = max((float(t[-1]) for t in (eye_times, skin_times) if t.size), default=0.0)
    times = np.arange(0, end, 0.2)
    count = times.size
    return FaceTrack(
        number=0,
        time_s=times,
        box=np.tile(np.array([100, 80, width, 1.2 * width], np.float32), (count, 1)),
        presence=np.ones(count, np.float32),
        mouth=np.zeros(count, np.float32),
        pose=np.tile(np.array([yaw_degrees, 0, 0], np.float32), (count, 1)),
        crop_side=np.full(count, 1.8 * width, np.float32),
        eye_time_s=eye_times,
        eyes=(eyes.eyes if eyes else np.zeros((0, 2))).astype(np.float32),
        colour_time_s=skin_times,
        colour=colours.astype(np.float32),
    )


def one_face(track: FaceTrack, *, most_at_once: int = 1) -> VideoFaces:
    """The face trace of a video that shows this face only."""
    return VideoFaces(
        width=1280,
        height=720,
        tracks=(track,),
        looked_at_s=track.seen_s,
        located_times=max(int(2 * track.seen_s), 1),
        found_share=1.0,
        most_at_once=most_at_once,
    )


def _moments(rng: np.random.Generator, script: EyeScript) -> list[float]:
    moments: list[float] = []
    moment = 0.5
    while script.blinks_per_min > 0:
        moment += SHORTEST_INTERVAL_S
        moment += float(
            rng.exponential(max(60 / script.blinks_per_min - SHORTEST_INTERVAL_S, 0.01))
        )
        if moment > script.duration_s - 1.0:
            break
        moments.append(moment)
    return moments


def _lid(
    rng: np.random.Generator, fine: Numbers, moment: float, least_depth: float
) -> tuple[Numbers, tuple[float, float]]:
    closing, shut, opening = (rng.uniform(*span) for span in (CLOSING_S, SHUT_S, OPENING_S))
    depth = rng.uniform(least_depth, 1.0)
    corners = np.cumsum([moment, closing, shut, opening])
    straight = np.interp(fine, corners, [0, 1, 1, 0])
    return depth * np.sin(straight * np.pi / 2) ** 2, (float(corners[0]), float(corners[-1]))


def _looks(rng: np.random.Generator, script: EyeScript) -> Numbers:
    """Moments of looks: an even camera clock of which every due picture is taken."""
    start = rng.uniform(0, 1 / script.looks_per_s)
    return np.arange(start, script.duration_s - 0.1, 1 / script.looks_per_s)


def _exposed(fine: Numbers, values: Numbers, times: Numbers, script: EyeScript) -> Numbers:
    total = np.concatenate([[0.0], np.cumsum(values) / FINE_HZ])
    edges = np.append(fine, fine[-1] + 1 / FINE_HZ)
    until = np.interp(times + script.exposure_s, edges, total)
    return np.asarray((until - np.interp(times, edges, total)) / script.exposure_s)


def _wander(rng: np.random.Generator, times: Numbers, share: float) -> Numbers:
    """1 plus slow random waves of at most about that share."""
    waves = np.ones(times.size)
    for _ in range(4):
        rate, phase = rng.uniform(0.02, 0.4), rng.uniform(0, 2 * np.pi)
        waves += share / 4 * np.sin(2 * np.pi * rate * times + phase)
    return waves


def _beat_phase(times: Numbers, script: SkinScript) -> Numbers:
    middle = times - times[-1] / 2
    rate = script.bpm + script.drift_bpm * middle / max(float(times[-1]), 1e-6)
    return np.cumsum(2 * np.pi * rate / 60 / script.fps)


def _noise_share(script: SkinScript) -> float:
    """Noise of one region and colour, so that the mean of the regions has the asked SNR."""
    green = PULSE_SHARE * PULSE_DIRECTION[1]
    power = green**2 / 2 * (1 + SECOND_HARMONIC**2)
    in_band = (HEART_BAND_HZ[1] - HEART_BAND_HZ[0]) / (script.fps / 2)
    mean_noise = power / 10 ** (script.snr_db / 10) / in_band
    return float(np.sqrt(mean_noise * len(SKIN_REGIONS)))
