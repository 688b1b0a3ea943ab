"""Bytes kept between the runs of an audit: forgeries, faces and embeddings, each made once."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """Bytes by name, kept between runs and seen by every process of one."""

    def get(self, name: str) -> bytes | None:
        """What was put under that name; None before."""

    def put(self, name: str, content: bytes) -> None:
        """Keep bytes, whole or not at all."""
