"""Make forgeries of known truth (for audit, drills, benchmarks and tests only)."""
