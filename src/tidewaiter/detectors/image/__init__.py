"""Detectors for still pictures."""
