"""Text from outside on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text without control or direction characters that could rewrite a terminal's line."""
    cleaned = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else "�" for c in cleaned)
