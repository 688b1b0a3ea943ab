"""Detectors for moving pictures."""
