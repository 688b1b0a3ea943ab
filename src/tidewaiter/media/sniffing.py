"""Say what a file is from its first bytes, never from its name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tidewaiter.errors import UnsupportedMedia
from tidewaiter.vocabulary import MediaKind

HEAD_BYTES = 4096
"""How much of the beginning of a file `identify` wants to see."""

SHOWN_NAME_LENGTH = 120
"""Longer names are shortened in the middle when shown."""


@dataclass(frozen=True)
class Identity:
    """What the first bytes say: kind, IANA media type, the reader to use, words for people.

    `reader` is a Pillow format for pictures, an FFmpeg demuxer for videos, else empty.
    """

    kind: MediaKind
    media_type: str
    reader: str
    what: str


def identify(head: bytes, shown: str) -> Identity:
    """The identity of a file that begins with `head`; `shown` is its name for messages.

    Raises UnsupportedMedia naming what was found instead.
    """
    for pattern, identity in _SIGNATURES:
        if pattern.match(head):
            return identity
    found = _iso_media(head) or _riff(head) or _transport_stream(head) or _late_pdf(head)
    if found:
        return found
    raise UnsupportedMedia(
        f"{shown}: found {_other(head)}; needed a picture or a video. {_SUPPORTED}"
    )


def shown_name(name: str) -> str:
    """A file name that cannot break a terminal, a log line or a page.

    Control, format and unpaired-surrogate characters become escapes; letters of every
    script stay as they are.
    """
    safe = "".join(_escaped(character) for character in name) or "(no name)"
    if len(safe) <= SHOWN_NAME_LENGTH:
        return safe
    half = (SHOWN_NAME_LENGTH - 1) // 2
    return f"{safe[:half]}…{safe[-half:]}"


_SUPPORTED = (
    "Hand in a JPEG, PNG, TIFF, WebP, GIF, BMP, JPEG 2000, HEIC or AVIF picture, "
    "or an MP4, MOV, MKV, WebM, AVI or MPEG video."
)


def _is(kind: MediaKind, media_type: str, reader: str, what: str) -> Identity:
    return Identity(kind, media_type, reader, what)


def _sound(media_type: str, what: str) -> Identity:
    return Identity(MediaKind.SOUND, media_type, "", what)


_PDF = Identity(MediaKind.DOCUMENT, "application/pdf", "", "a PDF document")
_MP4 = Identity(MediaKind.VIDEO, "video/mp4", "mov", "an MP4 file")
_MOV = Identity(MediaKind.VIDEO, "video/quicktime", "mov", "a QuickTime file")
_HEIC = Identity(MediaKind.PICTURE, "image/heic", "HEIF", "a HEIC picture")
_AVIF = Identity(MediaKind.PICTURE, "image/avif", "AVIF", "an AVIF picture")

# Signatures: the formats' own specifications, as collected in the IANA media type
# registrations and the "magic" database of file(1).
_SIGNATURES: tuple[tuple[re.Pattern[bytes], Identity], ...] = tuple(
    (re.compile(pattern, re.DOTALL), identity)
    for pattern, identity in (
        (rb"\xff\xd8\xff", _is(MediaKind.PICTURE, "image/jpeg", "JPEG", "a JPEG picture")),
        (rb"\x89PNG\r\n\x1a\n", _is(MediaKind.PICTURE, "image/png", "PNG", "a PNG picture")),
        (
            rb"(II[*+]\0|MM\0[*+])(?!.{4}CR)",
            _is(MediaKind.PICTURE, "image/tiff", "TIFF", "a TIFF picture"),
        ),
        (rb"GIF8[79]a", _is(MediaKind.PICTURE, "image/gif", "GIF", "a GIF picture")),
        (rb"BM.{4}\0{4}", _is(MediaKind.PICTURE, "image/bmp", "BMP", "a BMP picture")),
        (
            rb"\0\0\0\x0cjP  \r\n\x87\n",
            _is(MediaKind.PICTURE, "image/jp2", "JPEG2000", "a JPEG 2000 picture"),
        ),
        (
            rb"\xff\x4f\xff\x51",
            _is(MediaKind.PICTURE, "image/j2c", "JPEG2000", "a JPEG 2000 code stream"),
        ),
        (
            rb"\x1a\x45\xdf\xa3.{0,120}?webm",
            _is(MediaKind.VIDEO, "video/webm", "matroska", "a WebM file"),
        ),
        (
            rb"\x1a\x45\xdf\xa3",
            _is(MediaKind.VIDEO, "video/matroska", "matroska", "a Matroska file"),
        ),
        (rb"\0\0\x01\xba", _is(MediaKind.VIDEO, "video/mpeg", "mpeg", "an MPEG program stream")),
        (
            rb"\0?\0\0\x01([\x27\x47\x67]|\x09[\x10\x30\x50\x70\x90\xb0\xd0\xf0])",
            _is(MediaKind.VIDEO, "video/h264", "h264", "a bare H.264 stream"),
        ),
        (
            rb"\0?\0\0\x01[\x40\x42\x46]\x01",
            _is(MediaKind.VIDEO, "video/h265", "hevc", "a bare HEVC stream"),
        ),
        (rb"OggS.{24,80}?\x80theora", _is(MediaKind.VIDEO, "video/ogg", "ogg", "an Ogg video")),
        (rb"OggS", _sound("audio/ogg", "an Ogg sound recording")),
        (rb"fLaC", _sound("audio/flac", "a FLAC sound recording")),
        (rb"ID3[\x02-\x04]", _sound("audio/mpeg", "an MP3 sound recording")),
        (rb"\xff[\xf0\xf1\xf8\xf9]", _sound("audio/aac", "an AAC sound recording")),
        (
            rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]",
            _sound("audio/mpeg", "an MP3 sound recording"),
        ),
        (rb"#!AMR", _sound("audio/amr", "an AMR sound recording")),
        (rb"FORM.{4}AIF[FC]", _sound("audio/aiff", "an AIFF sound recording")),
        (rb"%PDF-", _PDF),
    )
)

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_GENERIC_PICTURE_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_RAW_BRANDS = frozenset({b"crx "})
# Atoms that may begin a QuickTime file without a file type atom (Apple, QuickTime File Format).
_BARE_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def _iso_media(head: bytes) -> Identity | None:
    """MP4, MOV, M4A, HEIC and AVIF share one box structure and differ by brand."""
    if head[4:8] in _BARE_ATOMS:
        return _MOV
    if head[4:8] != b"ftyp" or head[8:12] in _RAW_BRANDS:
        return None
    length = min(max(int.from_bytes(head[:4], "big"), 16), 512)
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(length, len(head)), 4))]
    major = brands[0]
    if major in _AVIF_BRANDS or (major in _GENERIC_PICTURE_BRANDS and _AVIF_BRANDS & {*brands}):
        return _AVIF
    if major in _HEIC_BRANDS or major in _GENERIC_PICTURE_BRANDS:
        return _HEIC
    if major in _SOUND_BRANDS:
        return _sound("audio/mp4", "an M4A sound recording")
    return _MOV if major == b"qt  " else _MP4


def _riff(head: bytes) -> Identity | None:
    if head[:4] not in (b"RIFF", b"RF64"):
        return None
    return {
        b"WEBP": _is(MediaKind.PICTURE, "image/webp", "WEBP", "a WebP picture"),
        b"AVI ": _is(MediaKind.VIDEO, "video/vnd.avi", "avi", "an AVI file"),
        b"WAVE": _sound("audio/wav", "a WAV sound recording"),
    }.get(head[8:12])


def _transport_stream(head: bytes) -> Identity | None:
    """Packets of 188 bytes (or 192 with a time code in front) that begin with 0x47."""
    for packet, offset in ((188, 0), (192, 4)):
        starts = range(offset, len(head), packet)
        if len(starts) >= 2 and all(head[i] == 0x47 for i in starts):
            return _is(MediaKind.VIDEO, "video/mp2t", "mpegts", "an MPEG transport stream")
    return None


def _late_pdf(head: bytes) -> Identity | None:
    """PDF readers accept the header anywhere in the first 1024 bytes (ISO 32000-1, H.3)."""
    return _PDF if b"%PDF-" in head[:1024] else None


_OTHERS: tuple[tuple[bytes, str], ...] = tuple(
    (pattern, what)
    for pattern, what in (
        (rb"PK(\x03\x04|\x05\x06|\x07\x08)", "a ZIP archive or an Office document"),
        (rb"\xd0\xcf\x11\xe0", "an older Office document"),
        (rb"Rar!", "a RAR archive"),
        (rb"7z\xbc\xaf", "a 7-Zip archive"),
        (rb"\x1f\x8b", "a gzip archive"),
        (rb"BZh", "a bzip2 archive"),
        (rb"\xfd7zXZ", "an XZ archive"),
        (rb".{257}ustar", "a tar archive"),
        (rb"MZ", "a Windows program"),
        (rb"\x7fELF", "a Linux program"),
        (rb"SQLite format 3", "a database"),
        (rb"8BPS", "a Photoshop picture"),
        (rb"(\xff\x0a|\0\0\0\x0cJXL )", "a JPEG XL picture"),
        (rb"(II\*\0.{4}CR|.{4}ftypcrx |FUJIFILMCCD)", "a raw camera picture"),
        (rb"\0\0[\x01\x02]\0", "an icon"),
        (rb"\x30\x26\xb2\x75", "a Windows Media file"),
        (rb"FLV\x01", "a Flash video"),
        (rb"\.RMF", "a RealMedia file"),
        (rb"\s*#EXTM3U", "a playlist that points to other files"),
        (rb"ffconcat", "a list that points to other files"),
        (rb"v=0\r?\n", "a session description that points to a network address"),
        (rb".{0,400}<MPD", "a streaming manifest that points to other files"),
        (rb"(\xef\xbb\xbf)?\s*(<\?xml.{0,400})?<svg", "an SVG drawing"),
        (rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype )?html", "a web page"),
        (rb"(\xef\xbb\xbf)?\s*<\?xml", "an XML document"),
        (rb"\{\\rtf", "an RTF document"),
    )
)


def _other(head: bytes) -> str:
    """What else it is, in words, for the refusal."""
    for pattern, what in _OTHERS:
        if re.match(pattern, head, re.DOTALL):
            return what
    if not head.strip(b"\0"):
        return "nothing but zero bytes"
    if not re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", head):
        return "text"
    return f"an unknown kind of data (it begins with {head[:8].hex(' ')})"


def _escaped(character: str) -> str:
    # Cc: controls, Cf: bidirectional overrides and joiners, Cs: undecodable bytes of a
    # name, Zl/Zp: line separators. Zero-width joiners are needed by some scripts.
    if character in "\u200c\u200d" or unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"})
