"""Content decides what a file is; names only need to be harmless."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.errors import UnsupportedMedia
from tidewaiter.media.sniffing import SHOWN_NAME_LENGTH, identify, shown_name
from tidewaiter.vocabulary import MediaKind


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (b"MM\0*\0\0\0\x08", "image/tiff"),
        (b"\xff\x4f\xff\x51\0", "image/j2c"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x08moov", "video/quicktime"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video/mp4"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "audio/mp4"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI LIST", "video/vnd.avi"),
        (b"ID3\x04\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\0", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"fLaC\0", "audio/flac"),
        (b"OggS" + bytes(24) + b"\x01vorbis", "audio/ogg"),
        (b"OggS" + bytes(24) + b"\x80theora", "video/ogg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.7", "application/pdf"),
        (b"\0\0\x01\xba\x44", "video/mpeg"),
        (b"G" + bytes(187) + b"G" + bytes(187), "video/mp2t"),
        (bytes(4) + b"G" + bytes(187 + 4) + b"G" + bytes(187), "video/mp2t"),
        (b"\0\0\0\x01\x67\x64", "video/h264"),
        (b"\0\0\0\x01\x40\x01", "video/h265"),
    ],
)
def test_known_beginnings(head: bytes, media_type: str) -> None:
    assert identify(head, "x").media_type == media_type


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"\xd0\xcf\x11\xe0", "Office document"),
        (b"MZ\x90", "Windows program"),
        (b"#EXTM3U\n#EXTINF:1,\na.ts", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "points to other files"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", "network address"),
        (b"<?xml version='1.0'?><MPD>", "manifest"),
        (b"<svg xmlns=''>", "SVG"),
        (b"<!DOCTYPE html>", "web page"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"II*\0\x10\0\0\0CR\x02\0", "raw camera"),
        (b"hello", "text"),
        (bytes(64), "zero bytes"),
        (b"\x01\x02\x03\x04", "01 02 03 04"),
    ],
)
def test_other_beginnings_are_named(head: bytes, named: str) -> None:
    with pytest.raises(UnsupportedMedia, match=named):
        identify(head, "x")


@given(st.binary(max_size=600))
def test_any_beginning_is_identified_or_refused(head: bytes) -> None:
    with contextlib.suppress(UnsupportedMedia):
        identity = identify(head, "x")
        assert (identity.reader == "") == (identity.kind in (MediaKind.SOUND, MediaKind.DOCUMENT))


@given(st.text(max_size=300))
def test_shown_names_are_short_single_lines_that_can_be_encoded(name: str) -> None:
    shown = shown_name(name)
    assert 0 < len(shown) <= SHOWN_NAME_LENGTH
    assert shown.splitlines() == [shown]
    shown.encode("utf-8")
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_letters_of_every_script_are_kept() -> None:
    assert shown_name("накладная 船荷証券 شحنة é.jpg") == "накладная 船荷証券 شحنة é.jpg"
    assert shown_name("a\nb\x1b[31m\u202egpj") == "a\\nb\\x1b[31m\\u202egpj"
