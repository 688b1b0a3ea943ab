"""Tidewaiter examines photos and videos and says how far the evidence speaks for manipulation."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "examine", "list_detectors", "selftest"]


def __getattr__(name: str) -> Any:
    """Load `examine`, `list_detectors` and `selftest` when first asked for; the rest is heavy."""
    if name == "examine":
        from tidewaiter.wiring import examine

        return examine
    if name == "list_detectors":
        from tidewaiter.casework.listing import list_detectors

        return list_detectors
    if name == "selftest":
        from tidewaiter.wiring import selftest

        return selftest
    raise AttributeError(f"module 'tidewaiter' has no attribute {name!r}")
