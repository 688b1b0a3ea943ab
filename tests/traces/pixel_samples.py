"""Small pictures of known truth for the tests of pixel statistics."""

import numpy as np

from tidewaiter.media import Picture
from tidewaiter.vocabulary import Exhibit, MediaKind


def picture_of(rgb: np.ndarray, *, data: bytes = b"", file_format: str = "PNG") -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64,
        byte_length=len(data),
        name="sample",
        kind=MediaKind.PICTURE,
        media_type=f"image/{file_format.lower()}",
    )
    return Picture(exhibit=exhibit, data=data, format=file_format, rgb=rgb)


def grey(luma: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(np.rint(luma), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def scene(seed: int, height: int = 480, width: int = 640, noise: float = 2.0) -> np.ndarray:
    """A smooth random landscape with objects and sensor noise, RGB uint8."""
    import cv2

    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 210, (6, 8)).astype(np.float32)
    luma = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    detail = cv2.resize(
        rng.normal(0, 12, (height // 6, width // 6)).astype(np.float32), (width, height)
    )
    luma = luma + detail + rng.normal(0, noise, luma.shape)
    return grey(luma)
