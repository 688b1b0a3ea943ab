"""Models: our own with card and digest; third parties' located in pinned distributions."""
