"""Work in this process, or on an existing distributed engine."""
