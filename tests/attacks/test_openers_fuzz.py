"""Arbitrary damage to pictures: a picture or one of our errors, and memory that stays flat."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media.clips import encoded, make_clip, scene
from tidewaiter.errors import TidewaiterError
from tidewaiter.media import Picture, open_media

# Formats whose decoders are stable enough to be fuzzed within the test's own process; the
# others are mutated in processes of their own (test_hostile_files).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
MEASURED = """
import resource, sys, numpy as np
from tidewaiter.media import Packet, open_media
corners = np.float32([[10, 10], [120, 14], [8, 130]])
for item in open_media(sys.argv[1]).play():
    if not isinstance(item, Packet):
        item.thumbnail(); item.luma_thumbnail(); item.crop(corners, 112, 112); item.rgb()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@cache
def healthy(form: str) -> bytes:
    return encoded(scene(0, 40, 30), form)


edits = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(["set", "cut", "insert", "end"]), st.binary(max_size=8)
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(form=st.sampled_from(FORMATS), changes=edits)
def test_damaged_pictures(tmp_path: Path, form: str, changes: list) -> None:
    data = bytearray(healthy(form))
    for share, kind, new in changes:
        at = int(share * len(data))
        if kind == "set":
            data[at : at + len(new)] = new
        elif kind == "cut":
            del data[at : at + len(new)]
        elif kind == "insert":
            data[at:at] = new
        else:
            del data[at:]
    path = tmp_path / "damaged"
    path.write_bytes(data)
    with contextlib.suppress(TidewaiterError):
        picture = open_media(path)
        if isinstance(picture, Picture):
            assert picture.rgb.shape == (picture.exhibit.height, picture.exhibit.width, 3)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "anything"
    path.write_bytes(data)
    refusal = None
    with contextlib.suppress(TidewaiterError):
        try:
            open_media(path)
        except TidewaiterError as error:
            refusal = str(error)
            raise
    assert refusal is None or (refusal.startswith("anything: ") and "\n" not in refusal)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    pixels = scene(0, 640, 360)
    peaks = []
    for frames in (100, 1000):
        path = make_clip(
            tmp_path / f"{frames}.mp4",
            frames=frames,
            size=(640, 360),
            pictures=[pixels] * frames,
            options={"preset": "ultrafast"},
            rotate=-90,
        )
        run = subprocess.run(
            [sys.executable, "-c", MEASURED, str(path)], check=True, capture_output=True, text=True
        )
        peaks.append(int(run.stdout))
    assert peaks[1] < 1.1 * peaks[0]
