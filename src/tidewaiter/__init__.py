"""Tidewaiter examines photos and videos and says how far the evidence speaks for manipulation."""

__version__ = "0.1.0"
