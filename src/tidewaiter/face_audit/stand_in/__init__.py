"""A stand-in for rented services: test kit that decodes, embeds and really compares faces."""
