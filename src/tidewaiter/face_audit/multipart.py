"""Write form data with files as HTTP wants them, the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One field of a form; a file where it has a file name."""

    field: str
    content: bytes
    file_name: str = ""
    media_type: str = "application/octet-stream"


def form(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content type and body of a form (RFC 7578); the boundary follows from the content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.content)
    boundary = f"form-{digest.hexdigest()[:48]}"
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + _head(part) + part.content + b"\r\n" for part in parts)
    return f"multipart/form-data; boundary={boundary}", body + mark + b"--\r\n"


def _head(part: Part) -> bytes:
    named = f'form-data; name="{part.field}"'
    if not part.file_name:
        return f"Content-Disposition: {named}\r\n\r\n".encode()
    return (
        f'Content-Disposition: {named}; filename="{part.file_name}"\r\n'
        f"Content-Type: {part.media_type}\r\n\r\n"
    ).encode()
