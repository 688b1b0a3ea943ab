"""Detectors for faces, in pictures and videos."""
