"""Sound of real and made recordings: benign copies by other codecs, and three edits.

Sources are the sound of two talking-head clips for calibration and two more for testing, as far as
they are not silent, beside made sound: notes, and noise in syllables as speech has them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.errors import CorruptMedia
from tidewaiter.media.recording import open_recording
from tidewaiter.settings import Limits
from tidewaiter.traces.fingerprints import fingerprints_of

CLIPS = {
    False: ("driving/d11.mp4", "driving/d18.mp4"),
    True: ("driving/d19.mp4", "driving/d20.mp4"),
}
SEEDS = {False: (1, 2, 3), True: (4, 5, 6)}
CODECS = {
    "aac 48k": ("aac", ".mp4", 48_000),
    "aac 128k": ("aac", ".mov", 128_000),
    "mp3 64k": ("libmp3lame", ".mp4", 64_000),
    "opus 24k": ("libopus", ".mkv", 24_000),
    "pcm": ("pcm_s16le", ".mov", None),
}
ORIGINAL = "aac 128k"
EDITS = ("cut 2 s", "replace 2 s", "silence 2 s")
RATE = 48_000
SILENT = 1e-4
"""Standard deviation of a track that was never recorded: two of the four clips have one."""


def sound_cases(shared: Path, *, test: bool) -> Iterator[tuple[str, str, Any, Any]]:
    """Source, codec, rows of the original and rows of a copy that alters nothing."""
    for name, samples in sources(shared, test=test):
        original = rows_of(samples, ORIGINAL)
        for codec in CODECS:
            yield name, codec, original, rows_of(samples, codec)
        yield name, "half as loud", original, rows_of(samples * 0.5, "aac 48k")


def edited(samples: np.ndarray, edit: str, random: np.random.Generator) -> tuple[Any, float]:
    """The samples with one edit, and when it begins in the copy, in seconds."""
    length = 2 * RATE
    start = int(random.integers(RATE, len(samples) - length - RATE))
    if edit == "cut 2 s":
        return np.concatenate([samples[:start], samples[start + length :]]), start / RATE
    changed = samples.copy()
    changed[start : start + length] = 0.0
    if edit == "replace 2 s":
        changed[start : start + length] = made_sound(99)[:length] * samples.std() / 0.1
    return changed, start / RATE


def sources(shared: Path, *, test: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Name and mono samples at 48 kHz of every source of a split."""
    for name in CLIPS[test]:
        samples = _samples(shared / "liveportrait" / name)
        if samples.std() > SILENT:
            yield name, samples
    for seed in SEEDS[test]:
        yield f"made {seed}", made_sound(seed)


def made_sound(seed: int, seconds: float = 12.0) -> np.ndarray:
    """Odd seeds: notes four times a second; even: noise in syllables, in changing bands."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(round(seconds * 4)):
        time = np.arange(RATE // 4) / RATE
        if seed % 2:
            notes = random.uniform(150, 3000, 3)
            parts.append(sum(0.1 * np.sin(2 * np.pi * note * time) for note in notes))
            continue
        spectrum = np.fft.rfft(random.standard_normal(len(time)))
        frequency = np.fft.rfftfreq(len(time), 1 / RATE)
        centre, loud = random.uniform(200, 2500), random.choice([0.0, 0.5, 1.0])
        spectrum *= np.exp(-(((frequency - centre) / (0.4 * centre)) ** 2)) + 0.02
        noise = np.fft.irfft(spectrum, len(time))
        parts.append(loud * 0.15 * noise / noise.std() * np.hanning(len(time)))
    return np.concatenate(parts).astype(np.float32)


def rows_of(samples: np.ndarray, codec: str) -> Any:
    """Band levels of samples after a codec."""
    encoder, suffix, rate = CODECS[codec]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sound{suffix}"
        _write(path, samples, encoder, rate)
        return fingerprints_of(open_recording(path, Limits())).sound_band


def _samples(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [
            piece.to_ndarray()[0]
            for frame in container.decode(container.streams.audio[0])
            for piece in resampler.resample(frame)
        ]
    if not parts:
        raise CorruptMedia(f"{path.name}: no sound")
    return np.concatenate(parts)


def _write(path: Path, samples: np.ndarray, encoder: str, rate: int | None) -> None:
    """Sound beside a few grey pictures: a recording, as comparing takes it."""
    import av

    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(encoder, rate=RATE, layout="mono")
        if rate:
            sound.bit_rate = rate
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 128, np.uint8), "yuv420p")
        for index in range(round(len(samples) / RATE * 5)):
            frame.pts, frame.time_base = index, Fraction(1, 5)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        kind = sound.codec_context.format.name
        resampler = av.AudioResampler(kind, "mono", RATE, frame_size=sound.frame_size or 960)
        whole = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
        whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
        for piece in (*resampler.resample(whole), *resampler.resample(None)):
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
