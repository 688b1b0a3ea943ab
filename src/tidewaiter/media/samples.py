"""Bring samples of any kind to 8-bit RGB as stored, and say what that took."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.vocabulary import Text, tr

# 65535 / 255: full scale of sixteen bits onto full scale of eight.
SIXTEEN_TO_EIGHT = 257
# Bits per sample in a TIFF (TIFF 6.0, tag 258).
BITS_TAG = 258


def as_rgb(image: Any) -> Pixels:
    """H x W x 3, uint8: no colour profile applied, no transparency blended, nothing turned."""
    if image.mode.startswith("I;16"):
        return _grey(_scaled_sixteen(np.asarray(image)))
    if image.mode == "I":
        return _grey(_scaled_integers(np.asarray(image)))
    if image.mode == "F":
        return _grey(_scaled_floats(np.asarray(image)))
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    elif image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    return np.asarray(image.convert("RGB"))


def sample_notes(image: Any, data: bytes) -> list[Text]:
    """What the conversion to 8-bit RGB leaves out or changes, from the header alone."""
    notes = []
    bits = _bits(image, data)
    if bits > 8 and image.mode != "F":
        notes.append(tr("samples of {bits} bits were scaled to 8 bits", bits=bits))
    if image.mode in _CONVERTED:
        notes.append(_CONVERTED[image.mode])
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        notes.append(tr("transparency was set aside; the colours under it were examined as stored"))
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile:
        notes.append(tr("the file carries a colour profile; it was not applied"))
    return notes


_CONVERTED = {
    "CMYK": tr("printing colours (CMYK) were converted to RGB without their profile"),
    "P": tr("the colours come from a palette and were looked up in it"),
    "PA": tr("the colours come from a palette and were looked up in it"),
    "1": tr("the picture is black and white, one bit per pixel"),
    "LAB": tr("CIELAB colours were converted to RGB"),
    "HSV": tr("HSV colours were converted to RGB"),
    "F": tr("floating-point samples were stretched between their smallest and largest value"),
}


def _bits(image: Any, data: bytes) -> int:
    """Bits per sample as the file states them; Pillow drops the lower ones of colour silently."""
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        found = image.tag_v2.get(BITS_TAG, (8,))
        return max(found) if isinstance(found, tuple) and found else 8
    if image.mode.startswith("I;16"):
        return 16
    return int(image.info.get("bit_depth", 8) or 8)


def _scaled_sixteen(samples: NDArray[Any]) -> NDArray[np.uint8]:
    wide = samples.astype(np.uint32)
    return ((wide + SIXTEEN_TO_EIGHT // 2) // SIXTEEN_TO_EIGHT).astype(np.uint8)


def _scaled_integers(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """32-bit integers: most writers keep 8 or 16 bits in them; others are stretched."""
    if samples.min() >= 0 and samples.max() <= 255:
        return samples.astype(np.uint8)
    if samples.min() >= 0 and samples.max() <= 65_535:
        return _scaled_sixteen(samples)
    return _scaled_floats(samples.astype(np.float64))


def _scaled_floats(samples: NDArray[Any]) -> NDArray[np.uint8]:
    finite = np.isfinite(samples)
    if not finite.any():
        return np.zeros(samples.shape, np.uint8)
    low, high = float(samples[finite].min()), float(samples[finite].max())
    if high <= low:
        return np.zeros(samples.shape, np.uint8)
    # Halved first: the span of two huge numbers can itself overflow.
    shares = (samples.astype(np.float64) / 2 - low / 2) / (high / 2 - low / 2)
    return np.rint(np.nan_to_num(np.clip(shares, 0, 1), nan=0.0) * 255).astype(np.uint8)


def _grey(samples: NDArray[np.uint8]) -> Pixels:
    return np.repeat(samples[..., None], 3, axis=2)
