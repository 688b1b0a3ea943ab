"""Text from outside on a terminal."""

from __future__ import annotations

# Spaces at which a line may not break; French has them before high punctuation.
HARD_SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


def printable(text: str) -> str:
    """Text without control or direction characters that could rewrite a terminal's line."""
    cleaned = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() or c in HARD_SPACES else "�" for c in cleaned)
