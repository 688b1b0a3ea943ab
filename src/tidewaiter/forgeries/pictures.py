"""Pictures of known truth: splices, copies, removals and JPEG histories, made from a seed.

Every alteration takes RGB uint8 and returns the altered picture and the mask of what was
altered. The same generator state gives the same forgery. For tests, benchmarks, recipes
and drills only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import ConfigurationError

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Shape = Literal["ellipse", "polygon", "rectangle"]

SHAPES: tuple[Shape, ...] = ("ellipse", "polygon", "rectangle")

# Beyond half the picture, part and host swap roles, and the mask marks the wrong one.
MAX_SHARE = 0.5

# Copies are tried this often before the one that overlaps its origin least is taken.
PLACEMENT_TRIES = 50

# OpenCV's numbers for chroma subsampling, see cv2.IMWRITE_JPEG_SAMPLING_FACTOR_*.
SUBSAMPLING_CODES = {0: 0x111111, 1: 0x211111, 2: 0x221111}


@dataclass(frozen=True)
class Altered:
    """An altered picture, where it was altered, and where copied pixels came from."""

    rgb: Pixels
    mask: Mask
    origin: Mask | None = None

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Unpacks as (rgb, mask)."""
        return iter((self.rgb, self.mask))


def random_mask(
    size: tuple[int, ...],
    rng: np.random.Generator,
    *,
    share: float,
    shape: Shape | None = None,
) -> Mask:
    """A solid region of about `share` of a picture of `size` (height, width, …), inside it.

    `shape` None draws one of SHAPES. Raises ConfigurationError outside 0 < share <= 0.5.
    """
    if not 0 < share <= MAX_SHARE:
        raise ConfigurationError(
            f"share {share} of the picture asked; 0 < share ≤ {MAX_SHARE} needed"
        )
    kind = shape or SHAPES[int(rng.integers(len(SHAPES)))]
    height, width = size[:2]
    aspect = float(np.exp(rng.uniform(-0.5, 0.5)))
    fill = {"ellipse": np.pi / 4, "polygon": 0.7, "rectangle": 1.0}[kind]
    area = share * height * width / fill
    box_h = int(np.clip(np.sqrt(area / aspect), 1, height))
    box_w = int(np.clip(area / box_h, 1, width))
    top = int(rng.integers(0, height - box_h + 1))
    left = int(rng.integers(0, width - box_w + 1))
    mask = np.zeros((height, width), bool)
    mask[top : top + box_h, left : left + box_w] = _stamp(kind, box_h, box_w, rng)
    return mask


def splice(
    host: Pixels,
    donor: Pixels,
    rng: np.random.Generator,
    *,
    share: float,
    shape: Shape | None = None,
    soft_px: float = 0.0,
) -> Altered:
    """A part of `donor` pasted into `host`, pixel for pixel from another random place.

    A donor smaller than the part is mirrored at its borders. `soft_px` is the standard
    deviation of the blurred edge; 0 cuts hard.
    """
    mask = random_mask(host.shape, rng, share=share, shape=shape)
    rows, columns = _bounds(mask)
    part = _window(donor, rows.stop - rows.start, columns.stop - columns.start, rng)
    source = host.copy()
    source[rows, columns] = part
    return Altered(_blend(host, source, mask, soft_px), mask)


def copy_move(
    host: Pixels,
    rng: np.random.Generator,
    *,
    share: float,
    scale: float = 1.0,
    degrees: float = 0.0,
    soft_px: float = 0.0,
) -> Altered:
    """A part of the picture copied elsewhere in it, scaled and turned about its centre.

    The mask marks the copy, `origin` the place it was copied from; they do not overlap
    where the picture leaves room for both.
    """
    import cv2

    height, width = host.shape[:2]
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    origin = random_mask(host.shape, rng, share=share, shape=shape)
    matrix = _placement(origin, rng, scale=scale, degrees=degrees)
    size = (width, height)
    moved: Any = cv2.warpAffine(
        host, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    mask = cv2.warpAffine(origin.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    return Altered(_blend(host, moved, mask, soft_px), mask, origin)


def inpaint(host: Pixels, rng: np.random.Generator, *, share: float) -> Altered:
    """A part of the picture removed and filled in from its surroundings (Telea 2004)."""
    import cv2

    mask = random_mask(host.shape, rng, share=share)
    filled: Any = cv2.inpaint(
        np.ascontiguousarray(host), mask.astype(np.uint8), 5, cv2.INPAINT_TELEA
    )
    return Altered(_blend(host, filled, mask, 0.0), mask)


def local_blur(
    host: Pixels, rng: np.random.Generator, *, share: float, sigma_px: float = 1.5
) -> Altered:
    """A part of the picture smoothed, as by a retouching brush."""
    import cv2

    mask = random_mask(host.shape, rng, share=share)
    smooth = np.asarray(cv2.GaussianBlur(host, (0, 0), sigma_px), np.uint8)
    return Altered(_blend(host, smooth, mask, 0.0), mask)


def local_noise_change(
    host: Pixels, rng: np.random.Generator, *, share: float, sigma: float = 6.0
) -> Altered:
    """A part of the picture with Gaussian noise of `sigma` grey levels added."""
    mask = random_mask(host.shape, rng, share=share)
    noise = rng.normal(0.0, sigma, host.shape)
    noisy = np.clip(np.rint(host + noise), 0, 255).astype(np.uint8)
    return Altered(_blend(host, noisy, mask, 0.0), mask)


def jpeg_bytes(
    rgb: Pixels, quality: int, *, subsampling: int = 2, progressive: bool = False
) -> bytes:
    """The picture as JPEG with IJG tables; `subsampling` 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.

    A two-dimensional array becomes a greyscale JPEG.
    """
    import cv2

    picture = rgb if rgb.ndim == 2 else cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLING_CODES[subsampling]),
        *(cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)),
    ]
    done, data = cv2.imencode(".jpg", picture, options)
    if not done:
        raise ConfigurationError(f"a picture of shape {rgb.shape} could not be saved as JPEG")
    return data.tobytes()


def decoded(data: bytes) -> Pixels:
    """Encoded bytes back to RGB, without rotation by EXIF."""
    import cv2

    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise ConfigurationError("bytes given to decoded() are not a picture; use jpeg_bytes()")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def jpeg_history(rgb: Pixels, qualities: Sequence[int], *, subsampling: int = 2) -> Pixels:
    """The pixels after being saved as JPEG and opened again at each quality in turn."""
    for quality in qualities:
        rgb = decoded(jpeg_bytes(rgb, quality, subsampling=subsampling))
    return rgb


def _stamp(kind: Shape, height: int, width: int, rng: np.random.Generator) -> Mask:
    """The shape filling a height x width box."""
    if kind == "rectangle":
        return np.ones((height, width), bool)
    y, x = np.mgrid[0:height, 0:width]
    v = (y - (height - 1) / 2) / max(height / 2, 1)
    u = (x - (width - 1) / 2) / max(width / 2, 1)
    radius = np.hypot(u, v)
    if kind == "ellipse":
        return np.asarray(radius <= 1)
    # A polygon with seven corners at random radii: linear between corners in angle.
    corners = rng.uniform(0.75, 1.0, 7)
    angle = (np.arctan2(v, u) + np.pi) / (2 * np.pi) * 7
    return np.asarray(radius <= np.interp(angle, np.arange(8), [*corners, corners[0]]))


def _bounds(mask: Mask) -> tuple[slice, slice]:
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _window(donor: Pixels, height: int, width: int, rng: np.random.Generator) -> Pixels:
    """A height x width part of the donor from a random place, mirrored out if too small."""
    missing = (max(0, height - donor.shape[0]), max(0, width - donor.shape[1]))
    if any(missing):
        donor = np.pad(donor, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top = int(rng.integers(0, donor.shape[0] - height + 1))
    left = int(rng.integers(0, donor.shape[1] - width + 1))
    return donor[top : top + height, left : left + width]


def _placement(
    origin: Mask, rng: np.random.Generator, *, scale: float, degrees: float
) -> NDArray[np.float64]:
    """The affine matrix that moves `origin` to a place inside the picture, apart from it."""
    import cv2

    rows, columns = _bounds(origin)
    centre = np.array([(columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2])
    size = np.array([columns.stop - columns.start, rows.stop - rows.start])
    turn = np.abs(np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))]))
    half = scale * np.array([size @ turn, size[::-1] @ turn]) / 2
    room = np.array(origin.shape[::-1])
    low = np.minimum(half, room / 2)
    targets = rng.uniform(low, np.maximum(room - half, low + 1e-9), (PLACEMENT_TRIES, 2))
    gaps = (np.abs(targets - centre) - (half + size / 2)).max(axis=1)
    free = np.flatnonzero(gaps > 0)
    target = targets[free[0] if free.size else int(np.argmax(gaps))]
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), degrees, scale)
    # Whole pixels, so that an unscaled and unturned copy is an exact one.
    matrix[:, 2] += np.rint(target - centre)
    return np.asarray(matrix, dtype=np.float64)


def _blend(host: Pixels, source: Pixels, mask: Mask, soft_px: float) -> Pixels:
    """`source` inside the mask, `host` outside, with an edge that is soft inwards."""
    if soft_px <= 0:
        return np.where(mask[..., None], source, host)
    import cv2

    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), soft_px) * mask
    mixed = host + weight[..., None] * (source.astype(np.float32) - host)
    return np.rint(mixed).astype(np.uint8)
