"""Audit a face-recognition service, with and without a gate."""
