"""Every hostile file costs one worker at most and gives one clear error.

The opener runs in a process of its own: a decoder that crashes or hangs must not take the
tests with it. Whatever happens, the outcome is `opened`, one of our errors, or a dead
process; never another exception and never a hang.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.media.clips import encoded, make_clip, noise, scene
from tidewaiter.errors import CorruptMedia, InputError, UnknownExhibit, UnsupportedMedia
from tidewaiter.media import open_media

TIME_LIMIT_S = 60
OPENER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from tidewaiter.errors import TidewaiterError
from tidewaiter.media import open_media
for path in sys.stdin.read().split(chr(0)):
    try:
        media = open_media(path)
        if hasattr(media, "play"):
            for item in media.play():
                getattr(item, "thumbnail", int)()
        print("opened")
    except TidewaiterError as error:
        message = str(error)
        assert len(message.splitlines()) == 1, message
        assert message.endswith((".", ")")) or "found" in message or "file" in message, message
        print(type(error).__name__, message, sep="|")
    sys.stdout.flush()
"""


def outcomes(*paths: Path) -> list[str]:
    """What became of each file, one line each; fails on a hang or a foreign exception.

    A process that dies ends one file (`died -11`); the next goes on in a new one.
    """
    lines: list[str] = []
    while len(lines) < len(paths):
        run = subprocess.run(
            [sys.executable, "-c", OPENER],
            input="\0".join(map(str, paths[len(lines) :])),
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        assert "Traceback" not in run.stderr, run.stderr
        lines += run.stdout.splitlines()
        if run.returncode:
            lines.append(f"died {run.returncode}")
    return lines


def outcome(path: Path) -> str:
    return outcomes(path)[0]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def lying_avi(width: int = 48, height: int = 48, claimed: int = 0x7FFFFFFF) -> bytes:
    """Raw video whose headers claim sizes, counts and buffers that the data do not have."""
    frame = bytes(range(256)) * 3
    low, wide = 0xFFFF, 0xFFFFFFFF
    counts = [0, 1, 25, 0, claimed, claimed, wide, 0]
    stream = b"strh" + struct.pack("<I4s4sIHH", 56, b"vids", b"DIB ", 0, 0, 0)
    stream += struct.pack("<8I4H", *counts, 0, 0, width & low, height & low)
    form = b"strf" + struct.pack("<IIiiHH", 40, 40, width, height, 1, 24)
    form += struct.pack("<6I", 0, claimed, 0, 0, claimed, claimed)
    streams = b"LIST" + struct.pack("<I", 4 + len(stream) + len(form)) + b"strl" + stream + form
    fields = [40_000, claimed, 0, 0x10, claimed, 0, 1, claimed, width & wide, height & wide]
    main = b"avih" + struct.pack("<I14I", 56, *fields, 0, 0, 0, 0)
    header = b"LIST" + struct.pack("<I", 4 + len(main) + len(streams)) + b"hdrl" + main + streams
    chunk = b"00db" + struct.pack("<I", claimed) + frame
    movie = b"LIST" + struct.pack("<I", claimed) + b"movi" + chunk * 3
    index = (
        b"idx1" + struct.pack("<I", claimed) + struct.pack("<4sIII", b"00db", 16, 4, claimed) * 9
    )
    return b"RIFF" + struct.pack("<I", claimed) + b"AVI " + header + movie + index


def test_a_lying_avi_ends_in_one_clear_error(tmp_path: Path) -> None:
    sizes = [(48, 48), (65535, 65535), (1, 1), (48, -48), (-2147483648, 48)]
    claims = [0, 1, 6912, 0x7FFFFFFF, 0xFFFFFFFF]
    paths = [
        written(tmp_path / f"{width}x{height}-{claimed}.avi", lying_avi(width, height, claimed))
        for width, height in sizes
        for claimed in claims
    ]
    found = outcomes(*paths)
    assert len(found) == len(paths)
    for path, line in zip(paths, found, strict=True):
        assert line.startswith(("opened", "CorruptMedia|", "LimitExceeded|", "died -")), (
            path,
            line,
        )
    big = [line for path, line in zip(paths, found, strict=True) if "65535" in path.name]
    assert all(not line.startswith("opened") for line in big)


def test_absurd_dimensions_are_refused_by_name(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0"))
    )
    jpeg = bytearray(encoded(scene(0), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    bmp = bytearray(encoded(scene(0), "BMP"))
    bmp[18:26] = struct.pack("<ii", 64_000, 64_000)
    gif = bytearray(encoded(scene(0), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    for name, data in (("a.png", png), ("b.jpg", jpeg), ("c.bmp", bmp), ("d.gif", gif)):
        assert outcome(written(tmp_path / name, bytes(data))).startswith("LimitExceeded|" + name)


def test_a_decompression_bomb_stays_within_bounds(tmp_path: Path) -> None:
    rows = zlib.compress(bytes(200_000_000), 9)
    small = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    pixels = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", small) + png_chunk(b"IDAT", rows)
    text = encoded(scene(0), "PNG")
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + rows)
    paths = [
        written(tmp_path / "pixels.png", pixels + png_chunk(b"IEND", b"")),
        written(tmp_path / "text.png", text[:33] + bomb + text[33:]),
    ]
    for found in outcomes(*paths):
        assert found.startswith(("opened", "CorruptMedia|"))


def test_lists_of_other_files_never_open_them(tmp_path: Path) -> None:
    secret = make_clip(tmp_path / "secret.ts", container="mpegts")
    lists = {
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "b.mp4": f"ffconcat version 1.0\nfile '{secret}'\n",
        "c.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "d.mpd": "<?xml version='1.0'?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>",
        "e.svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    }
    for name, content in lists.items():
        with pytest.raises(UnsupportedMedia, match=name.replace(".", r"\.")):
            open_media(written(tmp_path / name, content.encode()))


@pytest.mark.parametrize("name", ["concat:a|b.mp4", "http:x.mp4", "%03d.mp4", "-i.mp4", "a\nb.mp4"])
def test_names_are_names_and_not_commands(tmp_path: Path, name: str) -> None:
    path = make_clip(tmp_path / "plain.mp4", frames=2)
    path.rename(tmp_path / name)
    video = open_media(tmp_path / name)
    assert "\n" not in video.exhibit.name
    assert sum(hasattr(item, "rgb") for item in video.play()) == 2


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe\n.mp4"
    make_clip(tmp_path / "plain.mp4", frames=2).rename(os.fsdecode(path))
    video = open_media(os.fsdecode(path))
    assert video.exhibit.name == "\\udcff\\udcfe\\n.mp4"
    assert sum(hasattr(item, "rgb") for item in video.play()) == 2


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for name, expected, words in (
        ("pipe", InputError, "named pipe"),
        (".", InputError, "folder"),
        ("loop", InputError, "cannot be read"),
        ("gone", UnknownExhibit, "no such file"),
        ("nowhere.jpg", UnknownExhibit, "no such file"),
        ("a\0b.jpg", InputError, "zero byte"),
        ("x" * 5000, InputError, "cannot be read"),
    ):
        with pytest.raises(expected, match=words):
            open_media(tmp_path / name)
    with pytest.raises(InputError, match="device"):
        open_media("/dev/zero")
    with pytest.raises(CorruptMedia, match="empty"):
        open_media(written(tmp_path / "empty.jpg", b""))


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jpg", encoded(scene(0), "JPEG"))
    path.chmod(0)
    with pytest.raises(InputError, match="may not read"):
        open_media(path)


def test_renamed_files_are_what_they_contain(tmp_path: Path) -> None:
    assert open_media(written(tmp_path / "a.mp4", encoded(scene(0), "PNG"))).format == "PNG"
    clip = make_clip(tmp_path / "clip.mp4", frames=2).read_bytes()
    assert open_media(written(tmp_path / "b.jpg", clip)).codec == "h264"


def test_polyglots_are_what_they_begin_with_and_say_so(tmp_path: Path) -> None:
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.txt", "hidden")
    data = encoded(scene(0), "JPEG") + archive.getvalue()
    notes = [str(note) for note in open_media(written(tmp_path / "a.jpg", data)).exhibit.notes]
    assert any("ZIP" in note for note in notes)


def test_a_video_of_one_stream_that_never_ends_is_stopped(tmp_path: Path) -> None:
    """A sample table that claims thousands of millions of samples of one byte."""
    clip = bytearray(make_clip(tmp_path / "a.mp4", frames=3).read_bytes())
    at = clip.index(b"stsz")
    clip[at + 8 : at + 16] = struct.pack(">II", 1, 0xFFFFFFF0)
    found = outcome(written(tmp_path / "b.mp4", bytes(clip)))
    assert found.startswith(("opened", "CorruptMedia|", "LimitExceeded|", "died"))


def mutations(data: bytes, seed: int, count: int) -> list[bytes]:
    """Truncations, flipped bits, lying sizes, doubled and lost stretches; the same each time."""
    rng = np.random.default_rng(seed)
    results = []
    for index in range(count):
        mutant = bytearray(data)
        place = int(rng.integers(0, len(data)))
        if index % 5 == 0:
            del mutant[place:]
        elif index % 5 == 1:
            for at in rng.integers(0, len(data), 1 + int(rng.integers(0, 20))):
                mutant[at] ^= 1 << int(rng.integers(0, 8))
        elif index % 5 == 2:
            size = rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
            early = int(rng.integers(4, min(len(data), 1500)))
            mutant[early : early + 4] = struct.pack(str(rng.choice([">I", "<I"])), int(size))
        elif index % 5 == 3:
            mutant[place:place] = mutant[place // 2 : place]
        else:
            del mutant[place : place + int(rng.integers(1, 400))]
        results.append(bytes(mutant))
    return results


def seeds(tmp_path: Path) -> dict[str, bytes]:
    """One healthy file of every kind that this machine can make."""
    import io

    import pillow_heif
    from PIL import Image

    pixels = np.where(scene(0, 96, 80) > 128, scene(0, 96, 80), noise(80, 96))
    files = {
        form.lower(): encoded(pixels, form)
        for form in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "AVIF")
    }
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer)
    files["heic"] = buffer.getvalue()
    for name, encoder, container in (
        ("mp4", "libx264", "mp4"),
        ("hevc.mp4", "libx265", "mp4"),
        ("mkv", "libx264", "matroska"),
        ("webm", "libvpx-vp9", "webm"),
        ("vp8.webm", "libvpx", "webm"),
        ("av1.mp4", "libsvtav1", "mp4"),
        ("avi", "mpeg4", "avi"),
        ("ts", "libx264", "mpegts"),
        ("mpg", "mpeg2video", "mpeg"),
    ):
        clip = make_clip(tmp_path / f"seed.{name}", encoder, container, frames=6)
        files[name] = clip.read_bytes()
    files["lying.avi"] = lying_avi()
    return files


@pytest.mark.slow
def test_mutated_files_of_every_kind_give_media_or_one_of_our_errors(tmp_path: Path) -> None:
    for number, (name, data) in enumerate(seeds(tmp_path).items()):
        paths = [
            written(tmp_path / f"{index}.{name}", mutant)
            for index, mutant in enumerate(mutations(data, number, 30))
            if mutant
        ]
        found = outcomes(*paths)
        assert len(found) == len(paths), name
        kinds = {line.split("|")[0] for line in found}
        assert kinds <= {
            "opened",
            "CorruptMedia",
            "LimitExceeded",
            "UnsupportedMedia",
            "died -6",
            "died -11",
        }, (name, kinds)
