"""Reading foreign text of which exactly one spelling is accepted.

A signature covers bytes, so two spellings of one number would be two documents. Everything here
works on bytes and regular expressions: `int()` and `splitlines()` accept far more than the
formats allow (signs, underscores, other digits, other line ends).
"""

from __future__ import annotations

import base64
import binascii
import re

from tidewaiter.errors import MalformedText

LARGEST_NUMBER = 2**63 - 1
"""No size, index or time of these formats is larger (C2SP tlog-cosignature)."""
# As long as 2^63 - 1 is in decimal.
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,18}")
# Newline is the one control character that is allowed.
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_QUOTED_BYTES = 60


def exact_number(spelled: bytes, what: str) -> int:
    """The decimal number, without sign, leading zero or anything else; at most 2^63 - 1."""
    if not _NUMBER.fullmatch(spelled) or int(spelled) > LARGEST_NUMBER:
        raise MalformedText(
            f"{what} reads {quoted(spelled)}; a decimal number without leading zeros, "
            "at most 2^63 - 1, is needed"
        )
    return int(spelled)


def exact_base64(spelled: bytes, what: str) -> bytes:
    """The bytes spelled in padded standard base64, if encoding them gives the same text again."""
    try:
        decoded = base64.b64decode(spelled, validate=True)
    except binascii.Error as error:
        raise MalformedText(f"{what} reads {quoted(spelled)}; base64 is needed") from error
    if base64.b64encode(decoded) != spelled:
        raise MalformedText(f"{what} reads {quoted(spelled)}: not the canonical base64 spelling")
    return decoded


def exact_hash(spelled: bytes, what: str) -> bytes:
    """The 32 bytes spelled in base64."""
    decoded = exact_base64(spelled, what)
    if len(decoded) != 32:
        raise MalformedText(f"{what} has {len(decoded)} bytes; 32 needed")
    return decoded


def exact_text(data: bytes, what: str) -> str:
    """The text in these bytes: UTF-8, and of all control characters below U+0020 only newline."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedText(f"{what} is not UTF-8 from byte {error.start} on") from error
    control = _CONTROL.search(data)
    if control:
        raise MalformedText(f"{what} holds the control character 0x{control.group()[0]:02x}")
    return text


def must_be_short(data: bytes, limit: int, what: str) -> None:
    """Refuse what is longer than `limit` bytes before anything reads it."""
    if len(data) > limit:
        raise MalformedText(f"{what} has {len(data)} bytes; {limit} are read at most")


def changed_line_ends(data: bytes) -> str:
    """What to add to a complaint about a text that a mail program or an editor went through."""
    if b"\r\n" not in data:
        return ""
    return "; its line ends were changed to those of Windows: get the file again, unopened"


def spelled_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def quoted(spelled: bytes) -> str:
    """Foreign bytes as they can be shown in a message: short, and ASCII only."""
    shown = ascii(spelled[:_QUOTED_BYTES])[1:]
    return shown if len(spelled) <= _QUOTED_BYTES else f"{shown}…"
