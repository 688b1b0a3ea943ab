"""The pulse in the colour of facial skin, by POS and CHROM, and how it is spread.

POS: Wang, den Brinker, Stuijk, de Haan 2017; CHROM: de Haan, Jeanne 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.traces.eyelids import stretches
from tidewaiter.traces.face_geometry import SKIN_REGIONS
from tidewaiter.traces.faces import FaceTrack
from tidewaiter.vocabulary import Status, tr

Numbers = NDArray[np.floating[Any]]

LOWEST_HZ = 0.67
HIGHEST_HZ = 4.0
WINDOW_S = 1.6
# Zero padding: the spectrum is read at least this finely.
SPECTRUM_STEP_HZ = 1 / 120
PEAK_HALF_WIDTH_HZ = 0.1
LONGEST_GAP_S = 0.35
SHORTEST_STRETCH_S = 4.0
LARGEST_RATE_HZ = 60.0
# Regions are compared window by window of so many seconds.
COMPARE_WINDOW_S = 6.0


@dataclass(frozen=True)
class Spectrum:
    """Power over frequency in 0.67..4 Hz, its peak in beats per minute, and the SNR in dB."""

    frequency_hz: Numbers
    power: Numbers
    bpm: float
    snr_db: float


@dataclass(frozen=True)
class Pulse:
    """The pulse read from the longest unbroken stretch of the leading face.

    `time_s` and `wave` (POS, standardised) are at `rate_hz`. `wave`, `pos` and `chrom` are
    those of the clearest among the mean over the regions and the `regions` themselves,
    because regions out of step cancel in the mean. `quality_db` is the SNR of the mean or
    the median of the regions', whichever is higher. `region_amplitude` and
    `region_phase_degrees` are relative to `wave` at its peak frequency. `agreement` (0..1)
    is how well the regions keep step there: 1 in step, 0.5 by chance.
    `motion_share` is the face's path from mesh to mesh in face widths per second.
    """

    time_s: Numbers
    wave: Numbers
    rate_hz: float
    stretch_s: float
    pos: Spectrum
    chrom: Spectrum
    quality_db: float
    regions: tuple[str, ...]
    region_snr_db: Numbers
    region_amplitude: Numbers
    region_phase_degrees: Numbers
    agreement: float
    motion_share: float
    face_width: float
    faces_at_once: int


class PulseInVideo(VideoTrace):
    """Reads the pulse of the face seen longest from the colours of the face trace."""

    name = "pulse"
    after = ("faces",)

    def result(self, earlier: Traces) -> Pulse | Untaken:
        """The pulse; `Untaken` where no face kept its colours for four seconds."""
        faces = earlier["faces"]
        if isinstance(faces, Untaken):
            return faces
        track = max(faces.tracks, key=lambda t: t.colour_time_s.size, default=None)
        found = 0.0
        if track is not None:
            taken = measured(track, faces.most_at_once)
            if isinstance(taken, Pulse):
                return taken
            found = taken
        return Untaken(
            Status.NOT_APPLICABLE,
            tr("{found:.1f} s of video with an unbroken face; 10 s needed", found=found),
        )


def measured(track: FaceTrack, faces_at_once: int) -> Pulse | float:
    """The pulse of one track, or the length in seconds of its too short longest stretch."""
    complete = np.isfinite(track.colour).all(axis=(1, 2))
    times = track.colour_time_s[complete]
    parts = stretches(times, LONGEST_GAP_S, 0.0)
    part = max(parts, key=lambda p: times[p][-1] - times[p][0], default=slice(0, 0))
    stretch = float(times[part][-1] - times[part][0]) if times[part].size else 0.0
    if stretch < SHORTEST_STRETCH_S:
        return stretch
    times = times[part]
    rate = min(1 / float(np.median(np.diff(times))), LARGEST_RATE_HZ)
    grid, colours = _even(times, track.colour[complete][part].astype(np.float64), rate)
    return _pulse_of(track, grid, colours, rate, faces_at_once)


def pos_wave(colour: Numbers, rate_hz: float) -> Numbers:
    """POS: the pulse wave of one region's mean colour (n x 3) at a constant rate."""
    window = max(round(WINDOW_S * rate_hz), 4)
    count = colour.shape[0] - window + 1
    if count < 1:
        return np.zeros(colour.shape[0])
    cuts = np.lib.stride_tricks.sliding_window_view(colour, window, axis=0)
    red, green, blue = np.moveaxis(cuts / cuts.mean(axis=2, keepdims=True), 1, 0)
    first, second = green - blue, -2 * red + green + blue
    ratio = first.std(axis=1) / np.maximum(second.std(axis=1), 1e-12)
    pieces = first + ratio[:, None] * second
    pieces -= pieces.mean(axis=1, keepdims=True)
    wave = np.zeros(colour.shape[0])
    for offset in range(window):
        wave[offset : offset + count] += pieces[:, offset]
    return wave


def chrom_wave(colour: Numbers, rate_hz: float) -> Numbers:
    """CHROM: the pulse wave of one region's mean colour (n x 3) at a constant rate."""
    window = max(2 * round(WINDOW_S * rate_hz / 2), 4)
    count = colour.shape[0]
    wave = np.zeros(count)
    taper = np.hanning(window + 1)[:window]
    for start in range(0, count - window + 1, window // 2):
        piece = colour[start : start + window]
        red, green, blue = (piece / piece.mean(axis=0)).T
        x = band_passed(3 * red - 2 * green, rate_hz)
        y = band_passed(1.5 * red + green - 1.5 * blue, rate_hz)
        wave[start : start + window] += taper * (x - x.std() / max(y.std(), 1e-12) * y)
    return wave


def band_passed(wave: Numbers, rate_hz: float, low: float = 0.7, high: float = 4.0) -> Numbers:
    """A wave without its parts outside `low`..`high` Hz; no phase shift.

    Butterworth of order two, forwards and backwards, as scipy.signal.sosfiltfilt does it;
    importing scipy.signal takes longer than decoding ten seconds of video.
    """
    sections = _band_pass(low, min(high, 0.45 * rate_hz), rate_hz)
    pad = min(15, wave.size - 1)
    centred = wave - wave.mean()
    longer = np.concatenate(
        [
            2 * centred[0] - centred[pad:0:-1],
            centred,
            2 * centred[-1] - centred[-2 : -pad - 2 : -1],
        ]
    )
    once = _filtered(longer, sections)
    twice = _filtered(once[::-1], sections)[::-1]
    return np.asarray(twice[pad : pad + wave.size])


def spectrum_of(wave: Numbers, rate_hz: float) -> Spectrum:
    """Zero-padded power spectrum in the band of the heart, its peak and its SNR.

    SNR = 10 log10 of the power within 0.1 Hz of the peak and of twice the peak over the
    rest of the band.
    """
    length = max(wave.size, round(rate_hz / SPECTRUM_STEP_HZ))
    power = np.abs(np.fft.rfft(_standardised(wave) * np.hanning(wave.size), length)) ** 2
    frequency = np.fft.rfftfreq(length, 1 / rate_hz)
    band = (frequency >= LOWEST_HZ) & (frequency <= HIGHEST_HZ)
    frequency, power = frequency[band], power[band]
    peak = float(frequency[np.argmax(power)])
    near = np.abs(frequency - peak) <= PEAK_HALF_WIDTH_HZ
    near |= np.abs(frequency - 2 * peak) <= PEAK_HALF_WIDTH_HZ
    ratio = power[near].sum() / max(float(power[~near].sum()), 1e-12)
    return Spectrum(frequency, power, 60 * peak, 10 * float(np.log10(max(float(ratio), 1e-12))))


def regions_agreement(waves: Numbers, rate_hz: float, frequency_hz: float) -> float:
    """How well the regions' waves (regions x n) keep step round a frequency, 0..1.

    In windows of 6 s every region is reduced to one complex number at that frequency;
    the agreement is the mean over pairs of the cosine between them, brought to 0..1.
    """
    window = min(round(COMPARE_WINDOW_S * rate_hz), waves.shape[1])
    starts = range(0, waves.shape[1] - window + 1, max(window // 2, 1))
    tone = np.hanning(window) * np.exp(-2j * np.pi * frequency_hz * np.arange(window) / rate_hz)
    parts = np.stack([waves[:, s : s + window] @ tone for s in starts], axis=1)
    parts /= np.maximum(np.sqrt((np.abs(parts) ** 2).sum(axis=1, keepdims=True)), 1e-12)
    products = (parts @ parts.conj().T)[np.triu_indices(parts.shape[0], 1)]
    return (1 + float(products.real.mean())) / 2


def _band_pass(low_hz: float, high_hz: float, rate_hz: float) -> list[tuple[float, float, float]]:
    """Two sections g (1 - z^-2) / (1 + a z^-1 + b z^-2), each as (g, a, b).

    The second-order Butterworth low-pass, brought to the band and by the bilinear
    transform to samples.
    """
    low, high = (2 * rate_hz * np.tan(np.pi * hz / rate_hz) for hz in (low_hz, high_hz))
    half = np.exp(0.75j * np.pi) * (high - low) / 2
    root = np.sqrt(half**2 - low * high)
    poles = np.array([half + root, half - root])
    gain = 2 * rate_hz * (high - low) / np.abs(2 * rate_hz - poles) ** 2
    poles = (2 * rate_hz + poles) / (2 * rate_hz - poles)
    return [
        (float(g), float(-2 * pole.real), float(abs(pole) ** 2))
        for g, pole in zip(gain, poles, strict=True)
    ]


def _filtered(wave: Numbers, sections: list[tuple[float, float, float]]) -> Numbers:
    """The wave through the sections, as if its first value had lasted for ever before it."""
    from scipy.linalg import solve_banded

    before = float(wave[0])
    for gain, first, second in sections:
        given = gain * wave
        given[2:] -= gain * wave[:-2]
        given[:2] -= gain * before
        # y[n] + first y[n-1] + second y[n-2] = given[n]: a triangular band of equations.
        bands = np.repeat([[1.0], [first], [second]], wave.size, axis=1)
        wave = solve_banded((2, 0), bands, given)
        before = 0.0
    return wave


def _pulse_of(
    track: FaceTrack, grid: Numbers, colours: Numbers, rate: float, faces_at_once: int
) -> Pulse:
    sources = [colours.mean(axis=1), *np.moveaxis(colours, 1, 0)]
    waves = np.stack([pos_wave(source, rate) for source in sources])
    spectra = [spectrum_of(wave, rate) for wave in waves]
    snr_db = np.array([spectrum.snr_db for spectrum in spectra])
    clearest = int(np.argmax(snr_db))
    wave, pos, waves = waves[clearest], spectra[clearest], waves[1:]
    tone = np.exp(-2j * np.pi * pos.bpm / 60 * np.arange(wave.size) / rate) * np.hanning(wave.size)
    relative = (waves @ tone) / np.where(abs(wave @ tone) > 1e-12, wave @ tone, 1e-12)
    return Pulse(
        time_s=grid,
        wave=_standardised(wave),
        rate_hz=rate,
        stretch_s=float(grid[-1] - grid[0]),
        pos=pos,
        chrom=spectrum_of(chrom_wave(sources[clearest], rate), rate),
        quality_db=float(max(snr_db[0], np.median(snr_db[1:]))),
        regions=SKIN_REGIONS,
        region_snr_db=snr_db[1:],
        region_amplitude=np.abs(relative),
        region_phase_degrees=np.degrees(np.angle(relative)),
        agreement=regions_agreement(waves, rate, pos.bpm / 60),
        motion_share=_motion(track, float(grid[0]), float(grid[-1])),
        face_width=float(np.median(track.box[:, 2])),
        faces_at_once=faces_at_once,
    )


def _even(times: Numbers, colours: Numbers, rate: float) -> tuple[Numbers, Numbers]:
    grid = np.arange(times[0], times[-1], 1 / rate)
    flat = colours.reshape(times.size, -1)
    even = np.stack([np.interp(grid, times, column) for column in flat.T], axis=1)
    return grid, np.maximum(even, 1e-3).reshape(grid.size, *colours.shape[1:])


def _standardised(wave: Numbers) -> Numbers:
    centred = wave - wave.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-12))


def _motion(track: FaceTrack, start_s: float, end_s: float) -> float:
    inside = (track.time_s >= start_s) & (track.time_s <= end_s)
    if inside.sum() < 2:
        return 0.0
    box = track.box[inside]
    centre = box[:, :2] + box[:, 2:] / 2
    path = np.linalg.norm(np.diff(centre, axis=0), axis=1).sum()
    return float(path / max(float(np.median(box[:, 2])), 1e-6) / max(end_s - start_s, 1e-6))
