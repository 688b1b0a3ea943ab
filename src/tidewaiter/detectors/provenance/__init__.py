"""Detectors that read what a file says about itself."""
