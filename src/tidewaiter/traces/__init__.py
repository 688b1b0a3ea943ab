"""Measurements: faces, eyes, pulse, jpeg, noise, timeline, voice, ink … no opinion."""
