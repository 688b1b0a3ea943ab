"""Words read from a file, made safe to show: bounded in length, no control characters."""

from __future__ import annotations

import unicodedata

MAX_SHOWN = 200
"""Longest string kept from a file, in characters."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(value: bytes | str, limit: int = MAX_SHOWN) -> str:
    """`value` as one line: at most `limit` characters, what cannot be seen replaced by U+FFFD.

    Direction marks and other invisible characters are replaced too, since they let a
    file change how a report reads. Bytes are read as UTF-8, else as Latin-1.
    """
    if isinstance(value, bytes):
        value = _decoded(value, 4 * limit + 4)
    # White space is squeezed and NULs at the end dropped before cutting, so padding costs nothing.
    words = " ".join(value[: 8 * limit].rstrip("\0 ").split())
    cut = words if len(words) <= limit else words[: limit - 1] + "…"
    return "".join(
        "\ufffd" if unicodedata.category(letter) in _HIDDEN else letter for letter in cut
    )


def _decoded(raw: bytes, most: int) -> str:
    cut = raw[:most]
    try:
        return cut.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(cut) < len(raw) and error.start >= most - 3:  # a character cut in two
            return cut[: error.start].decode("utf-8")
        return cut.decode("latin-1")
