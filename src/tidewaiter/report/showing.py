"""Make text from outside safe to show: nothing invisible, nothing that reorders a line."""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, new lines and tabs included
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides, isolates
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers drawn as nothing
    "\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff"  # zero width, line separators
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff"  # lone surrogates and non-characters
    "\U000e0000-\U000e0fff"  # tags, which hide whole sentences
    "]"
)
"""Characters by which a file name can pose as another (Unicode TR 36, 2.10 and TR 39, 5).

Joiners U+200C and U+200D stay: Persian, Indic scripts and emoji need them.
"""

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """`text` with every unseen character written out, as in `⟨U+202E⟩`."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def escaped_json(document: str) -> str:
    r"""A JSON document with direction and control characters as `\uXXXX`: same value."""
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
