"""Notice a second file hidden behind, or wrapped around, a picture."""

from __future__ import annotations

import re

from tidewaiter.vocabulary import Text, tr

# APPNOTE.TXT 4.3.16: end of central directory, 22 bytes, then a comment of stated length.
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_LONGEST_COMMENT = 65_535
# ISO 32000-1, H.3: readers accept the header anywhere in the first 1024 bytes.
_PDF_REACH = 1024
_MOVIE = re.compile(rb"\0\0\0[\x10-\x40]ftyp(mp4|iso|avc1|qt  |M4V |MSNV|3gp)")


def attached_notes(data: bytes) -> list[Text]:
    """What else the bytes of a picture can be opened as; the picture is what is examined."""
    notes = []
    if _ends_as_zip(data):
        notes.append(
            tr("the same bytes also open as a ZIP archive; its contents were not examined")
        )
    if data.find(b"%PDF-", 0, _PDF_REACH) > 0:
        notes.append(tr("the same bytes also open as a PDF document; it was not examined"))
    elif data.rfind(b"%%EOF", -_PDF_REACH) > 0 and data.rfind(b"%PDF-") > 0:
        notes.append(tr("a PDF document is attached to the picture; it was not examined"))
    if _MOVIE.search(data, 16):
        notes.append(tr("a video is attached to the picture; it was not examined"))
    return notes


def _ends_as_zip(data: bytes) -> bool:
    reach = max(0, len(data) - _ZIP_END_BYTES - _ZIP_LONGEST_COMMENT)
    at = data.rfind(_ZIP_END, reach)
    if at < 0 or at + _ZIP_END_BYTES > len(data):
        return False
    comment = int.from_bytes(data[at + 20 : at + 22], "little")
    return at + _ZIP_END_BYTES + comment <= len(data)
